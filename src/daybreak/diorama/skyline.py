"""What makes a street a city's: towers with rows of windows, traffic lights, lamps and trees in tubs."""

from __future__ import annotations

import numpy as np

from daybreak.diorama.primitives import BOX, CYLINDER, ELLIPSOID, IDENTITY, WINDOWS, Parts

Place = tuple[float, float]
Random = np.random.Generator
FACADES = ((0.60, 0.57, 0.55), (0.50, 0.56, 0.63), (0.66, 0.50, 0.42), (0.45, 0.47, 0.53), (0.70, 0.67, 0.61))
STEEL = (0.18, 0.20, 0.22)


def add_towers(parts: Parts, rng: Random, spread: float) -> None:
    """Towers higher than the picture to both sides, and lower ones far down the middle with the sky above them."""
    facades = rng.permutation(len(FACADES))
    number = 0
    for side in (-1.0, 1.0):
        x = 0.75 * spread + 0.5
        for _ in range(3):
            half = float(rng.uniform(1.1, 1.5))
            y = float(rng.uniform(5.2, 6.6))
            _tower(parts, rng, (side * (x + half + 0.4), y + half), half, float(rng.uniform(6.0, 9.5)),
                   FACADES[facades[number % len(FACADES)]])  # fmt: skip
            x, number = x + 2 * half + float(rng.uniform(0.1, 0.4)), number + 1
    for x in (-4.2, -1.4, 1.4, 4.2):
        _tower(parts, rng, (x + float(rng.uniform(-0.3, 0.3)), 15.0), 1.2, float(rng.uniform(2.2, 4.2)),
               FACADES[facades[number % len(FACADES)]])  # fmt: skip
        number += 1


def _tower(parts: Parts, rng: Random, at: Place, half: float, high: float, facade: tuple[float, float, float]) -> None:
    wall = np.array(facade) * rng.uniform(0.9, 1.1)
    light = (1.0, 0.84, float(rng.uniform(0, 1)))  # the last number only decides which windows are lit
    radii = (half, half, 0.5 * high)
    parts.add(BOX, (*at, 0.5 * high), IDENTITY, radii, wall, pattern=WINDOWS, colour2=light, specular=0.05, no_shadow=1)
    parts.add(BOX, (*at, high + 0.12), IDENTITY, (0.7 * half, 0.7 * half, 0.14), wall * 0.7, no_shadow=1)


def traffic_light(parts: Parts, rng: Random, at: Place) -> None:
    x, y = at
    parts.add(CYLINDER, (x, y, 0.75), IDENTITY, (0.05, 0.05, 0.75), STEEL)
    parts.add(BOX, (x, y, 1.80), IDENTITY, (0.15, 0.10, 0.38), STEEL)
    shines = int(rng.integers(3))
    for index, colour in enumerate(((0.95, 0.15, 0.12), (0.98, 0.75, 0.10), (0.15, 0.85, 0.35))):
        glow = 0.8 if index == shines else 0.0
        lamp = np.array(colour) * (1.0 if glow else 0.35)
        parts.add(ELLIPSOID, (x, y - 0.10, 2.04 - 0.24 * index), IDENTITY, (0.095, 0.04, 0.095), lamp, emission=glow)


def street_lamp(parts: Parts, rng: Random, at: Place) -> None:
    x, y = at
    high = float(rng.uniform(2.2, 2.6))
    side = -1.0 if x > 0 else 1.0
    parts.add(CYLINDER, (x, y, 0.5 * high), IDENTITY, (0.05, 0.05, 0.5 * high), STEEL)
    parts.add(BOX, (x + 0.25 * side, y, high), IDENTITY, (0.30, 0.05, 0.04), STEEL)
    parts.add(
        ELLIPSOID, (x + 0.5 * side, y, high - 0.06), IDENTITY, (0.16, 0.11, 0.08), (1.0, 0.92, 0.70), emission=0.8
    )


def street_tree(parts: Parts, rng: Random, at: Place) -> None:
    x, y = at
    high = float(rng.uniform(0.9, 1.2))
    parts.add(BOX, (x, y, 0.16), IDENTITY, (0.28, 0.28, 0.16), (0.48, 0.47, 0.46))
    parts.add(CYLINDER, (x, y, 0.3 + 0.3 * high), IDENTITY, (0.06, 0.06, 0.3 * high), (0.36, 0.24, 0.14))
    parts.add(ELLIPSOID, (x, y, 0.35 + 0.9 * high), IDENTITY, (0.42, 0.42, 0.48 * high), (0.16, 0.40, 0.18))
