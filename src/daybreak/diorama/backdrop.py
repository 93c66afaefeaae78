"""What is behind everything: the sky with its clouds, discs, stars and mountains, or the walls of the room.

`light` is one record of `light.LIGHT`. Directions have length 1. Nothing here is thinner than about two pixels.
"""

from __future__ import annotations

import math
from typing import Any

from daybreak.diorama.compiled import inlined, kernel
from daybreak.diorama.intersect import NEVER, Doubles, Vector, smooth

ROOM_BACK, ROOM_FRONT, ROOM_SIDE = 4.5, -14.0, 7.0  # the room's walls: y, y, and +-x, metres


@inlined
def mix(a: Vector, b: Vector, weight: float) -> Vector:
    """The colour a at weight 0, b at weight 1."""
    return a[0] + (b[0] - a[0]) * weight, a[1] + (b[1] - a[1]) * weight, a[2] + (b[2] - a[2]) * weight


@inlined
def colour_of(field: Any) -> Vector:
    """A three-component field of a record as a tuple."""
    return field[0], field[1], field[2]


@inlined
def blob(texture: Doubles, u: float, v: float) -> float:
    """The periodic texture at (u, v), one period per unit, bilinear."""
    size = texture.shape[0]
    u, v = u * size, v * size
    column, row = math.floor(u), math.floor(v)
    fu, fv = u - column, v - row
    i, j = int(column) & (size - 1), int(row) & (size - 1)
    i2, j2 = (i + 1) & (size - 1), (j + 1) & (size - 1)
    upper = texture[j, i] + (texture[j, i2] - texture[j, i]) * fu
    lower = texture[j2, i] + (texture[j2, i2] - texture[j2, i]) * fu
    level: float = upper + (lower - upper) * fv
    return level


@inlined
def sky(light: Any, noise: Doubles, seconds: float, x: float, y: float, z: float) -> Vector:
    """The open sky in a direction: gradient, clouds, and the glow and disc of the sun or moon."""
    height = max(0.0, z)
    colour = mix(colour_of(light.horizon), colour_of(light.zenith), math.sqrt(min(1.0, height * 1.6)))
    if light.cloud_cover > 0:
        stretch = 0.11 / (height + 0.16)
        u = x * stretch + light.cloud_offset[0] + 0.0045 * seconds
        density = (blob(noise, u, y * stretch + light.cloud_offset[1]) - 1.0 + light.cloud_cover) * 2.2
        colour = mix(colour, colour_of(light.cloud), 0.9 * smooth(density) * min(1.0, height * 7.0))
    toward = max(0.0, x * light.disc[0] + y * light.disc[1] + z * light.disc[2])
    power = toward * toward
    power *= power
    power *= power
    wide = power
    power *= power
    power *= power
    glow = 0.12 * wide + 0.28 * power * power
    disc = smooth((toward - light.disc_cosine) / (0.25 * (1.0 - light.disc_cosine)))
    colour = mix(colour, colour_of(light.disc_colour), min(1.0, glow * light.glow))
    return mix(colour, colour_of(light.disc_colour), disc * light.disc_visible)


@inlined
def celestial(light: Any, stars: Doubles, colour: Vector, azimuth: float, z: float) -> Vector:
    """The colour with the stars and the earth over it; `azimuth` runs from 0 to 1 around the horizon."""
    if light.star_brightness > 0:
        cells = stars.shape[0]
        cell = min(cells - 1, int(azimuth * cells))
        across = (azimuth - stars[cell, 0]) * 2.0 * math.pi
        upward = z - stars[cell, 1]
        near = 1.0 - math.sqrt(across * across + upward * upward) / stars[cell, 2]
        colour = mix(colour, (0.95, 0.95, 1.0), light.star_brightness * smooth(near * 1.5))
    if light.earth_radius > 0:
        across = (azimuth - light.earth[0]) * 2.0 * math.pi / light.earth_radius
        upward = (z - light.earth[1]) / light.earth_radius
        distance = math.sqrt(across * across + upward * upward)
        if distance < 1.6:
            lit = 0.55 + 0.45 * smooth(0.5 + 0.6 * (upward - across))
            swirl = smooth(3.0 * math.sin(2.6 * across + 1.3 * math.sin(2.2 * upward)) * math.cos(2.1 * upward))
            face = mix((0.18, 0.42, 0.90), (0.45, 0.70, 0.45), swirl)
            colour = mix(colour, (0.25, 0.45, 0.9), 0.4 * smooth((1.6 - distance) / 0.7))
            disc = smooth((1.03 - distance) * 12.0)
            colour = mix(colour, (face[0] * lit, face[1] * lit, face[2] * lit), disc)
    return colour


@inlined
def lightning(light: Any, colour: Vector, azimuth: float, z: float) -> Vector:
    """The colour with a bolt over it that zigzags down to the horizon, as bright as the flash."""
    zig = z / 0.13
    fine = zig * 2.3 + 0.4
    path = 0.05 * abs(zig - math.floor(zig) - 0.5) + 0.022 * abs(fine - math.floor(fine) - 0.5)
    across = abs((azimuth - light.bolt) * 2.0 * math.pi + 2.0 * path)
    core = smooth((0.013 - across) / 0.008)
    glow = smooth((0.07 - across) / 0.07)
    return mix(colour, (1.0, 1.0, 1.0), min(1.0, light.flash * (core + 0.4 * glow)))


