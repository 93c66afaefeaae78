"""Bird, penguin, boat, ball and robot, the measures of all kinds, the twelve colours, and `add_subject`."""

from __future__ import annotations

import math

import numpy as np

from daybreak.diorama.actions import Motion
from daybreak.diorama.primitives import (
    BELLY,
    BLOTCHES,
    BLUE,
    BLUE2,
    BOUND,
    BOX,
    CHECKS,
    CONE,
    CYLINDER,
    DOTS,
    ELLIPSOID,
    PATTERN,
    PLAIN,
    RED,
    RED2,
    STRIPES,
    Array,
    Parts,
    rotate_x,
    rotate_y,
    rotate_z,
)
from daybreak.diorama.quadrupeds import ANATOMY, CREAM, DARK, Paint, add_quadruped
from daybreak.diorama.rig import Body
from daybreak.diorama.scene import Subject
from daybreak.diorama.swimmers import add_duck, add_fish
from daybreak.diorama.toys import add_balloon, add_cube, add_hot_air_balloon, add_rocket, add_snowman
from daybreak.diorama.vehicles import METAL, add_bus, add_car, add_train, add_truck

# Chosen far apart in hue or lightness, so that a small picture still shows which is which.
COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.86, 0.06, 0.06),
    "orange": (1.00, 0.45, 0.02),
    "yellow": (1.00, 0.86, 0.05),
    "green": (0.10, 0.58, 0.14),
    "blue": (0.07, 0.24, 0.88),
    "purple": (0.46, 0.12, 0.74),
    "pink": (1.00, 0.45, 0.70),
    "brown": (0.38, 0.19, 0.08),
    "white": (0.95, 0.95, 0.94),
    "black": (0.06, 0.06, 0.065),
    "grey": (0.41, 0.42, 0.44),
    "turquoise": (0.04, 0.76, 0.72),
}
_PATTERNS = {"plain": PLAIN, "striped": STRIPES, "spotted": DOTS, "checked": CHECKS, "patched": BLOTCHES}
_LIGHT_COLOURS = ("yellow", "white", "pink", "orange", "turquoise")  # patterned in dark brown, the others in white
SIZE_FACTORS = {"small": 0.66, "medium": 1.0, "large": 1.28}

# Height and length of each kind as built, rig units, and metres per unit: every medium subject is 1.1 to 1.4 m
# high and at most 2.1 m long. `test_subjects.py` measures the rigs against this table.
MEASURES: dict[str, tuple[float, float, float]] = {
    "dog": (1.19, 1.52, 1.02),
    "cat": (1.27, 1.52, 0.99),
    "rabbit": (1.49, 1.00, 0.90),
    "bear": (1.16, 1.75, 1.06),
    "elephant": (1.57, 1.99, 0.86),
    "pig": (0.97, 1.66, 1.10),
    "bird": (1.27, 1.39, 0.98),
    "penguin": (1.23, 0.68, 1.05),
    "car": (1.03, 1.99, 1.05),
    "boat": (1.65, 1.70, 0.84),
    "ball": (1.00, 1.00, 1.10),
    "robot": (1.44, 0.55, 0.93),
    "fox": (1.25, 1.94, 0.94),
    "sheep": (1.10, 1.55, 1.02),
    "horse": (1.76, 1.91, 0.80),
    "duck": (1.30, 1.69, 1.00),
    "fish": (1.20, 1.72, 1.00),
    "truck": (1.24, 1.95, 1.02),
    "bus": (1.16, 2.12, 1.00),
    "train": (1.44, 2.22, 0.94),
    "rocket": (1.45, 1.04, 0.95),
    "balloon": (1.47, 0.80, 0.95),
    "hot-air balloon": (1.54, 1.15, 0.90),
    "cube": (1.00, 1.00, 1.02),
    "snowman": (1.74, 0.93, 0.80),
}
BEAK = (0.98, 0.58, 0.08)


def measure(kind: str, size: str) -> tuple[float, float]:
    """Height and length in metres of a standing subject."""
    height, length, scale = MEASURES[kind]
    return height * scale * SIZE_FACTORS[size], length * scale * SIZE_FACTORS[size]


def paint_of(colour: str, pattern: str) -> Paint:
    """The paint for two words of the vocabulary."""
    contrast = (0.20, 0.11, 0.07) if colour in _LIGHT_COLOURS else (0.97, 0.95, 0.90)
    return Paint(np.array(COLOURS[colour], np.float32), _PATTERNS[pattern], np.array(contrast, np.float32))


