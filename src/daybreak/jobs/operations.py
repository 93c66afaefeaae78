"""What each way of asking means as a timeline: create, remix, edit, extend, with references and characters.

Everything here is arithmetic on facts that are already known; nothing is opened, fetched or stored. A pin's media is
whatever text the caller uses for it, in a job's row "asset:ID".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from daybreak.generation_settings import GenerationSettings
from daybreak.shapes import MAX_FPS, MAX_SECONDS, MAX_SIDE, MIN_SIDE, VideoSpec
from daybreak.timeline import MediaKind, Pin, Shot, Timeline

Direction = Literal["forward", "backward"]

DEFAULT_CHANGE = "mild"
# How much of the source a remix may change. Sora's app named the steps and never said their numbers: these leave, in
# turn, the composition and the colours, the composition, and little but the rough layout.
CHANGES: Mapping[str, float] = MappingProxyType({"subtle": 0.3, "mild": 0.5, "strong": 0.7})
CHARACTER_STRENGTH = 0.6  # how strongly a character's picture is held where it is introduced
_TOLERANCE = 1e-6  # seconds


class InvalidRequest(ValueError):  # noqa: N818 - reads as a sentence where it is raised
    """A request that cannot be turned into a job; `param` names the field and `code` the kind of mistake."""

    def __init__(self, message: str, param: str | None = None, code: str | None = "invalid_value") -> None:
        super().__init__(message)
        self.param = param
        self.code = code


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or a clip that a timeline can hold. `name` is what its pins call it; an image has one frame."""

    name: str
    kind: MediaKind
    width: int
    height: int
    num_frames: int = 1
    fps: float = 0.0

    @property
    def seconds(self) -> float:
        """The length; 0 for an image."""
        return self.num_frames / self.fps if self.fps else 0.0


def create_timeline(
    shots: tuple[Shot, ...],
    spec: VideoSpec,
    *,
    pins: tuple[Pin, ...] = (),
    reference: Media | None = None,
    characters: Sequence[Media] = (),
    negative_prompt: str = "",
    loop: bool = False,
) -> Timeline:
    """The timeline of a new clip: the reference is its first frame, the characters are introduced after it.

    Raises InvalidRequest for what does not fit the clip.
    """
    first = (Pin(reference.name, reference.kind),) if reference else ()
    introduced = character_pins(characters, spec, after_first=reference is not None)
    try:
        return Timeline(shots, spec, (*first, *introduced, *pins), negative_prompt, loop)
    except ValueError as error:
        raise InvalidRequest(f"Invalid 'timeline': {error}", "timeline") from error


def character_pins(characters: Sequence[Media], spec: VideoSpec, *, after_first: bool) -> tuple[Pin, ...]:
    """One half-held frame for each character, evenly over the clip, the first at its start unless that is taken.

    A model that has learnt no characters can only be shown them: a frame from the middle of the character's clip is
    where the picture starts from, and the model makes it agree with the prompt.
    """
    places = len(characters) + after_first
    frame = 1 / spec.fps
    pins = []
    for index, character in enumerate(characters):
        at = math.floor((index + after_first) * spec.num_frames / places) * frame
        pins.append(
            Pin(
                character.name,
                character.kind,
                start=at,
                end=at + frame,
                strength=CHARACTER_STRENGTH,
                media_start=math.floor(character.num_frames / 2) / character.fps if character.kind == "video" else 0.0,
            )
        )
    return tuple(pins)


def remix_timeline(prompt: str, source: Media, change: float, negative_prompt: str = "") -> Timeline:
    """The timeline that makes a source clip again as the prompt says; `change` from 0 (nothing) to 1 (everything).

    Raises InvalidRequest.
    """
    spec = spec_of(source)
    pin = Pin(source.name, "video", strength=1 - change)
    try:
        return Timeline((Shot(prompt),), spec, (pin,), negative_prompt)
    except ValueError as error:
        raise InvalidRequest(f"Invalid 'prompt': {error}", "prompt") from error


