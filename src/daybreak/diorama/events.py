"""What is heard in a scene: each sound at the moment and from the side at which its cause is seen."""

from __future__ import annotations

import math

import numpy as np

from daybreak.diorama.actions import AIRBORNE, HOPS_PER_SECOND, TURN, Motion
from daybreak.diorama.antics import ANTICS, FALL_SECONDS, MUNCHES_PER_SECOND, ROAMING, SHAKES_PER_SECOND, fall_moment
from daybreak.diorama.cameras import HALF_VIEW
from daybreak.diorama.casting import Cast, compose
from daybreak.diorama.primitives import Array
from daybreak.diorama.scene import (
    AIRLESS_ENVIRONMENTS,
    ALLOWED_ACTIONS,
    ANIMALS,
    INDOOR_ENVIRONMENTS,
    SUBMERGED_ENVIRONMENTS,
    SceneSpec,
)
from daybreak.diorama.sound import SoundEvent

SURFACES = {
    "meadow": "grass", "forest": "grass", "desert": "sand", "beach": "sand", "snowfield": "snow", "town": "stone",
    "moon": "sand", "room": "wood", "underwater": "sand", "city": "stone",
}  # fmt: skip
# What a thing sounds like when it falls.
BODIES = {
    "car": "metal", "robot": "metal", "boat": "wood", "ball": "rubber", "truck": "metal", "bus": "metal",
    "train": "metal", "rocket": "metal", "balloon": "rubber", "hot-air balloon": "wood", "cube": "wood",
}  # fmt: skip
# How heavily each steps; others 0.4.
WEIGHTS = {
    "elephant": 1.0, "bear": 0.9, "horse": 0.9, "robot": 0.85, "pig": 0.7, "dog": 0.6, "penguin": 0.55,
}  # fmt: skip
DRIFTING = ("ball", "balloon", "hot-air balloon", "cube", "fish")  # no engine is heard when they fly
ENGINED = ("car", "truck", "bus", "train")
MUTE = ("ball", "balloon", "cube")
SILENT = ("sleep", "roll", "swim", "eat")  # actions during which a subject keeps its voice to itself
Causes = list[tuple[str, str, Array | list[float], float]]  # sound kind, material, moments in seconds, loudness


def sound_events(
    spec: SceneSpec, num_frames: int = 49, fps: float = 24.0, aspect: float = 448 / 256
) -> tuple[tuple[SoundEvent, ...], tuple[str, ...]]:
    """The sounds of a scene in order of time, and the names of the beds that sound throughout."""
    scene = compose(spec, num_frames, fps, aspect)
    rng = np.random.default_rng((spec.seed, 5))
    found: list[SoundEvent] = []
    for cast in scene.casts:
        times = cast.situation.times
        pans = _pans(cast.motion, scene.cameras, aspect)
        for kind, material, moments, loudness in _causes(cast, spec.environment, rng):
            for moment in moments:
                if 0 <= moment <= float(times[-1]):
                    pan = float(np.interp(moment, times, pans))
                    found.append(SoundEvent(kind, material, float(moment), round(pan, 3), loudness))
    return tuple(sorted(found, key=lambda event: (event.time, event.kind))), _beds(spec)


def _pans(motion: Motion, cameras: Array, aspect: float) -> Array:
    """Where the subject is between the left (-1) and the right (1) edge of the frame, (F,)."""
    away = motion.position - cameras[:, 0:3]
    depth = np.maximum((away * cameras[:, 9:12]).sum(1), 0.1)
    return np.asarray(np.clip((away * cameras[:, 3:6]).sum(1) / (depth * HALF_VIEW * aspect), -1, 1), np.float32)


def contact_times(times: Array, phase: Array, lag: float = 0.0) -> Array:
    """The moments at which `phase + lag`, which grows steadily, passes a multiple of a full turn."""
    turns = (phase + lag) / TURN
    whole = np.arange(math.ceil(turns[0]), math.floor(turns[-1]) + 1)
    return np.interp(whole, turns, times).astype(np.float32)


