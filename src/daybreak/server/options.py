"""What may be said with every way of asking: the clip's shape, the generation's settings, and how to keep the job."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any

from daybreak.generation_settings import MAX_SEED, MAX_STEP_CACHE, MAX_STEPS, GenerationSettings
from daybreak.jobs.operations import format_seconds
from daybreak.server.errors import ApiError, invalid, invalid_type, listed, quoted
from daybreak.server.loras import read_loras
from daybreak.server.parameters import Parameters
from daybreak.shapes import MAX_FPS, MAX_SECONDS, MAX_SIDE, MIN_SIDE, VideoSpec, check_size, frames_for
from daybreak.timeline import MAX_PROMPT

# What Sora offered; any other even size and any other length is made as well.
SORA_SIZES = ("720x1280", "1280x720", "1024x1792", "1792x1024", "1080x1920", "1920x1080")
SORA_SECONDS = ("4", "8", "12", "16", "20")
DEFAULT_SIZE, DEFAULT_SECONDS, DEFAULT_FPS = (720, 1280), 4.0, 24.0
DEFAULT_MODEL = "sora-2"
MAX_PRIORITY = 100
MAX_METADATA, MAX_METADATA_KEY, MAX_METADATA_VALUE = 16, 64, 512  # as OpenAI bounds the metadata of other objects
MIN_EXPIRY, MAX_EXPIRY = 60, 10 * 365 * 86_400  # seconds
_SEED_BITS = 32
_SIZE = re.compile(r"(\d{1,5})[xX*](\d{1,5})", re.ASCII)
# Other servers' settings that would change the picture and that no engine here has.
_FOREIGN = ("guidance_scale_2", "boundary_ratio", "flow_shift", "extra_params", "lora")


@dataclass(frozen=True, slots=True)
class Shape:
    """The clip's shape, and how the wire writes it."""

    spec: VideoSpec
    size: str
    seconds: str


@dataclass(frozen=True, slots=True)
class Options:
    """What goes with a job whatever it makes. `model` is None when the request names none."""

    model: str | None
    settings: GenerationSettings
    negative_prompt: str
    priority: int
    metadata: dict[str, str]
    expires_after: int | None


def read_options(parameters: Parameters) -> Options:
    """The options among a request's fields. Raises ApiError."""
    _read_harmless(parameters)
    seed = parameters.whole("seed", -1, MAX_SEED)
    settings = GenerationSettings(
        secrets.randbits(_SEED_BITS) if seed is None or seed == -1 else seed,
        parameters.whole("num_inference_steps", 1, MAX_STEPS),
        parameters.number("guidance_scale", 0, 100),
        read_loras(parameters),
        parameters.flag("enhance_prompt"),
        parameters.flag("generate_audio"),
        parameters.number("step_cache", 0, MAX_STEP_CACHE),
    )
    metadata = _read_metadata(parameters)
    user = parameters.text("user", MAX_METADATA_VALUE)
    if user is not None:
        metadata.setdefault("user", user)
    return Options(
        model=parameters.text("model", 200),
        settings=settings,
        negative_prompt=_read_negative(parameters),
        priority=parameters.whole("priority", -MAX_PRIORITY, MAX_PRIORITY) or 0,
        metadata=metadata,
        expires_after=_read_expiry(parameters),
    )


def _read_harmless(parameters: Parameters) -> None:
    """Reads what other servers' clients send and what changes nothing here, and refuses what would change something."""
    number = parameters.whole("n", 0, 1000)
    if number not in (None, 1):
        raise invalid("n", f"Invalid value: '{number}'. Supported values are: '1'. Send one request for each video.")
    parameters.choice("quality", ("standard", "auto", "high", "lossless"))  # there is one quality, the best
    if parameters.flag("stream"):
        raise invalid("stream", "Invalid value: 'true'. Follow a video at /v1/videos/{video_id}/events instead.")
    for name in _FOREIGN:
        if parameters.take(name) not in (None, "", {}, []):
            raise invalid(name, f"Unsupported parameter: '{name}' is not available here.", "unsupported_parameter")


def _read_negative(parameters: Parameters) -> str:
    """The negative prompt; an empty one is none."""
    if parameters.take("negative_prompt") == "":
        return ""
    return parameters.text("negative_prompt", MAX_PROMPT) or ""


def _read_metadata(parameters: Parameters) -> dict[str, str]:
    value: Any = parameters.take("metadata")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid_type("metadata", "an object", value)
    if len(value) > MAX_METADATA:
        raise invalid("metadata", f"Invalid 'metadata': at most {MAX_METADATA} keys, but got {len(value)}.")
    for key, text in value.items():
        if not isinstance(text, str):
            raise invalid_type(f"metadata.{key[:MAX_METADATA_KEY]}", "a string", text)
        if not 0 < len(key) <= MAX_METADATA_KEY or len(text) > MAX_METADATA_VALUE:
            raise invalid(
                "metadata",
                f"Invalid 'metadata': keys have 1 to {MAX_METADATA_KEY} characters and values at most "
                f"{MAX_METADATA_VALUE}.",
            )
    return dict(value)


def _read_expiry(parameters: Parameters) -> int | None:
    """Seconds after completion: a number, or {"anchor": "completed_at", "seconds": …}."""
    if not isinstance(parameters.take("expires_after"), dict):
        return parameters.whole("expires_after", MIN_EXPIRY, MAX_EXPIRY)
    inner = parameters.child("expires_after")
    assert inner is not None
    inner.choice("anchor", ("completed_at",))
    seconds = inner.whole("seconds", MIN_EXPIRY, MAX_EXPIRY)
    inner.finish()
    return seconds


