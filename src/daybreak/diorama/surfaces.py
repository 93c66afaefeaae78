"""The colours of things before light falls on them: patterns of primitives, the ground, the water.

Every edge is softened over at least one pixel, because a pixel is shaded once for each primitive that it sees.
"""

from __future__ import annotations

import math
from typing import Any

from daybreak.diorama.backdrop import blob, colour_of, mix
from daybreak.diorama.compiled import inlined, kernel
from daybreak.diorama.intersect import Doubles, Vector, smooth
from daybreak.diorama.primitives import (
    BELLY,
    BLOTCHES,
    BLUE,
    BLUE2,
    CHECKS,
    DOTS,
    GREEN,
    GREEN2,
    PATCHES,
    PATTERN,
    PLAIN,
    RED,
    RED2,
    STRIPES,
    TO_LOCAL,
)

GROUND_PERIOD = 32.0  # metres covered by one period of the ground's texture
_STRIPES_PER_UNIT = 1.25
_WINDOW = (0.66, 0.80)  # metres from one window of a tower to the next, across and upward
_FOOTPRINT = 0.0075  # a pixel's angle at 128 rows: ground noise fades by it at every size, so that all sizes look alike


@inlined
def row_length(prims: Doubles, k: int, row: int) -> float:
    """The inverse of primitive k's radius along one of its axes."""
    m = TO_LOCAL + 3 * row
    length: float = math.sqrt(prims[k, m] ** 2 + prims[k, m + 1] ** 2 + prims[k, m + 2] ** 2)
    return length


@inlined
def soft_wave(place: float, edge: float) -> float:
    """A square wave of period 2 between -1 and +1, with edges softened over `edge`."""
    distance = place - 2.0 * math.floor(0.5 * place)  # 0..2, edges at 0, 1 and 2
    inside = 0.5 - abs(distance - 0.5) if distance < 1.0 else abs(distance - 1.5) - 0.5
    return min(1.0, max(-1.0, 2.0 * inside / edge))


@inlined
def stripes(prims: Doubles, k: int, x: float, y: float, z: float, pixel: float) -> float:
    """Bands across the primitive's longest axis."""
    a, b, c = row_length(prims, k, 0), row_length(prims, k, 1), row_length(prims, k, 2)
    along, inverse = x, a
    if b < inverse * 0.99:
        along, inverse = y, b
    if c < inverse * 0.99:
        along, inverse = z, c
    edge = max(0.12, pixel * inverse * 2.0 * _STRIPES_PER_UNIT)
    return 0.5 - 0.5 * soft_wave(along * 2.0 * _STRIPES_PER_UNIT + 0.5, edge)


@inlined
def dots(x: float, y: float, z: float, edge: float) -> float:
    """Nine spots on each face of the cube around the primitive: no spot is cut by a seam."""
    ax, ay, az = abs(x), abs(y), abs(z)
    u, v, w = x, y, az
    if ax >= ay and ax >= az:
        u, v, w = y, z, ax
    elif ay >= az:
        u, v, w = x, z, ay
    u, v = 1.5 * u / max(w, 1e-6), 1.5 * v / max(w, 1e-6)
    du, dv = u - math.floor(u + 0.5), v - math.floor(v + 0.5)
    return smooth(0.5 + (0.3 - math.sqrt(du * du + dv * dv)) / max(0.1, 2.0 * edge))


@inlined
def blotches(x: float, y: float, z: float, edge: float) -> float:
    """Large patches with uneven outlines that cover about two fifths of a primitive."""
    level = math.sin(4.6 * x + 0.5 + 1.2 * z) * math.cos(3.9 * z + 0.8) + math.sin(4.4 * z + 1.3 * y - 0.6)
    level += 0.8 * math.sin(4.1 * y + 1.1 - 1.5 * x) + 0.35 * math.sin(7.9 * x - 4.3 * y + 3.1 * z)
    return smooth(0.5 + (level - 0.22) / max(0.35, 10.0 * edge))


@kernel
def pattern_weight(prims: Doubles, k: int, noise: Doubles, x: float, y: float, z: float, pixel: float) -> float:
    """How much of primitive k's second colour shows at its own point (x, y, z), 0 to 1; `pixel` in metres."""
    pattern = int(prims[k, PATTERN])
    if pattern == STRIPES:
        return stripes(prims, k, x, y, z, pixel)
    edge = pixel * (row_length(prims, k, 0) + row_length(prims, k, 1) + row_length(prims, k, 2)) / 3.0
    if pattern == CHECKS:
        soft = max(0.1, 2.0 * edge)
        wave = soft_wave(2.0 * x + 0.5, soft) * soft_wave(2.0 * y + 0.5, soft) * soft_wave(2.0 * z + 0.5, soft)
        return 0.5 - 0.5 * wave
    if pattern == DOTS:
        return dots(x, y, z, edge)
    if pattern == BLOTCHES:
        return blotches(x, y, z, edge)
    if pattern == PATCHES:
        level = blob(noise, (x + 0.37 * y) * 0.13, (z - 0.21 * y) * 0.13)
        return smooth(0.5 + (level - 0.56) / max(0.06, edge))
    if pattern == BELLY:
        return smooth(0.5 - (z + 0.2) / max(0.2, 2.0 * edge))
    return 0.0


