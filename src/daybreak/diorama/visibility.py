"""Which primitive each of the 2x2 samples of a pixel sees, and how far away it is.

A camera row is [origin, right, up, forward, tan(fov_y / 2)]. A pixel's ray has a component of 1 along the camera's
forward, so that a ray's t is the depth in metres.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from daybreak.diorama.compiled import inlined, kernel
from daybreak.diorama.intersect import NEVER, Doubles, Vector, point_to_local, span, to_local
from daybreak.diorama.primitives import BOUND, ENTITY, KIND, TO_LOCAL, X, Y, Z

ORIGIN, RIGHT, UP, FORWARD, TANGENT = 0, 3, 6, 9, 12  # columns of a camera row
NUM_ENTITIES = 3
_NEAR = 0.05  # metres: nothing closer is drawn

Integers = NDArray[np.int32]
Bytes = NDArray[np.uint8]


@inlined
def pixel_ray(camera: Doubles, height: int, width: int, row: float, column: float) -> Vector:
    """The direction through a place of a height x width picture, in pixels; (0, 0) is the upper left corner."""
    up = (1.0 - 2.0 * row / height) * camera[TANGENT]
    right = (2.0 * column - width) / height * camera[TANGENT]
    return (
        camera[FORWARD] + right * camera[RIGHT] + up * camera[UP],
        camera[FORWARD + 1] + right * camera[RIGHT + 1] + up * camera[UP + 1],
        camera[FORWARD + 2] + right * camera[RIGHT + 2] + up * camera[UP + 2],
    )


@inlined
def to_camera(camera: Doubles, x: float, y: float, z: float) -> Vector:
    """The world's point (x, y, z) as right, up and depth of a camera, metres."""
    x, y, z = x - camera[ORIGIN], y - camera[ORIGIN + 1], z - camera[ORIGIN + 2]
    return (
        x * camera[RIGHT] + y * camera[RIGHT + 1] + z * camera[RIGHT + 2],
        x * camera[UP] + y * camera[UP + 1] + z * camera[UP + 2],
        x * camera[FORWARD] + y * camera[FORWARD + 1] + z * camera[FORWARD + 2],
    )


@inlined
def extent(centre: float, depth: float, radius: float, tangent: float) -> tuple[float, float]:
    """Bounds, in units of half the picture's height, of a ball `centre` off the axis at `depth`."""
    near, far = depth - radius, depth + radius
    low, high = centre - radius, centre + radius
    return min(low / near, low / far) / tangent, max(high / near, high / far) / tangent


@inlined
def half_axis(prims: Doubles, k: int, row: int) -> Vector:
    """The vector in the world from primitive k's centre to its surface along one of its axes."""
    m = TO_LOCAL + 3 * row
    x, y, z = prims[k, m], prims[k, m + 1], prims[k, m + 2]
    scale = 1.0 / (x * x + y * y + z * z)
    return x * scale, y * scale, z * scale


@kernel
def outline(prims: Doubles, k: int, camera: Doubles) -> tuple[float, float, float, float, float]:
    """Lowest and highest place across and upward, in half heights, and the least depth, of all that k can cover.

    The corners of the box around the shape, within the bounds of its bounding sphere.
    """
    tangent = camera[TANGENT]
    across, upward, depth = to_camera(camera, prims[k, X], prims[k, Y], prims[k, Z])
    bound = prims[k, BOUND]
    if depth - bound < 2 * _NEAR:  # around or behind the camera: no bound
        return -1e3, 1e3, -1e3, 1e3, (0.0 if depth + bound > _NEAR else NEVER)
    left, right = extent(across, depth, bound, tangent)
    low, high = extent(upward, depth, bound, tangent)
    a, b, c = half_axis(prims, k, 0), half_axis(prims, k, 1), half_axis(prims, k, 2)
    corner_left, corner_right, corner_low, corner_high, nearest = NEVER, -NEVER, NEVER, -NEVER, NEVER
    for corner in range(8):
        i, j, n = 2.0 * (corner & 1) - 1.0, (corner & 2) - 1.0, 0.5 * (corner & 4) - 1.0
        x = prims[k, X] + i * a[0] + j * b[0] + n * c[0]
        y = prims[k, Y] + i * a[1] + j * b[1] + n * c[1]
        z = prims[k, Z] + i * a[2] + j * b[2] + n * c[2]
        across, upward, depth = to_camera(camera, x, y, z)
        scale = 1.0 / (max(depth, _NEAR) * tangent)
        if depth < 2 * _NEAR:
            return left, right, low, high, 0.0
        corner_left, corner_right = min(corner_left, across * scale), max(corner_right, across * scale)
        corner_low, corner_high = min(corner_low, upward * scale), max(corner_high, upward * scale)
        nearest = min(nearest, depth)
    return (
        max(left, corner_left), min(right, corner_right), max(low, corner_low), min(high, corner_high), nearest,
    )  # fmt: skip


