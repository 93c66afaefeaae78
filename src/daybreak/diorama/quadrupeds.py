"""Dog, cat, rabbit, bear, elephant, pig, fox, horse and sheep: one rig with nine sets of measures.

Measures are in the rig's own units (a dog is about 1.2 high); the caller scales the whole rig.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from daybreak.diorama.actions import Motion
from daybreak.diorama.primitives import (
    CONE,
    CYLINDER,
    ELLIPSOID,
    IDENTITY,
    Array,
    rotate_x,
    rotate_y,
    rotate_z,
)
from daybreak.diorama.rig import Body

CREAM = (0.96, 0.90, 0.78)
DARK = (0.05, 0.04, 0.05)
SNOUT = (0.94, 0.55, 0.58)
INNER_EAR = (0.95, 0.68, 0.70)


@dataclass(frozen=True)
class Paint:
    """The colours of one subject: its own, the pattern drawn in a neutral one, and a shade for far limbs."""

    colour: Array
    pattern: int
    contrast: Array

    def shade(self, factor: float) -> Array:
        """The subject's colour, darker (below 1) or lighter."""
        return np.asarray(np.minimum(self.colour * np.float32(factor), 1), np.float32)

    def surface(self, **more: float) -> dict[str, object]:
        """What a part needs to wear the pattern, with other properties of its surface."""
        return {"pattern": self.pattern, "colour2": self.contrast, **more}

    @property
    def dark(self) -> bool:
        """Whether dark details would be lost on it."""
        return float(self.colour.max()) < 0.1


@dataclass(frozen=True)
class Anatomy:
    """The measures that tell one kind from another, rig units."""

    body: tuple[float, float, float]  # half length, width, height of the trunk
    stand: float  # height of the trunk's centre
    slope: float  # the trunk's tilt, positive lowers the chest
    leg: float  # leg radius
    foot: float  # foot radius
    hips: tuple[float, float]  # where legs sit: fraction of the half length, of the half width
    swing: float  # how far a foot swings forward
    head: float  # head radius
    neck: tuple[float, float]  # head centre from the trunk's centre: forward, up
    muzzle: tuple[float, float, float]  # length, radius, drop (fractions of the head)
    ears: str
    tail: str


ANATOMY: dict[str, Anatomy] = {
    "dog": Anatomy((0.47, 0.23, 0.23), 0.56, -0.05, 0.085, 0.10, (0.72, 0.55), 0.24, 0.235, (0.52, 0.37),
                   (0.62, 0.50, 0.28), "floppy", "wag"),
    "cat": Anatomy((0.46, 0.19, 0.20), 0.48, 0.06, 0.068, 0.08, (0.74, 0.55), 0.22, 0.25, (0.50, 0.31),
                   (0.20, 0.42, 0.30), "pointed", "long"),
    "rabbit": Anatomy((0.36, 0.27, 0.31), 0.37, -0.28, 0.085, 0.10, (0.60, 0.55), 0.16, 0.235, (0.33, 0.37),
                      (0.26, 0.50, 0.32), "long", "puff"),
    "bear": Anatomy((0.60, 0.38, 0.38), 0.60, 0.05, 0.150, 0.16, (0.66, 0.55), 0.22, 0.29, (0.66, 0.25),
                    (0.52, 0.52, 0.25), "round", "stub"),
    "elephant": Anatomy((0.66, 0.43, 0.44), 0.80, -0.06, 0.155, 0.165, (0.62, 0.56), 0.20, 0.34, (0.72, 0.34),
                        (0.0, 0.0, 0.0), "fan", "string"),
    "pig": Anatomy((0.55, 0.33, 0.33), 0.46, 0.0, 0.090, 0.09, (0.66, 0.55), 0.17, 0.27, (0.58, 0.14),
                   (0.42, 0.52, 0.16), "flaps", "curl"),
    "fox": Anatomy((0.46, 0.18, 0.19), 0.50, -0.04, 0.062, 0.075, (0.74, 0.55), 0.23, 0.22, (0.53, 0.27),
                   (1.00, 0.56, 0.22), "tall", "brush"),
    "horse": Anatomy((0.56, 0.23, 0.25), 0.88, 0.0, 0.078, 0.085, (0.76, 0.55), 0.30, 0.19, (0.74, 0.55),
                     (1.25, 0.66, 0.62), "leaves", "flowing"),
    "sheep": Anatomy((0.46, 0.32, 0.33), 0.60, 0.0, 0.070, 0.080, (0.56, 0.50), 0.18, 0.21, (0.62, 0.20),
                     (0.60, 0.62, 0.28), "drooping", "tuft"),
}  # fmt: skip


