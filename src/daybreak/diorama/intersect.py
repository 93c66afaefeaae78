"""Rays against the four unit shapes: where a ray enters and leaves, the surface normal there, and soft occlusion.

Everything here is in a primitive's own coordinates, where the shape has radius 1. A ray is `origin + t * direction`;
the map from the world is linear, so that t means the same in both.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from daybreak.diorama.compiled import inlined
from daybreak.diorama.primitives import BOX, CYLINDER, ELLIPSOID, TO_LOCAL, X, Y, Z

Doubles = NDArray[np.float64]
Vector = tuple[float, float, float]

NEVER = 1e9  # a t beyond everything
_TINY = 1e-9


@inlined
def to_local(prims: Doubles, k: int, x: float, y: float, z: float) -> Vector:
    """The direction (x, y, z) of the world in primitive k's coordinates."""
    m = TO_LOCAL
    return (
        prims[k, m] * x + prims[k, m + 1] * y + prims[k, m + 2] * z,
        prims[k, m + 3] * x + prims[k, m + 4] * y + prims[k, m + 5] * z,
        prims[k, m + 6] * x + prims[k, m + 7] * y + prims[k, m + 8] * z,
    )


@inlined
def point_to_local(prims: Doubles, k: int, x: float, y: float, z: float) -> Vector:
    """The world's point (x, y, z) in primitive k's coordinates."""
    return to_local(prims, k, x - prims[k, X], y - prims[k, Y], z - prims[k, Z])


@inlined
def away_from_zero(value: float) -> float:
    """The value, or a tiny one of the same sign, so that it can divide."""
    if abs(value) > _TINY:
        return value
    return _TINY if value >= 0 else -_TINY


@inlined
def slab(origin: float, direction: float) -> tuple[float, float]:
    """Entry and exit t of the space between -1 and +1 along one axis."""
    inverse = 1.0 / away_from_zero(direction)
    middle, half = -origin * inverse, abs(inverse)
    return middle - half, middle + half


@inlined
def ellipsoid_span(ox: float, oy: float, oz: float, dx: float, dy: float, dz: float) -> tuple[float, float]:
    """Entry and exit t of the unit sphere; the entry is NEVER on a miss."""
    a = dx * dx + dy * dy + dz * dz
    b = ox * dx + oy * dy + oz * dz
    h = b * b - a * (ox * ox + oy * oy + oz * oz - 1.0)
    if h <= 0:
        return NEVER, -NEVER
    root = math.sqrt(h)
    return (-b - root) / a, (-b + root) / a


@inlined
def box_span(ox: float, oy: float, oz: float, dx: float, dy: float, dz: float) -> tuple[float, float]:
    """Entry and exit t of the cube from -1 to +1."""
    x0, x1 = slab(ox, dx)
    y0, y1 = slab(oy, dy)
    z0, z1 = slab(oz, dz)
    return max(x0, max(y0, z0)), min(x1, min(y1, z1))


@inlined
def cylinder_span(ox: float, oy: float, oz: float, dx: float, dy: float, dz: float) -> tuple[float, float]:
    """Entry and exit t of the cylinder of radius 1 about z between z = -1 and +1."""
    a = max(dx * dx + dy * dy, _TINY)
    b = ox * dx + oy * dy
    h = b * b - a * (ox * ox + oy * oy - 1.0)
    if h <= 0:
        return NEVER, -NEVER
    root = math.sqrt(h)
    z0, z1 = slab(oz, dz)
    return max((-b - root) / a, z0), min((-b + root) / a, z1)


@inlined
def cone_span(ox: float, oy: float, oz: float, dx: float, dy: float, dz: float) -> tuple[float, float]:
    """Entry and exit t of the cone with its apex at z = +1 and a base of radius 1 at z = -1."""
    z0, z1 = slab(oz, dz)
    rise = 1.0 - oz
    a = away_from_zero(dx * dx + dy * dy - 0.25 * dz * dz)
    b = ox * dx + oy * dy + 0.25 * rise * dz
    h = b * b - a * (ox * ox + oy * oy - 0.25 * rise * rise)
    if a > 0:
        if h <= 0:
            return NEVER, -NEVER
        root = math.sqrt(h)
        return max((-b - root) / a, z0), min((-b + root) / a, z1)
    # A ray steeper than the cone is inside the double cone before the first root and after the second one; between
    # the two planes only the lower cone exists, which is convex, so at most one of the two spans is not empty.
    root = math.sqrt(max(h, 0.0))
    first, second = (-b + root) / a, (-b - root) / a
    if min(first, z1) > z0:
        return z0, min(first, z1)
    return max(second, z0), z1


