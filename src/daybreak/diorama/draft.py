"""From what a prompt said to a scene that can be shown: impossible wishes bent, open questions answered by the seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from daybreak.diorama.scene import (
    AIRLESS_ENVIRONMENTS,
    ALLOWED_ACTIONS,
    COLOURS,
    ENVIRONMENTS,
    INDOOR_ENVIRONMENTS,
    RELATIONS,
    SEAGOING,
    SUBJECTS,
    SUBMERGED_ENVIRONMENTS,
    SWIMMERS,
    TIMES_OF_DAY,
    WATER_ENVIRONMENTS,
    SceneSpec,
    Subject,
)  # fmt: skip

# What comes nearest where a subject can't do what was asked, best first.
_NEAREST_ACTIONS: dict[str, tuple[str, ...]] = {
    "stand": ("stand",),
    "walk": ("walk", "drive", "roll", "swim", "jump"),
    "run": ("run", "drive", "roll", "walk", "swim", "fly"),
    "jump": ("jump",),
    "spin": ("spin",),
    "roll": ("roll", "drive", "spin"),
    "fly": ("fly", "jump"),
    "swim": ("swim", "drive", "walk", "fly", "roll"),
    "sleep": ("sleep", "stand"),
    "dance": ("dance", "spin"),
    "drive": ("drive", "run", "swim", "roll", "fly"),
    "approach": ("approach",),
    "leave": ("leave",),
    "circle": ("circle", "spin"),
    "shake": ("shake", "dance"),
    "nod": ("nod", "shake"),
    "fall": ("fall", "roll", "shake"),
    "slide": ("slide", "drive", "roll", "swim"),
    "eat": ("eat", "nod"),
    "wave": ("wave", "nod", "shake"),
}
_LIKELY_ACTIONS: dict[str, tuple[str, ...]] = {
    "car": ("drive",), "boat": ("swim",), "ball": ("roll", "jump"), "bird": ("fly", "walk"), "robot": ("walk", "dance"),
    "truck": ("drive",), "bus": ("drive",), "train": ("drive",),
    "duck": ("walk", "swim"), "fish": ("swim",), "rocket": ("fly",), "balloon": ("fly",), "hot-air balloon": ("fly",),
    "cube": ("stand", "roll"), "snowman": ("stand", "dance"),
}  # fmt: skip
_LIKELY_COLOURS: dict[str, tuple[str, ...]] = {
    "dog": ("brown", "white", "black"), "cat": ("orange", "black", "white"),
    "rabbit": ("white", "brown"), "bear": ("brown", "black"),
    "elephant": ("grey", "blue", "pink"), "pig": ("pink",),
    "bird": ("blue", "yellow", "red"), "penguin": ("black", "blue"),
    "car": ("red", "blue", "yellow"), "boat": ("white", "red", "blue"),
    "ball": ("red", "yellow", "green"), "robot": ("blue", "grey", "white"),
    "fox": ("orange",), "sheep": ("white", "black"), "horse": ("brown", "white", "black"),
    "truck": ("red", "blue", "white"), "bus": ("red", "yellow"), "train": ("green", "black", "red"),
    "duck": ("yellow", "white"), "fish": ("orange", "blue"), "rocket": ("red", "white", "grey"),
    "balloon": ("red", "yellow", "blue"), "hot-air balloon": ("red", "yellow", "purple"),
    "cube": ("red", "blue", "green"), "snowman": ("white",),
}  # fmt: skip
_FOLLOWING = ("run", "walk", "drive", "swim", "roll", "fly")
_WEATHERLESS = INDOOR_ENVIRONMENTS + AIRLESS_ENVIRONMENTS + SUBMERGED_ENVIRONMENTS
_LIKELY_SHARE = 0.75  # of open questions answered with the likely value, so that seeds still differ


@dataclass
class Draft:
    """What the prompt said so far; attributes of a subject under the names of `Subject`'s fields."""

    subjects: list[dict[str, str]] = field(default_factory=list)
    scene: dict[str, str] = field(default_factory=dict)
    bent: list[str] = field(default_factory=list)  # what could not be shown as asked, in words