def add_subject(parts: Parts, subject: Subject, motion: Motion) -> None:
    """Adds one subject, moving as `motion` says, to `parts` (which carries the entity number)."""
    height, _, unit = MEASURES[subject.kind]
    scale = unit * SIZE_FACTORS[subject.size]
    turned = rotate_z(motion.heading) @ rotate_y(motion.pitch) @ rotate_x(motion.roll)
    rotation: Array = np.asarray(turned, np.float32)
    arm = np.array((0, 0, motion.pivot * height * scale), np.float32)
    # Turned about the pivot, not about the feet.
    origin: Array = np.asarray(motion.position + arm - rotation @ arm, np.float32)
    body = Body(parts, origin, rotation, scale)
    start = len(parts.rows)
    paint = paint_of(subject.colour, subject.pattern)
    if subject.kind in ANATOMY:
        add_quadruped(body, subject.kind, motion, paint)
    else:
        _RIGS[subject.kind](body, motion, paint)
    if paint.pattern == BLOTCHES:
        _spread_blotches(parts.rows[start:], paint)


def _spread_blotches(rows: list[Array], paint: Paint) -> None:
    """Patches run over head, legs and wings too, unlike the other patterns, which dress the trunk."""
    hue = paint.colour / np.linalg.norm(paint.colour)
    for row in rows:
        painted = row[0, RED : BLUE + 1] / (np.linalg.norm(row[0, RED : BLUE + 1]) + 1e-6)
        if np.abs(painted - hue).max() < 1e-4 and row[0, BOUND] > 0.15:
            row[:, PATTERN], row[:, RED2 : BLUE2 + 1] = BLOTCHES, paint.contrast


def _add_bird(body: Body, motion: Motion, paint: Paint) -> None:
    flying = motion.spread > 0.5
    low = -0.30 if motion.tuck else 0.0
    trunk = body.joint((0, 0, 0.58 + low), rotate_y((-0.1 if flying else -0.45) + 0.85 * motion.graze))
    radii = np.stack([0.27 * motion.stretch, 0.27 + 0 * motion.nod, 0.40 + 0 * motion.nod], 1)
    trunk.add(ELLIPSOID, (0, 0, 0), radii, paint.colour, turn=rotate_y(math.pi / 2), **paint.surface())
    trunk.add(ELLIPSOID, (0.17, 0, -0.09), (0.24, 0.21, 0.20), CREAM)
    head = trunk.joint((0.36, 0, 0.16 if not motion.tuck else 0.06), rotate_z(motion.look) @ rotate_y(motion.nod + 0.3))
    head.add(ELLIPSOID, (0, 0, 0.05), (0.22, 0.215, 0.22), paint.colour)
    head.add(CONE, (0.30, 0, 0.02), (0.085, 0.085, 0.14), BEAK, turn=rotate_y(math.pi / 2))
    for side in (-1, 1):
        size = (0.04, 0.05, 0.012) if motion.asleep else (0.042, 0.042, 0.048)
        head.add(ELLIPSOID, (0.14, side * 0.135, 0.12), size, DARK, specular=1.2)
        head.add(ELLIPSOID, (-0.04, side * 0.02, 0.30), (0.05, 0.03, 0.11), paint.shade(0.7), turn=rotate_y(-0.5))
        if flying or motion.arms > 0.5 or side == motion.waving:
            lift = 0.20 + 0.8 * motion.wing if side != motion.waving else 0.65 + 0.55 * motion.wave
            wing = trunk.joint((-0.02, side * 0.18, 0.10), rotate_x(side * lift))
            wing.add(ELLIPSOID, (-0.05, side * 0.40, 0), (0.24, 0.46, 0.045), paint.shade(0.72))
        else:
            fold = rotate_y(0.25) @ rotate_x(-side * 0.10)
            trunk.add(ELLIPSOID, (-0.10, side * 0.25, 0.03), (0.30, 0.055, 0.17), paint.shade(0.68), turn=fold)
        if not motion.tuck:
            cycle = motion.phase + (math.pi if side > 0 else 0)
            x = 0.02 + 0.14 * motion.stride * np.cos(cycle) - (0.22 if flying else 0)
            z = 0.02 + 0.10 * motion.stride * np.maximum(0, -np.sin(cycle)) + (0.22 if flying else 0)
            foot = np.stack([x, np.full_like(x, side * 0.10), z], 1)
            body.limb((-0.02, side * 0.10, 0.40), foot, 0.030, BEAK)
            body.add(ELLIPSOID, foot + np.array((0.06, 0, 0.005), np.float32), (0.11, 0.06, 0.025), BEAK)
    tail = rotate_y(0.20 if not flying else 0.0)
    trunk.add(ELLIPSOID, (-0.50, 0, 0.05), (0.24, 0.12, 0.04), paint.shade(0.68), turn=tail)


