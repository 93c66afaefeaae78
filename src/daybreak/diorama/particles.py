"""Rain, snow and fireflies: few, soft and large, because a small codec must be able to keep them.

A particle is a soft disc, stretched upward into a streak for rain. It has a place in the world, so that it moves
past the camera as it should; rain and snow repeat in a box around what the camera looks at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daybreak.diorama.compiled import inlined, kernel
from daybreak.diorama.intersect import Doubles
from daybreak.diorama.visibility import FORWARD, ORIGIN, TANGENT, to_camera
from daybreak.diorama.visibility import RIGHT as RIGHTWARD

# Columns of a particle row; radius and half length in metres.
PX, PY, PZ, RADIUS, LENGTH, RED, GREEN, BLUE, ALPHA = 0, 1, 2, 3, 4, 5, 6, 7, 8
NUM_PARTICLE_COLUMNS = 9
_BOX, _CEILING = 7.0, 5.0  # metres: side and height of the box in which rain and snow repeat
_THINNEST = 1.3  # pixels: the smallest radius that is drawn
_NUM = {"rain": 180, "snow": 190, "fireflies": 18, "bubbles": 60, "storm": 330}


@dataclass(frozen=True)
class Particles:
    """rows: (F, P, 9); `box` is the period of x and y in metres around the camera's view, 0 for no repeating.

    `smallest` and `largest` bound a particle's radius in the picture, as a part of its height; a streak leans by
    `slant` metres to the right for every metre down.
    """

    rows: NDArray[np.float64]
    box: float = 0.0
    smallest: float = 0.0
    largest: float = 1.0
    slant: float = 0.0


def make_particles(weather: str, rng: np.random.Generator, times: NDArray[np.float64]) -> Particles:
    """The particles of a weather, or a sea's bubbles, at each time (seconds); none for clear and fog."""
    count = _NUM.get(weather, 0)
    rows = np.zeros((len(times), count, NUM_PARTICLE_COLUMNS))
    start = rng.uniform(0, 1, (count, 3))
    seconds = times[:, None]
    phase = start[:, 1] * 2 * math.pi
    if weather == "fireflies":
        return _fireflies(rows, start, seconds)
    rows[..., PX], rows[..., PY] = start[:, 0] * _BOX, start[:, 1] * _BOX
    if weather == "rain":
        rows[..., PZ] = (start[:, 2] * _CEILING - 3.6 * seconds) % _CEILING
        rows[..., RADIUS:] = (0.016, 0.28, 0.86, 0.91, 0.98, 0.7)
        return Particles(rows, _BOX, smallest=0.005, largest=0.008)
    if weather == "storm":
        wind = 2.2 * rng.choice((-1.0, 1.0))
        rows[..., PZ] = (start[:, 2] * _CEILING - 5.5 * seconds) % _CEILING
        rows[..., PX] += wind * seconds
        rows[..., RADIUS:] = (0.018, 0.34, 0.80, 0.86, 0.95, 0.75)
        return Particles(rows, _BOX, smallest=0.005, largest=0.009, slant=wind / 5.5)
    if weather == "snow":
        rows[..., PZ] = (start[:, 2] * _CEILING - 0.75 * seconds) % _CEILING
        rows[..., PX] += 0.18 * np.sin(1.5 * seconds + 3 * phase)
        rows[..., RADIUS:] = (0.045, 0.045, 1.0, 1.0, 1.0, 0.92)
        return Particles(rows, _BOX, smallest=0.010, largest=0.019)
    if weather == "bubbles":
        rows[..., PZ] = (start[:, 2] * _CEILING + 0.9 * seconds) % _CEILING
        rows[..., PX] += 0.10 * np.sin(3.1 * seconds + 3 * phase)
        radius = 0.03 + 0.04 * start[:, 0] * start[:, 1]
        rows[..., RADIUS] = rows[..., LENGTH] = radius
        rows[..., RED:] = (0.80, 0.97, 1.0, 0.62)
        return Particles(rows, _BOX, smallest=0.009, largest=0.026)
    return Particles(rows)


def _fireflies(rows: NDArray[np.float64], start: NDArray[np.float64], seconds: NDArray[np.float64]) -> Particles:
    """Glows that wander around the middle of the scene and pulse slowly."""
    phase = start * 2 * math.pi
    rows[..., PX] = (start[:, 0] - 0.5) * 4.6 + 0.35 * np.sin(1.1 * seconds + 3 * phase[:, 1])
    rows[..., PY] = -1.8 + start[:, 1] * 4.2
    rows[..., PZ] = 0.35 + start[:, 2] * 1.7 + 0.18 * np.sin(1.7 * seconds + 2 * phase[:, 0])
    rows[..., RADIUS:] = (0.10, 0.10, 1.0, 0.78, 0.12, 1.0)
    rows[..., ALPHA] = 0.7 + 0.3 * np.sin(2.2 * seconds + 5 * phase[:, 2])
    return Particles(rows, smallest=0.026, largest=0.05)


