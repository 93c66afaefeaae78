"""What a timeline is for a model that makes one clip at a time from a prompt and, at most, a few pictures.

Nothing is dropped: what the model cannot start from is refused, with what it can.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from daybreak.catalog import ModelCard
from daybreak.engines.canvas import lay_out, span_of
from daybreak.generation import Frames, Unsupported
from daybreak.open_models.families import PIPELINES, Way
from daybreak.shapes import MAX_SIDE, MIN_SIDE, VideoSpec
from daybreak.timeline import Pin, Timeline

_FULL = 1 - 1e-6


@dataclass(frozen=True, slots=True)
class Condition:
    """Frames (F, H, W, 3) held from a frame of the clip on."""

    frames: Frames
    first: int
    strength: float


@dataclass(frozen=True, slots=True)
class Task:
    """One call of a pipeline: `spec` is what it makes, `kept` the frames that come before what it makes.

    The clip is `kept` and then what is made, without its first frame where something is kept: that one is the last
    kept frame again.
    """

    way: Way
    spec: VideoSpec
    first: Frames | None = None  # (H, W, 3)
    last: Frames | None = None
    source: Frames | None = None  # (F, H, W, 3), to be changed by `change`
    change: float = 1.0
    conditions: tuple[Condition, ...] = ()
    kept: Frames | None = None


def lower(card: ModelCard, timeline: Timeline, ways: Mapping[Way, str]) -> Task:
    """The call that makes a timeline. Raises Unsupported for what the model cannot start from."""
    spec = clip_spec(card, timeline.spec)
    pins = [pin for pin in timeline.pins if max(pin.strength, pin.last_strength) > 0]
    if not pins:
        if "text" not in ways:
            raise Unsupported(f"the model {card.name!r} starts from an image: give one")
        return Task("text", made_spec(card, spec))
    if "conditions" in ways:
        return Task("conditions", made_spec(card, spec), conditions=tuple(_condition(pin, spec) for pin in pins))
    videos = [pin for pin in pins if pin.kind == "video"]
    if not videos:
        return _from_images(card, pins, spec)
    if len(videos) > 1:
        raise Unsupported(f"the model {card.name!r} starts from one video, not from {len(videos)}")
    if min(videos[0].strength, videos[0].last_strength) < _FULL:
        return _from_video(card, pins, spec, ways)
    return _from_its_end(card, videos[0], [pin for pin in pins if pin.kind == "image"], spec, ways)


def clip_spec(card: ModelCard, asked: VideoSpec) -> VideoSpec:
    """The asked clip at a size and rate of the model's, as long as asked."""
    native = card.details.get("native", {})
    family = PIPELINES[card.details["pipeline"]].family
    fps = float(native.get("fps", family.fps))
    width, height = _size(native, asked, int(native.get("side_step", family.side_step)))
    return VideoSpec(max(1, round(asked.seconds * fps)), height, width, fps)


def made_spec(card: ModelCard, spec: VideoSpec) -> VideoSpec:
    """The same clip in a number of frames that the model can make: as many, or a few more."""
    step = PIPELINES[card.details["pipeline"]].family.frame_step
    frames = max(1, math.ceil((spec.num_frames - 1) / step)) * step + 1
    return VideoSpec(frames, spec.height, spec.width, spec.fps)


def _size(native: Mapping[str, object], asked: VideoSpec, step: int) -> tuple[int, int]:
    """(width, height): the asked shape, no smaller and no larger than what the model was trained on."""
    known = native.get("sizes") or []
    sizes = [tuple(map(int, str(text).split("x"))) for text in known] if isinstance(known, list) else []
    if native.get("fixed") and sizes:
        width, height = min(sizes, key=lambda size: abs(math.log(size[0] / size[1] / asked.aspect)))
        return width, height
    area = float(asked.width * asked.height)
    if sizes:
        areas = [width * height for width, height in sizes]
        area = min(max(area, min(areas)), max(areas))
    width, height = (area * asked.aspect) ** 0.5, (area / asked.aspect) ** 0.5
    least, most = math.ceil(MIN_SIDE / step) * step, MAX_SIDE // step * step
    across, down = (min(max(round(side / step) * step, least), most) for side in (width, height))
    return across, down