def _causes(cast: Cast, place: str, rng: np.random.Generator) -> Causes:
    """The sounds of everything that a subject does."""
    surface, submerged = SURFACES[place], place in SUBMERGED_ENVIRONMENTS
    kind, action, motion = cast.subject.kind, cast.subject.action, cast.motion
    times = cast.situation.times
    weight = min(1.0, WEIGHTS.get(kind, 0.4) * {"small": 0.75, "medium": 1.0, "large": 1.2}[cast.subject.size])
    speaks = rng.uniform(0.15, 0.85)  # drawn for every subject, so that its voice does not move the others' sounds
    seconds = float(times[-1])
    causes: Causes = _antic_causes(cast, surface, weight) if action in ANTICS else []
    if action in ("walk", "run"):
        lags = (0.5, -0.5, math.pi + 0.5, math.pi - 0.5) if action == "run" and kind in ANIMALS else (0.0, math.pi)
        causes += [("footstep", surface, contact_times(times, motion.phase, lag), weight) for lag in lags]
    elif action in ("jump", "dance"):
        landings, leaps = _hops(cast)
        material = BODIES.get(kind)
        causes.append(("impact", material, landings, 0.9) if material else ("footstep", surface, landings, 1.0))
        if action == "jump":
            causes.append(("whoosh", "", leaps, 0.5))
    elif action == "roll":
        bumps = contact_times(times, 2 * (motion.wheel if kind == "ball" else motion.pitch) + 1.0)
        knocks = kind in ("ball", "cube")
        causes.append(("impact", BODIES[kind], bumps, 0.3) if knocks else ("footstep", surface, bumps, weight))
    elif action == "spin":
        causes.append(("whoosh", "", list(np.arange(0.25, seconds, 1.0)), 0.35))
    elif action == "swim" and submerged:
        causes.append(("whoosh", "", list(np.arange(0.3, seconds, 0.9)), 0.25))
    elif action == "swim":
        causes.append(("splash", "", contact_times(times, motion.phase), 0.55))
    if action not in SILENT and kind not in MUTE:
        causes.append(("voice", kind, [speaks * seconds], 0.8))
    return causes


def _antic_causes(cast: Cast, surface: str, weight: float) -> Causes:
    """The sounds of the actions in `antics.py`, but for the voice."""
    kind, action, motion = cast.subject.kind, cast.subject.action, cast.motion
    times = cast.situation.times
    seconds = float(times[-1])
    body = BODIES.get(kind)
    if action in ROAMING:
        if "walk" in ALLOWED_ACTIONS[kind]:
            return [("footstep", surface, contact_times(times, motion.phase, lag), weight) for lag in (0.0, math.pi)]
        if motion.afloat:
            return [("splash", "", contact_times(times, np.asarray(motion.phase / 2, np.float32)), 0.35)]
        return (
            [("impact", "rubber", contact_times(times, np.asarray(2 * motion.wheel, np.float32)), 0.3)]
            if kind == "ball"
            else []
        )
    if action == "fall":
        landing = fall_moment(cast.situation)
        thud = ("impact", body, [landing], 0.9) if body else ("footstep", surface, [landing], 1.0)
        return [thud, ("whoosh", "", [landing - 0.8 * FALL_SECONDS], 0.4)]
    if action == "slide":
        return [("whoosh", "", list(np.arange(0.05, seconds, 0.6)), 0.4)]
    if action == "eat":  # a crunch with every bite
        return [("footstep", "snow", list(np.arange(0.2, seconds, 1 / MUNCHES_PER_SECOND)), 0.3)]
    if action == "shake" and body:
        return [("impact", body, list(np.arange(0.1, seconds, 0.5 / SHAKES_PER_SECOND)), 0.12)]
    if action == "shake":
        return [("whoosh", "", list(np.arange(0.1, seconds, 1 / SHAKES_PER_SECOND)), 0.25)]
    return []


def _hops(cast: Cast) -> tuple[list[float], list[float]]:
    """The moments of landing and of take-off of a jump or a dance, seconds."""
    seconds = float(cast.situation.times[-1])
    if cast.subject.action == "dance":  # the hop's height is |sin(2 beat)|: it lands where that is zero
        return list(contact_times(cast.situation.times, 2 * cast.motion.phase)), []
    periods = range(math.ceil(seconds * HOPS_PER_SECOND) + 1)
    landings = [(number + AIRBORNE[1]) / HOPS_PER_SECOND for number in periods]
    return landings, [(number + AIRBORNE[0]) / HOPS_PER_SECOND for number in periods]


def _beds(spec: SceneSpec) -> tuple[str, ...]:
    """The background sounds: weather, place and hour, and whatever runs or flaps all the time."""
    beds: list[str] = []
    outdoors = spec.environment not in INDOOR_ENVIRONMENTS and spec.environment not in AIRLESS_ENVIRONMENTS
    if outdoors:
        beds += _outdoor_beds(spec)
    for subject in spec.subjects:
        if subject.kind in ENGINED and subject.action in ("drive", "stand", "spin", *ANTICS):
            beds.append("engine")
        elif subject.action == "fly" and subject.kind in (*ANIMALS, "bird", "duck"):
            beds.append("flap")
        elif subject.kind == "robot" or (subject.action == "fly" and subject.kind not in DRIFTING):
            beds.append("motor")
    return tuple(dict.fromkeys(beds))


def _outdoor_beds(spec: SceneSpec) -> list[str]:
    if spec.environment in SUBMERGED_ENVIRONMENTS:
        return ["bubbles"]
    beds = []
    if spec.weather == "rain":
        beds.append("rain")
    if spec.weather == "storm":
        beds += ["rain", "thunder"]
    if spec.weather in ("snow", "storm") or spec.environment in ("desert", "snowfield"):
        beds.append("wind")
    if spec.environment == "beach":
        beds.append("waves")
    if spec.environment == "city":
        beds.append("traffic")
    if spec.environment in ("meadow", "forest", "town") and spec.weather not in ("rain", "snow", "storm"):
        beds.append("crickets" if spec.time_of_day == "night" else "birds")
    return beds