def complete(draft: Draft, seed: int) -> SceneSpec:
    """A legal scene with everything the draft says, where possible; what had to give way is added to `draft.bent`."""
    rng = random.Random(seed)
    if not draft.subjects:
        draft.subjects.append({})
    open_kinds = [known for known in draft.subjects if "kind" not in known]
    for known in open_kinds:
        known["kind"] = _some_subject(known.get("action"), rng)
    environment = _environment(draft, rng)
    subjects: list[Subject] = []
    following = draft.scene.get("relation") == "following"
    for known in draft.subjects:
        action = _action(known, environment, rng, following=following)
        subjects.append(
            Subject(
                kind=known["kind"],
                colour=known.get("colour") or _likely(_LIKELY_COLOURS[known["kind"]], COLOURS, rng),
                pattern=known.get("pattern", "plain"),
                size=known.get("size", "medium"),
                action=_possible(known["kind"], action, draft),
            )
        )
    relation = None
    if len(subjects) == 2:
        relation = draft.scene.get("relation") or _likely(("left of", "right of"), RELATIONS[:4], rng)
    return SceneSpec(
        subjects=tuple(subjects),
        relation=relation,
        environment=environment,
        time_of_day=_time_of_day(draft, rng),
        weather=_weather(draft, environment),
        camera=draft.scene.get("camera", "static"),
        style=draft.scene.get("style", "toy"),
        seed=seed,
    )


def _likely(likely: tuple[str, ...], every: tuple[str, ...], rng: random.Random) -> str:
    return rng.choice(likely if rng.random() < _LIKELY_SHARE else every)


def _some_subject(action: str | None, rng: random.Random) -> str:
    able = [kind for kind in SUBJECTS if action is None or action in ALLOWED_ACTIONS[kind]]
    return rng.choice(able)


def _environment(draft: Draft, rng: random.Random) -> str:
    """Where it happens; who swims is by the sea, whatever was asked."""
    asked = draft.scene.get("environment")
    swims = any(known.get("action") == "swim" and "swim" in ALLOWED_ACTIONS[known["kind"]] for known in draft.subjects)
    if swims and asked not in WATER_ENVIRONMENTS:
        if asked is not None:
            draft.bent.append(f"swimming in the {asked} (shown by the sea)")
        return _sea(draft)
    if asked is not None:
        return asked
    if any(known["kind"] in SEAGOING for known in draft.subjects):
        return _sea(draft)
    weatherless = () if draft.scene.get("weather", "clear") == "clear" else _WEATHERLESS
    possible = tuple(environment for environment in ENVIRONMENTS if environment not in weatherless)
    if any(known.get("action") == "drive" for known in draft.subjects):
        return _likely(("town", "city"), possible, rng)
    return _likely(("meadow",), possible, rng)


def _sea(draft: Draft) -> str:
    """Fish by themselves swim under water, everyone else at the surface."""
    return (
        SUBMERGED_ENVIRONMENTS if all(known["kind"] in SWIMMERS for known in draft.subjects) else WATER_ENVIRONMENTS
    )[0]


def _time_of_day(draft: Draft, rng: random.Random) -> str:
    if "time_of_day" in draft.scene:
        return draft.scene["time_of_day"]
    if draft.scene.get("weather") == "fireflies":
        return "night"
    return _likely(("noon",), TIMES_OF_DAY, rng)


def _weather(draft: Draft, environment: str) -> str:
    asked = draft.scene.get("weather", "clear")
    if asked != "clear" and environment in _WEATHERLESS:
        draft.bent.append(f"{asked} ({environment}: shown without)")
        return "clear"
    return asked


def _action(known: dict[str, str], environment: str, rng: random.Random, *, following: bool) -> str:
    if "action" in known:
        return known["action"]
    allowed = [
        action for action in ALLOWED_ACTIONS[known["kind"]] if action != "swim" or environment in WATER_ENVIRONMENTS
    ]
    if following:
        return next((action for action in _FOLLOWING if action in allowed), allowed[0])
    likely = tuple(action for action in _LIKELY_ACTIONS.get(known["kind"], ("stand", "walk")) if action in allowed)
    return _likely(likely or ("stand",), tuple(allowed), rng)


def _possible(kind: str, action: str, draft: Draft) -> str:
    allowed = ALLOWED_ACTIONS[kind]
    if action in allowed:
        return action
    nearest = next((other for other in _NEAREST_ACTIONS[action] if other in allowed), "stand")
    if nearest == "swim" and draft.scene.get("environment") not in WATER_ENVIRONMENTS:
        nearest = "stand"
    draft.bent.append(f"a {kind} can't {action} (shown: {nearest})")
    return nearest
