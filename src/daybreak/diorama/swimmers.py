"""Duck and fish, at home in the water."""

from __future__ import annotations

import math

import numpy as np

from daybreak.diorama.actions import Motion
from daybreak.diorama.primitives import CONE, ELLIPSOID, Array, rotate_x, rotate_y, rotate_z
from daybreak.diorama.quadrupeds import CREAM, DARK, Paint
from daybreak.diorama.rig import Body

BILL = (1.0, 0.50, 0.03)


def add_duck(body: Body, motion: Motion, paint: Paint) -> None:
    """A low level boat of a body, a long neck, a flat broad bill, a cocked tail and webbed feet."""
    flying = motion.spread > 0.5
    low = -0.22 if motion.tuck else 0.0
    trunk = body.joint((0, 0, 0.46 + low), rotate_y(np.full_like(motion.nod, -0.08)))
    radii = np.stack([0.28 * motion.stretch, 0.31 + 0 * motion.nod, 0.52 + 0 * motion.nod], 1)
    trunk.add(ELLIPSOID, (0, 0, 0), radii, paint.colour, turn=rotate_y(math.pi / 2), **paint.surface())
    trunk.add(CONE, (-0.52, 0, 0.20), (0.14, 0.17, 0.26), paint.colour, turn=rotate_y(-0.9))
    top = (0.50, 0.30) if motion.tuck else (0.80, 0.14) if flying else (0.46, 0.60)
    ahead, height = top[0] + 0.26 * motion.graze, top[1] - 0.78 * motion.graze  # its bill dabbles on the ground
    trunk.limb((0.34, 0, 0.08), np.stack([ahead - 0.02, 0 * ahead, height - 0.08], 1), 0.13, paint.colour)
    if not (motion.tuck or flying or np.any(motion.graze)):
        trunk.limb((0.375, 0, 0.20), (0.40, 0, 0.27), 0.137, CREAM)  # a collar
    head = trunk.joint(np.stack([ahead, 0 * ahead, height], 1), rotate_z(motion.look) @ rotate_y(motion.nod + 0.08))
    head.add(ELLIPSOID, (0, 0, 0.02), (0.21, 0.18, 0.185), paint.colour)
    head.add(ELLIPSOID, (0.30, 0, -0.03), (0.19, 0.135, 0.045), BILL)
    head.add(ELLIPSOID, (0.20, 0, 0.0), (0.10, 0.09, 0.07), BILL)
    for side in (-1, 1):
        size = (0.04, 0.045, 0.012) if motion.asleep else (0.04, 0.04, 0.046)
        head.add(ELLIPSOID, (0.11, side * 0.13, 0.085), size, CREAM if paint.dark else DARK, specular=1.2)
        _add_wing(trunk, motion, side, paint, flying=flying)
        if not motion.tuck and not motion.afloat:
            _add_foot(body, motion, side, flying=flying)


def _add_wing(trunk: Body, motion: Motion, side: int, paint: Paint, *, flying: bool) -> None:
    tone = paint.shade(5.0) if paint.dark else paint.shade(0.76)
    if flying or motion.arms > 0.5 or side == motion.waving:
        lift = 0.15 + 0.8 * motion.wing if side != motion.waving else 0.65 + 0.55 * motion.wave
        wing = trunk.joint((0.0, side * 0.22, 0.12), rotate_x(side * lift))
        wing.add(ELLIPSOID, (-0.05, side * 0.42, 0), (0.24, 0.48, 0.05), tone)
    else:
        trunk.add(ELLIPSOID, (-0.12, side * 0.28, 0.06), (0.36, 0.06, 0.17), tone, turn=rotate_y(0.12))


def _add_foot(body: Body, motion: Motion, side: int, *, flying: bool) -> None:
    cycle = motion.phase + (math.pi if side > 0 else 0)
    x = 0.0 + 0.14 * motion.stride * np.cos(cycle) - (0.34 if flying else 0)
    z = 0.025 + 0.10 * motion.stride * np.maximum(0, -np.sin(cycle)) + (0.26 if flying else 0)
    foot: Array = np.stack([x, np.full_like(x, side * 0.14), z], 1)
    body.limb((-0.02, side * 0.14, 0.30), foot, 0.045, BILL)
    body.add(ELLIPSOID, foot + np.array((0.08, 0, 0), np.float32), (0.15, 0.10, 0.025), BILL)


def add_fish(body: Body, motion: Motion, paint: Paint) -> None:
    """A tall flat body, a forked tail that beats, a fin along the back and two below on which it rests."""
    fin = paint.shade(5.0) if paint.dark else paint.shade(0.62)
    beat = 0.45 * np.sin(2.0 * motion.phase) + 0.5 * motion.look + 0.3 * motion.wing
    trunk = body.joint((0, 0, 0.50), rotate_z(-0.15 * beat))
    radii = np.stack([0.36 * motion.stretch, 0.20 + 0 * beat, 0.60 + 0 * beat], 1)
    trunk.add(ELLIPSOID, (0.05, 0, 0), radii, paint.colour, turn=rotate_y(math.pi / 2), **paint.surface(specular=0.8))
    trunk.add(ELLIPSOID, (0.10, 0, -0.12), (0.42, 0.17, 0.20), CREAM)
    trunk.add(ELLIPSOID, (0.64, 0, -0.02), (0.05, 0.09, 0.07), fin)  # lips
    tail = trunk.joint((-0.50, 0, 0), rotate_z(beat))
    tail.limb((0.05, 0, 0), (-0.12, 0, 0), 0.10, paint.colour)
    for side in (-1, 1):
        lobe = tail.joint((-0.10, 0, 0), rotate_y(side * 0.60))
        lobe.add(ELLIPSOID, (-0.24, 0, 0), (0.28, 0.04, 0.13), fin)
        trunk.add(ELLIPSOID, (0.42, side * 0.145, 0.09), (0.09, 0.05, 0.09), CREAM)
        trunk.add(ELLIPSOID, (0.45, side * 0.185, 0.09), (0.05, 0.03, 0.055), DARK, specular=1.4)
        wave = side * (0.7 + 0.4 * motion.wing + 0.2 * np.sin(motion.phase))
        pectoral = trunk.joint((0.14, side * 0.18, -0.06), rotate_x(-wave) @ rotate_y(0.4))
        pectoral.add(ELLIPSOID, (-0.12, side * 0.03, 0), (0.17, 0.035, 0.10), fin)
        trunk.add(CONE, (0.0, side * 0.08, -0.36), (0.16, 0.035, 0.14), fin, turn=rotate_x(math.pi))
    trunk.add(ELLIPSOID, (-0.04, 0, 0.36), (0.34, 0.035, 0.16), fin, turn=rotate_y(-0.12))
    trunk.add(CONE, (-0.12, 0, 0.48), (0.16, 0.035, 0.16), fin, turn=rotate_y(-0.5))
