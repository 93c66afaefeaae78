"""Light: turns what the samples see into colours, once for each distinct primitive in a pixel.

Water mirrors primitives and sky, and distance fades into haze or fog.
"""

from __future__ import annotations

import math
from typing import Any

from daybreak.diorama.backdrop import blob, colour_of, indoors, mix, outdoors, sky, wall_distance
from daybreak.diorama.compiled import inlined, kernel
from daybreak.diorama.intersect import (
    NEVER,
    Doubles,
    Vector,
    local_normal,
    point_to_local,
    smooth,
    to_local,
    to_world,
)
from daybreak.diorama.primitives import (
    BLUE,
    BOUND,
    EMISSION,
    ENTITY,
    GREEN,
    KIND,
    NO_SHADOW,
    PATTERN,
    RED,
    SPECULAR,
    WINDOWS,
    X,
    Y,
    Z,
)
from daybreak.diorama.shadows import REACHED, contact, group_casters, sunlight
from daybreak.diorama.surfaces import caustics, floor_colour, ground_colour, primitive_colour, wash, windows
from daybreak.diorama.visibility import ORIGIN, TANGENT, Integers, pixel_ray

HORIZON = 300.0  # metres: the ground fades into the foot of the mountains before it


@inlined
def hazed(light: Any, colour: Vector, distance: float) -> Vector:
    """The colour seen through that many metres of air."""
    thickness = max(0.0, distance - light.fog_start) * light.fog_density
    # The first terms of exp(thickness): within 0.01 of the true haze, and far cheaper.
    clear = 1.0 / (1.0 + thickness * (1.0 + thickness * (0.5 + thickness * 0.2)))
    return mix(colour, colour_of(light.fog), 1.0 - clear)


@kernel
def mirrored(
    prims: Doubles, light: Any, noise: Doubles, seconds: float,
    x: float, y: float, rx: float, ry: float, rz: float,
) -> Vector:  # fmt: skip
    """What the water at (x, y) mirrors in a direction: the sky, and a soft image of every primitive."""
    colour = sky(light, noise, seconds, rx, ry, rz)
    for k in range(prims.shape[0]):
        if prims[k, NO_SHADOW] > 1:
            continue
        qx, qy, qz, bound = prims[k, X] - x, prims[k, Y] - y, prims[k, Z], prims[k, BOUND]
        toward = qx * rx + qy * ry + qz * rz
        if toward < 0 or qx * qx + qy * qy + qz * qz - toward * toward > 1.44 * bound * bound:
            continue
        ox, oy, oz = to_local(prims, k, -qx, -qy, -qz)
        dx, dy, dz = to_local(prims, k, rx, ry, rz)
        along = ox * dx + oy * dy + oz * dz
        beside = ox * ox + oy * oy + oz * oz - along * along / (dx * dx + dy * dy + dz * dz)
        weight = smooth((1.2 - math.sqrt(max(0.0, beside))) / 0.5)
        bright = (
            prims[k, RED] * (light.ambient[0] + 0.4 * light.sun_colour[0] + prims[k, EMISSION]),
            prims[k, GREEN] * (light.ambient[1] + 0.4 * light.sun_colour[1] + prims[k, EMISSION]),
            prims[k, BLUE] * (light.ambient[2] + 0.4 * light.sun_colour[2] + prims[k, EMISSION]),
        )
        colour = mix(colour, bright, weight)
    return colour


@inlined
def water_colour(
    prims: Doubles, light: Any, noise: Doubles, seconds: float, open_sky: float, lit: float,
    x: float, y: float, depth: float, view: Vector, footprint: float,
) -> Vector:  # fmt: skip
    """The lit colour of the water `depth` metres beyond the shoreline."""
    calm = 1.0 / (1.0 + (footprint / 0.5) ** 2)
    wave = blob(noise, 0.07 * x + 0.012 * seconds, 0.11 * y + 0.022 * seconds) - 0.5
    cross = blob(noise, 0.13 * x - 0.018 * seconds + 0.4, 0.15 * y + 0.013 * seconds) - 0.5
    nx, ny = (0.16 * wave + 0.08 * cross) * calm, (0.16 * cross - 0.08 * wave) * calm
    inverse = 1.0 / math.sqrt(nx * nx + ny * ny + 1.0)
    nx, ny, nz = nx * inverse, ny * inverse, inverse
    facing = view[0] * nx + view[1] * ny + view[2] * nz
    rx, ry = view[0] - 2.0 * facing * nx, view[1] - 2.0 * facing * ny
    rz = abs(view[2] - 2.0 * facing * nz)
    image = mirrored(prims, light, noise, seconds, x, y, rx, ry, rz)
    shallow = math.exp(-0.7 * max(0.0, depth))
    own = mix(colour_of(light.water), mix(colour_of(light.ground), colour_of(light.water), 0.45), shallow)
    own = lighten(light, own, nz, open_sky, 0.5 + 0.5 * lit)
    grazing = 1.0 + facing
    reflected = min(0.85, 0.14 + 0.75 * grazing * grazing * grazing)
    colour = mix(own, image, reflected * (1.0 - 0.6 * shallow))
    swell = 0.25 + 0.12 * math.sin(0.8 * seconds + 0.6 * x)
    foam = smooth(1.0 - abs(depth - swell) / (0.2 + footprint))
    white = lighten(light, (0.9, 0.93, 0.95), 1.0, open_sky, lit)
    return mix(colour, white, 0.75 * foam)