@inlined
def wrapped(place: float, centre: float, period: float) -> float:
    """The place, moved by whole periods to within half of one of the centre."""
    return centre + (place - centre + 0.5 * period) % period - 0.5 * period


@inlined
def blend(picture: Doubles, row: int, column: int, particle: Doubles, weight: float, core: float) -> None:
    """Lays a particle's colour over one pixel; `core` is how much of it is white."""
    for channel in range(3):
        colour = particle[RED + channel] + (1.0 - particle[RED + channel]) * core
        picture[row, column, channel] += (colour - picture[row, column, channel]) * weight


@kernel
def draw_particle(
    picture: Doubles, depth: Doubles, particle: Doubles, far: float, weight: float, centre: tuple[float, float],
    radius: float, length: float, slant: float, window: tuple[int, int, int, int],
) -> None:  # fmt: skip
    """Draws a disc or streak at `centre` (row, column in pixels) at the depth `far`, behind what is nearer.

    `slant`: how many columns a streak moves to the right for each row down.
    """
    side = radius + abs(slant) * length
    row0 = max(window[0], math.floor(centre[0] - length - 1))
    row1 = min(window[1], math.floor(centre[0] + length) + 2)
    column0 = max(window[2], math.floor(centre[1] - side - 1))
    column1 = min(window[3], math.floor(centre[1] + side) + 2)
    for row in range(row0, row1):
        for column in range(column0, column1):
            y, x = row - window[0], column - window[2]
            visible = 0
            for sample in range(4):
                visible += depth[2 * y + (sample >> 1), 2 * x + (sample & 1)] > far
            down = row + 0.5 - centre[0]
            b, a = down / length, (column + 0.5 - centre[1] - slant * down) / radius
            near = 1.0 - a * a - b * b
            if near > 0 and visible > 0:
                soft = near * (2.0 - near) if particle[LENGTH] <= particle[RADIUS] else near
                core = 0.9 * near * near * near if particle[BLUE] < 0.5 else 0.0
                blend(picture, y, x, particle, weight * soft * 0.25 * visible, core)


@kernel
def draw_particles(
    picture: Doubles, depth: Doubles, rows: Doubles, limits: tuple[float, float, float, float], camera: Doubles,
    height: int, width: int, window: tuple[int, int, int, int],
) -> None:  # fmt: skip
    """Draws one frame's particles (P, 9) over `picture`; `limits`: box, smallest and largest radius, slant."""
    box, tangent = limits[0], camera[TANGENT]
    slant = limits[3] * camera[RIGHTWARD]  # a camera that goes around sees less of it
    flat = math.sqrt(camera[FORWARD] ** 2 + camera[FORWARD + 1] ** 2) + 1e-6
    middle_x = camera[ORIGIN] + camera[FORWARD] / flat * 0.6 * box
    middle_y = camera[ORIGIN + 1] + camera[FORWARD + 1] / flat * 0.6 * box
    for i in range(rows.shape[0]):
        x, y, z = rows[i, PX], rows[i, PY], rows[i, PZ]
        weight = rows[i, ALPHA]
        if box > 0:
            x, y = wrapped(x, middle_x, box), wrapped(y, middle_y, box)
            outward = max(abs(x - middle_x), abs(y - middle_y)) / (0.5 * box)
            weight *= min(1.0, 5.0 * (1.0 - outward))  # nothing appears at once at the box's walls
        across, upward, far = to_camera(camera, x, y, z)
        if far < 0.5:
            continue
        radius = min(limits[2], max(limits[1], 0.5 * rows[i, RADIUS] / (far * tangent))) * height
        length = radius * max(1.0, rows[i, LENGTH] / rows[i, RADIUS])
        drawn = max(radius, _THINNEST)  # pixels' centres would miss parts of a thinner one: wider, but fainter
        weight *= radius / drawn
        if length <= radius:
            weight *= radius / drawn
            length = drawn
        radius = drawn
        centre = (0.5 * (1.0 - upward / (far * tangent)) * height, 0.5 * (width + across / (far * tangent) * height))
        draw_particle(picture, depth, rows[i], far, weight, centre, radius, length, slant, window)
