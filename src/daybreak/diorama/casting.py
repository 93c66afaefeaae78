"""Where the subjects of a scene stand, how they move, and from where the camera sees them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from daybreak.diorama.actions import TRAVEL, TRAVELLING, Motion, Situation, move
from daybreak.diorama.antics import IN_DEPTH, ROAMING
from daybreak.diorama.cameras import HALF_VIEW, Framing, fit, shoot
from daybreak.diorama.primitives import EMISSION, Array, Parts, Z
from daybreak.diorama.rig import extent, lowest
from daybreak.diorama.scene import SEAGOING, SUBMERGED_ENVIRONMENTS, SWIMMERS, WATER_ENVIRONMENTS, SceneSpec, Subject
from daybreak.diorama.subjects import add_subject, measure

VIEW_HEIGHT = 2.35  # metres that the frame shows at the subject, for one subject of medium size
PAIR_VIEW_HEIGHT = 3.15
WIDE_SHARE = 0.58  # an elongated subject fills at most this share of the frame's width, a pair 0.9
PAIR_SHARE = 0.90
# The share of the height that is under water; others 0.38.
WATER_LINE = {"boat": 0.10, "ball": 0.36, "bird": 0.36, "penguin": 0.16, "rabbit": 0.24, "duck": 0.24, "fish": 0.32}
# Radians by which those that stand upright turn to show their front, and a cube a second face.
UPRIGHT_TURN = {"penguin": 0.55, "robot": 0.55, "bird": 0.15, "duck": 0.15, "snowman": 0.55, "cube": 0.45}
FLIGHT = 0.62  # metres between the ground and what flies
LIGHTER_THAN_AIR = ("balloon", "hot-air balloon")  # they come, go and circle above the ground
# A little light of their own: a white rabbit stays white at sunset, a black cat can be seen at night.
GLOW = {"dawn": 0.16, "noon": 0.03, "sunset": 0.22, "night": 0.26, "overcast": 0.10}
ROAM = {"approach": 2.6, "leave": 2.6, "circle": 0.85}  # metres: the way of what comes or goes, a circle's radius
PAIR_ROAM = {"approach": 1.5, "leave": 1.5, "circle": 0.60}
PAIR_CIRCLE_GAP = 0.60  # further apart when one of two goes round
NEAR_VIEW = 1.75  # metres that the frame shows at the near end of a way in depth
LOW_VIEW = 0.8  # half of a swimmer is under water, and who slides lies: the camera is nearer


@dataclass(frozen=True)
class Cast:
    """One subject in its place: everything about it that neither the camera nor the set changes."""

    subject: Subject
    situation: Situation
    motion: Motion


@dataclass(frozen=True)
class Scene:
    """The subjects in their places (prims (F, K, columns)) and the cameras (F, 13) that see them."""

    casts: tuple[Cast, ...]
    prims: Array
    framing: Framing
    cameras: Array


def compose(spec: SceneSpec, num_frames: int, fps: float, aspect: float) -> Scene:
    """The subjects of a scene and its cameras, without the set."""
    casts = cast_subjects(spec, num_frames, fps, aspect)
    parts = Parts(num_frames)
    for index, cast in enumerate(casts):
        _add_cast(parts, cast, index + 1, GLOW[spec.time_of_day])
    prims = parts.stack()
    framing = fit(_frame(spec, casts, prims, aspect, np.random.default_rng((spec.seed, 2))), prims)
    return Scene(tuple(casts), prims, framing, shoot(framing, num_frames))


def cast_subjects(spec: SceneSpec, num_frames: int, fps: float, aspect: float) -> list[Cast]:
    """Where each subject is and how it moves."""
    rng = np.random.default_rng((spec.seed, 1))
    times = (np.arange(num_frames) / fps).astype(np.float32)
    sizes = [measure(subject.kind, subject.size) for subject in spec.subjects]
    headings = _headings(spec, rng)
    places = _places(spec, sizes, headings, rng)
    submerged = spec.environment in SUBMERGED_ENVIRONMENTS
    casts = []
    for subject, size, heading, place in zip(spec.subjects, sizes, headings, places, strict=True):
        height, length = size
        situation = Situation(
            times=times,
            height=height,
            length=length,
            place=place,
            heading=heading,
            travel=_travel(spec, subject, length, aspect),
            phase=float(rng.uniform(0, 2 * math.pi)),
            water_line=0.0 if submerged else WATER_LINE.get(subject.kind, 0.38),
            afloat=subject.kind in SEAGOING and spec.environment in WATER_ENVIRONMENTS and not submerged,
        )
        casts.append(Cast(subject, situation, move(subject.action, situation)))
    return casts


def _headings(spec: SceneSpec, rng: np.random.Generator) -> list[float]:
    """Mostly from the side, turned towards the viewer rather than away."""
    first = int(rng.integers(2))
    headings = []
    for index in range(len(spec.subjects)):
        leftward = first if index == 0 or spec.relation == "following" else int(rng.integers(2))
        travels = spec.subjects[index].action in TRAVELLING
        towards = float(rng.uniform(-0.10, 0.22 if travels else 0.48))
        if spec.subjects[index].action in IN_DEPTH:
            headings.append(_depth_heading(spec.subjects[index].action, bool(leftward), 0.24 + 0.4 * towards))
            continue
        towards += 0.0 if travels else UPRIGHT_TURN.get(spec.subjects[index].kind, 0.0)
        headings.append(math.pi + towards if leftward else -towards)
    if spec.relation == "following":
        headings[1] = headings[0]
    return headings


def _depth_heading(action: str, leftward: bool, slant: float) -> float:
    """Towards the camera or away from it, `slant` radians off the straight way, so that a flank is seen as well."""
    side = -slant if leftward else slant
    return -0.5 * math.pi + side if action == "approach" else 0.5 * math.pi - side


def _places(
    spec: SceneSpec, sizes: list[tuple[float, float]], headings: list[float], rng: np.random.Generator
) -> list[tuple[float, float, float]]:
    """The point under each subject; z is where its feet are, above the ground when it flies."""
    submerged = spec.environment in SUBMERGED_ENVIRONMENTS
    heights = [_hover(subject, submerged=submerged) for subject in spec.subjects]
    if len(spec.subjects) == 1:
        reach = 0.10 if spec.subjects[0].action in TRAVELLING else 0.25
        return [(float(rng.uniform(-reach, reach)), 0.0, heights[0])]
    half = [0.5 * length for _, length in sizes]
    gap = half[0] + half[1] + 0.28
    gap += PAIR_CIRCLE_GAP if any(subject.action == "circle" for subject in spec.subjects) else 0.0
    jitter = float(rng.uniform(-0.05, 0.05))
    across = {"left of": -1.0, "right of": 1.0, "following": -math.copysign(1.0, math.cos(headings[0]))}
    relation = spec.relation
    if relation in across:
        x = across[relation] * gap
        return [(x * half[1] / (half[0] + half[1]) + jitter, 0.0, heights[0]),
                (-x * half[0] / (half[0] + half[1]) + jitter, 0.0, heights[1])]  # fmt: skip
    if relation == "above":
        top = sizes[1][0] + heights[1] + (hop_height_of(spec, sizes, 1))
        lift = top * 0.98 if spec.subjects[0].action != "fly" else top + 0.22
        return [(jitter, 0.0, lift), (0.0, 0.0, heights[1])]
    side = float(rng.choice((-1.0, 1.0)))
    near = 1.0 if relation == "in front of" else -1.0
    # What is behind stands clear of the edge of what is in front, and of it still when the camera goes round.
    front = half[0] if relation == "in front of" else half[1]
    clear = max(0.46 * (half[0] + half[1]), 0.70 * front + 0.14) + (0.25 if spec.camera == "orbit" else 0.0)
    shift = side * clear
    return [(shift, -0.66 * near, heights[0]), (-shift, 0.80 * near, heights[1])]


def _hover(subject: Subject, *, submerged: bool) -> float:
    """How high above the ground it is when it does not jump, metres."""
    if subject.action == "fly" or (submerged and subject.action == "swim"):
        return FLIGHT * (0.9 if subject.size == "large" else 1.0)
    if (submerged and subject.kind in SWIMMERS) or (subject.kind in LIGHTER_THAN_AIR and subject.action in ROAMING):
        return 0.5 * FLIGHT
    return 0.0


def hop_height_of(spec: SceneSpec, sizes: list[tuple[float, float]], index: int) -> float:
    """How high the subject jumps, metres; 0 if it does not."""
    return 0.5 * sizes[index][0] if spec.subjects[index].action == "jump" else 0.0


def _travel(spec: SceneSpec, subject: Subject, length: float, aspect: float) -> float:
    """Metres along the heading over the clip: as far as the frame allows."""
    if subject.action in ROAMING:
        return (ROAM if spec.relation is None else PAIR_ROAM)[subject.action]
    if subject.action not in TRAVELLING:
        return 0.0
    if spec.relation is not None:  # a pair keeps its order, so both stay near their places
        return 0.5 if spec.relation == "following" else 0.22
    wish = TRAVEL[subject.action] * length
    if spec.camera == "follow":
        return wish * 1.5
    room = VIEW_HEIGHT * aspect * (0.50 if spec.camera in ("pan left", "pan right", "orbit") else 0.86) - length
    return max(min(wish, room), 0.3 * length)


def _add_cast(parts: Parts, cast: Cast, entity: int, glow: float) -> None:
    start = len(parts.rows)
    parts.entity = entity
    add_subject(parts, cast.subject, cast.motion)
    for row in parts.rows[start:]:
        np.maximum(row[:, EMISSION], glow, out=row[:, EMISSION])
    if cast.motion.settled:
        rows = np.stack(parts.rows[start:], 1)
        drop = lowest(rows) - cast.motion.position[:, 2]
        for row in parts.rows[start:]:
            row[:, Z] -= drop


def _frame(spec: SceneSpec, casts: list[Cast], actors: Array, aspect: float, rng: np.random.Generator) -> Framing:
    """The nominal camera: one medium subject fills about half of the frame's height."""
    pair = len(casts) == 2
    view = PAIR_VIEW_HEIGHT if pair else VIEW_HEIGHT
    top = float(extent(actors, (0, 0, 1))[1].max())
    medium = [measure(cast.subject.kind, "medium")[1] for cast in casts]
    if pair:
        left = min(c.situation.place[0] - 0.5 * c.situation.length for c in casts)
        right = max(c.situation.place[0] + 0.5 * c.situation.length for c in casts)
        view = max(view, (right - left) / (PAIR_SHARE * aspect), top * 1.16)
    else:
        low = ("slide",) if spec.environment in SUBMERGED_ENVIRONMENTS else ("slide", "swim")
        if casts[0].subject.action in low:
            view *= LOW_VIEW
        elif casts[0].subject.action in IN_DEPTH:
            view = NEAR_VIEW
        view = max(view, medium[0] / ((WIDE_SHARE if aspect >= 1 else 0.72) * aspect))
        view = max(view, top * 1.10)
    # Feet low in the frame, and the head of what jumps or flies still in it.
    middle = max(0.5 * top, 0.30 * view) if not pair else max(0.5 * top, 0.27 * view)
    target = (0.0, 0.0, middle)
    if not pair and casts[0].subject.action in IN_DEPTH:  # framed where it is nearest, so that its feet are not cut off
        way = casts[0].motion.position
        near = way[way[:, 1].argmin()]
        target = (0.5 * float(near[0]), float(near[1]), middle)
    path = None
    if spec.camera == "follow":
        moves = np.mean([cast.motion.position[:, :2] for cast in casts], 0)
        path = (moves - moves.mean(0)).astype(np.float32)
        if any(cast.subject.action in ROAMING for cast in casts):  # it would hide that they come, go or go round
            path[:] = 0
    return Framing(
        target=target,
        distance=view / (2 * HALF_VIEW),
        aspect=aspect,
        move=spec.camera,
        side=float(rng.choice((-1.0, 1.0))),
        seconds=float(casts[0].situation.times[-1]),
        phase=float(rng.uniform(0, 2 * math.pi)),
        path=path,
    )
