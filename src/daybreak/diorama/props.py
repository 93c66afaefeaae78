"""The set: what stands around the subjects in each environment. Everything is behind them or beside them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from daybreak.diorama import seabed, skyline
from daybreak.diorama.backdrop import ROOM_BACK
from daybreak.diorama.primitives import (
    BOX,
    CONE,
    CYLINDER,
    DOTS,
    ELLIPSOID,
    IDENTITY,
    PATCHES,
    STRIPES,
    Array,
    Parts,
    rotate_x,
    rotate_y,
    rotate_z,
)

Place = tuple[float, float]
Random = np.random.Generator
BARK = (0.36, 0.23, 0.13)
LEAF = (0.16, 0.42, 0.14)
NEEDLES = (0.10, 0.32, 0.17)
STONE = (0.46, 0.45, 0.44)


def add_props(parts: Parts, environment: str, rng: Random, spread: float, shore: float | None) -> None:
    """Adds two to five things of the environment behind and beside the subjects, who are about (0, 0).

    `spread`: how far to the left and right the view reaches at the subjects, metres. `shore`: the y at which
    water begins, or None.
    """
    if environment == "room":
        _furnish(parts, rng)
        return
    if environment == "city":
        skyline.add_towers(parts, rng, spread)
    parts.entity = 0
    kinds = _KINDS[environment]
    count = int(rng.integers(3, 6))
    sides = [1.0 if index % 2 else -1.0 for index in range(count)]
    first = float(rng.choice((-1.0, 1.0)))
    for index in range(count):
        side = first * sides[index]
        depth = float(rng.uniform(2.2, 6.5)) if index > 1 else float(rng.uniform(2.0, 3.6))
        # Nothing tall stands straight behind the subject: its outline stays clear.
        nearest = 0.50 * spread + 0.5
        x = side * float(rng.uniform(nearest, max(spread * (0.55 + 0.22 * depth), nearest + 0.4)))
        if shore is not None and depth > shore - 0.8:
            if shore > 1.2 and index < 3:  # on the sand, beside the subjects
                depth, x = shore - 0.9, side * max(abs(x), 0.8 * spread)
            else:
                _islet(parts, rng, (x, depth + 3.0))
                continue
        kinds[index % len(kinds)](parts, rng, (x, depth))


def _pine(parts: Parts, rng: Random, at: Place, leaf: Array | tuple[float, ...] = NEEDLES) -> None:
    x, y = at
    high = float(rng.uniform(1.5, 2.3))
    parts.add(CYLINDER, (x, y, 0.12 * high), IDENTITY, (0.06 * high, 0.06 * high, 0.13 * high), BARK)
    for layer in range(3):
        width, tone = (0.30 - 0.07 * layer) * high, 0.85 + 0.14 * layer
        radii = (width, width, 0.20 * high)
        parts.add(CONE, (x, y, (0.36 + 0.22 * layer) * high), IDENTITY, radii, np.array(leaf) * tone)


def _snowy_pine(parts: Parts, rng: Random, at: Place) -> None:
    _pine(parts, rng, at, (0.16, 0.38, 0.30))


def _round_tree(parts: Parts, rng: Random, at: Place) -> None:
    x, y = at
    high = float(rng.uniform(0.9, 1.5))
    leaf = np.array(LEAF) * rng.uniform(0.85, 1.25)
    parts.add(CYLINDER, (x, y, 0.4 * high), IDENTITY, (0.09 * high, 0.09 * high, 0.4 * high), BARK)
    for layer in range(3):
        dx, dy = (rng.random(2) - 0.5) * 0.45 * high
        width = (0.48 - 0.05 * layer) * high
        centre = (x + dx, y + dy, (0.98 + 0.24 * layer) * high)
        radii = (width, width, 0.38 * high)
        parts.add(ELLIPSOID, centre, IDENTITY, radii, leaf * (0.9 + 0.1 * layer), pattern=PATCHES, colour2=leaf * 0.8)


def _bush(parts: Parts, rng: Random, at: Place) -> None:
    x, y = at
    leaf = np.array(LEAF) * rng.uniform(0.9, 1.3)
    for side in (-1, 0, 1):
        width = float(rng.uniform(0.26, 0.38))
        parts.add(ELLIPSOID, (x + 0.3 * side, y + 0.1 * side * side, 0.18), IDENTITY, (width, 0.3, width), leaf)


def _flowers(parts: Parts, rng: Random, at: Place) -> None:
    x, y = at
    for _ in range(4):
        dx, dy = (rng.random(2) - 0.5) * 0.9
        parts.add(CYLINDER, (x + dx, y + dy, 0.13), IDENTITY, (0.02, 0.02, 0.13), LEAF, no_shadow=1)
        petal = ((0.97, 0.95, 0.9), (0.95, 0.85, 0.45))[int(rng.integers(2))]
        parts.add(ELLIPSOID, (x + dx, y + dy, 0.28), IDENTITY, (0.08, 0.08, 0.045), petal, no_shadow=1)


def _rock(parts: Parts, rng: Random, at: Place) -> None:
    size = float(rng.uniform(0.5, 0.9))
    tone = np.array(STONE) * rng.uniform(0.85, 1.15)
    radii = (0.55 * size, 0.42 * size, 0.40 * size)
    turn = rotate_z(rng.uniform(0, 3))
    parts.add(ELLIPSOID, (*at, 0.14 * size), turn, radii, tone, pattern=PATCHES, colour2=tone * 0.82)
    small = (at[0] + 0.6 * size, at[1] - 0.1, 0.06 * size)
    parts.add(ELLIPSOID, small, turn, (0.24 * size, 0.2 * size, 0.18 * size), tone * 0.92)


def _sandstone(parts: Parts, rng: Random, at: Place) -> None:
    x, y = at
    tone = np.array((0.72, 0.38, 0.20)) * rng.uniform(0.9, 1.1)
    size = float(rng.uniform(0.8, 1.3))
    for layer, width in enumerate((0.75, 0.66, 0.56)):
        radii = (width * size, 0.55 * width * size, 0.16 * size)
        parts.add(CYLINDER, (x, y, (0.14 + 0.3 * layer) * size), IDENTITY, radii, tone * (0.88 + 0.1 * layer))


def _cactus(parts: Parts, rng: Random, at: Place) -> None:
    x, y = at
    high = float(rng.uniform(1.2, 1.9))
    green, dark = (0.20, 0.46, 0.22), (0.15, 0.37, 0.18)
    thick = 0.13 * high
    parts.add(ELLIPSOID, (x, y, 0.46 * high), IDENTITY, (thick, thick, 0.54 * high), green)
    for side, joint in ((-1, 0.42), (1, 0.56)):
        elbow = (x + side * 0.20 * high, y, joint * high)
        parts.add(ELLIPSOID, elbow, rotate_y(math.pi / 2), (0.075 * high, 0.075 * high, 0.16 * high), green)
        tip = (x + side * 0.33 * high, y, (joint + 0.13) * high)
        parts.add(ELLIPSOID, tip, IDENTITY, (0.08 * high, 0.08 * high, 0.19 * high), dark)


def _palm(parts: Parts, rng: Random, at: Place) -> None:
    x, y = at
    high = float(rng.uniform(1.9, 2.6))
    bend = float(rng.choice((-1, 1))) * 0.14
    for piece in range(3):
        centre = (x + bend * piece * piece * 0.14 * high, y, (0.17 + 0.30 * piece) * high)
        turn = rotate_y(bend * piece * 0.9)
        parts.add(CYLINDER, centre, turn, (0.05 * high, 0.05 * high, 0.18 * high), (0.52, 0.40, 0.25))
    crown = np.array((x + bend * 0.85 * high, y, 1.0 * high))
    for leaf in range(6):
        angle = leaf * math.pi / 3 + 0.3
        out = np.array((math.cos(angle), math.sin(angle), -0.18)) * 0.26 * high
        turn = rotate_z(angle) @ rotate_y(0.55)
        parts.add(ELLIPSOID, crown + out, turn, (0.32 * high, 0.085 * high, 0.03 * high), (0.22, 0.52, 0.18))
    for nut in (-1, 1):
        parts.add(
            ELLIPSOID, crown + np.array((0.07 * nut, -0.1, -0.08)), IDENTITY, (0.09, 0.09, 0.09), (0.40, 0.26, 0.14)
        )


def _parasol(parts: Parts, rng: Random, at: Place) -> None:
    x, y = at
    cloth = ((0.30, 0.62, 0.72), (0.86, 0.50, 0.42), (0.90, 0.76, 0.42))[int(rng.integers(3))]
    turn = rotate_y(float(rng.uniform(-0.2, 0.2)))
    parts.add(CYLINDER, (x, y, 0.7), turn, (0.03, 0.03, 0.75), (0.9, 0.9, 0.88))
    parts.add(CONE, (x, y, 1.45), turn, (0.85, 0.85, 0.22), cloth)
    parts.add(BOX, (x + 0.6, y - 0.2, 0.02), rotate_z(0.2), (0.25, 0.5, 0.02), (0.95, 0.94, 0.9), no_shadow=1)


def _islet(parts: Parts, rng: Random, at: Place) -> None:
    size = float(rng.uniform(0.7, 1.2))
    parts.add(ELLIPSOID, (*at, 0.0), IDENTITY, (1.1 * size, 0.6 * size, 0.32 * size), (0.47, 0.44, 0.42))
    parts.add(ELLIPSOID, (at[0] + 0.5 * size, at[1], 0.1), IDENTITY, (0.45 * size, 0.4 * size, 0.42 * size), STONE)


def _igloo(parts: Parts, rng: Random, at: Place) -> None:
    x, y = at
    size = float(rng.uniform(0.8, 1.0))
    snow = np.array((0.86, 0.90, 0.96), np.float32)
    parts.add(ELLIPSOID, (x, y, 0.0), IDENTITY, (0.85 * size, 0.85 * size, 0.85 * size), snow)
    tunnel = rotate_x(math.pi / 2)
    parts.add(CYLINDER, (x, y - 0.85 * size, 0.1), tunnel, (0.36 * size, 0.36 * size, 0.35 * size), snow * 0.94)
    door = (0.24 * size, 0.24 * size, 0.36 * size)
    parts.add(CYLINDER, (x, y - 0.86 * size, 0.08), tunnel, door, (0.20, 0.26, 0.36))


def _snowdrift(parts: Parts, rng: Random, at: Place) -> None:
    width = float(rng.uniform(0.8, 1.4))
    parts.add(ELLIPSOID, (*at, -0.05), IDENTITY, (width, 0.6, 0.38), (0.93, 0.95, 0.98))


def _house(parts: Parts, rng: Random, at: Place) -> None:
    x, y = at[0], at[1] + 1.2
    high = float(rng.uniform(1.25, 1.6))
    wall = ((0.86, 0.80, 0.66), (0.74, 0.56, 0.47), (0.66, 0.71, 0.74))[int(rng.integers(3))]
    roof = ((0.50, 0.25, 0.19), (0.30, 0.31, 0.37), (0.42, 0.30, 0.20))[int(rng.integers(3))]
    parts.add(BOX, (x, y, 0.5 * high), IDENTITY, (0.62 * high, 0.5 * high, 0.5 * high), wall)
    parts.add(CONE, (x, y, 1.33 * high), rotate_z(0.0), (0.98 * high, 0.85 * high, 0.36 * high), roof)
    parts.add(
        BOX, (x + 0.35 * high, y, 1.4 * high), IDENTITY, (0.08 * high, 0.08 * high, 0.25 * high), (0.5, 0.3, 0.25)
    )
    front = y - 0.5 * high
    parts.add(BOX, (x, front, 0.27 * high), IDENTITY, (0.13 * high, 0.03, 0.27 * high), (0.36, 0.22, 0.13))
    for side in (-1, 1):
        window = (x + side * 0.37 * high, front, 0.58 * high)
        parts.add(BOX, window, IDENTITY, (0.12 * high, 0.03, 0.13 * high), (1.0, 0.86, 0.50), emission=0.55)


def _lamp_post(parts: Parts, rng: Random, at: Place) -> None:
    x, y = at
    high = float(rng.uniform(1.4, 1.7))
    parts.add(CYLINDER, (x, y, 0.5 * high), IDENTITY, (0.045, 0.045, 0.5 * high), (0.16, 0.18, 0.20))
    parts.add(CONE, (x, y, high + 0.16), IDENTITY, (0.17, 0.17, 0.08), (0.16, 0.18, 0.20))
    parts.add(ELLIPSOID, (x, y, high + 0.05), IDENTITY, (0.12, 0.12, 0.14), (1.0, 0.90, 0.62), emission=0.8)


def _moon_rock(parts: Parts, rng: Random, at: Place) -> None:
    size = float(rng.uniform(0.5, 1.0))
    turn = rotate_z(rng.uniform(0, 3)) @ rotate_y(0.3)
    tone = np.array((0.52, 0.52, 0.54)) * rng.uniform(0.85, 1.1)
    parts.add(ELLIPSOID, (*at, 0.2 * size), turn, (0.6 * size, 0.45 * size, 0.42 * size), tone, pattern=PATCHES,
              colour2=tone * 0.8)  # fmt: skip


def _lander(parts: Parts, rng: Random, at: Place) -> None:
    x, y = at[0], at[1] + 1.0
    parts.add(BOX, (x, y, 0.72), IDENTITY, (0.55, 0.55, 0.24), (0.78, 0.60, 0.26), specular=0.8)
    parts.add(CYLINDER, (x, y, 1.20), IDENTITY, (0.42, 0.42, 0.28), (0.80, 0.81, 0.84), specular=0.6)
    parts.add(CYLINDER, (x, y - 0.40, 1.20), rotate_x(math.pi / 2), (0.14, 0.14, 0.06), (0.12, 0.16, 0.22))
    dish = 0.2 * float(rng.choice((-1, 1)))
    parts.add(CYLINDER, (x + dish, y, 1.65), IDENTITY, (0.02, 0.02, 0.22), (0.8, 0.8, 0.82))
    parts.add(ELLIPSOID, (x + dish, y, 1.86), rotate_x(-0.6), (0.24, 0.24, 0.06), (0.9, 0.9, 0.92))
    for side in (-1, 1):
        for end in (-1, 1):
            leg = (x + 0.62 * side, y + 0.62 * end, 0.28)
            parts.add(CYLINDER, leg, rotate_y(-side * 0.45), (0.035, 0.035, 0.34), (0.7, 0.7, 0.72))
            parts.add(ELLIPSOID, (x + 0.77 * side, leg[1], 0.03), IDENTITY, (0.13, 0.13, 0.04), (0.7, 0.7, 0.72))


def _furnish(parts: Parts, rng: Random) -> None:
    """Furniture along the back wall; walls, window, lamp light and rug belong to the renderer's room."""
    flip = float(rng.choice((-1, 1)))
    back = ROOM_BACK
    _sofa(parts, (flip * float(rng.uniform(2.2, 2.8)), back - 0.6))
    _shelf(parts, (-flip * float(rng.uniform(3.3, 3.8)), back - 0.25), rng)
    _floor_lamp(parts, (flip * float(rng.uniform(0.9, 1.2)), back - 0.4))
    _potted_plant(parts, (-flip * float(rng.uniform(1.9, 2.3)), back - 0.5))


