"""The `timeline` of a create: shots and pinned media over the clip, each field checked and named in the error."""

from __future__ import annotations

from dataclasses import dataclass

from daybreak.jobs.operations import format_seconds
from daybreak.server.errors import ApiError, invalid, missing
from daybreak.server.fields import parse_json
from daybreak.server.parameters import Parameters
from daybreak.server.references import Finder, Found, Wanted, read_wanted
from daybreak.shapes import MAX_FPS, MAX_SECONDS, MAX_SIDE, MIN_SIDE, VideoSpec
from daybreak.timeline import MAX_PROMPT, MediaKind, Pin, Shot

MAX_SHOTS, MAX_PINS = 200, 32
_LATEST = MAX_SECONDS + 1  # what a span may say before it is compared with the clip's own length
_MEDIA_KEYS = ("file_id", "video_id", "character_id", "url")
_EPSILON = 1e-6


@dataclass(frozen=True, slots=True)
class AskedPin:
    """A pin whose media has not been looked at; `kind` None leaves it to the media."""

    param: str
    media: Wanted
    kind: MediaKind | None
    start: float
    end: float | None
    strength: float
    strength_end: float | None
    media_start: float
    sha256: str | None


@dataclass(frozen=True, slots=True)
class Storyboard:
    """A timeline as it was asked for. `spec` is None when it says no shape."""

    shots: tuple[Shot, ...] = ()
    pins: tuple[AskedPin, ...] = ()
    loop: bool = False
    negative_prompt: str = ""
    spec: VideoSpec | None = None


def read_storyboard(parameters: Parameters) -> Storyboard:
    """The timeline among a request's fields; a form may send it as JSON text. Raises ApiError."""
    value = parameters.take("timeline")
    if isinstance(value, str):
        parameters = Parameters({"timeline": parse_json(value.encode())})
    timeline = parameters.child("timeline")
    if timeline is None:
        return Storyboard()
    negative = timeline.take("negative_prompt")
    board = Storyboard(
        _read_shots(timeline),
        tuple(_read_pin(pin) for pin in timeline.children("pins", MAX_PINS)),
        timeline.flag("loop") or False,
        (timeline.text("negative_prompt", MAX_PROMPT) or "") if negative != "" else "",
        _read_spec(timeline),
    )
    timeline.finish()
    return board


def _read_shots(timeline: Parameters) -> tuple[Shot, ...]:
    shots: list[Shot] = []
    for asked in timeline.children("shots", MAX_SHOTS):
        prompt = asked.text("prompt", MAX_PROMPT, required=True)
        start, end = _read_span(asked)
        asked.finish()
        assert prompt is not None
        previous = shots[-1] if shots else None
        if previous is not None:
            if start <= previous.start:
                raise _wrong(asked, "start", f"shots come in order, but the one before starts at {_s(previous.start)}")
            if previous.end is not None and previous.end > start + _EPSILON:
                raise _wrong(asked, "start", f"the shot before ends at {_s(previous.end)}, and shots can't overlap")
        shots.append(Shot(prompt, start, end))
    return tuple(shots)


def _read_pin(asked: Parameters) -> AskedPin:
    media = read_wanted(asked, "media", _MEDIA_KEYS)
    if media is None:
        raise missing(asked.name("media"))
    kind = asked.choice("kind", ("image", "video"))
    start, end = _read_span(asked)
    strength = asked.number("strength", 0, 1)
    pin = AskedPin(
        asked.name("").removesuffix("."),
        media,
        "image" if kind == "image" else "video" if kind else None,
        start,
        end,
        1.0 if strength is None else strength,
        asked.number("strength_end", 0, 1),
        asked.number("media_start", 0, MAX_SECONDS) or 0.0,
        asked.text("sha256", 64),
    )
    asked.finish()
    return pin


def _read_span(asked: Parameters) -> tuple[float, float | None]:
    start = asked.number("start", 0, _LATEST) or 0.0
    end = asked.number("end", 0, _LATEST)
    if end is not None and end <= start:
        raise _wrong(asked, "end", f"it has to be after the start at {_s(start)}")
    return start, end


def _read_spec(timeline: Parameters) -> VideoSpec | None:
    spec = timeline.child("spec")
    if spec is None:
        return None
    sides = [spec.whole(name, MIN_SIDE, MAX_SIDE) for name in ("width", "height")]
    num_frames, fps = spec.whole("num_frames", 1, 10_000), spec.number("fps", 1, MAX_FPS)
    spec.finish()
    for name, value in (("width", sides[0]), ("height", sides[1]), ("num_frames", num_frames)):
        if value is None:
            raise missing(spec.name(name))
    try:
        return VideoSpec(num_frames or 0, sides[1] or 0, sides[0] or 0, fps or 24.0)
    except ValueError as error:
        raise invalid("timeline.spec", f"Invalid 'timeline.spec': {error}.") from error


def check_spans(board: Storyboard, seconds: float) -> None:
    """Raises ApiError for the first span that sticks out of a clip of this length."""
    spans = [(f"timeline.shots[{index}]", shot.start, shot.end) for index, shot in enumerate(board.shots)]
    spans += [(pin.param, pin.start, pin.end) for pin in board.pins]
    for param, start, end in spans:
        name = "start" if start >= seconds else "end" if end is not None and end > seconds + _EPSILON else None
        if name:
            raise _outside(f"{param}.{name}", seconds)


def shots_of(board: Storyboard, prompt: str | None) -> tuple[Shot, ...]:
    """The shots; `prompt` is the only one where there are none, and the first where those begin later."""
    if not board.shots:
        assert prompt is not None
        return (Shot(prompt),)
    if board.shots[0].start > 0 and prompt is not None:
        return (Shot(prompt), *board.shots)
    return board.shots


async def find_pins(board: Storyboard, finder: Finder) -> list[tuple[Pin, Found]]:
    """Each pin with its media's placeholder, and the media. Raises ApiError."""
    media = [await finder.find(asked.media, asked.kind) for asked in board.pins]
    return [(_pin(asked, found), found) for asked, found in zip(board.pins, media, strict=True)]


def _pin(asked: AskedPin, found: Found) -> Pin:
    media = found.media
    if asked.kind not in (None, media.kind):
        raise invalid(f"{asked.param}.kind", f"Invalid '{asked.param}.kind': its media is a {media.kind}.")
    if asked.sha256 not in (None, found.sha256):
        raise invalid(f"{asked.param}.sha256", f"Invalid '{asked.param}.sha256': the media's is {found.sha256}.")
    if media.kind == "image" and asked.media_start:
        raise invalid(f"{asked.param}.media_start", f"Invalid '{asked.param}.media_start': an image has no later part.")
    if media.kind == "video" and asked.media_start > max(0.0, media.seconds - 0.5 / media.fps):
        raise invalid(
            f"{asked.param}.media_start",
            f"Invalid '{asked.param}.media_start': the media is only {_s(media.seconds)} long.",
        )
    return Pin(
        media.name,
        media.kind,
        asked.start,
        asked.end,
        asked.strength,
        asked.strength_end,
        asked.media_start,
    )


def _wrong(asked: Parameters, name: str, why: str) -> ApiError:
    return invalid(asked.name(name), f"Invalid '{asked.name(name)}': {why}.")


def _outside(param: str, seconds: float) -> ApiError:
    return invalid(param, f"Invalid '{param}': it lies outside of the clip, which is {_s(seconds)} long.")


def _s(seconds: float) -> str:
    return f"{format_seconds(seconds)} s"
