"""What a `daybreak generate` line asks for, as a timeline and settings. No engine is touched here."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daybreak.generation_settings import GenerationSettings, LoraUse
from daybreak.media.fit import load_image
from daybreak.media.provenance import NoProvenance, read_settings
from daybreak.shapes import BUCKETS, VideoSpec, check_size, frames_for
from daybreak.timeline import Pin, Shot, Timeline

DEFAULT_SECONDS = 2.0
DEFAULT_FPS = 24.0
_SEED_BITS = 32  # short enough to be typed again


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of one command line; None where the person said nothing."""

    prompt: str | None = None
    model: str | None = None
    size: str | None = None
    seconds: float | None = None
    fps: float | None = None
    seed: str | None = None
    steps: int | None = None
    guidance: float | None = None
    negative_prompt: str | None = None
    image: Path | None = None
    like: Path | None = None
    loras: tuple[str, ...] = ()  # NAME or NAME:STRENGTH
    enhance: bool | None = None
    audio: bool | None = None
    step_cache: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One generation, complete. `weights` is the digest that the --like file was made with, if it says; so are those
    of its LoRAs, by their names."""

    model: str
    timeline: Timeline
    settings: GenerationSettings
    weights: str | None = None
    lora_digests: Mapping[str, str] = field(default_factory=dict)


def build_request(asked: Asked, default_model: str) -> Request:
    """The request of a command line; what it leaves open comes from the --like file, then from the defaults.

    Raises ValueError, in one line, for whatever cannot be made.
    """
    record = read_settings(asked.like) if asked.like else {}
    earlier = _earlier_timeline(asked.like, record)
    earlier_settings = GenerationSettings.from_dict(record["settings"]) if record.get("settings") else None
    spec = _spec(asked, earlier.spec if earlier else None)
    if asked.prompt is not None:
        shots: tuple[Shot, ...] = (Shot(asked.prompt),)
    elif earlier:
        shots = earlier.shots
    else:
        raise ValueError('give a prompt, as in: daybreak generate "a brown dog runs across a meadow at sunset"')
    if asked.image:
        pins: tuple[Pin, ...] = (_image_pin(asked.image),)
    else:
        pins = earlier.pins if earlier else ()
        for pin in pins:
            _check_same_media(pin)
    negative = asked.negative_prompt if asked.negative_prompt is not None else earlier and earlier.negative_prompt
    timeline = Timeline(shots, spec, pins, negative or "", loop=bool(earlier and earlier.loop))
    return Request(
        model=asked.model or record.get("model") or default_model,
        timeline=timeline,
        settings=_settings(asked, earlier_settings),
        weights=record.get("weights"),
        lora_digests=record.get("lora_digests") or {},
    )


def parse_size(text: str) -> tuple[int, int]:
    """(width, height) of a text such as "448x256". Raises ValueError."""
    match = re.fullmatch(r"\s*(\d{1,6})\s*[xX×]\s*(\d{1,6})\s*", text)
    if not match:
        raise ValueError(f"size must be WIDTHxHEIGHT, such as 448x256, not {text!r}")
    width, height = int(match[1]), int(match[2])
    check_size(width, height)
    return width, height


def parse_seed(text: str) -> int:
    """The seed that a text says. Raises ValueError."""
    if not re.fullmatch(r"\s*[+-]?\d{1,30}\s*", text):
        raise ValueError(f"seed must be a whole number, such as 7, not {text!r}")
    return int(text)


def parse_lora(text: str) -> LoraUse:
    """The LoRA and strength of a text such as "watercolour:0.8"; without a strength, 1. Raises ValueError."""
    name, colon, strength = text.strip().partition(":")
    try:
        return LoraUse(name, float(strength) if colon else 1.0)
    except ValueError as error:
        raise ValueError(f"a LoRA is NAME or NAME:STRENGTH, such as watercolour:0.8, not {text!r}") from error


def default_output(prompt: str, folder: Path) -> Path:
    """A file name made of the prompt's first words that is not taken yet."""
    slug = "-".join(re.findall(r"[a-z0-9]+", prompt.lower())[:8])[:60] or "video"
    path, number = folder / f"{slug}.mp4", 2
    while path.exists():
        path, number = folder / f"{slug}-{number}.mp4", number + 1
    return path


def changed_loras(request: Request, metadata: Mapping[str, Any]) -> list[str]:
    """The LoRAs that are other files now than when the --like file was made, by the record of the new clip."""
    now = metadata.get("lora_digests") or {}
    return [name for name, digest in request.lora_digests.items() if now.get(name, digest) != digest]


def _earlier_timeline(like: Path | None, record: dict[str, Any]) -> Timeline | None:
    if like is None:
        return None
    try:
        return Timeline.from_dict(record["timeline"])
    except ValueError as error:
        raise NoProvenance(f"{like} was made by another version of Daybreak: {error}") from error


def _spec(asked: Asked, earlier: VideoSpec | None) -> VideoSpec:
    width, height = parse_size(asked.size) if asked.size else (earlier.width, earlier.height) if earlier else BUCKETS[0]
    fps = asked.fps if asked.fps is not None else earlier.fps if earlier else DEFAULT_FPS
    if asked.seconds is not None:
        num_frames = frames_for(asked.seconds, fps)
    elif earlier and fps == earlier.fps:
        num_frames = earlier.num_frames
    else:
        num_frames = frames_for(earlier.seconds if earlier else DEFAULT_SECONDS, fps)
    return VideoSpec(num_frames, height, width, fps)


def _settings(asked: Asked, earlier: GenerationSettings | None) -> GenerationSettings:
    settings = earlier or GenerationSettings(seed=secrets.randbits(_SEED_BITS))
    return GenerationSettings(
        seed=settings.seed if asked.seed is None else parse_seed(asked.seed),
        num_inference_steps=settings.num_inference_steps if asked.steps is None else asked.steps,
        guidance_scale=settings.guidance_scale if asked.guidance is None else asked.guidance,
        loras=_loras(asked.loras, settings.loras),
        enhance_prompt=settings.enhance_prompt if asked.enhance is None else asked.enhance,
        generate_audio=settings.generate_audio if asked.audio is None else asked.audio,
        step_cache=settings.step_cache if asked.step_cache is None else asked.step_cache,
    )


def _loras(asked: tuple[str, ...], earlier: tuple[LoraUse, ...]) -> tuple[LoraUse, ...]:
    if asked == ("none",):
        return ()
    return tuple(parse_lora(text) for text in asked) or earlier


def _image_pin(image: Path) -> Pin:
    load_image(image)  # an unreadable one is refused before a model is loaded
    return Pin(str(image), sha256=_digest(image))


def _check_same_media(pin: Pin) -> None:
    path = Path(pin.media)
    if not path.is_file() or (pin.sha256 and _digest(path) != pin.sha256):
        state = "has changed since" if path.is_file() else "is no longer there"
        raise ValueError(f"the image {path} that the clip started from {state}: give it with --image")


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
