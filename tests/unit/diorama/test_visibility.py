from __future__ import annotations

import numpy as np

from daybreak.diorama.compiled import kernel
from daybreak.diorama.intersect import point_to_local, span, to_local
from daybreak.diorama.primitives import BOUND, KIND, Parts, rotate_x, rotate_y, rotate_z
from daybreak.diorama.visibility import FORWARD, ORIGIN, RIGHT, TANGENT, UP, find_visible, pixel_ray

HEIGHT, WIDTH = 24, 40


def camera() -> np.ndarray:
    row = np.zeros(13)
    row[ORIGIN : ORIGIN + 3] = (0, -4, 1.2)
    row[RIGHT], row[UP + 2], row[FORWARD + 1], row[TANGENT] = 1, 1, 1, 0.5
    return row


@kernel
def nearest(prims: np.ndarray, camera: np.ndarray, height: int, width: int, row: float, column: float) -> int:
    """The primitive that a ray meets first, by trying them all."""
    ray = pixel_ray(camera, height, width, row, column)
    best, depth = -1, (-camera[2] / ray[2] if ray[2] < 0 else 1e9)
    for k in range(prims.shape[0]):
        origin = point_to_local(prims, k, camera[0], camera[1], camera[2])
        local = to_local(prims, k, ray[0], ray[1], ray[2])
        enter, leave = span(int(prims[k, KIND]), origin[0], origin[1], origin[2], local[0], local[1], local[2])
        if enter < leave and 0.05 < enter < depth:
            best, depth = k, enter
    return best


def scatter(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    parts = Parts(1)
    for k in range(16):
        turn = rotate_x(rng.uniform(0, 6)) @ rotate_y(rng.uniform(0, 6)) @ rotate_z(rng.uniform(0, 6))
        centre = rng.uniform((-4, -4, -0.5), (4, 6, 3))
        parts.add(k % 4, centre, turn, rng.uniform(0.05, 0.9, 3), (1, 1, 1))
    return parts.stack()[0].astype(np.float64)


def visible(prims: np.ndarray, window: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    shape = (2 * (window[1] - window[0]), 2 * (window[3] - window[2]))
    depth, ids = np.empty(shape), np.empty(shape, np.int32)
    find_visible(prims, camera(), HEIGHT, WIDTH, window, depth, ids)
    return depth, ids


def test_the_bounds_of_a_primitive_never_hide_a_part_of_it() -> None:
    for seed in range(6):
        prims = scatter(seed)
        _, ids = visible(prims, (0, HEIGHT, 0, WIDTH))
        expected = [
            [
                nearest(prims, camera(), HEIGHT, WIDTH, (row + 0.5) / 2, (column + 0.5) / 2)
                for column in range(2 * WIDTH)
            ]
            for row in range(2 * HEIGHT)
        ]
        assert (ids >= 0).any()
        np.testing.assert_array_equal(ids, expected)


def test_a_window_sees_what_the_whole_picture_sees() -> None:
    prims = scatter(7)
    depth, ids = visible(prims, (0, HEIGHT, 0, WIDTH))
    part_depth, part_ids = visible(prims, (5, 17, 9, 30))
    np.testing.assert_array_equal(part_ids, ids[10:34, 18:60])
    np.testing.assert_array_equal(part_depth, depth[10:34, 18:60])


def test_what_is_behind_the_camera_or_under_the_ground_is_not_seen() -> None:
    parts = Parts(1)
    parts.add(0, (0, -8, 1), np.eye(3), (1, 1, 1), (1, 1, 1))
    parts.add(1, (0, 2, -1.5), np.eye(3), (1, 1, 1), (1, 1, 1))
    prims = parts.stack()[0].astype(np.float64)
    assert prims[0, BOUND] == 1
    assert (visible(prims, (0, HEIGHT, 0, WIDTH))[1] == -1).all()
