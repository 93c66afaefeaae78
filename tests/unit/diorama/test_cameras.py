"""Camera moves go where their words say, and `fit` keeps subjects in the frame."""

import math
from dataclasses import replace

import numpy as np
import pytest

from daybreak.diorama.cameras import DOLLY, HALF_VIEW, MARGIN, ORBIT, PAN, TILT, Framing, fit, project, shoot
from daybreak.diorama.primitives import BOX, ELLIPSOID, IDENTITY, Array, Parts
from daybreak.diorama.scene import CAMERAS

FRAMING = Framing(target=(0.0, 0.0, 0.7), distance=3.3, aspect=1.75, move="static")


def make_sphere(x: float = 0.0, radius: float = 0.5, frames: int = 49) -> Array:
    parts = Parts(frames)
    parts.add(ELLIPSOID, (x, 0, 0.7), IDENTITY, (radius, radius, radius), (1, 0, 0))
    return parts.stack()


@pytest.mark.parametrize("move", CAMERAS)
def test_every_camera_is_an_orthonormal_frame(move: str) -> None:
    cameras = shoot(replace(FRAMING, move=move), 49)
    axes = cameras[:, 3:12].reshape(-1, 3, 3)
    np.testing.assert_allclose(axes @ axes.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (49, 3, 3)), atol=1e-5)
    np.testing.assert_allclose(np.cross(axes[:, 0], axes[:, 2]), axes[:, 1], atol=1e-5)  # up = right x forward
    assert (cameras[:, 2] > 0.2).all()  # above the ground


def test_static_does_not_move() -> None:
    cameras = shoot(FRAMING, 49)
    assert (cameras == cameras[0]).all()


@pytest.mark.parametrize(("move", "sign"), [("pan left", 1), ("pan right", -1)])
def test_a_pan_slides_the_picture_the_other_way(move: str, sign: int) -> None:
    bounds = project(make_sphere(), shoot(replace(FRAMING, move=move), 49), 1.75)
    middle = bounds[:, 0, [0, 2]].mean(1)
    assert (np.diff(sign * middle) > 0).all()
    assert middle[0] == pytest.approx(-middle[-1], abs=0.02)  # symmetric
    assert abs(middle[-1] - middle[0]) / 2 == pytest.approx(PAN, abs=0.06)  # of the frame's width


@pytest.mark.parametrize(("move", "power"), [("dolly in", 1), ("dolly out", -1)])
def test_a_dolly_scales_the_subject(move: str, power: int) -> None:
    bounds = project(make_sphere(radius=0.1), shoot(replace(FRAMING, move=move), 49), 1.75)
    heights = bounds[:, 0, 3] - bounds[:, 0, 1]
    assert heights[-1] / heights[0] == pytest.approx(DOLLY**power, rel=0.02)


def test_an_orbit_goes_round_at_a_constant_distance() -> None:
    origin = shoot(replace(FRAMING, move="orbit"), 49)[:, :3]
    flat = origin[:, :2]
    np.testing.assert_allclose(np.linalg.norm(flat, axis=1), np.linalg.norm(flat[0]), rtol=1e-5)
    angles = np.arctan2(flat[:, 0], -flat[:, 1])
    assert abs(angles[-1] - angles[0]) == pytest.approx(ORBIT, rel=1e-4)


def test_a_crane_rises_and_keeps_the_subject_in_the_middle() -> None:
    cameras = shoot(replace(FRAMING, move="crane up"), 49)
    assert (np.diff(cameras[:, 2]) > 0).all()
    assert cameras[-1, 2] - cameras[0, 2] > 2
    bounds = project(make_sphere(radius=0.1), cameras, 1.75)[:, 0]
    np.testing.assert_allclose(bounds[:, [1, 3]].mean(1), 0, atol=0.02)


def test_a_tilt_looks_up_from_where_it_stands_and_the_picture_slides_down() -> None:
    cameras = shoot(replace(FRAMING, move="tilt up"), 49)
    np.testing.assert_array_equal(cameras[:, :3], cameras[:1, :3].repeat(49, 0))
    assert (np.diff(cameras[:, 11]) > 0).all()
    middle = project(make_sphere(radius=0.1), cameras, 1.75)[:, 0, [1, 3]].mean(1)
    assert (np.diff(middle) < 0).all()
    assert (middle[0] - middle[-1]) / 2 == pytest.approx(TILT, abs=0.06)  # of the frame's height


def test_a_hand_shakes_gently_and_visibly_about_the_subject() -> None:
    for phase in range(6):
        cameras = shoot(replace(FRAMING, move="handheld", phase=float(phase)), 49)
        bounds = project(make_sphere(radius=0.1), cameras, 1.75)[:, 0]
        across, upward = bounds[:, [0, 2]].mean(1), bounds[:, [1, 3]].mean(1)
        assert 0.06 < np.ptp(across) < 0.30
        assert 0.10 < np.ptp(upward) < 0.40
        assert max(np.abs(np.diff(across)).max(), np.abs(np.diff(upward)).max()) < 0.06
        assert np.ptp(cameras[:, 5]) > 0.03  # it rolls


def test_a_following_camera_moves_with_its_path() -> None:
    path = np.stack([np.linspace(-1, 1, 49), np.zeros(49)], 1).astype(np.float32)
    still, moving = shoot(FRAMING, 49), shoot(replace(FRAMING, move="follow", path=path), 49)
    np.testing.assert_allclose(moving[:, :2] - still[:, :2], path, atol=1e-6)


def test_projection_of_a_point_is_exact() -> None:
    distance = math.hypot(3.3, 0)
    bounds = project(make_sphere(radius=1e-4), shoot(replace(FRAMING, distance=distance), 49), 1.75)
    np.testing.assert_allclose(bounds[0, 0], 0, atol=1e-3)
    beside = project(make_sphere(x=1.0, radius=1e-4), shoot(FRAMING, 49), 1.75)[0, 0, 0]
    assert beside == pytest.approx(1 / (3.3 * HALF_VIEW * 1.75), rel=0.01)


def test_fit_leaves_what_fits_and_moves_back_from_what_does_not() -> None:
    assert fit(FRAMING, make_sphere()) is FRAMING
    large = make_sphere(radius=1.6)
    fitted = fit(FRAMING, large)
    assert fitted.distance > FRAMING.distance
    assert np.abs(project(large, shoot(fitted, 49), 1.75)).max() <= MARGIN + 0.02


def test_a_box_reaches_to_its_nearest_corner() -> None:
    parts = Parts(1)
    parts.add(BOX, (0, 0, 0.7), IDENTITY, (0.5, 0.5, 0.5), (1, 0, 0))
    left, _, right, top = project(parts.stack(), shoot(replace(FRAMING, target=(0.0, 0.0, 0.7)), 1), 1.75)[0, 0]
    assert right == pytest.approx(-left, rel=1e-4)
    assert right > 0.5 / (3.3 - 0.5) / (HALF_VIEW * 1.75) * 0.97  # the front face, not the middle
    assert top < 1