@inlined
def ridges(light: Any, mountains: Doubles, colour: Vector, azimuth: float, z: float, pixel: float) -> Vector:
    """The colour with both rows of mountains over it, nearer ones darker; `pixel` is a pixel's angle in radians."""
    size = mountains.shape[1]
    place = azimuth * size
    column = math.floor(place)
    fraction = place - column
    i = int(column) % size
    for row in range(mountains.shape[0]):
        top = mountains[row, i] + (mountains[row, (i + 1) % size] - mountains[row, i]) * fraction
        cover = min(1.0, max(0.0, 0.5 + (top - z) / pixel))
        if cover > 0:
            weight = 0.55 + 0.3 * row
            face = mix(colour_of(light.horizon), colour_of(light.mountain), weight)
            if light.mountain_snow > 0:
                white = smooth(1.0 - (top - z) / 0.03) * light.mountain_snow
                face = mix(face, mix(colour_of(light.horizon), (1.0, 1.0, 1.0), 0.6), white * 0.7)
            colour = mix(colour, face, cover)
    return colour


@inlined
def depths(light: Any, noise: Doubles, seconds: float, x: float, z: float) -> Vector:
    """The open water in a direction: brighter towards the surface, with slanted shafts of light."""
    colour = mix(colour_of(light.horizon), colour_of(light.zenith), smooth(2.3 * z))
    beam = blob(noise, 0.75 * (x + 0.5 * z) + 0.012 * seconds, 0.3 + 0.02 * seconds)
    beam = smooth(3.2 * (beam - 0.42)) * smooth(3.2 * z + 0.12) * light.shafts
    pale = mix(colour_of(light.zenith), (1.0, 1.0, 1.0), 0.45)
    return mix(colour, pale, 0.75 * beam)


@kernel
def outdoors(
    light: Any, noise: Doubles, mountains: Doubles, stars: Doubles, seconds: float,
    x: float, y: float, z: float, pixel: float,
) -> Vector:  # fmt: skip
    """The colour of the sky and the mountains, or of the water, in a direction, seen from the ground."""
    if light.submerged > 0:
        return depths(light, noise, seconds, x, z)
    colour = sky(light, noise, seconds, x, y, z)
    if light.star_brightness > 0 or light.flash > 0 or z < light.mountain_top + pixel:
        azimuth = math.atan2(x, y) / (2.0 * math.pi) + 0.5
        colour = celestial(light, stars, colour, azimuth, z)
        if light.flash > 0:
            colour = lightning(light, colour, azimuth, z)
        colour = ridges(light, mountains, colour, azimuth, z, pixel)
    if light.fog_density > 0.02:
        colour = mix(colour, colour_of(light.fog), 1.0 - 0.35 * smooth((z - 0.15) * 2.0))
    return colour


@inlined
def wall_distance(ox: float, oy: float, dx: float, dy: float) -> float:
    """The t at which a ray from inside the room reaches a wall."""
    tx = ((ROOM_SIDE if dx > 0 else -ROOM_SIDE) - ox) / dx if abs(dx) > 1e-9 else NEVER
    ty = ((ROOM_BACK if dy > 0 else ROOM_FRONT) - oy) / dy if abs(dy) > 1e-9 else NEVER
    return min(tx, ty)


@inlined
def soft_box(x: float, y: float, half_x: float, half_y: float, edge: float) -> float:
    """1 inside a rectangle about the origin, 0 outside, with an edge that wide."""
    return smooth(0.5 + (half_x - abs(x)) / edge) * smooth(0.5 + (half_y - abs(y)) / edge)


@kernel
def indoors(light: Any, x: float, y: float, z: float, edge: float) -> Vector:
    """The colour of the room's wall at a place; a window in the back wall shows the time of day.

    `edge` is the width in metres over which edges are softened.
    """
    wall = colour_of(light.wall)
    shade = 1.08 - 0.05 * z
    if y < ROOM_BACK - 1e-3:
        shade *= 0.86  # the side walls get less light
    corner = min(ROOM_SIDE - abs(x), ROOM_BACK - y) if y < ROOM_BACK - 1e-3 else ROOM_SIDE - abs(x)
    shade *= 0.88 + 0.12 * smooth(corner / 1.2)
    colour = (wall[0] * shade, wall[1] * shade, wall[2] * shade)
    skirting = smooth(0.5 + (0.28 - z) / edge)
    colour = mix(colour, (wall[0] * 0.55, wall[1] * 0.5, wall[2] * 0.48), skirting)
    if y >= ROOM_BACK - 1e-3:
        u, v = x - light.window[0], z - light.window[1]
        frame = soft_box(u, v, 1.35, 1.15, edge)
        colour = mix(colour, (wall[0] * 0.5 + 0.35, wall[1] * 0.5 + 0.35, wall[2] * 0.5 + 0.35), frame)
        pane = soft_box(abs(u) - 0.62, v, 0.54, 0.98, edge)
        view = mix(colour_of(light.horizon), colour_of(light.zenith), smooth(0.5 + 0.5 * v))
        colour = mix(colour, view, pane)
    u, v = (x - light.lamp_place[0]) / 3.0, (z - light.lamp_place[1]) / 2.6
    w = (y - ROOM_BACK) / 3.0
    glow = 1.0 / (1.0 + 3.0 * (u * u + v * v + w * w))
    lamp = light.lamp
    return colour[0] + lamp[0] * glow, colour[1] + lamp[1] * glow, colour[2] + lamp[2] * glow
