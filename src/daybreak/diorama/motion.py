"""A subject's state in every pixel frame, and the pieces that all motions are put together from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from daybreak.diorama.primitives import Array

TURN = 2 * math.pi


@dataclass(frozen=True)
class Situation:
    """What an action needs to know: times (F,), the subject's measures, where it is and how far it may go."""

    times: Array
    height: float
    length: float
    place: tuple[float, float, float]
    heading: float  # 0 = to the right, pi = to the left
    travel: float  # metres over the clip, along the heading
    phase: float = 0.0  # where in its cycle the subject starts
    water_line: float = 0.0  # fraction of the height that is under water when it swims
    afloat: bool = False  # it is on the water whatever it does


@dataclass(frozen=True)
class Motion:
    """A subject's state per frame; every array is (F,) unless it says otherwise."""

    position: Array  # (F, 3) the point between its feet
    heading: Array
    pitch: Array  # positive lowers the nose
    roll: Array
    phase: Array  # gait: a foot touches down at each multiple of a full turn
    wing: Array  # wing elevation
    look: Array  # head turned to its left
    nod: Array  # head lowered
    stretch: Array  # height factor; the width changes the other way
    wheel: Array  # how far wheels have turned
    graze: Array  # head brought down to the ground, 1 = all the way
    wave: Array  # how far the raised arm of one that waves is swung
    stride: float = 0.0  # leg swing, 1 = a gallop
    tuck: float = 0.0  # 1: legs folded under the body
    spread: float = 0.0  # 1: legs stretched out as in flight
    arms: float = 0.0  # 1: arms, flippers and wings raised
    pivot: float = 0.5  # the body pitches and rolls about this fraction of its height
    settled: bool = False  # the lowest point is put on the ground in every frame
    prone: bool = False  # those that stand upright lie on their belly
    waving: int = 0  # 1: the left arm, wing or forepaw is raised, -1: the right one
    asleep: bool = False
    afloat: bool = False


def still(situation: Situation, **changes: object) -> Motion:
    """A motionless subject with `changes` applied: what every action starts from."""
    frames = len(situation.times)
    zeros = np.zeros(frames, np.float32)
    values: dict[str, object] = {
        "position": np.tile(np.array(situation.place, np.float32), (frames, 1)),
        "heading": np.full(frames, situation.heading, np.float32),
        **dict.fromkeys(("pitch", "roll", "wing", "look", "nod", "wheel", "phase", "graze", "wave"), zeros),
        "stretch": zeros + 1,
    }
    for name, value in changes.items():
        values[name] = value.astype(np.float32) if isinstance(value, np.ndarray) else value
    return Motion(**values)  # type: ignore[arg-type]


def wave(situation: Situation, rate: float, offset: float = 0.0) -> Array:
    """A sine of `rate` cycles a second."""
    return np.asarray(np.sin(TURN * rate * situation.times + situation.phase + offset), np.float32)


def crossing(situation: Situation, rise: ArrayLike = 0.0) -> Array:
    """Positions (F, 3) along the heading, centred on the subject's place; `rise` lifts them."""
    share = situation.times / max(float(situation.times[-1]), 1e-3) - 0.5
    path = np.tile(np.array(situation.place, np.float32), (len(situation.times), 1))
    path[:, 0] += situation.travel * math.cos(situation.heading) * share
    path[:, 1] += situation.travel * math.sin(situation.heading) * share
    path[:, 2] += np.asarray(rise, np.float32)
    return path


def glance(situation: Situation) -> float:
    """A head turn towards the viewer, so that a picture from the side shows the face."""
    away = (facing_viewer(situation, 1.0) - situation.heading + math.pi) % TURN - math.pi
    return math.copysign(min(abs(away), 0.45), away)


def facing_viewer(situation: Situation, strength: float) -> float:
    """The heading turned towards the viewer (who stands at -y) by `strength` of the way."""
    away = math.atan2(-1, 0) - situation.heading
    away = (away + math.pi) % TURN - math.pi
    return situation.heading + strength * away
