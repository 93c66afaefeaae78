"""The motions that need more than a gait: coming and going, circling, gestures, a fall, a slide, a meal."""

from __future__ import annotations

import math

import numpy as np

from daybreak.diorama.motion import TURN, Motion, Situation, crossing, facing_viewer, glance, still, wave
from daybreak.diorama.primitives import Array

IN_DEPTH = ("approach", "leave")  # actions that cross the scene towards the camera or away from it
ROAMING = (*IN_DEPTH, "circle")  # actions that need room behind and in front of their place
STEPS_PER_SECOND = 1.9  # of what comes, goes or circles
CIRCLE_DEPTH = 0.80  # a circle's radius in depth, as a share of its radius across
SHAKES_PER_SECOND = 3.0
MUNCHES_PER_SECOND = 2.0
FALL_SECONDS = 0.45  # from the first tilt to the ground
FALLEN = 1.72  # radians: a little over a quarter turn, so that the feet leave the ground


def _steps(situation: Situation) -> Array:
    return np.asarray(TURN * STEPS_PER_SECOND * situation.times + situation.phase, np.float32)


def _afloat(situation: Situation) -> Array | float:
    """How far a boat lies in the water, and bobs there; 0 on land."""
    if not situation.afloat:
        return 0.0
    return situation.height * (0.03 * wave(situation, 0.9) - situation.water_line)


def _come_or_go(situation: Situation) -> Motion:
    """A brisk walk along the heading, which casting points at the camera or away from it."""
    gait = _steps(situation)
    share = situation.times / max(float(situation.times[-1]), 1e-3)
    return still(
        situation,
        position=crossing(situation, _afloat(situation)),
        phase=gait,
        stride=0.75,
        roll=0.05 * np.sin(gait),
        nod=0.08 * np.sin(2 * gait),
        wheel=situation.travel * share / (0.4 * situation.height),
        afloat=situation.afloat,
    )


def _circle(situation: Situation) -> Motion:
    """A lap round its place in two seconds; `travel` is the radius."""
    seconds = max(float(situation.times[-1]), 1e-3)
    way = 1.0 if math.cos(situation.heading) > 0 else -1.0
    angle = way * (TURN * max(1, round(seconds / 2)) * situation.times / seconds + situation.phase)
    across, deep = situation.travel, situation.travel * CIRCLE_DEPTH
    path = np.tile(np.array(situation.place, np.float32), (len(angle), 1))
    path[:, 0] += across * np.cos(angle)
    path[:, 1] += deep * np.sin(angle)
    path[:, 2] += _afloat(situation)
    heading = np.unwrap(np.arctan2(way * deep * np.cos(angle), -way * across * np.sin(angle)))
    gait = _steps(situation)
    return still(
        situation,
        position=path,
        heading=np.asarray(heading, np.float32),
        phase=gait,
        stride=0.85,
        roll=-0.10 * way * np.ones_like(gait),  # leaning into the bend
        wheel=situation.travel * np.abs(angle) / (0.4 * situation.height),
        afloat=situation.afloat,
    )


def _nod(situation: Situation) -> Motion:
    """Deep nods, in which the whole body takes part."""
    down = 0.5 - 0.5 * np.cos(TURN * 1.25 * situation.times + situation.phase)
    return still(
        situation,
        heading=np.full(len(down), facing_viewer(situation, 0.15), np.float32),
        nod=1.15 * down - 0.45,
        pitch=0.30 * down - 0.08,
        graze=0.35 * down,
        look=0.5 * glance(situation) * np.ones_like(down),
        settled=True,
    )


def _shake(situation: Situation) -> Motion:
    """Quick wiggles to the left and right, like a wet dog's."""
    wiggle = wave(situation, SHAKES_PER_SECOND)
    path = np.tile(np.array(situation.place, np.float32), (len(wiggle), 1))
    path[:, 0] += 0.10 * situation.height * wiggle
    return still(
        situation,
        position=path,
        heading=facing_viewer(situation, 0.35) + 0.38 * wave(situation, SHAKES_PER_SECOND, 0.9),
        roll=0.24 * wiggle,
        look=-0.55 * wave(situation, SHAKES_PER_SECOND, 0.5),
        wing=0.25 * wiggle,
        pivot=0.1,
    )


def fall_moment(situation: Situation) -> float:
    """When a falling subject hits the ground, seconds; it depends on the phase, so that two do not fall together."""
    return FALL_SECONDS + 0.30 + 0.30 * (situation.phase / TURN)


def _fall(situation: Situation) -> Motion:
    """It totters, topples over onto its side and stays there."""
    landing = fall_moment(situation)
    share = np.clip((situation.times - landing + FALL_SECONDS) / FALL_SECONDS, 0, 1)
    after = np.maximum(situation.times - landing, 0)
    rebound = 0.22 * np.abs(np.sin(9 * after)) * np.exp(-6 * after)
    before = 0.10 * np.sin(TURN * 1.6 * (situation.times - landing + FALL_SECONDS)) * (share <= 0)
    facing = facing_viewer(situation, 0.45)
    side = 1.0 if math.cos(situation.heading) > 0 else -1.0  # its back towards the viewer
    return still(
        situation,
        heading=np.full(len(share), facing, np.float32),
        roll=side * (FALLEN * share**2 - rebound + before),
        settled=True,
    )


def _slide(situation: Situation) -> Motion:
    """Down on its belly with its legs folded, gliding along."""
    return still(
        situation,
        position=crossing(situation),
        pitch=-0.10 + 0.03 * wave(situation, 1.0),
        roll=0.05 * wave(situation, 1.5),
        look=glance(situation) * np.ones_like(situation.times),
        tuck=1.0,
        arms=0.5,
        prone=True,
        settled=True,
    )


def _eat(situation: Situation) -> Motion:
    """Head on the ground all the time, munching."""
    munch = wave(situation, MUNCHES_PER_SECOND)
    return still(
        situation,
        graze=0.93 + 0.07 * munch,
        nod=0.30 + 0.14 * munch,
        look=0.6 * glance(situation) + 0.12 * wave(situation, 0.5),
    )


def _wave_hello(situation: Situation) -> Motion:
    """One arm, wing or forepaw raised and swung: the one on the viewer's side."""
    nearer = -1 if math.cos(situation.heading) > 0 else 1
    return still(
        situation,
        heading=np.full(len(situation.times), facing_viewer(situation, 0.40), np.float32),
        wave=wave(situation, 1.8),
        look=0.6 * glance(situation) * np.ones_like(situation.times),
        roll=0.04 * wave(situation, 0.9),
        waving=nearer,
    )


ANTICS = {
    "approach": _come_or_go,
    "leave": _come_or_go,
    "circle": _circle,
    "nod": _nod,
    "shake": _shake,
    "fall": _fall,
    "slide": _slide,
    "eat": _eat,
    "wave": _wave_hello,
}
