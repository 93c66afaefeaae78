"""What was asked: prompts over spans of time, and media pinned to spans. Every way to ask is a view of this noun.

- text to video: one shot, no pin
- image to video: an image pinned at 0 s
- extend: the tail (or head) of a clip pinned at the start (or end)
- loop: `loop=True`
- blend: two clips pinned over the same span, one strength falling while the other rises
- remix, edit: the source pinned over the whole span at strength < 1
- storyboard: several shots, with or without pins
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeVar, get_args

from daybreak.shapes import VideoSpec

MAX_PROMPT = 32_000  # characters, the limit of the Videos API
MediaKind = Literal["image", "video"]
Feature = Literal["shots", "image_pin", "video_pin", "later_pin", "partial_strength", "loop", "negative_prompt"]
_EPSILON = 1e-6  # seconds: spans written as decimals may miss the end by a rounding


@dataclass(frozen=True, slots=True)
class Shot:
    """A prompt over a span, in seconds; `end` None means until the next shot, or the end of the clip."""

    prompt: str
    start: float = 0.0
    end: float | None = None

    def __post_init__(self) -> None:
        _check_text("prompt", self.prompt)
        if not self.prompt.strip():
            raise ValueError("the prompt is empty: say what the video should show")
        _check_span("a shot", self.start, self.end)


@dataclass(frozen=True, slots=True)
class Pin:
    """Media held over a span of the clip, in seconds.

    `media` is the path of a file that the engine can open; `sha256` is its hex digest, so that a later run can tell
    whether it is still the same file. An image fills its span (`end` None: one frame); a video plays from
    `media_start` on (`end` None: as long as it lasts). `strength` 1 keeps the media as it is, 0 ignores it;
    `strength_end` makes it change evenly over the span.
    """

    media: str
    kind: MediaKind = "image"
    start: float = 0.0
    end: float | None = None
    strength: float = 1.0
    strength_end: float | None = None
    media_start: float = 0.0
    sha256: str | None = None

    def __post_init__(self) -> None:
        _check_text("media", self.media)
        if not self.media:
            raise ValueError("a pin needs a media file")
        if self.kind not in get_args(MediaKind):
            raise ValueError(f"a pin's kind is one of {', '.join(get_args(MediaKind))}, not {self.kind!r}")
        _check_span("a pin", self.start, self.end)
        for strength in (self.strength, self.strength_end):
            if strength is not None and not 0 <= strength <= 1:
                raise ValueError(f"strength must be from 0 to 1, not {strength:g}")
        if not (math.isfinite(self.media_start) and self.media_start >= 0):
            raise ValueError(f"media_start must be 0 or more, not {self.media_start:g}")

    @property
    def last_strength(self) -> float:
        """The strength at the end of the span."""
        return self.strength if self.strength_end is None else self.strength_end


@dataclass(frozen=True, slots=True)
class Timeline:
    """One generation: shots, pins and the clip's shape. Raises ValueError for spans that overlap or stick out."""

    shots: tuple[Shot, ...]
    spec: VideoSpec
    pins: tuple[Pin, ...] = ()
    negative_prompt: str = ""
    loop: bool = False

    def __post_init__(self) -> None:
        _check_text("negative prompt", self.negative_prompt)
        if not self.shots:
            raise ValueError("a timeline needs at least one shot")
        for earlier, later in zip(self.shots, self.shots[1:], strict=False):
            if later.start <= earlier.start:
                raise ValueError(f"shots must be in order: {later.start:g} s comes after {earlier.start:g} s")
            if earlier.end is not None and earlier.end > later.start + _EPSILON:
                raise ValueError(f"shots overlap: one ends at {earlier.end:g} s, the next starts at {later.start:g} s")
        spans = [(shot.start, shot.end) for shot in self.shots] + [(pin.start, pin.end) for pin in self.pins]
        for start, end in spans:
            if start >= self.seconds or (end is not None and end > self.seconds + _EPSILON):
                said = f"{start:g} s" if end is None else f"{start:g} s to {end:g} s"
                raise ValueError(f"{said} lies outside the clip of {self.seconds:g} s")

    @property
    def seconds(self) -> float:
        return self.spec.seconds

    @property
    def prompt(self) -> str:
        """The first shot's prompt: the whole prompt of a timeline with one shot."""
        return self.shots[0].prompt

    def features(self) -> frozenset[Feature]:
        """What an engine must be able to do beyond turning one prompt into a clip."""
        pinned = self.pins
        needs: dict[Feature, bool] = {
            "shots": len(self.shots) > 1 or self.shots[0].start > 0,
            "image_pin": any(pin.kind == "image" for pin in pinned),
            "video_pin": any(pin.kind == "video" for pin in pinned),
            "later_pin": any(pin.start > 0 for pin in pinned),
            "partial_strength": any(min(pin.strength, pin.last_strength) < 1 for pin in pinned),
            "loop": self.loop,
            "negative_prompt": bool(self.negative_prompt.strip()),
        }
        return frozenset(feature for feature, needed in needs.items() if needed)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values; `from_dict` gives back an equal timeline."""
        plain = asdict(self)
        return {**plain, "shots": list(plain["shots"]), "pins": list(plain["pins"])}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Timeline:
        """The timeline of plain JSON values. Raises ValueError for unknown fields and wrong types."""
        record = _fields_of(cls, plain)
        for name in ("shots", "pins"):
            if not isinstance(record.get(name, []), list | tuple):
                raise ValueError(f"{name} must be a list")
        try:
            record["spec"] = VideoSpec(**_fields_of(VideoSpec, record["spec"]))
            record["shots"] = tuple(Shot(**_fields_of(Shot, shot)) for shot in record["shots"])
            record["pins"] = tuple(Pin(**_fields_of(Pin, pin)) for pin in record.get("pins", ()))
            return cls(**record)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a timeline: {error}") from error

    @classmethod
    def from_json(cls, text: str) -> Timeline:
        """The timeline of a JSON text. Raises ValueError for anything else."""
        return cls.from_dict(json.loads(text))


def text_to_video(prompt: str, spec: VideoSpec, *, pins: tuple[Pin, ...] = (), negative_prompt: str = "") -> Timeline:
    """The timeline of one prompt over the whole clip."""
    return Timeline((Shot(prompt),), spec, pins, negative_prompt)


_Record = TypeVar("_Record", VideoSpec, Shot, Pin, Timeline)


def _fields_of(record: type[_Record], plain: object) -> dict[str, Any]:
    """A copy of `plain` whose keys are all fields of `record`, and whose numbers are numbers."""
    if not isinstance(plain, Mapping):
        raise ValueError(f"a {record.__name__} is written as an object, not as {type(plain).__name__}")
    types = {field.name: str(field.type) for field in fields(record)}
    unknown = sorted(set(plain) - set(types))
    if unknown:
        raise ValueError(f"a {record.__name__} has no field {', '.join(map(repr, unknown))}")
    for name, value in plain.items():
        if not _fits(types[name], value):
            raise ValueError(f"{name} must be {types[name]}, not {value!r}")
    return dict(plain)


def _fits(annotation: str, value: object) -> bool:
    """Whether a JSON value may stand for a field with this annotation; nested records check themselves."""
    optional = annotation.endswith(" | None")
    if value is None:
        return optional
    kinds: dict[str, tuple[type, ...]] = {"str": (str,), "bool": (bool,), "int": (int,), "float": (int, float)}
    wanted = kinds.get(annotation.removesuffix(" | None"))
    if wanted is None:
        return True
    return isinstance(value, wanted) and (bool in wanted or not isinstance(value, bool))


def _check_text(name: str, text: str) -> None:
    if len(text) > MAX_PROMPT:
        raise ValueError(f"the {name} has {len(text)} characters: at most {MAX_PROMPT}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"the {name} is not valid text: {error.reason} at character {error.start}") from error


def _check_span(name: str, start: float, end: float | None) -> None:
    if not (math.isfinite(start) and start >= 0):
        raise ValueError(f"{name} starts at 0 s or later, not at {start:g} s")
    if end is not None and not (math.isfinite(end) and end > start):
        raise ValueError(f"{name} ends after its start at {start:g} s, not at {end:g} s")
