"""What a Diorama scene is: the world's vocabulary, and one scene as a frozen, exactly labelled record.

Nothing here draws. `build.py` turns a `SceneSpec` into primitives, `captions.py` into words.
"""

from __future__ import annotations

from dataclasses import dataclass

SUBJECTS = (
    "dog", "cat", "rabbit", "bear", "elephant", "pig",
    "bird", "penguin", "car", "boat", "ball", "robot",
    "fox", "sheep", "horse", "duck", "fish", "truck", "bus", "train", "rocket", "balloon", "hot-air balloon",
    "cube", "snowman",
)  # fmt: skip
COLOURS = (
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "white", "black", "grey", "turquoise",
)  # fmt: skip
PATTERNS = ("plain", "striped", "spotted", "checked", "patched")
SIZES = ("small", "medium", "large")
ACTIONS = (
    "stand", "walk", "run", "jump", "spin", "roll", "fly", "swim", "sleep", "dance", "drive",
    "approach", "leave", "circle", "shake", "nod", "fall", "slide", "eat", "wave",
)  # fmt: skip
RELATIONS = ("left of", "right of", "in front of", "behind", "above", "following")
ENVIRONMENTS = ("meadow", "forest", "desert", "beach", "snowfield", "town", "moon", "room", "underwater", "city")
TIMES_OF_DAY = ("dawn", "noon", "sunset", "night", "overcast")
WEATHERS = ("clear", "rain", "snow", "fog", "fireflies", "storm")
CAMERAS = (
    "static", "pan left", "pan right", "dolly in", "dolly out", "orbit", "crane up", "follow", "handheld", "tilt up",
)  # fmt: skip
STYLES = ("toy", "noir", "sepia", "pixel", "cel", "sketch")

ANIMALS = ("dog", "cat", "rabbit", "bear", "elephant", "pig", "fox", "sheep", "horse")
# What every kind can do; what has an up and a down; what has legs to fold; what has a head and forelimbs as well.
_ANYTHING = ("approach", "leave", "circle", "shake")
_UPRIGHT = (*_ANYTHING, "nod", "fall")
_LEGGED = (*_UPRIGHT, "slide", "wave")
_HEADED = (*_LEGGED, "eat")
_ANIMAL_ACTIONS = ("stand", "walk", "run", "jump", "spin", "sleep", "dance", "fly", "swim", "roll", *_HEADED)
ALLOWED_ACTIONS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(ANIMALS, _ANIMAL_ACTIONS),
    # A trunk or a long face is in the way of a raised foot, and before a sheep's dark face it would not be seen.
    **dict.fromkeys(("elephant", "horse", "sheep"), tuple(action for action in _ANIMAL_ACTIONS if action != "wave")),
    "bird": ("stand", "walk", "jump", "fly", "sleep", "dance", "swim", "spin", *_HEADED),
    "penguin": ("stand", "walk", "run", "jump", "spin", "swim", "sleep", "dance", "roll", *_HEADED),
    "car": ("stand", "drive", "jump", "spin", "fly", *_UPRIGHT),
    "boat": ("stand", "swim", "spin", "fly", "jump", *_ANYTHING, "nod"),
    "ball": ("stand", "roll", "jump", "spin", "fly", "swim", *_ANYTHING),
    "robot": ("stand", "walk", "run", "jump", "spin", "dance", "fly", "roll", *_LEGGED),
    "duck": ("stand", "walk", "run", "jump", "fly", "sleep", "dance", "swim", "spin", *_HEADED),
    "fish": ("stand", "swim", "jump", "fly", "spin", *_ANYTHING, "nod"),
    "truck": ("stand", "drive", "jump", "spin", "fly", *_UPRIGHT),
    "bus": ("stand", "drive", "jump", "spin", "fly", *_UPRIGHT),
    "train": ("stand", "drive", "jump", "spin", "fly", *_UPRIGHT),
    "rocket": ("stand", "fly", "jump", "spin", *_UPRIGHT),
    "balloon": ("stand", "fly", "jump", "spin", "dance", *_ANYTHING),
    "hot-air balloon": ("stand", "fly", "jump", "spin", *_ANYTHING),
    "cube": ("stand", "roll", "jump", "spin", "fly", *_ANYTHING),
    "snowman": ("stand", "jump", "spin", "dance", "roll", *_UPRIGHT, "wave"),
}
WATER_ENVIRONMENTS = ("beach", "underwater")  # the only places where a subject can swim or sail
SUBMERGED_ENVIRONMENTS = ("underwater",)  # with water all round: no shore, no weather
SEAGOING = ("boat", "fish")  # mostly found in the water
SWIMMERS = ("fish",)  # at home under water as well
INDOOR_ENVIRONMENTS = ("room",)
AIRLESS_ENVIRONMENTS = ("moon",)


@dataclass(frozen=True, slots=True)
class Subject:
    """One subject and what it does; every field is a word of this module's lists."""

    kind: str
    colour: str
    pattern: str = "plain"
    size: str = "medium"
    action: str = "stand"


@dataclass(frozen=True, slots=True)
class SceneSpec:
    """One scene, complete: the same record always gives the same pixels, sound and labels.

    `relation` says where the first of two subjects is relative to the second ("left of": the first is
    left of the second); None with one subject. `seed` fixes everything that no word names: places,
    trees, phases.
    """

    subjects: tuple[Subject, ...]
    relation: str | None = None
    environment: str = "meadow"
    time_of_day: str = "noon"
    weather: str = "clear"
    camera: str = "static"
    style: str = "toy"
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= len(self.subjects) <= 2:
            raise ValueError(f"a scene has one or two subjects, not {len(self.subjects)}")
        if (self.relation is not None) != (len(self.subjects) == 2):
            raise ValueError(f"{len(self.subjects)} subject(s) with relation {self.relation!r}")
        for name, value, words in self._named():
            if value not in words:
                raise ValueError(f"{name} {value!r} is not one of {', '.join(words)}")

    def _named(self) -> list[tuple[str, str, tuple[str, ...]]]:
        named = [
            ("environment", self.environment, ENVIRONMENTS),
            ("time_of_day", self.time_of_day, TIMES_OF_DAY),
            ("weather", self.weather, WEATHERS),
            ("camera", self.camera, CAMERAS),
            ("style", self.style, STYLES),
        ]
        for subject in self.subjects:
            named += [
                ("subject", subject.kind, SUBJECTS),
                ("colour", subject.colour, COLOURS),
                ("pattern", subject.pattern, PATTERNS),
                ("size", subject.size, SIZES),
                ("action", subject.action, ACTIONS),
            ]
        if self.relation is not None:
            named.append(("relation", self.relation, RELATIONS))
        return named