@inlined
def lighten(light: Any, colour: Vector, facing: float, open_sky: float, lit: float) -> Vector:
    """A matt colour under the sky and the sun; `facing` is the normal's z, for the sky, 0..1."""
    above = (0.65 + 0.35 * facing) * open_sky
    direct = max(0.0, light.sun[2]) * lit
    return (
        colour[0] * (light.ambient[0] * above + light.sun_colour[0] * direct),
        colour[1] * (light.ambient[1] * above + light.sun_colour[1] * direct),
        colour[2] * (light.ambient[2] * above + light.sun_colour[2] * direct),
    )


@inlined
def shade_ground(
    prims: Doubles, light: Any, axes: Doubles, casters: Doubles, groups: Doubles,
    ground: Doubles, noise: Doubles, seconds: float, x: float, y: float, distance: float, view: Vector, pixel: float,
) -> Vector:  # fmt: skip
    """The colour of the ground or water at (x, y), `distance` metres away."""
    footprint = pixel * distance / max(1e-3, -view[2])
    lit = sunlight(prims, light, axes, casters, groups, -1, x, y, 0.0) if distance < REACHED else 1.0
    open_sky = contact(casters, groups, x, y) if distance < REACHED else 1.0
    depth = wash(light, x, y)
    edge = max(0.15, footprint)
    wet = smooth(0.5 + depth / edge)
    colour = (0.0, 0.0, 0.0)
    if wet < 1.0:
        if light.indoor > 0:
            colour = floor_colour(light, x, y, footprint)
        else:
            colour = ground_colour(light, ground, x, y, footprint)
        damp = 1.0 - 0.25 * smooth(1.0 + depth / 0.6)
        colour = lighten(light, (colour[0] * damp, colour[1] * damp, colour[2] * damp), 1.0, open_sky, lit)
    if wet > 0.0:
        sea = water_colour(prims, light, noise, seconds, open_sky, lit, x, y, depth, view, footprint)
        colour = mix(colour, sea, wet)
    if light.indoor > 0:
        u, v = x - light.lamp_place[0], y - 4.0
        glow = 0.6 / (1.0 + 0.12 * (u * u + v * v))
        return (
            colour[0] * (1.0 + light.lamp[0] * glow * 2.0),
            colour[1] * (1.0 + light.lamp[1] * glow * 2.0),
            colour[2] * (1.0 + light.lamp[2] * glow * 2.0),
        )
    if light.submerged > 0:
        bright = 1.0 + 0.75 * lit * caustics(light, noise, seconds, x, y, footprint)
        colour = (colour[0] * bright, colour[1] * bright, colour[2] * bright)
    colour = hazed(light, colour, distance)
    return mix(colour, colour_of(light.far), smooth((distance / HORIZON - 0.1) / 0.9))


@inlined
def shade_primitive(
    prims: Doubles, k: int, light: Any, axes: Doubles, casters: Doubles, groups: Doubles, noise: Doubles,
    seconds: float, x: float, y: float, z: float, distance: float, view: Vector, pixel: float,
) -> Vector:  # fmt: skip
    """The colour of primitive k at the world's point (x, y, z)."""
    lx, ly, lz = point_to_local(prims, k, x, y, z)
    ax, ay, az = local_normal(int(prims[k, KIND]), lx, ly, lz)
    nx, ny, nz = to_world(prims, k, ax, ay, az)
    colour, glow = (0.0, 0.0, 0.0), prims[k, EMISSION]
    if prims[k, PATTERN] == WINDOWS:
        colour, glow = windows(prims, k, light, lx, ly, lz, pixel * distance)
    else:
        colour = primitive_colour(prims, k, noise, lx, ly, lz, pixel * distance)
    if light.snow_cover > 0 and prims[k, ENTITY] == 0:  # snow lies on the set; a subject keeps its own colour
        colour = mix(colour, (0.92, 0.94, 0.97), light.snow_cover * smooth((nz - 0.4) * 2.0))
    sx, sy, sz = light.sun[0], light.sun[1], light.sun[2]
    direct = nx * sx + ny * sy + nz * sz
    lit = 0.0
    if direct > 0:
        lit = sunlight(prims, light, axes, casters, groups, k, x + 0.015 * nx, y + 0.015 * ny, z + 0.015 * nz)
    direct = max(0.0, direct) * lit
    if light.submerged > 0:
        direct *= 1.0 + 0.6 * caustics(light, noise, seconds, x + 0.4 * z, y + 0.5 * z, pixel * distance)
    above = (0.65 + 0.35 * nz) * (0.7 + 0.3 * smooth(z / 0.5 + 0.5 * nz + 0.3))
    rim = 1.0 + view[0] * nx + view[1] * ny + view[2] * nz
    rim = 0.22 * rim * rim * rim
    shine = 0.0
    if lit > 0:
        hx, hy, hz = sx - view[0], sy - view[1], sz - view[2]
        shine = max(0.0, (nx * hx + ny * hy + nz * hz) / math.sqrt(hx * hx + hy * hy + hz * hz))
        for _ in range(5):  # to the power of 32
            shine *= shine
        shine *= lit * prims[k, SPECULAR]
    ambient, sun, horizon = light.ambient, light.sun_colour, light.horizon
    return hazed(
        light,
        (
            colour[0] * (ambient[0] * (above + rim) + sun[0] * direct + glow) + sun[0] * shine + 0.5 * rim * horizon[0],
            colour[1] * (ambient[1] * (above + rim) + sun[1] * direct + glow) + sun[1] * shine + 0.5 * rim * horizon[1],
            colour[2] * (ambient[2] * (above + rim) + sun[2] * direct + glow) + sun[2] * shine + 0.5 * rim * horizon[2],
        ),
        distance,
    )


