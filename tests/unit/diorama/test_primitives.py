"""Exact geometry: rotations turn, rows map each surface to its unit shape, bounds bound."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from daybreak.diorama import primitives as p

SURFACES = {
    # Points of each unit shape's surface, its outermost ones among them.
    p.ELLIPSOID: [(1, 0, 0), (0, -1, 0), (0, 0, 1), (0.6, 0, 0.8), (0.48, -0.6, 0.64)],
    p.BOX: [(1, 1, 1), (-1, 1, -1), (1, 0.3, -0.2), (0, 0, -1)],
    p.CYLINDER: [(1, 0, 1), (0, -1, -1), (0.6, 0.8, 0.5), (0, 0, 1)],
    p.CONE: [(0, 0, 1), (1, 0, -1), (-0.6, 0.8, -1), (0.5, 0, 0)],
}
ROTATIONS = {"x": p.rotate_x, "y": p.rotate_y, "z": p.rotate_z}


def turned(a: float, b: float, c: float) -> p.Array:
    rotation: p.Array = (p.rotate_z(a) @ p.rotate_y(b) @ p.rotate_x(c)).astype(np.float32)
    return rotation


def one_row(kind: int, radii: tuple[float, float, float], rotation: p.Array, **surface: object) -> p.Array:
    parts = p.Parts(num_frames=1, entity=2)
    parts.add(kind, (1.5, -2, 0.7), rotation, radii, (0.1, 0.2, 0.3), **surface)
    row: p.Array = parts.stack()[0, 0]
    return row


@pytest.mark.parametrize("axis", ROTATIONS)
def test_rotations_are_orthonormal_and_right_handed(axis: str) -> None:
    matrices = ROTATIONS[axis](np.linspace(-7, 7, 29))
    assert matrices.shape == (29, 3, 3)
    assert matrices.dtype == np.float32
    assert_allclose(matrices @ np.swapaxes(matrices, 1, 2), np.broadcast_to(np.eye(3), (29, 3, 3)), atol=1e-6)
    assert_allclose(np.linalg.det(matrices), 1, atol=1e-6)


@pytest.mark.parametrize("axis", ROTATIONS)
def test_rotations_add_and_keep_their_axis(axis: str) -> None:
    rotate, own = ROTATIONS[axis], np.eye(3)["xyz".index(axis)]
    assert_allclose(rotate(0.4) @ rotate(0.9), rotate(1.3), atol=1e-6)
    assert_allclose(rotate(0.7) @ own, own)
    assert_allclose(rotate(0), np.eye(3))


def test_a_quarter_turn_goes_the_documented_way() -> None:
    quarter = np.pi / 2
    forward, left, up = np.eye(3)
    assert_allclose(p.rotate_z(quarter) @ forward, left, atol=1e-6)  # turns to its left
    assert_allclose(p.rotate_y(quarter) @ forward, -up, atol=1e-6)  # nose down
    assert_allclose(p.rotate_x(quarter) @ left, up, atol=1e-6)


def test_rotations_take_any_leading_shape() -> None:
    assert p.rotate_z(0.3).shape == (3, 3)
    assert p.rotate_z(np.zeros((4, 5))).shape == (4, 5, 3, 3)


def test_offset_turns_the_point_with_its_body() -> None:
    origin = np.array(((1, 2, 3), (0, 0, 0)), np.float32)
    rotation = np.stack((p.IDENTITY, p.rotate_z(np.pi / 2)))
    assert_allclose(p.offset(origin, rotation, (1, 0, 0)), ((2, 2, 3), (0, 1, 0)), atol=1e-6)
    assert_allclose(p.offset(origin, rotation, ((1, 0, 0), (0, 2, 0))), ((2, 2, 3), (-2, 0, 0)), atol=1e-6)


@pytest.mark.parametrize("kind", SURFACES)
def test_the_row_maps_the_surface_to_the_unit_shape(kind: int) -> None:
    radii, rotation = np.array((0.5, 2.0, 1.25)), turned(0.6, -0.4, 1.9)
    row = one_row(kind, tuple(radii), rotation)
    to_local = row[p.TO_LOCAL : p.TO_LOCAL + 9].reshape(3, 3)
    unit = np.array(SURFACES[kind])
    steps = (unit * radii) @ rotation.T  # from the centre, in the world
    assert_allclose(steps @ to_local.T, unit, atol=1e-5)


@pytest.mark.parametrize("kind", SURFACES)
def test_the_bounding_sphere_holds_the_surface_and_is_tight(kind: int) -> None:
    radii = np.array((0.5, 2.0, 1.25))
    row = one_row(kind, tuple(radii), turned(1, 2, 3))
    reach = np.linalg.norm(np.array(SURFACES[kind]) * radii, axis=1).max()
    assert reach <= row[p.BOUND] * (1 + 1e-6)
    if kind in (p.ELLIPSOID, p.BOX):  # a cylinder's and a cone's bound is their box's
        assert row[p.BOUND] == pytest.approx(reach)


def test_the_columns_hold_what_was_asked() -> None:
    row = one_row(
        p.CONE, (1, 1, 1), p.IDENTITY, pattern=p.DOTS, colour2=(0.4, 0.5, 0.6), specular=0.9, emission=0.2, no_shadow=2
    )
    assert row.dtype == np.float32
    assert row[p.KIND] == p.CONE
    assert_allclose(row[p.X : p.Z + 1], (1.5, -2, 0.7))
    assert_allclose(row[p.RED : p.BLUE + 1], (0.1, 0.2, 0.3))
    assert row[p.PATTERN] == p.DOTS
    assert_allclose(row[p.RED2 : p.BLUE2 + 1], (0.4, 0.5, 0.6))
    assert_allclose(row[[p.SPECULAR, p.EMISSION, p.NO_SHADOW, p.ENTITY]], (0.9, 0.2, 2, 2))


def test_a_plain_row_has_the_documented_defaults() -> None:
    row = one_row(p.BOX, (1, 1, 1), p.IDENTITY)
    assert_allclose(row[[p.PATTERN, p.SPECULAR, p.EMISSION, p.NO_SHADOW]], (p.PLAIN, 0.15, 0, 0))


def test_no_two_columns_overlap() -> None:
    starts = [p.KIND, p.X, p.Y, p.Z, *range(p.TO_LOCAL, p.TO_LOCAL + 9), p.BOUND, p.RED, p.GREEN, p.BLUE]
    starts += [p.PATTERN, p.RED2, p.GREEN2, p.BLUE2, p.SPECULAR, p.EMISSION, p.NO_SHADOW, p.ENTITY]
    assert starts == list(range(p.NUM_COLUMNS))


def test_parts_stack_per_frame_and_broadcast_what_stands_still() -> None:
    parts = p.Parts(num_frames=3)
    path = np.array(((0, 0, 0), (1, 0, 0), (2, 0, 0)))
    parts.add(p.ELLIPSOID, path, p.rotate_z(np.array((0, 1, 2))), (1, 1, 1), (1, 0, 0))
    parts.entity = 1
    parts.add(p.BOX, (5, 5, 5), p.IDENTITY, ((1, 1, 1), (2, 2, 2), (3, 3, 3)), (0, 1, 0))
    stacked = parts.stack()
    assert stacked.shape == (3, 2, p.NUM_COLUMNS)
    assert stacked.flags["C_CONTIGUOUS"]
    assert_allclose(stacked[:, 0, p.X : p.Z + 1], path)
    assert_allclose(stacked[:, 1, p.X : p.Z + 1], 5)
    assert_allclose(stacked[:, 1, p.BOUND], np.sqrt(3) * np.array((1, 2, 3)), rtol=1e-6)
    assert_allclose(stacked[:, :, p.ENTITY], ((0, 1),) * 3)
