"""How each action moves a subject: position, attitude, gait and pose for every pixel frame.

Distances are in metres, angles in radians, time in seconds. A clip of any length holds one crossing of the
frame; gaits keep their own rate, so a longer clip has more steps, not slower ones.
"""

from __future__ import annotations

import math

import numpy as np

from daybreak.diorama.antics import ANTICS
from daybreak.diorama.motion import TURN as TURN
from daybreak.diorama.motion import Motion as Motion
from daybreak.diorama.motion import Situation as Situation
from daybreak.diorama.motion import crossing, facing_viewer, glance, still, wave
from daybreak.diorama.primitives import Array

TRAVELLING = ("walk", "run", "roll", "fly", "swim", "drive", "slide")  # actions that may cross the frame
STEPS_PER_SECOND = {"walk": 1.5, "run": 2.6, "dance": 1.0, "swim": 1.4, "fly": 1.2, "jump": 1.0}
TRAVEL = {
    "walk": 0.65,
    "run": 1.7,
    "roll": 1.3,
    "fly": 0.7,
    "swim": 0.55,
    "drive": 1.25,
    "slide": 1.2,
}  # lengths a clip
HOPS_PER_SECOND = 1.0
AIRBORNE = (0.26, 0.80)  # the part of a hop's period that is spent in the air


def move(action: str, situation: Situation) -> Motion:
    """The motion of one subject doing `action`."""
    return _MOVES[action](situation)


def hop_height(situation: Situation) -> float:
    """Peak of a jump, metres: half the subject's height."""
    return 0.5 * situation.height


def _gait(situation: Situation, action: str) -> Array:
    return np.asarray(TURN * STEPS_PER_SECOND[action] * situation.times + situation.phase, np.float32)


def _stand(situation: Situation) -> Motion:
    return still(
        situation,
        stretch=1 + 0.018 * wave(situation, 0.8),
        look=glance(situation) + 0.40 * wave(situation, 0.5),
        nod=0.10 * wave(situation, 0.7, 1.0),
    )


def _walk(situation: Situation) -> Motion:
    gait = _gait(situation, "walk")
    return still(
        situation,
        position=crossing(situation),
        phase=gait,
        stride=0.55,
        roll=0.05 * np.sin(gait),
        nod=0.08 * np.sin(2 * gait),
        look=glance(situation) * np.ones_like(gait),
        wheel=gait,
    )


def _run(situation: Situation) -> Motion:
    gait = _gait(situation, "run")
    return still(
        situation,
        position=crossing(situation, 0.13 * situation.height * np.abs(np.sin(gait / 2 + 0.6))),
        phase=gait,
        stride=1.0,
        pitch=0.15 * np.sin(gait) + 0.06,
        nod=-0.10 * np.sin(gait),
        look=0.5 * glance(situation) * np.ones_like(gait),
        arms=0.3,
        wheel=gait,
    )


def hop_phase(situation: Situation) -> Array:
    """Where in the air the subject is, 0 at take-off and 1 at landing; outside that range it is on the ground (F,)."""
    period = (HOPS_PER_SECOND * situation.times) % 1
    return np.asarray((period - AIRBORNE[0]) / (AIRBORNE[1] - AIRBORNE[0]), np.float32)


def _jump(situation: Situation) -> Motion:
    air = hop_phase(situation)
    flying = (air > 0) & (air < 1)
    height = np.where(flying, 4 * hop_height(situation) * air * (1 - air), 0).astype(np.float32)
    before = np.clip((air + 0.48) / 0.48, 0, 1)  # crouching until take-off
    after = np.clip((air - 1) / 0.37, 0, 1)  # giving way after landing
    crouch = np.where(air <= 0, np.sin(np.pi * before), np.where(air >= 1, np.sin(np.pi * after), 0))
    path = np.tile(np.array(situation.place, np.float32), (len(situation.times), 1))
    path[:, 2] += height
    return still(
        situation,
        position=path,
        stretch=1 - 0.20 * crouch + 0.07 * np.where(flying, np.cos(np.pi * air) ** 2, 0),
        pitch=np.where(flying, -0.30 * np.cos(np.pi * air), 0),
        spread=0.25,
        look=glance(situation) * np.ones_like(air),
        arms=0.8,
        wing=np.where(flying, 0.7 * np.sin(TURN * 4 * situation.times), 0),
    )