def _sofa(parts: Parts, at: Place) -> None:
    x, y = at
    cloth = (0.36, 0.46, 0.50)
    parts.add(BOX, (x, y, 0.28), IDENTITY, (0.95, 0.40, 0.18), cloth)
    parts.add(BOX, (x, y + 0.36, 0.62), IDENTITY, (0.95, 0.12, 0.40), cloth)
    for side in (-1, 1):
        parts.add(BOX, (x + 1.0 * side, y, 0.40), IDENTITY, (0.13, 0.42, 0.32), cloth)
        parts.add(ELLIPSOID, (x + 0.5 * side, y + 0.12, 0.62), rotate_x(-0.3), (0.26, 0.10, 0.24), (0.86, 0.78, 0.62))


def _shelf(parts: Parts, at: Place, rng: Random) -> None:
    x, y = at
    parts.add(BOX, (x, y, 0.95), IDENTITY, (0.55, 0.2, 0.95), (0.46, 0.31, 0.19))
    for level in range(3):
        centre = (x, y - 0.16, 0.45 + 0.55 * level)
        tone = np.array((0.62, 0.52, 0.42)) * rng.uniform(0.8, 1.15)
        books = (0.46, 0.07, 0.19)
        parts.add(BOX, centre, rotate_y(math.pi / 2), books[::-1], tone, pattern=STRIPES, colour2=tone * 0.6)


