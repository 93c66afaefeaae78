"""What has wheels: car, truck, bus and steam train, facing +x and standing on the ground."""

from __future__ import annotations

import math

import numpy as np

from daybreak.diorama.actions import Motion
from daybreak.diorama.primitives import BOX, CONE, CYLINDER, ELLIPSOID, Array, rotate_x, rotate_y
from daybreak.diorama.quadrupeds import CREAM, DARK, Paint
from daybreak.diorama.rig import Body

GLASS = (0.50, 0.70, 0.82)
TYRE = (0.07, 0.07, 0.08)
METAL = (0.62, 0.64, 0.68)
LAMP = (1.0, 0.95, 0.7)
TAIL_LAMP = (0.9, 0.08, 0.05)
FLAT_GLOW = 0.30  # upright flat sides catch little sun: a light of their own keeps yellow yellow and white white
_FORWARD = rotate_y(math.pi / 2)  # a part's own z axis points ahead, so that stripes run round the vehicle


def _chassis(body: Body, motion: Motion, height: float) -> Body:
    """The sprung part, its origin `height` above the ground."""
    bounce = height + 0.25 * (motion.stretch - 1)
    still = 0 * bounce
    return body.joint(np.stack([still, still, bounce], 1), rotate_y(still))


def _add_wheel(body: Body, motion: Motion, at: tuple[float, float], radius: float, rim: Array | None = None) -> None:
    """A wheel at (x, y) on the ground, with a spoke, so that one sees it turn."""
    wheel = body.joint((*at, radius), rotate_y(motion.wheel) @ rotate_x(math.pi / 2))
    wheel.add(CYLINDER, (0, 0, 0), (radius, radius, 0.10), TYRE)
    wheel.add(CYLINDER, (0, 0, 0), (0.52 * radius, 0.52 * radius, 0.11), METAL if rim is None else rim)
    wheel.add(BOX, (0, 0, 0), (0.84 * radius, 0.16 * radius, 0.112), METAL)


def add_car(body: Body, motion: Motion, paint: Paint) -> None:
    """A saloon with a bonnet and rounded roof."""
    chassis = _chassis(body, motion, 0.42)
    chassis.add(BOX, (0, 0, 0), (0.19, 0.44, 0.94), paint.colour, turn=_FORWARD, **paint.surface(specular=0.7))
    chassis.add(ELLIPSOID, (0.55, 0, 0.12), (0.44, 0.43, 0.17), paint.colour, specular=0.7)
    chassis.add(ELLIPSOID, (-0.78, 0, 0.12), (0.22, 0.43, 0.15), paint.colour, specular=0.7)
    chassis.add(BOX, (-0.16, 0, 0.36), (0.47, 0.39, 0.17), paint.colour, specular=0.7)
    chassis.add(ELLIPSOID, (-0.16, 0, 0.50), (0.54, 0.42, 0.11), paint.colour, specular=0.7)
    for x in (-0.38, 0.08):
        chassis.add(BOX, (x, 0, 0.36), (0.19, 0.405, 0.12), GLASS, specular=1.2)
    chassis.add(BOX, (-0.16, 0, 0.36), (0.485, 0.33, 0.12), GLASS, specular=1.2)
    chassis.add(BOX, (0.93, 0, -0.13), (0.05, 0.42, 0.06), METAL)
    chassis.add(BOX, (-0.93, 0, -0.13), (0.05, 0.42, 0.06), METAL)
    for side in (-1, 1):
        chassis.add(ELLIPSOID, (0.93, side * 0.29, 0.05), (0.06, 0.09, 0.09), LAMP, emission=0.9)
        chassis.add(BOX, (-0.94, side * 0.32, 0.05), (0.02, 0.07, 0.05), TAIL_LAMP, emission=0.5)
        for end in (-1, 1):
            _add_wheel(body, motion, (end * 0.58, side * 0.42), 0.25)


