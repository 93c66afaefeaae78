"""What neither walks nor rolls on wheels: cube, snowman, rocket, balloon and hot-air balloon."""

from __future__ import annotations

import itertools
import math

import numpy as np

from daybreak.diorama.actions import Motion
from daybreak.diorama.primitives import BOX, CONE, CYLINDER, ELLIPSOID, rotate_x, rotate_y, rotate_z
from daybreak.diorama.quadrupeds import CREAM, DARK, Paint
from daybreak.diorama.rig import Body
from daybreak.diorama.vehicles import FLAT_GLOW, GLASS, METAL

CARROT = (1.0, 0.42, 0.05)
TWIG = (0.33, 0.20, 0.10)
WICKER = (0.58, 0.36, 0.16)


def add_cube(body: Body, motion: Motion, paint: Paint) -> None:
    """A building block; squashed when it lands from a jump."""
    half = 0.5 * motion.stretch
    centre = np.stack([0 * half, 0 * half, half], 1)
    wide = 0.5 / np.sqrt(motion.stretch)
    body.add(BOX, centre, np.stack([wide, wide, half], 1), paint.colour, **paint.surface(emission=FLAT_GLOW))


def add_snowman(body: Body, motion: Motion, paint: Paint) -> None:
    """Three balls one upon the other, a carrot, coals, twigs with mittens for arms, a hat and a scarf."""
    stretch = motion.stretch
    low = np.stack([0 * stretch, 0 * stretch, 0.36 * stretch], 1)
    body.add(ELLIPSOID, low, (0.43, 0.43, 0.38), paint.colour, **paint.surface())
    middle = body.joint(np.stack([0 * stretch, 0 * stretch, 0.86 * stretch], 1), rotate_x(0.5 * motion.roll))
    middle.add(ELLIPSOID, (0, 0, 0), (0.32, 0.32, 0.29), paint.colour, **paint.surface())
    for height in (-0.10, 0.10):
        middle.add(ELLIPSOID, (0.31, 0, height), (0.045, 0.05, 0.05), DARK)
    middle.add(CYLINDER, (0, 0, 0.23), (0.22, 0.22, 0.055), paint.shade(0.45) if not paint.dark else METAL)
    head = middle.joint((0, 0, 0.43), rotate_z(motion.look) @ rotate_y(motion.nod))
    head.add(ELLIPSOID, (0, 0, 0), (0.23, 0.23, 0.22), paint.colour)
    head.add(CONE, (0.36, 0, -0.02), (0.06, 0.06, 0.17), CARROT, turn=rotate_y(math.pi / 2))
    head.add(CYLINDER, (0, 0, 0.18), (0.29, 0.29, 0.03), DARK)
    head.add(CYLINDER, (0, 0, 0.31), (0.18, 0.18, 0.13), DARK)
    for side in (-1, 1):
        white = (0.19, side * 0.09, 0.06)
        if paint.dark:
            head.add(ELLIPSOID, white, (0.05, 0.06, 0.06), CREAM)
        else:
            head.add(ELLIPSOID, white, (0.04, 0.045, 0.05), DARK, specular=1.0)
        raised = 0.5 + 0.5 * motion.arms + 0.4 * motion.wing
        if side == motion.waving:
            raised = 0.75 + 0.75 * motion.wave
        arm = middle.joint((0, side * 0.26, 0.06), rotate_x(side * raised))
        arm.limb((0, 0, 0), (0.02, side * 0.40, 0), 0.035, TWIG)
        arm.add(ELLIPSOID, (0.02, side * 0.44, 0), (0.08, 0.10, 0.08), paint.shade(0.45) if not paint.dark else METAL)