@inlined
def sample_range(low: float, high: float, middle: float, height: int, first: int, last: int) -> tuple[int, int]:
    """The samples between two places in half heights, end excluded, within first..last; one more on each side."""
    start = max(float(first), middle + low * height - 1.0)
    end = min(float(last), middle + high * height + 2.0)
    return int(start), int(end)


@kernel
def find_visible(
    prims: Doubles, camera: Doubles, height: int, width: int, window: tuple[int, int, int, int],
    depth: Doubles, ids: Integers,
) -> None:  # fmt: skip
    """Fills `depth` and `ids` (2 x window height, 2 x window width): the nearest primitive, or -1 for the backdrop."""
    top, left = 2 * window[0], 2 * window[2]
    ox, oy, oz = camera[ORIGIN], camera[ORIGIN + 1], camera[ORIGIN + 2]
    for row in range(ids.shape[0]):
        for column in range(ids.shape[1]):
            dz = pixel_ray(camera, height, width, (row + top + 0.5) / 2, (column + left + 0.5) / 2)[2]
            ids[row, column] = -1
            depth[row, column] = -oz / dz if dz * oz < 0 else NEVER  # what is under the ground is hidden by it
    for k in range(prims.shape[0]):
        kind = int(prims[k, KIND])
        west, east, south, north, nearest = outline(prims, k, camera)
        if nearest >= NEVER:
            continue
        row0, row1 = sample_range(-north, -south, float(height), height, top, top + ids.shape[0])
        column0, column1 = sample_range(west, east, float(width), height, left, left + ids.shape[1])
        lx, ly, lz = point_to_local(prims, k, ox, oy, oz)
        # The map to the primitive's coordinates is linear, so it is applied to the camera and not to every ray.
        fx, fy, fz = to_local(prims, k, camera[FORWARD], camera[FORWARD + 1], camera[FORWARD + 2])
        rx, ry, rz = to_local(prims, k, camera[RIGHT], camera[RIGHT + 1], camera[RIGHT + 2])
        ux, uy, uz = to_local(prims, k, camera[UP], camera[UP + 1], camera[UP + 2])
        for row in range(row0, row1):
            up = (1.0 - (row + 0.5) / height) * camera[TANGENT]
            sx, sy, sz = fx + up * ux, fy + up * uy, fz + up * uz
            for column in range(column0, column1):
                if depth[row - top, column - left] < nearest:
                    continue
                right = (column + 0.5 - width) / height * camera[TANGENT]
                enter, leave = span(kind, lx, ly, lz, sx + right * rx, sy + right * ry, sz + right * rz)
                if enter < leave and _NEAR < enter < depth[row - top, column - left]:
                    depth[row - top, column - left] = enter
                    ids[row - top, column - left] = k


@kernel
def count_entities(prims: Doubles, ids: Integers, entities: Bytes) -> None:
    """Fills `entities` (h, w) with the entity that most of a pixel's samples see; a tie goes to the later one."""
    for row in range(entities.shape[0]):
        for column in range(entities.shape[1]):
            zero, one, two = 0, 0, 0
            for sample in range(4):
                k = ids[2 * row + (sample >> 1), 2 * column + (sample & 1)]
                entity = int(prims[k, ENTITY]) if k >= 0 else 0
                zero += entity == 0
                one += entity == 1
                two += entity == 2
            best = 1 if one >= zero else 0
            entities[row, column] = 2 if two >= max(zero, one) else best
