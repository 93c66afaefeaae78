"""Soft shadows: what the sun's light meets on its way, and the darkness under things that stand on the ground.

Every primitive that casts a shadow is a disc on the plane across the sunlight, so that most are rejected by one
comparison, and neighbours are rejected together.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from daybreak.diorama.compiled import inlined, kernel
from daybreak.diorama.intersect import Doubles, occlusion, point_to_local, to_local
from daybreak.diorama.primitives import BOUND, KIND, NO_SHADOW, X, Y, Z

_PENUMBRA = 1.5  # a shadow's disc is this much larger than the primitive's bounding sphere, to hold the penumbra
REACHED = 40.0  # metres: shadows farther away are not drawn
_GROUP = 6  # neighbouring casters that are rejected together: they mostly belong to one body
# Columns of a caster row: place on the plane across the sunlight, squared radius, primitive, place on the ground, the
# squared radius of its contact shadow (0: none), and the direction to the sun in its own coordinates.
_U, _V, _REACH, _PRIM, _GROUND_X, _GROUND_Y, _CONTACT, _SUN = 0, 1, 2, 3, 4, 5, 6, 7
CASTER_COLUMNS = 10
# Columns of a group row: lowest and highest u, v, and ground x and y of its casters' discs.
_LOW_U, _HIGH_U, _LOW_V, _HIGH_V, _LOW_X, _HIGH_X, _LOW_Y, _HIGH_Y = 0, 1, 2, 3, 4, 5, 6, 7
GROUP_COLUMNS = 8


@kernel
def find_casters(prims: Doubles, light: Any, axes: Doubles, casters: Doubles) -> int:
    """Fills `axes` (2, 3) with the plane across the sunlight and `casters` (K, 10); returns the number of casters."""
    sx, sy, sz = light.sun[0], light.sun[1], light.sun[2]
    flat = 1.0 / math.sqrt(sx * sx + sy * sy + 1e-9)
    axes[0, 0], axes[0, 1], axes[0, 2] = -sy * flat, sx * flat, 0.0
    axes[1, 0], axes[1, 1], axes[1, 2] = -sz * axes[0, 1], sz * axes[0, 0], sx * axes[0, 1] - sy * axes[0, 0]
    count = 0
    for k in range(prims.shape[0]):
        if prims[k, NO_SHADOW] > 0:
            continue
        x, y, z, bound = prims[k, X], prims[k, Y], prims[k, Z], prims[k, BOUND]
        casters[count, _U] = x * axes[0, 0] + y * axes[0, 1] + z * axes[0, 2]
        casters[count, _V] = x * axes[1, 0] + y * axes[1, 1] + z * axes[1, 2]
        casters[count, _REACH] = (bound * _PENUMBRA) ** 2
        casters[count, _PRIM] = k
        casters[count, _GROUND_X], casters[count, _GROUND_Y] = x, y
        casters[count, _CONTACT] = 2.5 * bound * bound * max(0.0, 1.0 - z / (2.5 * bound))
        dx, dy, dz = to_local(prims, k, sx, sy, sz)
        casters[count, _SUN], casters[count, _SUN + 1], casters[count, _SUN + 2] = dx, dy, dz
        count += 1
    return count


@kernel
def group_casters(casters: Doubles) -> Doubles:
    """The bounds (groups, 8) of every _GROUP casters in a row."""
    groups = np.empty(((casters.shape[0] + _GROUP - 1) // _GROUP, GROUP_COLUMNS), np.float64)
    for group in range(groups.shape[0]):
        for column in range(GROUP_COLUMNS):
            groups[group, column] = -1e9 if column & 1 else 1e9
        for row in range(group * _GROUP, min(casters.shape[0], (group + 1) * _GROUP)):
            reach, near = math.sqrt(casters[row, _REACH]), math.sqrt(casters[row, _CONTACT])
            for axis in range(4):
                place = casters[row, _U + axis] if axis < 2 else casters[row, _GROUND_X + axis - 2]
                size = reach if axis < 2 else near
                groups[group, 2 * axis] = min(groups[group, 2 * axis], place - size)
                groups[group, 2 * axis + 1] = max(groups[group, 2 * axis + 1], place + size)
    return groups


@inlined
def sunlight(
    prims: Doubles, light: Any, axes: Doubles, casters: Doubles, groups: Doubles, own: int,
    x: float, y: float, z: float,
) -> float:  # fmt: skip
    """How much of the sun reaches a point of primitive `own` (-1: the ground), 0 to 1."""
    u = x * axes[0, 0] + y * axes[0, 1] + z * axes[0, 2]
    v = x * axes[1, 0] + y * axes[1, 1] + z * axes[1, 2]
    lit = 1.0
    for group in range(groups.shape[0]):
        if u < groups[group, _LOW_U] or u > groups[group, _HIGH_U]:
            continue
        if v < groups[group, _LOW_V] or v > groups[group, _HIGH_V]:
            continue
        for row in range(group * _GROUP, min(casters.shape[0], (group + 1) * _GROUP)):
            du, dv = casters[row, _U] - u, casters[row, _V] - v
            k = int(casters[row, _PRIM])
            if du * du + dv * dv < casters[row, _REACH] and k != own:
                ox, oy, oz = point_to_local(prims, k, x, y, z)
                dx, dy, dz = casters[row, _SUN], casters[row, _SUN + 1], casters[row, _SUN + 2]
                kind = int(prims[k, KIND])
                lit *= 1.0 - occlusion(kind, prims[k, BOUND], light.softness, ox, oy, oz, dx, dy, dz)
                if lit < 0.01:
                    return 0.0
    return lit


@inlined
def contact(casters: Doubles, groups: Doubles, x: float, y: float) -> float:
    """How open the sky is above a place on the ground, 1 but for the soft darkness under things close to it."""
    dark = 0.0
    for group in range(groups.shape[0]):
        if x < groups[group, _LOW_X] or x > groups[group, _HIGH_X]:
            continue
        if y < groups[group, _LOW_Y] or y > groups[group, _HIGH_Y]:
            continue
        for row in range(group * _GROUP, min(casters.shape[0], (group + 1) * _GROUP)):
            reach = casters[row, _CONTACT]
            dx, dy = casters[row, _GROUND_X] - x, casters[row, _GROUND_Y] - y
            distance = dx * dx + dy * dy
            if distance < reach:
                near = 1.0 - distance / reach
                dark += 0.3 * near * near
    return max(0.5, 1.0 - dark)