def add_rocket(body: Body, motion: Motion, paint: Paint) -> None:
    """Upright on its fins; in flight it leans into its way, on a flame."""
    flying = motion.spread > 0.5
    tall = 1.40
    lean = rotate_y(np.full_like(motion.nod, 0.95 if flying else 0.0))
    hull = body.joint((0, 0, 0.5 * tall), lean)
    radii = np.stack([0.27 / np.sqrt(motion.stretch), 0.27 / np.sqrt(motion.stretch), 0.50 * motion.stretch], 1)
    hull.add(ELLIPSOID, (0, 0, 0.0), radii, paint.colour, **paint.surface(specular=0.7))
    hull.add(CYLINDER, (0, 0, -0.16), (0.255, 0.255, 0.24), paint.colour, **paint.surface(specular=0.7))
    hull.add(CONE, (0, 0, 0.54), (0.235, 0.235, 0.21), paint.shade(0.45) if not paint.dark else METAL, specular=0.8)
    hull.add(CYLINDER, (0, 0, -0.47), (0.17, 0.17, 0.09), METAL)
    for side in (-1, 1):
        port = rotate_x(math.pi / 2)
        hull.add(CYLINDER, (0, side * 0.225, 0.14), (0.125, 0.125, 0.05), METAL, turn=port)
        hull.add(CYLINDER, (0, side * 0.245, 0.14), (0.085, 0.085, 0.05), GLASS, turn=port, specular=1.2)
    for quarter in range(4):
        fin = hull.joint((0, 0, 0), rotate_z(0.5 * math.pi * quarter))
        tone = paint.shade(0.6) if not paint.dark else np.asarray(METAL, np.float32)
        # Half of a flat cone, swept out and down to the ground.
        fin.add(CONE, (0.22, 0, -0.42), (0.30, 0.045, 0.28), tone, emission=0.15)
    if flying:
        flicker = 0.24 + 0.05 * np.sin(9 * motion.phase)
        flame = np.stack([np.full_like(flicker, 0.14), np.full_like(flicker, 0.14), flicker], 1)
        down = rotate_x(math.pi)
        hull.add(CONE, (0, 0, -0.74), flame, (1.0, 0.60, 0.12), turn=down, emission=0.9, no_shadow=1)


def _add_badges(air: Body, width: float, height: float, paint: Paint) -> None:
    """A round badge on either side, so that one sees a balloon spin."""
    light = float(paint.contrast.max()) < 0.5
    for side in (-1, 1):
        tone = paint.shade(0.62) if light else paint.contrast
        air.add(ELLIPSOID, (0, side * width, height), (0.13, 0.07, 0.13), tone)


def add_balloon(body: Body, motion: Motion, paint: Paint) -> None:
    """A toy balloon, tied with a ribbon to a small weight."""
    sway = 0.08 * motion.look + 0.12 * motion.wing
    air = body.joint((0, 0, 0), rotate_x(sway))
    radii = np.stack([0.40 / np.sqrt(motion.stretch), 0.40 / np.sqrt(motion.stretch), 0.43 * motion.stretch], 1)
    air.add(ELLIPSOID, (0, 0, 1.04), radii, paint.colour, **paint.surface(specular=1.2))
    _add_badges(air, 0.38, 1.06, paint)
    air.add(CONE, (0, 0, 0.67), (0.34, 0.34, 0.17), paint.colour, turn=rotate_x(math.pi), specular=1.2)
    air.add(CONE, (0, 0, 0.53), (0.085, 0.085, 0.06), paint.shade(0.7) if not paint.dark else METAL)
    bends = ((0.0, 0.50), (0.05, 0.38), (-0.05, 0.24), (0.0, 0.05))
    for (x, z), (next_x, next_z) in itertools.pairwise(bends):
        air.limb((x, 0, z), (next_x, 0, next_z), 0.022, CREAM)
    air.add(ELLIPSOID, (0, 0, 0.05), (0.10, 0.10, 0.05), paint.shade(0.7) if not paint.dark else METAL)


def add_hot_air_balloon(body: Body, motion: Motion, paint: Paint) -> None:
    """A great envelope with a pale belt, four ropes and a basket."""
    sway = rotate_x(0.06 * motion.look + 0.06 * motion.wing)
    air = body.joint((0, 0, 0), sway)
    wide = 0.56 / np.sqrt(motion.stretch)
    radii = np.stack([wide, wide, 0.44 * motion.stretch], 1)
    air.add(ELLIPSOID, (0, 0, 1.10), radii, paint.colour, **paint.surface(specular=0.3))
    air.add(
        CONE, (0, 0, 0.645), (0.53, 0.53, 0.34), paint.colour, turn=rotate_x(math.pi), **paint.surface(specular=0.3)
    )
    _add_badges(air, 0.42, 0.84, paint)
    air.add(CYLINDER, (0, 0, 1.12), (0.575, 0.575, 0.055), CREAM)
    air.add(CYLINDER, (0, 0, 0.48), (0.20, 0.20, 0.035), CREAM)
    air.add(BOX, (0, 0, 0.13), (0.17, 0.17, 0.13), WICKER, emission=0.15)
    air.add(BOX, (0, 0, 0.26), (0.20, 0.20, 0.03), (0.36, 0.21, 0.09))
    for side in (-1, 1):
        for end in (-1, 1):
            air.limb((end * 0.16, side * 0.16, 0.26), (end * 0.16, side * 0.16, 0.46), 0.022, TWIG)