@inlined
def primitive_colour(prims: Doubles, k: int, noise: Doubles, x: float, y: float, z: float, pixel: float) -> Vector:
    """The colour of primitive k at its own point (x, y, z); `pixel` is a pixel's width there in metres."""
    colour = (prims[k, RED], prims[k, GREEN], prims[k, BLUE])
    if prims[k, PATTERN] == PLAIN:
        return colour
    second = (prims[k, RED2], prims[k, GREEN2], prims[k, BLUE2])
    return mix(colour, second, pattern_weight(prims, k, noise, x, y, z, pixel))


@inlined
def windows(prims: Doubles, k: int, light: Any, x: float, y: float, z: float, pixel: float) -> tuple[Vector, float]:
    """The colour of a tower at its own point (x, y, z), and how far it shines by itself: rows of windows, some lit."""
    wall = (prims[k, RED], prims[k, GREEN], prims[k, BLUE])
    deep = abs(x) > abs(y)  # a side wall
    if abs(z) > 0.999:
        return wall, 0.0
    across = (y / row_length(prims, k, 1) if deep else x / row_length(prims, k, 0)) / _WINDOW[0]
    upward = (z + 1.0) / row_length(prims, k, 2) / _WINDOW[1]
    column, row = math.floor(across), math.floor(upward)
    u, v = abs(across - column - 0.5), abs(upward - row - 0.5)
    edge = max(0.1, 1.2 * pixel / _WINDOW[0])
    pane = smooth(0.5 + (0.31 - u) / edge) * smooth(0.5 + (0.30 - v) / edge)
    lot = 437.58 * math.sin(12.9898 * column + 78.233 * row + 5.0 * prims[k, RED2 + 2] + 9.0 * deep)
    lit = 1.0 if lot - math.floor(lot) < light.lit_windows else 0.0
    glass = mix((0.10, 0.16, 0.24), colour_of(light.zenith), 0.35)
    shown = mix(glass, (prims[k, RED2], prims[k, GREEN2], 0.45), lit)
    return mix(wall, shown, pane), 0.75 * lit * pane


@inlined
def caustics(light: Any, noise: Doubles, seconds: float, x: float, y: float, footprint: float) -> float:
    """The net of light that waves overhead throw on the ground: 0 between its lines, `shafts` on them."""
    first = blob(noise, 0.17 * x + 0.050 * seconds, 0.17 * y + 0.030 * seconds)
    second = blob(noise, 0.21 * x - 0.045 * seconds + 0.37, 0.21 * y + 0.020 * seconds + 0.61)
    line = smooth(1.0 - abs(first + second - 1.0) / 0.17)
    bright: float = line * light.shafts / (1.0 + (footprint / 0.3) ** 2)
    return bright


@inlined
def wash(light: Any, x: float, y: float) -> float:
    """Metres of water beyond the shoreline at a place; negative on land."""
    if y < light.shore - 1.0:
        return -1.0
    beyond: float = y - light.shore - 0.3 * math.sin(0.5 * x + light.shore_phase)
    return beyond


@inlined
def ground_colour(light: Any, ground: Doubles, x: float, y: float, footprint: float) -> Vector:
    """The colour of open ground; `footprint` is a pixel's length on it in metres."""
    level = blob(ground, x / GROUND_PERIOD, y / GROUND_PERIOD)
    coarse = footprint / (_FOOTPRINT * 60.0)
    level = 0.5 + (level - 0.5) / (1.0 + coarse * coarse)
    colour = mix(colour_of(light.ground), colour_of(light.ground2), level)
    if light.path_width > 0:
        off = abs(y - light.path_place - light.path_bend * math.sin(0.25 * x)) - light.path_width
        path = colour_of(light.path)
        tone = 0.9 + 0.2 * level
        weight = smooth(0.5 - off / max(0.12, 1.5 * footprint))
        colour = mix(colour, (path[0] * tone, path[1] * tone, path[2] * tone), weight)
        if light.lane > 0:  # a kerb, and dashes along the middle
            edge = max(0.08, 1.5 * footprint)
            kerb = smooth(0.5 + (0.12 - abs(off)) / edge)
            middle = smooth(0.5 + (0.06 - abs(off + light.path_width)) / edge)
            dash = abs(x / 2.4 - math.floor(x / 2.4) - 0.5)
            middle *= smooth(0.5 + (0.25 - dash) / 0.06)
            colour = mix(colour, (0.86, 0.86, 0.84), max(kerb, 0.85 * middle) / (1.0 + footprint))
    return colour


@inlined
def floor_colour(light: Any, x: float, y: float, footprint: float) -> Vector:
    """The colour of the room's boards and its round rug."""
    place = x / 0.9
    seam = 0.45 - abs(place - math.floor(place) - 0.5)
    edge = max(0.05, footprint)
    board = 0.5 + 0.5 * math.sin(2.4 * math.floor(place))
    colour = mix(colour_of(light.ground), colour_of(light.ground2), board)
    colour = mix(colour, (0.6 * colour[0], 0.6 * colour[1], 0.6 * colour[2]), 0.5 * smooth(0.5 - seam / edge))
    distance = math.sqrt(x * x + (y / 0.8) ** 2)
    edge = max(0.08, 2.0 * footprint)
    path = colour_of(light.path)
    colour = mix(colour, (0.6 * path[0], 0.6 * path[1], 0.6 * path[2]), smooth(0.5 + (2.9 - distance) / edge))
    return mix(colour, path, smooth(0.5 + (2.55 - distance) / edge))