def extend_timeline(
    prompt: str, source: Media, seconds: float, direction: Direction, negative_prompt: str = ""
) -> Timeline:
    """The timeline of the whole stitched clip: the source kept as it is, `seconds` more after it, or before it.

    Raises InvalidRequest when the whole is longer than one generation can be.
    """
    own = spec_of(source)
    added = max(1, round(seconds * own.fps))
    total = (own.num_frames + added) / own.fps
    if total > MAX_SECONDS + _TOLERANCE:
        raise InvalidRequest(
            f"Invalid value: '{format_seconds(seconds)}'. The source is {format_seconds(own.seconds)} s long, so the "
            f"extended video would have {format_seconds(total)} s: it may have {MAX_SECONDS:g} s at most.",
            "seconds",
        )
    at = added / own.fps if direction == "backward" else 0.0
    pin = Pin(source.name, "video", start=at, end=at + own.seconds)
    try:
        return Timeline((Shot(prompt),), replace(own, num_frames=own.num_frames + added), (pin,), negative_prompt)
    except ValueError as error:
        raise InvalidRequest(f"Invalid 'video': {error}", "video") from error


def spec_of(source: Media) -> VideoSpec:
    """The shape of a clip made from a source: its own length and frame rate, an odd side one pixel less.

    Raises InvalidRequest for a source outside of what can be made.
    """
    width, height = source.width - source.width % 2, source.height - source.height % 2
    if not (min(width, height) >= MIN_SIDE and max(width, height) <= MAX_SIDE):
        raise InvalidRequest(
            f"Invalid 'video': its size is {source.width}x{source.height}, and this server makes sides from {MIN_SIDE} "
            f"to {MAX_SIDE} pixels.",
            "video",
        )
    if source.seconds > MAX_SECONDS + _TOLERANCE:
        raise InvalidRequest(
            f"Invalid 'video': it is {format_seconds(source.seconds)} s long, and this server makes at most "
            f"{MAX_SECONDS:g} s in one piece.",
            "video",
        )
    try:
        return VideoSpec(source.num_frames, height, width, min(source.fps, MAX_FPS))
    except ValueError as error:
        raise InvalidRequest(f"Invalid 'video': {error}.", "video") from error


def change_of(strength: str | float) -> float:
    """How much a remix changes, above 0 and at most 1, from a name or a number. Raises InvalidRequest."""
    if isinstance(strength, str):
        if strength not in CHANGES:
            raise InvalidRequest(
                f"Invalid value: '{strength}'. Supported values are: {quoted([*CHANGES])}, and any number above 0 and "
                "up to 1.",
                "strength",
            )
        return CHANGES[strength]
    if not 0 < strength <= 1:  # also what is not a number
        raise InvalidRequest(
            f"Invalid 'strength': expected a number above 0 and up to 1, but got {strength:g} instead.", "strength"
        )
    return strength


def missing_names(names: Sequence[str], prompts: Sequence[str]) -> list[str]:
    """The character names that no prompt mentions; capitals do not count."""
    text = "\n".join(prompts).casefold()
    return [name for name in names if name.casefold() not in text]


def estimate_cost(timeline: Timeline, settings: GenerationSettings, *, procedural: bool = False) -> float:
    """Rough seconds of work: what fairness between projects counts when nothing has been measured yet.

    A model's work grows with the time that is free to be made and with its steps; every pixel is scaled and encoded.
    """
    spec = timeline.spec
    pixels = spec.num_frames * spec.width * spec.height
    written = pixels / 60e6  # conform and x264, two cores
    if procedural:
        return round(0.2 + written + 0.02 * spec.num_frames, 3)
    steps = settings.num_inference_steps or _USUAL_STEPS
    return round(0.5 + written + 2.0 * free_seconds(timeline) * (0.3 + 0.7 * steps / _USUAL_STEPS), 3)


_USUAL_STEPS = 8


def free_seconds(timeline: Timeline) -> float:
    """The seconds of the clip that no video holds as they are, and that a model therefore has to make."""
    spans = sorted(
        (pin.start, timeline.seconds if pin.end is None else pin.end)
        for pin in timeline.pins
        if pin.kind == "video" and pin.strength == 1 and pin.last_strength == 1
    )
    covered, reached = 0.0, 0.0
    for start, end in spans:
        begin = max(start, reached)
        if end > begin:
            covered += end - begin
            reached = end
    return max(0.0, timeline.seconds - covered)


def format_seconds(seconds: float) -> str:
    """A length as the wire writes it: "4", "7.5", never more than three decimals."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def quoted(values: Sequence[str]) -> str:
    """'a', 'b', 'c': the way the API's errors list what they would accept."""
    return ", ".join(f"'{value}'" for value in values)