def _spin(situation: Situation) -> Motion:
    whole_turns = max(1, round(float(situation.times[-1]) / 2))  # one turn in two seconds, and always a whole number
    share = situation.times / max(float(situation.times[-1]), 1e-3)
    return still(
        situation,
        heading=situation.heading + TURN * whole_turns * share,
        phase=_gait(situation, "walk"),
        stride=0.30,
        arms=0.5,
    )


def _roll(situation: Situation) -> Motion:
    """A somersault along the ground: seen from the side it turns like a wheel."""
    share = situation.times / max(float(situation.times[-1]), 1e-3)
    turns = max(1, round(float(situation.times[-1]) * 0.9))
    travelled = situation.travel * share / max(0.5 * situation.height, 0.1)
    return still(
        situation,
        position=crossing(situation),
        pitch=TURN * turns * share,
        wheel=travelled,
        tuck=1.0,
        nod=np.full(len(share), 0.7, np.float32),
        settled=True,
    )


def _fly(situation: Situation) -> Motion:
    rise = 0.07 * situation.height * wave(situation, 0.9)
    return still(
        situation,
        position=crossing(situation, rise),
        wing=0.85 * wave(situation, 3.0),
        pitch=-0.10 + 0.08 * wave(situation, 0.9, 1.2),
        roll=0.10 * wave(situation, 0.7),
        phase=_gait(situation, "fly"),
        spread=1.0,
        look=glance(situation) * np.ones_like(rise),
        arms=1.0,
        wheel=_gait(situation, "fly"),
    )


def _swim(situation: Situation) -> Motion:
    sunk = -situation.water_line * situation.height
    rise = sunk + 0.035 * situation.height * wave(situation, 0.9)
    return still(
        situation,
        position=crossing(situation, rise),
        pitch=-0.08 + 0.07 * wave(situation, 0.9, 1.0),
        roll=0.09 * wave(situation, 0.7),
        phase=_gait(situation, "swim"),
        stride=0.5,
        nod=np.full(len(situation.times), -0.15, np.float32),
        look=glance(situation) * np.ones_like(rise),
        wheel=0.8 * wave(situation, 0.6),
        afloat=True,
    )


def _sleep(situation: Situation) -> Motion:
    return still(
        situation,
        stretch=1 + 0.035 * wave(situation, 0.5),
        nod=np.full(len(situation.times), 0.10, np.float32),
        look=glance(situation) * np.ones_like(situation.times),
        tuck=1.0,
        settled=True,
        asleep=True,
    )


def _dance(situation: Situation) -> Motion:
    beat = TURN * STEPS_PER_SECOND["dance"] * situation.times + situation.phase
    facing = facing_viewer(situation, 0.55)
    path = np.tile(np.array(situation.place, np.float32), (len(beat), 1))
    path[:, 0] += 0.14 * situation.height * np.sin(beat)
    path[:, 2] += 0.12 * situation.height * np.abs(np.sin(2 * beat))
    return still(
        situation,
        position=path,
        heading=facing + 0.35 * np.sin(beat),
        roll=0.30 * np.sin(beat) * (1 if math.sin(facing) < 0 else -1),
        pitch=0.10 * np.sin(2 * beat),
        look=0.3 * np.sin(2 * beat),
        wing=0.7 * np.sin(2 * beat),
        phase=2 * beat,
        stride=0.35,
        arms=1.0,
        pivot=0.0,
    )


def _drive(situation: Situation) -> Motion:
    share = situation.times / max(float(situation.times[-1]), 1e-3)
    wheel_radius = 0.26 * situation.height
    return still(
        situation,
        position=crossing(situation),
        wheel=situation.travel * share / wheel_radius,
        pitch=0.015 * wave(situation, 4.0),
        stretch=1 + 0.012 * wave(situation, 5.0),
    )


_MOVES = {
    "stand": _stand,
    "walk": _walk,
    "run": _run,
    "jump": _jump,
    "spin": _spin,
    "roll": _roll,
    "fly": _fly,
    "swim": _swim,
    "sleep": _sleep,
    "dance": _dance,
    "drive": _drive,
    **ANTICS,
}
