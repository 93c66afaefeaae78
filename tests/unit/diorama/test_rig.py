"""Parts follow their body, and the measures of what was built are exact."""

import numpy as np
import pytest

from daybreak.diorama.primitives import BOX, CYLINDER, ELLIPSOID, IDENTITY, TO_LOCAL, Parts, X, Z, rotate_y, rotate_z
from daybreak.diorama.rig import Body, extent, lowest, reach


def make_body(angle: float = 0.0, scale: float = 1.0) -> Body:
    origin = np.array([[1.0, 2.0, 3.0]] * 2, np.float32)
    return Body(Parts(2), origin, np.broadcast_to(rotate_z(angle), (2, 3, 3)).astype(np.float32), scale)


def test_place_scales_then_turns_then_moves() -> None:
    body = make_body(np.pi / 2, scale=2.0)
    np.testing.assert_allclose(body.place((1, 0, 0.5)), [[1, 4, 4]] * 2, atol=1e-6)


def test_a_joint_turns_with_its_body() -> None:
    hand = make_body(np.pi / 2).joint((1, 0, 0), rotate_z(np.pi / 2))
    np.testing.assert_allclose(hand.place((1, 0, 0)), [[0, 3, 3]] * 2, atol=1e-6)


@pytest.mark.parametrize("end", [(0.3, 0.0, -0.4), (0.0, 1.0, 0.0), (0.0, 0.0, 2.0)])
def test_a_limb_reaches_both_ends_and_is_centred_between_them(end: tuple[float, float, float]) -> None:
    body = make_body()
    body.limb((0, 0, 0), end, 0.1, (1, 1, 1))
    row = body.parts.stack()[0, 0]
    np.testing.assert_allclose(row[X : Z + 1], np.array((1, 2, 3)) + np.array(end) / 2, atol=1e-6)
    to_local = row[TO_LOCAL : TO_LOCAL + 9].reshape(3, 3)
    tips = [to_local @ (sign * np.array(end) / 2) for sign in (-1, 1)]
    assert all(0.8 < np.linalg.norm(tip) < 1 for tip in tips)  # just inside the rounded end
    np.testing.assert_allclose(np.linalg.norm(to_local, axis=1)[:2], 10, rtol=1e-4)  # 0.1 m across


def test_reach_of_an_ellipsoid_and_a_box() -> None:
    parts = Parts(1)
    parts.add(ELLIPSOID, (0, 0, 0), rotate_y(np.pi / 4), (3, 1, 1), (1, 1, 1))
    parts.add(BOX, (0, 0, 0), rotate_z(np.pi / 4), (1, 1, 1), (1, 1, 1))
    found = reach(parts.stack(), (1, 0, 0))
    np.testing.assert_allclose(found[0], [np.sqrt((9 + 1) / 2), np.sqrt(2)], rtol=1e-5)


def test_reach_bounds_a_cylinder() -> None:
    parts = Parts(1)
    parts.add(CYLINDER, (0, 0, 0), IDENTITY, (2, 2, 5), (1, 1, 1))
    np.testing.assert_allclose(reach(parts.stack(), (0, 0, 1))[0], [5], rtol=1e-5)
    np.testing.assert_allclose(reach(parts.stack(), (0, 1, 0))[0], [2], rtol=1e-5)


def test_extent_and_lowest() -> None:
    parts = Parts(2)
    parts.add(ELLIPSOID, (1, 0, 4), IDENTITY, (1, 1, 1), (1, 1, 1))
    parts.add(BOX, (5, 0, 2), IDENTITY, (1, 1, 0.5), (1, 1, 1))
    first, last = extent(parts.stack(), (1, 0, 0))
    np.testing.assert_allclose(first, [0, 0], atol=1e-6)
    np.testing.assert_allclose(last, [6, 6], atol=1e-5)
    np.testing.assert_allclose(lowest(parts.stack()), [1.5, 1.5], atol=1e-6)