@inlined
def span(kind: int, ox: float, oy: float, oz: float, dx: float, dy: float, dz: float) -> tuple[float, float]:
    """Entry and exit t of a ray through a shape; entry >= exit means a miss."""
    if kind == ELLIPSOID:
        return ellipsoid_span(ox, oy, oz, dx, dy, dz)
    if kind == BOX:
        return box_span(ox, oy, oz, dx, dy, dz)
    if kind == CYLINDER:
        return cylinder_span(ox, oy, oz, dx, dy, dz)
    return cone_span(ox, oy, oz, dx, dy, dz)


@inlined
def local_normal(kind: int, x: float, y: float, z: float) -> Vector:
    """The outward normal, of any length, at the surface point (x, y, z) of a shape."""
    if kind == ELLIPSOID:
        return x, y, z
    ax, ay, az = abs(x), abs(y), abs(z)
    if kind == BOX:
        if ax >= ay and ax >= az:
            return math.copysign(1.0, x), 0.0, 0.0
        if ay >= az:
            return 0.0, math.copysign(1.0, y), 0.0
        return 0.0, 0.0, math.copysign(1.0, z)
    radius = math.sqrt(x * x + y * y)
    if kind == CYLINDER:
        if az > radius:
            return 0.0, 0.0, math.copysign(1.0, z)
        return x, y, 0.0
    slope = 0.5 * (1.0 - z)
    if z + 1.0 < abs(radius - slope):
        return 0.0, 0.0, -1.0
    return x, y, 0.5 * slope


@inlined
def to_world(prims: Doubles, k: int, x: float, y: float, z: float) -> Vector:
    """Primitive k's normal (x, y, z) in the world, of length 1."""
    m = TO_LOCAL
    wx = prims[k, m] * x + prims[k, m + 3] * y + prims[k, m + 6] * z
    wy = prims[k, m + 1] * x + prims[k, m + 4] * y + prims[k, m + 7] * z
    wz = prims[k, m + 2] * x + prims[k, m + 5] * y + prims[k, m + 8] * z
    inverse = 1.0 / math.sqrt(wx * wx + wy * wy + wz * wz + 1e-20)
    return wx * inverse, wy * inverse, wz * inverse


@inlined
def smooth(value: float) -> float:
    """The cubic step from 0 to 1 over the unit interval."""
    value = min(1.0, max(0.0, value))
    return value * value * (3.0 - 2.0 * value)


@inlined
def occlusion(
    kind: int, bound: float, softness: float,
    ox: float, oy: float, oz: float, dx: float, dy: float, dz: float,
) -> float:  # fmt: skip
    """How much of the light from a direction a shape takes away, 0 to 1, with a penumbra that grows with distance.

    The direction has length 1 in the world, so that t is in metres. An ellipsoid goes by how near the ray passes its
    centre; the other shapes by the length of the ray inside, which falls to zero at the silhouette.
    """
    if kind == ELLIPSOID:
        a = dx * dx + dy * dy + dz * dz
        nearest = -(ox * dx + oy * dy + oz * dz) / a
        if nearest <= 0:
            return 0.0
        distance = math.sqrt(max(ox * ox + oy * oy + oz * oz - nearest * nearest * a, 0.0))
        width = min(0.45, softness * (0.05 + 0.1 * nearest) / bound)
        return smooth((1.0 + width - distance) / (2.0 * width)) * min(1.0, nearest * 10.0)
    enter, leave = span(kind, ox, oy, oz, dx, dy, dz)
    enter = max(enter, 0.0)
    if leave <= enter:
        return 0.0
    return smooth((leave - enter) / (softness * (0.08 + 0.12 * enter)))