def add_quadruped(body: Body, kind: str, motion: Motion, paint: Paint) -> None:
    """Adds one four-legged animal to `body.parts`."""
    shape = ANATOMY[kind]
    length, width, height = shape.body
    centre = shape.stand * motion.stretch
    if motion.tuck:
        centre = 0.94 * height * motion.stretch
    widening = 1 / np.sqrt(motion.stretch)
    at = np.stack([np.zeros_like(centre), np.zeros_like(centre), centre], 1)
    trunk = body.joint(at, rotate_y(np.full_like(centre, 0.0 if motion.tuck else shape.slope)))
    # The trunk's unit shape has its z axis forward, so that stripes run round it like a tiger's.
    radii = np.stack([height * motion.stretch, width * widening, np.full_like(centre, length)], 1)
    lengthwise = rotate_y(math.pi / 2)
    trunk.add(ELLIPSOID, (0, 0, 0), radii, paint.colour, turn=lengthwise, pattern=paint.pattern, colour2=paint.contrast)
    if kind == "bear":
        trunk.add(ELLIPSOID, (0.18, 0, 0.18), (0.36, 0.30, 0.30), paint.colour)
    if kind == "sheep":
        _add_wool(trunk, paint)
    if kind in ("dog", "cat", "fox"):
        trunk.add(ELLIPSOID, (length * 0.74, 0, -height * 0.12), (0.17, width * 0.78, height * 0.72), CREAM)
    _add_neck_and_head(trunk, kind, shape, motion, paint)
    _add_legs(body, shape, centre, motion, *_leg_tones(kind, paint))
    _add_tail(trunk, shape, motion, paint)


def _add_neck_and_head(trunk: Body, kind: str, shape: Anatomy, motion: Motion, paint: Paint) -> None:
    forward, up = shape.neck
    if motion.tuck and not (kind == "horse" and motion.prone):  # a horse that slides holds its head high
        forward, up = forward * 1.02, shape.head - shape.body[2] * 0.74
    radius = shape.head
    # A grazing head comes down in front of the feet; an elephant's is too heavy, and its trunk is long enough.
    reach = radius * {"horse": 2.0, "sheep": 1.5}.get(kind, 1.05)  # of the face, down from the head's centre
    drop = motion.graze * (1.25 * up if kind == "elephant" else up + shape.stand - reach)
    ahead = forward + motion.graze * radius * 0.45
    start = (shape.body[0] * 0.62, 0, shape.body[2] * 0.2)
    if kind not in ("pig", "rabbit", "sheep") or np.any(motion.graze):
        end = np.stack([ahead * 0.96, 0 * ahead, (up - drop) * 0.82], 1)
        trunk.limb(start, end, radius * (0.9 if kind == "horse" else 0.66), paint.colour)
    if kind == "horse":
        _add_mane(trunk, start, (ahead, up - drop), paint)
    at = np.stack([ahead, 0 * ahead, up - drop], 1)
    head = trunk.joint(at, rotate_z(motion.look) @ rotate_y(motion.nod - shape.slope))
    face = _sheep_face(paint) if kind == "sheep" else paint.colour
    head.add(ELLIPSOID, (0, 0, 0), (radius * 1.04, radius * 0.96, radius), face)
    if kind == "elephant":
        _add_trunk_and_tusks(head, radius, motion, paint)
    elif kind in ("fox", "horse", "sheep"):
        _add_long_face(head, kind, shape, paint)
    else:
        _add_muzzle(head, kind, shape)
    _add_eyes(head, radius, kind, motion.asleep)
    for side in (-1, 1):
        _EARS[shape.ears](head, radius, side, motion, paint)


