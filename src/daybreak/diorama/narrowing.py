"""A scene in fewer words: for a model that learned when the world was smaller.

What such a model has never seen it would show as noise; the nearest thing it knows is shown instead, and said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from daybreak.diorama.labels import labels
from daybreak.diorama.sampling import allowed_actions, allowed_weathers, sample_spec
from daybreak.diorama.scene import SceneSpec, Subject

NEXT_TRY = 10_007  # from one seed to the next to be tried: neighbours' scenes would be the same one soon
Words = Mapping[str, Sequence[str]]  # those a model knows, by attribute: "subject", "colour", ..., "style"

# What comes nearest, best first. A word that is not here is replaced by the first that the model knows.
NEAREST: dict[str, dict[str, tuple[str, ...]]] = {
    "subject": {
        "fox": ("dog",), "sheep": ("pig",), "horse": ("dog",), "duck": ("bird",), "fish": ("penguin",),
        "truck": ("car",), "bus": ("car",), "train": ("car",), "rocket": ("bird",), "balloon": ("ball",),
        "hot-air balloon": ("ball",), "cube": ("ball",), "snowman": ("robot",),
    },
    "colour": {"grey": ("white",), "turquoise": ("blue",)},
    "pattern": {"checked": ("spotted",), "patched": ("spotted",)},
    "action": {
        "approach": ("walk", "drive", "swim", "roll"), "leave": ("walk", "drive", "swim", "roll"),
        "circle": ("walk", "drive", "roll", "fly"), "shake": ("dance", "spin"), "nod": ("stand",), "fall": ("sleep",),
        "slide": ("walk", "drive", "roll"), "eat": ("stand",), "wave": ("dance", "stand"),
        "walk": ("drive", "swim", "roll", "fly"), "run": ("drive", "roll", "walk"), "drive": ("run", "swim", "roll"),
        "sleep": ("stand",), "dance": ("spin",), "roll": ("drive", "walk"), "fly": ("jump",), "swim": ("walk", "drive"),
    },
    "environment": {"underwater": ("beach",), "city": ("town",)},
    "weather": {"storm": ("rain",), "fireflies": ("clear",)},
    "camera": {"handheld": ("static",), "tilt up": ("crane up",)},
    "style": {"cel": ("toy",), "sketch": ("noir",)},
}  # fmt: skip


def knows(words: Words, said: Mapping[str, str]) -> bool:
    """Whether every one of a scene's labels (`labels.labels`) is among `words`."""
    return all(label in words[name.rstrip("2")] for name, label in said.items() if name.rstrip("2") in words)


def first_known(seed: int, words: Words | None, *, held_out: bool = False, max_subjects: int = 2) -> SceneSpec:
    """The scene of `seed` (`sampling.sample_spec`), or the first after it that `words` can say."""
    while True:
        spec = sample_spec(seed, held_out=held_out, max_subjects=max_subjects)
        if words is None or knows(words, labels(spec)):
            return spec
        seed += NEXT_TRY


def narrowed(spec: SceneSpec, words: Words) -> tuple[SceneSpec, tuple[str, ...]]:
    """The nearest scene that `words` can say, and what had to give way, as "fox (shown: dog)"."""
    bent: list[str] = []

    def nearest(attribute: str, word: str, possible: Sequence[str] = ()) -> str:
        known = [one for one in words.get(attribute, (word,)) if not possible or one in possible]
        if word in known:
            return word
        candidates = NEAREST.get(attribute, {}).get(word, ())
        found = next((one for one in candidates if one in known), known[0])
        bent.append(f"{word} (shown: {found})")
        return found

    environment = nearest("environment", spec.environment)
    subjects = []
    for subject in spec.subjects:
        kind = nearest("subject", subject.kind)
        action = nearest("action", subject.action, allowed_actions(kind, environment))
        colour, pattern = nearest("colour", subject.colour), nearest("pattern", subject.pattern)
        subjects.append(Subject(kind, colour, pattern, nearest("size", subject.size), action))
    scene = replace(
        spec,
        subjects=tuple(subjects),
        environment=environment,
        time_of_day=nearest("time_of_day", spec.time_of_day),
        weather=nearest("weather", spec.weather, allowed_weathers(environment, spec.time_of_day)),
        camera=nearest("camera", spec.camera),
        style=nearest("style", spec.style),
    )
    return scene, tuple(bent)
