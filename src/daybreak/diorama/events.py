"""What is heard in a scene: each sound at the moment and from the side at which its cause is seen."""

from __future__ import annotations

import math

import numpy as np

from daybreak.diorama.actions import AIRBORNE, HOPS_PER_SECOND, TURN, Motion
from daybreak.diorama.cameras import HALF_VIEW
from daybreak.diorama.casting import Cast, compose
from daybreak.diorama.primitives import Array
from daybreak.diorama.scene import AIRLESS_ENVIRONMENTS, ANIMALS, INDOOR_ENVIRONMENTS, SUBMERGED_ENVIRONMENTS, SceneSpec
from daybreak.diorama.sound import SoundEvent

SURFACES = {
    "meadow": "grass", "forest": "grass", "desert": "sand", "beach": "sand", "snowfield": "snow", "town": "stone",
    "moon": "sand", "room": "wood", "underwater": "sand", "city": "stone",
}  # fmt: skip
BODIES = {"car": "metal", "robot": "metal", "boat": "wood", "ball": "rubber"}  # what a thing sounds like when it falls
WEIGHTS = {"elephant": 1.0, "bear": 0.9, "robot": 0.85, "pig": 0.7, "dog": 0.6, "penguin": 0.55}  # others 0.4
SILENT = ("sleep", "roll", "swim")  # actions during which a subject keeps its voice to itself


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


def _causes(cast: Cast, place: str, rng: np.random.Generator) -> list[tuple[str, str, Array | list[float], float]]:
    """Sound kind, material, moments in seconds and loudness of everything that a subject does."""
    surface, submerged = SURFACES[place], place in SUBMERGED_ENVIRONMENTS
    kind, action, motion = cast.subject.kind, cast.subject.action, cast.motion
    times = cast.situation.times
    weight = min(1.0, WEIGHTS.get(kind, 0.4) * {"small": 0.75, "medium": 1.0, "large": 1.2}[cast.subject.size])
    speaks = rng.uniform(0.15, 0.85)  # drawn for every subject, so that its voice does not move the others' sounds
    seconds = float(times[-1])
    causes: list[tuple[str, str, Array | list[float], float]] = []
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
        causes.append(("impact", "rubber", bumps, 0.3) if kind == "ball" else ("footstep", surface, bumps, weight))
    elif action == "spin":
        causes.append(("whoosh", "", list(np.arange(0.25, seconds, 1.0)), 0.35))
    elif action == "swim" and submerged:
        causes.append(("whoosh", "", list(np.arange(0.3, seconds, 0.9)), 0.25))
    elif action == "swim":
        causes.append(("splash", "", contact_times(times, motion.phase), 0.55))
    if action not in SILENT and kind != "ball":
        causes.append(("voice", kind, [speaks * seconds], 0.8))
    return causes


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
        if subject.kind == "car" and subject.action in ("drive", "stand", "spin"):
            beds.append("engine")
        elif subject.action == "fly" and subject.kind in (*ANIMALS, "bird"):
            beds.append("flap")
        elif subject.kind == "robot" or (subject.action == "fly" and subject.kind != "ball"):
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