def _add_muzzle(head: Body, kind: str, shape: Anatomy) -> None:
    radius = shape.head
    length, thickness, drop = (radius * part for part in shape.muzzle)
    if kind == "pig":
        sideways = rotate_y(math.pi / 2)
        head.add(CYLINDER, (radius * 1.08, 0, -drop), (thickness * 0.86, thickness * 0.95, 0.09), SNOUT, turn=sideways)
        for side in (-1, 1):
            head.add(ELLIPSOID, (radius * 1.08 + 0.085, side * 0.055, -drop), (0.02, 0.028, 0.045), (0.45, 0.18, 0.2))
        return
    centre = radius * 0.80
    head.add(ELLIPSOID, (centre + length * 0.35, 0, -drop), (length * 0.75, thickness, thickness * 0.86), CREAM)
    tip = centre + length * 1.05
    size = 0.30 * thickness + 0.018
    head.add(ELLIPSOID, (tip, 0, -drop + thickness * 0.42), (size, size * 1.25, size), DARK, specular=0.9)


def _add_long_face(head: Body, kind: str, shape: Anatomy, paint: Paint) -> None:
    """A fox's pointed muzzle, or the long soft nose of a horse or a sheep."""
    radius = shape.head
    length, thickness, drop = (radius * part for part in shape.muzzle)
    if kind == "fox":
        for side in (-1, 1):  # pale cheeks make the face a triangle
            head.add(ELLIPSOID, (radius * 0.45, side * radius * 0.62, -radius * 0.34), (0.11, 0.09, 0.09), CREAM)
        muzzle = (radius * 0.75 + length * 0.45, 0, -drop)
        head.add(CONE, muzzle, (thickness * 0.9, thickness, length * 0.62), paint.colour, turn=rotate_y(math.pi / 2))
        head.add(ELLIPSOID, (radius * 0.75 + length * 1.0, 0, -drop), (0.05, 0.05, 0.05), DARK, specular=0.9)
        return
    tip = (radius * 0.5 + length * 0.8, 0, -drop - length * 0.45)
    face = _sheep_face(paint) if kind == "sheep" else paint.colour
    head.limb((radius * 0.3, 0, -drop * 0.3), tip, thickness, face)
    if kind == "horse":
        head.add(ELLIPSOID, tip, (thickness * 0.95, thickness * 1.0, thickness * 0.9), _hair(paint))
    else:
        head.add(ELLIPSOID, (-radius * 0.15, 0, radius * 0.80), (0.17, 0.19, 0.13), paint.colour)  # a woolly cap


def _sheep_face(paint: Paint) -> tuple[float, float, float]:
    return (0.55, 0.45, 0.38) if paint.dark else (0.11, 0.10, 0.11)


def _hair(paint: Paint) -> Array:
    """The colour of a mane: much darker than the coat, and grey on a black one."""
    return paint.shade(5.5) if paint.dark else paint.shade(0.38)


def _add_mane(trunk: Body, start: tuple[float, float, float], head: tuple[Array, Array], paint: Paint) -> None:
    """Locks along the back of the neck, wherever it points, and a forelock between the ears."""
    along, upward = head[0] - start[0], head[1] - start[2]
    tilt = np.arctan2(along, upward)
    for share in (0.30, 0.55, 0.80, 1.05):
        x = start[0] + share * along - 0.155 * np.cos(tilt)
        z = start[2] + share * upward + 0.155 * np.sin(tilt)
        trunk.add(ELLIPSOID, np.stack([x, 0 * x, z], 1), (0.12, 0.075, 0.15), _hair(paint), turn=rotate_y(tilt))


def _add_wool(trunk: Body, paint: Paint) -> None:
    """Round tufts all over the trunk."""
    tufts = [(-0.36, 0.0, 0.20), (-0.12, 0.0, 0.30), (0.14, 0.0, 0.30), (0.36, 0.0, 0.20)]
    tufts += [(x, side * 0.25, z) for side in (-1, 1) for x, z in ((-0.28, -0.08), (0.0, 0.06), (0.28, -0.08))]
    for tuft in tufts:
        trunk.add(ELLIPSOID, tuft, (0.19, 0.17, 0.18), paint.colour, **paint.surface())