def _add_penguin(body: Body, motion: Motion, paint: Paint) -> None:
    prone = motion.asleep or motion.afloat or motion.prone
    lean = 1.48 if motion.asleep or motion.prone else 1.05 if motion.afloat else 0.0  # it sleeps and swims on its belly
    waddle = 0.14 * np.sin(motion.phase) * motion.stride
    trunk = body.joint((0, 0, 0.30 if prone else 0.50), rotate_y(lean + 0.85 * motion.graze) @ rotate_x(waddle))
    stretch = motion.stretch
    radii = np.stack([0.29 / np.sqrt(stretch), 0.32 / np.sqrt(stretch), 0.47 * stretch], 1)
    trunk.add(ELLIPSOID, (0, 0, 0), radii, paint.colour, **paint.surface())
    trunk.add(ELLIPSOID, (0.095, 0, -0.05), (0.215, 0.24, 0.37), CREAM)
    nod = motion.nod - 0.95 * lean
    head = trunk.joint((0.02, 0, 0.52), rotate_z(motion.look) @ rotate_y(nod))
    head.add(ELLIPSOID, (0, 0, 0), (0.215, 0.215, 0.21), paint.colour)
    head.add(CONE, (0.27, 0, -0.02), (0.065, 0.075, 0.11), BEAK, turn=rotate_y(math.pi / 2))
    for side in (-1, 1):
        head.add(ELLIPSOID, (0.125, side * 0.105, 0.02), (0.075, 0.085, 0.09), CREAM)
        size = (0.035, 0.04, 0.012) if motion.asleep else (0.036, 0.036, 0.042)
        head.add(ELLIPSOID, (0.185, side * 0.115, 0.035), size, DARK, specular=1.2)
        raised = side * (
            0.35 + 1.1 * motion.arms + 0.6 * motion.wing + 0.25 * np.abs(np.sin(motion.phase)) * motion.stride
        )
        if side == motion.waving:
            raised = np.asarray(side * (2.1 + 0.5 * motion.wave))
        flipper = trunk.joint((0, side * 0.27, 0.20), rotate_x(raised))
        flipper.add(ELLIPSOID, (0, side * 0.03, -0.24), (0.12, 0.045, 0.28), paint.shade(0.72))
        cycle = motion.phase + (math.pi if side > 0 else 0)
        x = 0.07 + 0.15 * motion.stride * np.cos(cycle)
        z = 0.045 + 0.10 * motion.stride * np.maximum(0, -np.sin(cycle))
        foot = np.stack([x, np.full_like(x, side * 0.15), z], 1)
        if prone:
            trunk.add(ELLIPSOID, (-0.10, side * 0.13, -0.48), (0.05, 0.09, 0.12), BEAK)
        else:
            body.add(ELLIPSOID, foot, (0.17, 0.10, 0.045), BEAK)


def _add_boat(body: Body, motion: Motion, paint: Paint) -> None:
    sway = rotate_x(0.3 * motion.roll)
    hull = body.joint((0, 0, 0.27), sway)
    hull.add(ELLIPSOID, (0, 0, 0.02), (0.85, 0.36, 0.29), paint.colour, specular=0.4)
    hull.add(ELLIPSOID, (0, 0, 0.17), (0.80, 0.35, 0.11), CREAM)
    hull.add(ELLIPSOID, (0, 0, 0.23), (0.66, 0.26, 0.09), (0.55, 0.36, 0.20))
    hull.add(CYLINDER, (0.08, 0, 0.75), (0.035, 0.035, 0.62), (0.42, 0.27, 0.15))
    # A sail is a flat cone: its unit z stays upright, so stripes run across it.
    hull.add(CONE, (-0.27, 0, 0.78), (0.36, 0.035, 0.50), paint.colour, **paint.surface())
    hull.add(CONE, (0.36, 0, 0.68), (0.22, 0.03, 0.38), CREAM)
    flag = hull.joint((0.08, 0, 1.32), rotate_z(0.5 * np.sin(motion.phase * 2 + 8 * motion.wing)))
    flag.add(BOX, (-0.10, 0, 0), (0.10, 0.012, 0.06), paint.shade(0.9))


def _add_ball(body: Body, motion: Motion, paint: Paint) -> None:
    squash = np.minimum(motion.stretch, 1.04)
    centre = 0.5 * squash if motion.pivot else np.full_like(squash, 0.5)
    sphere = body.joint(np.stack([0 * centre, 0 * centre, centre], 1), rotate_y(motion.wheel + 0.7))
    wide = 0.5 / np.sqrt(squash)
    radii = np.stack([wide, wide, 0.5 * squash], 1) if not np.any(motion.wheel) else (0.5, 0.5, 0.5)
    surface = paint.surface(specular=0.8)
    if paint.pattern == PLAIN:  # one half in a deeper tone, so that one sees a plain ball turn
        dark = float(paint.colour.max()) < 0.1
        surface = {"pattern": BELLY, "colour2": paint.shade(2.6 if dark else 0.62), "specular": 0.8}
    sphere.add(ELLIPSOID, (0, 0, 0), radii, paint.colour, turn=rotate_x(0.5), **surface)


