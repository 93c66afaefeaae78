"""Random scenes: the mix that the built-in model learns from, and the combinations kept from it.

About one in twelve (kind, colour, environment) triples of the first subject never occurs in training: drawn with
`held_out=True` they show what the model puts together by itself.
"""

from __future__ import annotations

import hashlib

import numpy as np

from daybreak.diorama.actions import TRAVELLING
from daybreak.diorama.antics import ROAMING
from daybreak.diorama.scene import (
    AIRLESS_ENVIRONMENTS,
    ALLOWED_ACTIONS,
    CAMERAS,
    COLOURS,
    ENVIRONMENTS,
    INDOOR_ENVIRONMENTS,
    PATTERNS,
    RELATIONS,
    SEAGOING,
    SIZES,
    STYLES,
    SUBJECTS,
    SUBMERGED_ENVIRONMENTS,
    SWIMMERS,
    TIMES_OF_DAY,
    WATER_ENVIRONMENTS,
    WEATHERS,
    SceneSpec,
    Subject,
)

HELD_OUT_ONE_IN = 12
TWO_SUBJECTS = 0.22
OTHER_STYLE = 0.10
PLAIN_PATTERN = 0.60
MEDIUM_SIZE = 0.60
CLEAR_WEATHER = 0.60
STATIC_CAMERA = 0.45
AT_SEA = 0.6  # chance that a boat or a fish is at sea, and that it sails or swims there
SWIM_AT_SEA = 0.25  # chance that another swimmer swims there, since it can nowhere else

Random = np.random.Generator


def is_held_out(spec: SceneSpec) -> bool:
    """True for the combinations that training never sees."""
    first = spec.subjects[0]
    triple = f"{first.kind}/{first.colour}/{spec.environment}"
    digest = hashlib.blake2b(triple.encode(), digest_size=8, person=b"daybreak").digest()
    return int.from_bytes(digest, "big") % HELD_OUT_ONE_IN == 0


def sample_spec(seed: int, *, held_out: bool = False, max_subjects: int = 2, simple: bool = False) -> SceneSpec:
    """The scene of a seed, from the training combinations or, with `held_out`, from the others only.

    `simple` gives the first lessons: one plain medium subject, clear weather, static camera, toy style.
    """
    rng = np.random.default_rng((seed, int(held_out), int(simple), max_subjects))
    while True:
        spec = _draw(rng, seed, max_subjects, simple)
        if is_held_out(spec) == held_out:
            return spec


def allowed_actions(kind: str, environment: str) -> tuple[str, ...]:
    """The actions of a kind that make sense in an environment: one swims in water only, and under it flies no more."""
    allowed = ALLOWED_ACTIONS[kind]
    if environment not in WATER_ENVIRONMENTS:
        return tuple(action for action in allowed if action != "swim")
    if environment in SUBMERGED_ENVIRONMENTS and "swim" in allowed:
        return tuple(action for action in allowed if action != "fly")
    return allowed


def allowed_weathers(environment: str, time_of_day: str) -> tuple[str, ...]:
    """Indoors, on the moon and under water there is none; fireflies shine at night only."""
    if environment in INDOOR_ENVIRONMENTS + AIRLESS_ENVIRONMENTS + SUBMERGED_ENVIRONMENTS:
        return ("clear",)
    return tuple(weather for weather in WEATHERS if weather != "fireflies" or time_of_day == "night")


def _pick(rng: Random, words: tuple[str, ...]) -> str:
    return words[int(rng.integers(len(words)))]


def _mostly(rng: Random, usual: str, chance: float, words: tuple[str, ...]) -> str:
    """`usual` with `chance`, else one of the other words, if there are any."""
    others = tuple(word for word in words if word != usual)
    return usual if not others or rng.random() < chance else _pick(rng, others)