def _leg_tones(kind: str, paint: Paint) -> tuple[Array, Array]:
    """The colours of legs and of feet: a fox wears dark stockings, a sheep's legs are as dark as its face."""
    tone = paint.shade(0.88)
    if kind == "sheep":
        face = np.array(_sheep_face(paint), np.float32)
        return face, face
    if kind in ("fox", "horse"):
        dark = np.array((0.20, 0.18, 0.17) if paint.dark else (0.10, 0.08, 0.08), np.float32)
        return (dark if kind == "fox" else tone), dark
    return tone, tone


def _add_eyes(head: Body, radius: float, kind: str, asleep: bool) -> None:
    size = radius * (0.13 if kind in ("elephant", "bear") else 0.165)
    for side in (-1, 1):
        if kind == "sheep":  # a white to see the eye by in a dark face
            at = (radius * 0.74, side * radius * 0.50, radius * 0.30)
            head.add(ELLIPSOID, at, (radius * 0.22, radius * 0.24, radius * (0.08 if asleep else 0.26)), CREAM)
            if not asleep:
                head.add(ELLIPSOID, (radius * 0.90, side * radius * 0.58, radius * 0.30), (size, size, size), DARK)
            continue
        at = (radius * 0.80, side * radius * 0.46, radius * 0.30)
        radii = (size, size * 1.3, size * 0.28) if asleep else (size, size, size * 1.2)
        head.add(ELLIPSOID, at, radii, DARK, specular=0.0 if asleep else 1.4)


def _floppy(head: Body, radius: float, side: int, motion: Motion, paint: Paint) -> None:
    flap = side * (0.28 + 0.22 * np.abs(np.sin(motion.phase)) * motion.stride + 0.9 * motion.spread * (motion.wing > 0))
    radii = (radius * 0.40, radius * 0.17, radius * 0.66)
    head.add(
        ELLIPSOID, (-radius * 0.10, side * radius * 0.98, radius * 0.05), radii, paint.shade(0.55), turn=rotate_x(flap)
    )


def _pointed(head: Body, radius: float, side: int, _: Motion, paint: Paint) -> None:
    turn = rotate_x(-side * 0.22)
    head.add(
        CONE,
        (0, side * radius * 0.56, radius * 1.06),
        (radius * 0.30, radius * 0.40, radius * 0.50),
        paint.colour,
        turn=turn,
    )
    head.add(
        CONE,
        (radius * 0.12, side * radius * 0.56, radius * 1.02),
        (radius * 0.24, radius * 0.26, radius * 0.38),
        INNER_EAR,
        turn=turn,
    )


def _long(head: Body, radius: float, side: int, motion: Motion, paint: Paint) -> None:
    sway = 0.30 + 0.18 * np.sin(motion.phase) * motion.stride + (0.9 if motion.tuck else 0.0)
    ear = head.joint((-radius * 0.1, side * radius * 0.40, radius * 0.75), rotate_x(-side * 0.16) @ rotate_y(-sway))
    ear.add(ELLIPSOID, (0, 0, radius * 0.98), (radius * 0.20, radius * 0.33, radius * 1.12), paint.colour)
    ear.add(ELLIPSOID, (radius * 0.10, 0, radius * 0.98), (radius * 0.14, radius * 0.21, radius * 0.88), INNER_EAR)


def _round(head: Body, radius: float, side: int, _: Motion, paint: Paint) -> None:
    at = (-radius * 0.12, side * radius * 0.72, radius * 0.78)
    head.add(ELLIPSOID, at, (radius * 0.22, radius * 0.38, radius * 0.38), paint.colour)
    inner = (at[0] + radius * 0.12, at[1], at[2] - 0.01)
    head.add(ELLIPSOID, inner, (radius * 0.14, radius * 0.22, radius * 0.22), CREAM)