def _add_robot(body: Body, motion: Motion, paint: Paint) -> None:
    fold = 0.12 if motion.tuck and not motion.prone else 0.0
    if motion.prone:
        body = body.joint((0, 0, 0.3), rotate_y(np.full_like(motion.nod, 1.55)))
    trunk = body.joint((0, 0, 0.60), rotate_y(0.0 * motion.nod))
    trunk.add(BOX, (0, 0, 0), (0.19, 0.27, 0.25), paint.colour, **paint.surface(specular=0.5))
    trunk.add(BOX, (0.185, 0, 0.03), (0.02, 0.16, 0.12), METAL)
    for index, lamp in enumerate(((0.95, 0.2, 0.15), (0.98, 0.85, 0.2), (0.2, 0.85, 0.4))):
        trunk.add(ELLIPSOID, (0.21, 0.09 * (index - 1), 0.03), (0.02, 0.032, 0.032), lamp, emission=0.7)
    trunk.add(CYLINDER, (0, 0, 0.27), (0.09, 0.09, 0.05), METAL)
    head = trunk.joint((0, 0, 0.46), rotate_z(motion.look) @ rotate_y(motion.nod - (1.1 if motion.prone else 0.0)))
    head.add(BOX, (0, 0, 0), (0.18, 0.23, 0.17), paint.colour, specular=0.5)
    head.add(BOX, (0.17, 0, 0.01), (0.02, 0.18, 0.09), DARK, specular=0.9)
    head.add(CYLINDER, (0, 0, 0.23), (0.018, 0.018, 0.07), METAL)
    head.add(ELLIPSOID, (0, 0, 0.32), (0.06, 0.06, 0.06), (0.95, 0.25, 0.2), emission=0.6)
    for side in (-1, 1):
        head.add(ELLIPSOID, (0.19, side * 0.085, 0.02), (0.025, 0.05, 0.055), (0.55, 0.95, 1.0), emission=0.8)
        head.add(CYLINDER, (0, side * 0.24, 0), (0.07, 0.07, 0.03), METAL, turn=rotate_x(math.pi / 2))
        cycle = motion.phase + (math.pi if side > 0 else 0)
        swing = 0.9 * motion.stride * np.cos(cycle)
        raised = side * (0.12 + 2.2 * max(motion.arms - 0.3, 0) + 0.35 * motion.wing)
        if side == motion.waving:
            raised = side * (2.45 + 0.5 * motion.wave)
        arm = trunk.joint((0, side * 0.31, 0.16), rotate_x(raised) @ rotate_y(swing))
        arm.add(ELLIPSOID, (0, 0, 0), (0.09, 0.08, 0.09), METAL)
        arm.add(CYLINDER, (0, side * 0.02, -0.20), (0.055, 0.055, 0.17), paint.shade(0.8))
        arm.add(ELLIPSOID, (0, side * 0.02, -0.40), (0.085, 0.075, 0.085), METAL)
        x = 0.03 + 0.22 * motion.stride * np.cos(cycle) + fold
        z = 0.07 + 0.14 * motion.stride * np.maximum(0, -np.sin(cycle)) + fold
        foot = np.stack([x, np.full_like(x, side * 0.15), z], 1)
        body.limb((0, side * 0.15, 0.38), foot, 0.075, METAL)
        if motion.spread > 0.5:  # it flies on jets
            flicker = 0.20 + 0.05 * np.sin(5 * motion.phase + side)
            flame = np.stack([np.full_like(x, 0.07), np.full_like(x, 0.07), flicker], 1)
            at = foot - np.array((0, 0, 0.22), np.float32)
            body.add(CONE, at, flame, (1.0, 0.72, 0.25), turn=rotate_x(math.pi), emission=0.8, no_shadow=1)
        body.add(BOX, foot + np.array((0.03, 0, 0), np.float32), (0.16, 0.10, 0.07), paint.shade(0.8))


_RIGS = {
    "bird": _add_bird,
    "penguin": _add_penguin,
    "car": add_car,
    "boat": _add_boat,
    "ball": _add_ball,
    "robot": _add_robot,
    "duck": add_duck,
    "fish": add_fish,
    "truck": add_truck,
    "bus": add_bus,
    "train": add_train,
    "rocket": add_rocket,
    "balloon": add_balloon,
    "hot-air balloon": add_hot_air_balloon,
    "cube": add_cube,
    "snowman": add_snowman,
}