def _from_images(card: ModelCard, pins: list[Pin], spec: VideoSpec) -> Task:
    """Image to video: from the first frame, and to the last one where the model can."""
    made = made_spec(card, spec)
    first, last = _ends(card, pins, spec)
    if first is None:
        raise Unsupported(f"the model {card.name!r} starts from an image at 0 s: there is none")
    return Task("image", made, first=_picture(first, made), last=_picture(last, made) if last else None)


def _from_video(card: ModelCard, pins: list[Pin], spec: VideoSpec, ways: Mapping[Way, str]) -> Task:
    """Video to video: the whole source is changed, more or less."""
    (pin, *rest) = pins
    if rest or "video" not in ways or span_of(pin, spec) != (0, spec.num_frames) or pin.strength != pin.last_strength:
        raise Unsupported(
            f"the model {card.name!r} changes a source over the whole clip, all of it as much, or not at all"
        )
    frames, strengths, _ = lay_out((pin,), spec)
    made = made_spec(card, spec)
    held = max(1, int((strengths > 0).sum()))
    numbers = np.minimum(np.arange(made.num_frames), held - 1)  # a source that ends early stands still
    return Task("video", made, source=frames[numbers], change=1 - pin.strength)


def _from_its_end(card: ModelCard, pin: Pin, images: list[Pin], spec: VideoSpec, ways: Mapping[Way, str]) -> Task:
    """What comes after a video that is kept: made from its last frame."""
    if "image" not in ways or pin.start > 0:
        raise Unsupported(
            f"the model {card.name!r} cannot go on from a video like this: only from one that comes first"
        )
    frames, strengths, _ = lay_out((pin,), spec)
    held = int((strengths > 0).sum())
    kept = frames[:held]
    _, last = _ends(card, images, spec)
    rest = VideoSpec(spec.num_frames - held + 1, spec.height, spec.width, spec.fps)
    made = made_spec(card, rest)
    return Task("image", made, first=kept[-1], last=_picture(last, made) if last else None, kept=kept)


def _ends(card: ModelCard, pins: list[Pin], spec: VideoSpec) -> tuple[Pin | None, Pin | None]:
    """The images at the first and the last frame. Raises Unsupported for any other."""
    first = last = None
    for pin in pins:
        start, end = span_of(pin, spec)
        if start == 0 and end <= 1 and first is None:
            first = pin
        elif end >= spec.num_frames - 1 and start > 0 and last is None and "later_pin" in card.details["abilities"]:
            last = pin
        else:
            raise Unsupported(f"the model {card.name!r} takes an image as a first frame, and some a last one: no other")
        if min(pin.strength, pin.last_strength) < _FULL:
            raise Unsupported(f"the model {card.name!r} takes an image as it is: not at a strength below 1")
    return first, last


def _condition(pin: Pin, spec: VideoSpec) -> Condition:
    """A pin as frames from a frame on: whole latent frames, as these models take them."""
    if pin.strength != pin.last_strength:
        raise Unsupported("this model holds a pin at one strength from its start to its end")
    frames, strengths, _ = lay_out((pin,), spec)
    held = np.flatnonzero(strengths > 0)
    first = int(held[0]) // 8 * 8
    count = len(held) if pin.kind == "video" else 1
    count = max(1, (count - 1) // 8 * 8 + 1)
    return Condition(frames[held[0] : held[0] + count], first, pin.strength)


def _picture(pin: Pin, spec: VideoSpec) -> Frames:
    frames, strengths, _ = lay_out((Pin(pin.media, sha256=pin.sha256),), spec)
    picture: Frames = frames[int(strengths.argmax())]
    return picture