def _fan(head: Body, radius: float, side: int, motion: Motion, paint: Paint) -> None:
    flap = side * (0.55 + 0.20 * np.sin(motion.phase + 0.5) + 0.15 * motion.wing)
    ear = head.joint((-radius * 0.25, side * radius * 0.75, radius * 0.1), rotate_z(flap))
    radii = (radius * 0.13, radius * 0.80, radius * 1.02)
    ear.add(ELLIPSOID, (0, side * radius * 0.66, -0.02), radii, paint.shade(0.72))


def _flaps(head: Body, radius: float, side: int, _: Motion, paint: Paint) -> None:
    turn = rotate_x(-side * 0.35) @ rotate_y(0.55)
    at = (radius * 0.10, side * radius * 0.62, radius * 0.92)
    head.add(CONE, at, (radius * 0.16, radius * 0.36, radius * 0.40), paint.shade(0.68), turn=turn)


def _tall(head: Body, radius: float, side: int, _: Motion, paint: Paint) -> None:
    turn = rotate_x(-side * 0.30)
    at = (-radius * 0.08, side * radius * 0.66, radius * 1.20)
    head.add(CONE, at, (radius * 0.34, radius * 0.50, radius * 0.78), paint.colour, turn=turn)
    inner = (at[0] + radius * 0.14, at[1], at[2] - radius * 0.10)
    head.add(CONE, inner, (radius * 0.26, radius * 0.30, radius * 0.52), DARK, turn=turn)


def _leaves(head: Body, radius: float, side: int, _: Motion, paint: Paint) -> None:
    at = (-radius * 0.25, side * radius * 0.50, radius * 1.15)
    head.add(CONE, at, (radius * 0.26, radius * 0.30, radius * 0.55), paint.colour, turn=rotate_x(-side * 0.15))


def _drooping(head: Body, radius: float, side: int, _: Motion, paint: Paint) -> None:
    turn = rotate_x(-side * 0.35)
    at = (-radius * 0.15, side * radius * 1.25, radius * 0.15)
    head.add(ELLIPSOID, at, (radius * 0.22, radius * 0.55, radius * 0.24), _sheep_face(paint), turn=turn)


_EARS = {
    "floppy": _floppy,
    "pointed": _pointed,
    "long": _long,
    "round": _round,
    "fan": _fan,
    "flaps": _flaps,
    "tall": _tall,
    "leaves": _leaves,
    "drooping": _drooping,
}


def _add_trunk_and_tusks(head: Body, radius: float, motion: Motion, paint: Paint) -> None:
    sway = 0.14 * np.sin(motion.phase * 0.5 + 0.4) + 0.1 * motion.look
    curl = -1.60 if motion.tuck else -0.75 if motion.spread > 0.5 else 0.0  # kept off the ground
    joint = head.joint((radius * 0.80, 0, -radius * 0.10), rotate_y(sway + curl - 0.75 * motion.graze))
    for index, (turn, length, thick) in enumerate(((0.25, 0.30, 0.145), (-0.10, 0.30, 0.115), (-0.65, 0.26, 0.09))):
        joint = joint.joint((0, 0, 0), rotate_y(turn - 0.18 * index))
        joint.limb((0, 0, 0.05), (0.02, 0, -length), thick, paint.shade(1.0 - 0.06 * index))
        joint = joint.joint((0.02, 0, -length), IDENTITY)
    for side in (-1, 1):
        tip = (radius * 1.35, side * radius * 0.55, -radius * 0.55)
        head.limb((radius * 0.72, side * radius * 0.50, -radius * 0.52), tip, 0.045, CREAM)