def _draw(rng: Random, seed: int, max_subjects: int, simple: bool) -> SceneSpec:
    kind = _pick(rng, SUBJECTS)
    environment = _pick(rng, ENVIRONMENTS)
    if kind in SEAGOING and rng.random() < AT_SEA:
        environment = _pick(rng, WATER_ENVIRONMENTS) if kind in SWIMMERS else WATER_ENVIRONMENTS[0]
    first = _subject(rng, kind, environment, simple)
    time_of_day = _pick(rng, TIMES_OF_DAY)
    if simple:
        return SceneSpec((first,), None, environment, time_of_day, seed=seed)
    weather = _mostly(rng, "clear", CLEAR_WEATHER, allowed_weathers(environment, time_of_day))
    subjects: tuple[Subject, ...] = (first,)
    relation: str | None = None
    if max_subjects > 1 and rng.random() < TWO_SUBJECTS:
        subjects, relation = _pair(rng, first, environment)
    travels = all(subject.action in TRAVELLING for subject in subjects)
    cameras = tuple(move for move in CAMERAS if move != "follow" or (travels and relation in (None, "following")))
    camera = _mostly(rng, "static", STATIC_CAMERA, cameras)
    style = _mostly(rng, "toy", 1 - OTHER_STYLE, STYLES)
    return SceneSpec(subjects, relation, environment, time_of_day, weather, camera, style, seed)


def _subject(rng: Random, kind: str, environment: str, simple: bool, actions: tuple[str, ...] | None = None) -> Subject:
    action = _pick(rng, actions or allowed_actions(kind, environment))
    if actions is None and "swim" in allowed_actions(kind, environment):
        seagoing = kind in SWIMMERS or (kind in SEAGOING and environment == WATER_ENVIRONMENTS[0])
        action = "swim" if rng.random() < (AT_SEA if seagoing else SWIM_AT_SEA) else action
    if simple:
        return Subject(kind, _pick(rng, COLOURS), action=action)
    pattern = _mostly(rng, "plain", PLAIN_PATTERN, PATTERNS)
    size = _mostly(rng, "medium", MEDIUM_SIZE, SIZES)
    return Subject(kind, _pick(rng, COLOURS), pattern, size, action)


def _pair(rng: Random, first: Subject, environment: str) -> tuple[tuple[Subject, Subject], str]:
    """A second subject and a relation that both actions can hold for the whole clip."""
    relation = _pick(rng, RELATIONS)
    second_kind = _pick(rng, SUBJECTS)
    if relation == "following":
        movers = [kind for kind in SUBJECTS if first.kind == kind or _shared(first.kind, kind, environment)]
        second_kind = movers[int(rng.integers(len(movers)))]
        shared = _shared(first.kind, second_kind, environment)
        action = _pick(rng, shared)
        first = _act(first, action)
        second = _subject(rng, second_kind, environment, False, (action,))
    elif relation == "above":
        high = tuple(action for action in allowed_actions(first.kind, environment) if action in _ON_TOP)
        first = _act(first, "fly" if "fly" in high and rng.random() < 0.7 else _pick(rng, high))
        low = tuple(action for action in allowed_actions(second_kind, environment) if action in ("stand", "sleep"))
        second = _subject(rng, second_kind, environment, False, low)
    else:
        if relation in ("in front of", "behind") and first.action in ROAMING:  # it would run into the other one
            relation = _pick(rng, ("left of", "right of"))
        second = _subject(rng, second_kind, environment, False, _beside(first, second_kind, environment, relation))
    if (second.kind, second.colour) == (first.kind, first.colour):  # two that words can tell apart
        index = (COLOURS.index(second.colour) + 1 + int(rng.integers(len(COLOURS) - 1))) % len(COLOURS)
        second = Subject(second.kind, COLOURS[index], second.pattern, second.size, second.action)
    return (first, second), relation


_ON_TOP = ("fly", "stand", "sleep", "spin")


def _act(subject: Subject, action: str) -> Subject:
    return Subject(subject.kind, subject.colour, subject.pattern, subject.size, action)


def _shared(first: str, second: str, environment: str) -> tuple[str, ...]:
    """Travelling actions that both kinds can do."""
    both = set(allowed_actions(first, environment)) & set(allowed_actions(second, environment))
    return tuple(action for action in TRAVELLING if action in both)


def _beside(first: Subject, kind: str, environment: str, relation: str) -> tuple[str, ...]:
    """What a neighbour may do: in the water when the first is, otherwise on land or in the air."""
    actions = allowed_actions(kind, environment)
    if relation in ("in front of", "behind"):
        actions = tuple(action for action in actions if action not in ROAMING)
    if first.action == "swim":
        wet = tuple(action for action in actions if action in ("swim", "fly"))
        return wet or actions
    return tuple(action for action in actions if action != "swim")
