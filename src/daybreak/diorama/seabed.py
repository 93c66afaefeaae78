"""What grows on the floor of the sea: seaweed and corals, in tones that no subject is painted with."""

from __future__ import annotations

import math

import numpy as np

from daybreak.diorama.primitives import CYLINDER, DOTS, ELLIPSOID, IDENTITY, PATCHES, Parts, rotate_y, rotate_z

Place = tuple[float, float]
Random = np.random.Generator
WEED = (0.16, 0.44, 0.22)
CORALS = ((0.86, 0.40, 0.44), (0.90, 0.56, 0.36), (0.62, 0.42, 0.66))


def kelp(parts: Parts, rng: Random, at: Place) -> None:
    """Three tall blades that lean this way and that."""
    x, y = at
    weed = np.array(WEED) * rng.uniform(0.8, 1.2)
    for blade in range(3):
        high = float(rng.uniform(1.3, 2.3))
        foot = x + 0.34 * (blade - 1)
        bend = float(rng.choice((-1, 1))) * 0.22
        for piece in range(3):
            side = bend * (1 if piece % 2 else -1)
            centre = (foot + 0.05 * high * side, y + 0.15 * (blade % 2), (0.17 + 0.31 * piece) * high)
            radii = (0.085 * high, 0.05, 0.21 * high)
            parts.add(ELLIPSOID, centre, rotate_y(side), radii, weed * (0.85 + 0.13 * piece))


def branch_coral(parts: Parts, rng: Random, at: Place) -> None:
    """A little tree of bare branches with round tips."""
    x, y = at
    colour = np.array(CORALS[int(rng.integers(len(CORALS)))])
    size = float(rng.uniform(0.8, 1.2))
    parts.add(CYLINDER, (x, y, 0.14 * size), IDENTITY, (0.10 * size, 0.10 * size, 0.16 * size), colour * 0.85)
    for angle, reach in ((-0.75, 0.30), (-0.25, 0.40), (0.25, 0.36), (0.75, 0.30)):
        middle = (x + math.sin(angle) * reach * size, y, (0.24 + math.cos(angle) * reach) * size)
        parts.add(CYLINDER, middle, rotate_y(angle), (0.065 * size, 0.065 * size, reach * size), colour)
        tip = (x + 2 * math.sin(angle) * reach * size, y, (0.24 + 2 * math.cos(angle) * reach) * size)
        parts.add(ELLIPSOID, tip, IDENTITY, (0.105 * size, 0.105 * size, 0.105 * size), colour * 1.08)


def brain_coral(parts: Parts, rng: Random, at: Place) -> None:
    """A mottled dome beside a stone."""
    x, y = at
    colour = np.array(CORALS[int(rng.integers(len(CORALS)))]) * 0.9
    size = float(rng.uniform(0.5, 0.8))
    radii = (0.70 * size, 0.60 * size, 0.55 * size)
    parts.add(ELLIPSOID, (x, y, 0.12), IDENTITY, radii, colour, pattern=DOTS, colour2=colour * 0.7)
    stone = np.array((0.36, 0.40, 0.42))
    parts.add(ELLIPSOID, (x + 0.9 * size, y + 0.1, 0.05), rotate_z(0.4), (0.45 * size, 0.4 * size, 0.35 * size), stone,
              pattern=PATCHES, colour2=stone * 0.8)  # fmt: skip


def tube_coral(parts: Parts, rng: Random, at: Place) -> None:
    """Upright tubes of several heights, dark inside."""
    x, y = at
    colour = np.array(CORALS[int(rng.integers(len(CORALS)))])
    for dx, dy, high in ((-0.28, 0.05, 0.62), (0.0, 0.0, 0.95), (0.26, 0.08, 0.74), (0.12, -0.18, 0.45)):
        high *= float(rng.uniform(0.85, 1.15))
        parts.add(CYLINDER, (x + dx, y + dy, 0.5 * high), IDENTITY, (0.13, 0.13, 0.5 * high), colour)
        parts.add(ELLIPSOID, (x + dx, y + dy, high), IDENTITY, (0.10, 0.10, 0.03), colour * 0.3)
