from __future__ import annotations

import numpy as np
import pytest

from daybreak.diorama.compiled import kernel
from daybreak.diorama.intersect import local_normal, occlusion, span
from daybreak.diorama.primitives import BOX, CONE, CYLINDER, ELLIPSOID

KINDS = (ELLIPSOID, BOX, CYLINDER, CONE)


@kernel
def entry_and_exit(
    kind: int, origin: tuple[float, float, float], ray: tuple[float, float, float]
) -> tuple[float, float]:
    return span(kind, origin[0], origin[1], origin[2], ray[0], ray[1], ray[2])


@kernel
def normal(kind: int, x: float, y: float, z: float) -> tuple[float, float, float]:
    return local_normal(kind, x, y, z)


@kernel
def shade(kind: int, softness: float, x: float, y: float, z: float) -> float:
    return occlusion(kind, 1.0, softness, x, y, z, 0.0, 0.0, 1.0)


def inside(kind: int, point: np.ndarray) -> bool:
    """The shapes' definitions, written independently of the intersections."""
    x, y, z = point
    if kind == ELLIPSOID:
        return bool(x * x + y * y + z * z < 1)
    if kind == BOX:
        return bool(np.abs(point).max() < 1)
    radius = 1.0 if kind == CYLINDER else (1 - z) / 2
    return bool(abs(z) < 1 and x * x + y * y < radius * radius)


@pytest.mark.parametrize("kind", KINDS)
def test_a_span_is_exactly_the_part_of_the_ray_inside_the_shape(kind: int) -> None:
    rng = np.random.default_rng(kind)
    hits = 0
    for _ in range(300):
        origin = rng.uniform(-3, 3, 3)
        ray = rng.uniform(-1, 1, 3) - origin
        enter, leave = entry_and_exit(kind, tuple(origin), tuple(ray))
        hits += enter < leave
        for t in np.linspace(-6, 6, 101):
            between = enter < t < leave
            near_an_end = min(abs(t - enter), abs(t - leave)) < 1e-6
            assert near_an_end or between == inside(kind, origin + t * ray)
    assert hits > 20


@pytest.mark.parametrize("kind", KINDS)
def test_the_axis_is_met_at_both_poles(kind: int) -> None:
    enter, leave = entry_and_exit(kind, (0.0, 0.0, 5.0), (0.0, 0.0, -1.0))
    assert (enter, leave) == pytest.approx((4.0, 6.0))


def test_normals_point_out_of_caps_sides_and_faces() -> None:
    assert normal(BOX, 0.2, -1.0, 0.4) == (0.0, -1.0, 0.0)
    assert normal(CYLINDER, 0.3, 0.1, -1.0) == (0.0, 0.0, -1.0)
    assert normal(CYLINDER, 0.6, 0.8, 0.5) == (0.6, 0.8, 0.0)
    assert normal(CONE, 0.3, 0.1, -1.0) == (0.0, 0.0, -1.0)
    # The cone's side rises by 2 over a radius of 1: its normal rises by 1 over 2.
    assert normal(CONE, 0.5, 0.0, 0.0) == (0.5, 0.0, 0.25)


@pytest.mark.parametrize("kind", KINDS)
def test_light_from_above_is_full_beside_a_shape_and_gone_far_below_its_middle(kind: int) -> None:
    assert shade(kind, 1.0, 0.0, 0.0, -3.0) == pytest.approx(1.0)
    assert shade(kind, 1.0, 1.6, 0.0, -3.0) == 0.0
    assert shade(kind, 1.0, 0.0, 0.0, 3.0) == 0.0, "a shape below the point takes no light"


def test_a_penumbra_grows_with_the_distance_to_the_occluder() -> None:
    across = np.linspace(0, 2, 201)

    def width(depth: float) -> int:
        values = np.array([shade(ELLIPSOID, 1.0, x, 0.0, -depth) for x in across])
        assert np.all(np.diff(values) <= 1e-12)
        return int(((values > 0.02) & (values < 0.98)).sum())

    assert width(3.5) > 1.5 * width(1.5) > 0