@inlined
def shade_ray(
    prims: Doubles, k: int, light: Any, axes: Doubles, casters: Doubles, groups: Doubles,
    camera: Doubles,
    ground: Doubles, noise: Doubles, mountains: Doubles, stars: Doubles, seconds: float,
    ray: Vector, t: float, pixel: float,
) -> Vector:  # fmt: skip
    """The colour at depth t along a ray that sees primitive k (-1: the backdrop)."""
    ox, oy, oz = camera[ORIGIN], camera[ORIGIN + 1], camera[ORIGIN + 2]
    length = math.sqrt(ray[0] * ray[0] + ray[1] * ray[1] + ray[2] * ray[2])
    view = (ray[0] / length, ray[1] / length, ray[2] / length)
    if k < 0:
        t = -oz / ray[2] if ray[2] < -1e-6 else NEVER
        if light.indoor > 0:
            wall = wall_distance(ox, oy, ray[0], ray[1])
            if wall < t:
                edge = max(0.06, pixel * wall)
                return indoors(light, ox + wall * ray[0], oy + wall * ray[1], oz + wall * ray[2], edge)
        if t >= HORIZON:
            return outdoors(light, noise, mountains, stars, seconds, view[0], view[1], max(0.0, view[2]), pixel)
    x, y, z = ox + t * ray[0], oy + t * ray[1], oz + t * ray[2]
    if k >= 0:
        return shade_primitive(prims, k, light, axes, casters, groups, noise, seconds, x, y, z, t * length, view, pixel)
    return shade_ground(prims, light, axes, casters, groups, ground, noise, seconds, x, y, t * length, view, pixel)


@kernel
def shade_picture(
    prims: Doubles, camera: Doubles, light: Any, axes: Doubles, casters: Doubles,
    ground: Doubles, noise: Doubles, mountains: Doubles, stars: Doubles, seconds: float,
    height: int, width: int, window: tuple[int, int, int, int], depth: Doubles, ids: Integers, picture: Doubles,
) -> None:  # fmt: skip
    """Fills `picture` (h, w, 3) from what the samples see: `depth` and `ids` (2h, 2w)."""
    top, left = window[0], window[2]
    pixel = 2.0 * camera[TANGENT] / height
    groups = group_casters(casters)
    for row in range(picture.shape[0]):
        for column in range(picture.shape[1]):
            red, green, blue = 0.0, 0.0, 0.0
            first = ids[2 * row, 2 * column]
            alike = ids[2 * row, 2 * column + 1] == first and ids[2 * row + 1, 2 * column] == first
            alike = alike and ids[2 * row + 1, 2 * column + 1] == first
            for sample in range(1 if alike else 4):
                y, x = 2 * row + (sample >> 1), 2 * column + (sample & 1)
                k, weight, seen = ids[y, x], 0, False
                for other in range(4):
                    same = ids[2 * row + (other >> 1), 2 * column + (other & 1)] == k
                    weight += same
                    seen = seen or (same and other < sample)
                if seen:
                    continue
                if weight == 4 and k < 0:
                    ray = pixel_ray(camera, height, width, row + top + 0.5, column + left + 0.5)
                else:
                    ray = pixel_ray(camera, height, width, (y + 2 * top + 0.5) / 2, (x + 2 * left + 0.5) / 2)
                colour = shade_ray(
                    prims, k, light, axes, casters, groups, camera, ground, noise, mountains, stars, seconds,
                    ray, depth[y, x], pixel,
                )  # fmt: skip
                red += weight * colour[0]
                green += weight * colour[1]
                blue += weight * colour[2]
            picture[row, column, 0] = 0.25 * red
            picture[row, column, 1] = 0.25 * green
            picture[row, column, 2] = 0.25 * blue