def _add_legs(body: Body, shape: Anatomy, centre: Array, motion: Motion, tone: Array, foot_tone: Array) -> None:
    length, width, height = shape.body
    lift = 0.55 * shape.swing
    for end in (1, -1):
        for side in (-1, 1):
            hip_x, hip_y = end * length * shape.hips[0], side * width * shape.hips[1]
            # A trot moves diagonal legs together, a gallop the front and the hind pair.
            lag = (0.0 if end > 0 else math.pi) + 0.5 * side if motion.stride > 0.8 else math.pi * (side * end > 0)
            cycle = motion.phase + lag
            reach = shape.swing * motion.stride
            x = hip_x + reach * np.cos(cycle)
            z = shape.foot * 0.75 + lift * min(motion.stride * 1.6, 1) * np.maximum(0, -np.sin(cycle))
            if motion.spread > 0.5:  # flying: stretched forward and back, paddling a little
                x = hip_x + end * (0.30 + 0.05 * np.cos(cycle))
                z = centre - height * 0.85 + 0.06 * np.sin(cycle)
            if end > 0 and side == motion.waving:  # a raised forepaw
                x = shape.neck[0] + shape.head * 1.25 - 0.06 * motion.wave  # in front of the face, where it is seen
                z = centre + shape.neck[1] * 0.6 + 0.18 * motion.wave
            if motion.tuck:
                x, z = hip_x + 0.16 + 0 * cycle, shape.foot * 0.75 + 0 * cycle
                hip_y = side * width * 0.88
            foot = np.stack([x, np.full_like(x, hip_y * 1.05), z], 1)
            hip = np.stack([np.full_like(x, hip_x), np.full_like(x, hip_y), centre - height * 0.45], 1)
            body.limb(hip, foot, shape.leg, tone)
            toes = foot + np.array((shape.foot * 0.35, 0, 0), np.float32)
            body.add(ELLIPSOID, toes, (shape.foot * 1.25, shape.foot, shape.foot * 0.75), foot_tone)


def _add_tail(trunk: Body, shape: Anatomy, motion: Motion, paint: Paint) -> None:
    length, _, height = shape.body
    wag = 0.5 * np.sin(motion.phase * 1.5 + 3 * motion.look)
    root = trunk.joint((-length * 0.92, 0, height * 0.35), rotate_z(wag))
    if shape.tail == "wag":
        root.limb((0.04, 0, 0), (-0.20, 0, 0.34 if not motion.tuck else 0.0), 0.055, paint.colour)
    elif shape.tail == "long":
        rise = 0.30 if not motion.tuck else -0.02
        root.limb((0.05, 0, 0), (-0.28, 0, rise * 0.5), 0.045, paint.colour)
        root.limb((-0.27, 0, rise * 0.5), (-0.34, 0, rise * 1.5), 0.045, paint.colour)
        root.limb((-0.34, 0, rise * 1.5), (-0.24, 0, rise * 2.2), 0.045, paint.shade(0.8))
    elif shape.tail == "puff":
        root.add(ELLIPSOID, (-0.04, 0, -0.05), (0.13, 0.13, 0.13), CREAM)
    elif shape.tail == "stub":
        root.add(ELLIPSOID, (-0.02, 0, 0), (0.10, 0.10, 0.10), paint.colour)
    elif shape.tail == "curl":
        for index in range(3):
            angle = 2.2 * index
            at = (-0.05 - 0.045 * index, 0.05 * math.cos(angle), 0.05 * math.sin(angle))
            root.add(ELLIPSOID, at, (0.045, 0.05, 0.05), paint.shade(0.8))
    elif shape.tail == "brush":
        rise = 0.10 if not motion.tuck else -0.02
        root.limb((0.04, 0, 0), (-0.36, 0, rise), 0.125, paint.colour)
        root.add(ELLIPSOID, (-0.49, 0, rise * 1.35), (0.17, 0.105, 0.105), CREAM, turn=rotate_y(0.25))
    elif shape.tail == "flowing":
        drop = 0.55 if not motion.tuck else 0.10
        root.limb((0.02, 0, 0.06), (-0.20, 0, -0.02), 0.065, _hair(paint))
        root.limb((-0.20, 0, -0.02), (-0.26, 0, -drop), 0.085, _hair(paint))
    elif shape.tail == "tuft":
        root.add(ELLIPSOID, (-0.14, 0, -0.10), (0.08, 0.09, 0.12), paint.colour)
    else:
        root.limb((0.03, 0, 0.05), (-0.16, 0, -0.34), 0.03, paint.shade(0.75))
        root.add(ELLIPSOID, (-0.165, 0, -0.38), (0.05, 0.05, 0.08), DARK)