def read_shape(parameters: Parameters, spec: VideoSpec | None = None) -> Shape:
    """The shape among a request's fields; `spec` is what its timeline says. Raises ApiError."""
    wrapped = parameters.child("video_params")
    sources = [parameters] if wrapped is None else [parameters, wrapped]
    width, height = _read_size(sources, spec)
    fps = _first(sources, "fps", 1, MAX_FPS) or (spec.fps if spec else DEFAULT_FPS)
    num_frames, seconds = _read_length(sources, fps, spec)
    if wrapped is not None:
        wrapped.finish()
    try:
        made = VideoSpec(num_frames, height, width, fps)
    except ValueError as error:
        raise invalid("seconds", f"Invalid 'seconds': {error}.") from error
    return Shape(made, f"{width}x{height}", seconds)


def _first(sources: list[Parameters], name: str, low: float, high: float) -> float | None:
    found = [number for source in sources if (number := source.number(name, low, high)) is not None]
    return found[0] if found else None


def _read_size(sources: list[Parameters], spec: VideoSpec | None) -> tuple[int, int]:
    """(width, height) from `size`, or from `width` and `height`, which must agree where both are given."""
    said = parse_size(sources[0].take("size"))
    width, height = (_first_whole(sources, name) for name in ("width", "height"))
    if (width is None) != (height is None):
        absent = "width" if width is None else "height"
        raise invalid(absent, f"Missing required parameter: '{absent}'.", "missing_required_parameter")
    sized = None if width is None or height is None else (width, height)
    pixels = None if spec is None else (spec.width, spec.height)
    for name, one, other in (("width", sized, said), ("timeline.spec.width", pixels, sized or said)):
        if one and other and one != other:
            raise invalid(name, f"Invalid '{name}': {one[0]}x{one[1]} and {other[0]}x{other[1]} were both asked for.")
    size = sized or said or pixels or DEFAULT_SIZE
    try:
        check_size(*size)
    except ValueError as error:
        raise invalid("size", f"Invalid 'size': {error}.") from error
    return size


def _first_whole(sources: list[Parameters], name: str) -> int | None:
    found = [number for source in sources if (number := source.whole(name, MIN_SIDE, MAX_SIDE)) is not None]
    return found[0] if found else None


def parse_size(value: object) -> tuple[int, int] | None:
    """(width, height) of a text such as "720x1280". Raises ApiError in the words of the Videos API."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise invalid_type("size", f"one of {listed(SORA_SIZES, 'or')}", value)
    match = _SIZE.fullmatch(value.strip())
    size = (int(match[1]), int(match[2])) if match else (0, 0)
    if any(side % 2 or not MIN_SIDE <= side <= MAX_SIDE for side in size):
        known = ", ".join(f"'{size}'" for size in SORA_SIZES)
        raise invalid(
            "size",
            f"Invalid value: {quoted(value)}. Supported values are: {known}, and any other 'WIDTHxHEIGHT' whose sides "
            f"are even numbers from {MIN_SIDE} to {MAX_SIDE}.",
        )
    return size


def _read_length(sources: list[Parameters], fps: float, spec: VideoSpec | None) -> tuple[int, str]:
    """The number of frames and the seconds as the wire writes them; a number of frames is exact and wins."""
    seconds = parse_seconds(sources[0].take("seconds"))
    frames = [number for source in sources if (number := source.whole("num_frames", 1, 10_000)) is not None]
    if frames:
        exact = frames[0] / fps
        if seconds is not None and abs(exact - seconds) > 1:
            raise _two_lengths("num_frames", f"{frames[0]} frames at {fps:g} fps", seconds)
        return frames[0], format_seconds(exact)
    if spec is not None:
        if seconds is not None and abs(spec.seconds - seconds) > 1 / fps:
            raise _two_lengths("timeline.spec.num_frames", f"{spec.num_frames} frames at {fps:g} fps", seconds)
        if seconds is None:
            exact = spec.num_frames if fps == spec.fps else frames_for(min(spec.seconds, MAX_SECONDS), fps)
            return exact, format_seconds(exact / fps)
    seconds = seconds or DEFAULT_SECONDS
    return frames_for(seconds, fps), format_seconds(seconds)


def _two_lengths(param: str, frames: str, seconds: float) -> ApiError:
    return invalid(param, f"Invalid '{param}': {frames} and {format_seconds(seconds)} seconds were both asked for.")


def parse_seconds(value: object, param: str = "seconds") -> float | None:
    """A length above 0 and up to the longest. Raises ApiError in the words of the Videos API."""
    if value is None:
        return None
    known = ", ".join(f"'{seconds}'" for seconds in SORA_SECONDS)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise invalid_type(param, f"one of {known}, or any other number of seconds", value)
    try:
        seconds = Parameters({param: value}).number(param, 0, MAX_SECONDS)
    except ApiError:
        seconds = None
    if not seconds or round(seconds, 3) == 0:
        raise invalid(
            param,
            f"Invalid value: {quoted(value)}. Supported values are: {known}, and any other length above 0 and up to "
            f"{MAX_SECONDS:g} seconds.",
        )
    return seconds