def _potted_plant(parts: Parts, at: Place) -> None:
    x, y = at
    parts.add(CONE, (x, y, 0.10), rotate_x(math.pi), (0.24, 0.24, 0.40), (0.66, 0.36, 0.24))
    for leaf in range(5):
        angle = leaf * 2 * math.pi / 5 + 0.4
        centre = (x + 0.16 * math.cos(angle), y + 0.16 * math.sin(angle), 0.72)
        turn = rotate_z(angle) @ rotate_y(0.5)
        parts.add(ELLIPSOID, centre, turn, (0.07, 0.12, 0.36), np.array(LEAF) * (0.9 + 0.1 * (leaf % 3)))


def _floor_lamp(parts: Parts, at: Place) -> None:
    x, y = at
    parts.add(CYLINDER, (x, y, 0.65), IDENTITY, (0.025, 0.025, 0.65), (0.25, 0.22, 0.20))
    parts.add(CYLINDER, (x, y, 0.02), IDENTITY, (0.18, 0.18, 0.02), (0.25, 0.22, 0.20))
    parts.add(CONE, (x, y, 1.42), IDENTITY, (0.28, 0.28, 0.26), (0.98, 0.88, 0.66), emission=0.5)


def _mushroom(parts: Parts, rng: Random, at: Place) -> None:
    x, y = at
    size = float(rng.uniform(0.7, 1.1))
    parts.add(CYLINDER, (x, y, 0.14 * size), IDENTITY, (0.07 * size, 0.07 * size, 0.15 * size), (0.92, 0.88, 0.80))
    cap = (0.62, 0.30, 0.22)
    parts.add(ELLIPSOID, (x, y, 0.32 * size), IDENTITY, (0.25 * size, 0.25 * size, 0.14 * size), cap, pattern=DOTS,
              colour2=(0.95, 0.92, 0.86))  # fmt: skip


_KINDS: dict[str, tuple[Callable[[Parts, Random, Place], None], ...]] = {
    "meadow": (_round_tree, _flowers, _bush, _round_tree, _rock),
    "forest": (_pine, _pine, _round_tree, _mushroom, _pine),
    "desert": (_cactus, _sandstone, _cactus, _rock),
    "beach": (_palm, _parasol, _palm, _rock),
    "snowfield": (_snowy_pine, _igloo, _snowdrift, _snowy_pine),
    "town": (_house, _house, _lamp_post, _house, _round_tree),
    "moon": (_lander, _moon_rock, _moon_rock, _moon_rock),
    "underwater": (seabed.kelp, seabed.branch_coral, seabed.kelp, seabed.brain_coral, seabed.tube_coral),
    "city": (skyline.traffic_light, skyline.street_lamp, skyline.street_tree),
}