def add_truck(body: Body, motion: Motion, paint: Paint) -> None:
    """A lorry: a low cab in front with its windscreen, a gap, and a tall cargo box behind."""
    chassis = _chassis(body, motion, 0.34)
    chassis.add(BOX, (-0.02, 0, 0), (0.92, 0.32, 0.06), DARK)
    box = (0.41, 0.47, 0.60)
    chassis.add(
        BOX, (-0.38, 0, 0.49), box, paint.colour, turn=_FORWARD, **paint.surface(specular=0.4, emission=FLAT_GLOW)
    )
    chassis.add(BOX, (0.62, 0, 0.22), (0.30, 0.41, 0.22), paint.shade(0.8), specular=0.7, emission=FLAT_GLOW)
    chassis.add(BOX, (0.55, 0, 0.58), (0.23, 0.39, 0.16), paint.shade(0.8), specular=0.7, emission=FLAT_GLOW)
    chassis.add(BOX, (0.58, 0, 0.56), (0.14, 0.40, 0.12), GLASS, specular=1.2)
    chassis.add(BOX, (0.60, 0, 0.56), (0.20, 0.33, 0.12), GLASS, specular=1.2)
    chassis.add(BOX, (0.92, 0, 0.02), (0.05, 0.42, 0.08), METAL)
    chassis.add(BOX, (0.92, 0, 0.24), (0.02, 0.22, 0.09), DARK)
    for side in (-1, 1):
        chassis.add(ELLIPSOID, (0.92, side * 0.30, 0.17), (0.04, 0.08, 0.08), LAMP, emission=0.9)
        for x in (0.58, -0.28, -0.72):
            _add_wheel(body, motion, (x, side * 0.40), 0.22)


def add_bus(body: Body, motion: Motion, paint: Paint) -> None:
    """A coach: one long box with a row of windows and a pale roof."""
    chassis = _chassis(body, motion, 0.62)
    chassis.add(
        BOX,
        (0, 0, 0),
        (0.45, 0.42, 1.02),
        paint.colour,
        turn=_FORWARD,
        **paint.surface(specular=0.6, emission=FLAT_GLOW),
    )
    chassis.add(BOX, (0, 0, 0.48), (0.98, 0.39, 0.06), CREAM)
    for index in range(5):
        chassis.add(BOX, (-0.80 + 0.36 * index, 0, 0.17), (0.14, 0.43, 0.17), GLASS, specular=1.2)
    chassis.add(BOX, (0.92, 0, 0.13), (0.11, 0.36, 0.22), GLASS, specular=1.2)
    chassis.add(BOX, (1.0, 0, -0.38), (0.06, 0.43, 0.07), METAL)
    chassis.add(BOX, (-1.0, 0, -0.38), (0.06, 0.43, 0.07), METAL)
    for side in (-1, 1):
        chassis.add(ELLIPSOID, (1.02, side * 0.29, -0.22), (0.04, 0.08, 0.08), LAMP, emission=0.9)
        for end in (-1, 1):
            _add_wheel(body, motion, (end * 0.60, side * 0.38), 0.22)


def add_train(body: Body, motion: Motion, paint: Paint) -> None:
    """A steam locomotive: boiler, chimney, dome, cab, three large wheels a side and a cowcatcher."""
    chassis = _chassis(body, motion, 0.42)
    chassis.add(BOX, (0.0, 0, -0.02), (0.94, 0.30, 0.08), DARK)
    boiler = (0.30, 0.30, 0.62)
    chassis.add(CYLINDER, (0.30, 0, 0.32), boiler, paint.colour, turn=_FORWARD, **paint.surface(specular=0.6))
    chassis.add(CYLINDER, (0.92, 0, 0.32), (0.26, 0.26, 0.04), DARK, turn=_FORWARD)
    chassis.add(ELLIPSOID, (0.97, 0, 0.32), (0.05, 0.11, 0.11), LAMP, emission=0.9)
    chassis.add(BOX, (-0.58, 0, 0.40), (0.32, 0.38, 0.38), paint.colour, specular=0.6, emission=FLAT_GLOW)
    chassis.add(BOX, (-0.58, 0, 0.54), (0.18, 0.39, 0.15), GLASS, specular=1.2)
    chassis.add(BOX, (-0.58, 0, 0.81), (0.42, 0.45, 0.05), DARK)
    chassis.add(CYLINDER, (0.66, 0, 0.74), (0.10, 0.10, 0.18), DARK)
    chassis.add(CONE, (0.66, 0, 0.86), (0.19, 0.19, 0.16), DARK, turn=rotate_x(math.pi))
    chassis.add(ELLIPSOID, (0.16, 0, 0.62), (0.14, 0.14, 0.16), (0.85, 0.62, 0.15), specular=1.0)
    chassis.add(CONE, (0.98, 0, -0.20), (0.24, 0.34, 0.20), METAL)
    for side in (-1, 1):
        for x in (0.55, 0.02, -0.55):
            _add_wheel(body, motion, (x, side * 0.33), 0.25, paint.shade(0.75))
