"""From a timeline to a finished file: the one road that every way of asking takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from daybreak import __version__
from daybreak.catalog import DIFFUSERS_ENGINE, REMOTE_ENGINE, ModelCard
from daybreak.engines.protocol import Engine, refuse_unsupported
from daybreak.generation import InvalidOutput, OnStep, State, Unsupported, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.media.edit import PinnedSpan, paste_pinned, trim
from daybreak.media.encode import check_target, encode_video
from daybreak.media.fit import conform
from daybreak.media.probe import decode_video
from daybreak.open_models.families import PIPELINES, WAN
from daybreak.settings import load_settings
from daybreak.stages import stage
from daybreak.timeline import Pin, Timeline

Stage = Literal["generating", "encoding"]
_ROOM = 8 * 2**20  # bytes that must be free before compute is spent on a clip
_FLAT = 2  # levels of 255: a clip whose lightest and darkest value are no further apart shows nothing


def open_engine(card: ModelCard, models_dir: Path | None = None) -> Engine:
    """The engine that runs the model of a card; weights load when it first generates.

    LoRAs are those installed beside `models_dir`; without it there are none.
    """
    if card.procedural:
        from daybreak.engines.diorama import DioramaEngine

        return DioramaEngine()
    if card.engine == REMOTE_ENGINE:
        from daybreak.engines.remote import open_remote

        return open_remote(card)
    if card.engine == DIFFUSERS_ENGINE:
        from daybreak.engines.diffusers import DiffusersEngine

        general = DiffusersEngine(card, models_dir=models_dir)
        return _native_wan(card, general, models_dir) or general
    from daybreak.engines.native import NativeEngine

    return NativeEngine(card, models_dir=models_dir)


def _native_wan(card: ModelCard, general: Engine, models_dir: Path | None) -> Engine | None:
    """Our own engine for a Wan checkpoint that it can run, unless the owner wants diffusers."""
    settings = load_settings()
    if PIPELINES[card.details["pipeline"]].family is not WAN or settings.wan_engine == "diffusers":
        return None
    from daybreak.engines.wan import WanEngine
    from daybreak.engines.wan_support import why_not

    if why_not(card):
        return None
    return WanEngine(card, general, precision=settings.wan_precision, models_dir=models_dir)


def provenance(engine: Engine, timeline: Timeline, settings: GenerationSettings) -> dict[str, Any]:
    """The record that a clip's file carries: enough to make the same clip again."""
    return {
        "daybreak": __version__,
        "model": engine.name,
        "procedural": engine.procedural,
        "timeline": timeline.to_dict(),
        "settings": settings.to_dict(),
    }


def produce_video(
    engine: Engine,
    timeline: Timeline,
    settings: GenerationSettings,
    path: Path,
    on_step: OnStep,
    extra: Mapping[str, Any] | None = None,
) -> Video:
    """Generates the clip, makes it exactly what the timeline says and writes it to `path`; returns what was written.

    `extra` is added to the record that the file carries. Raises Unsupported before any work, ValueError or OutOfSpace
    when `path` cannot be written to, InvalidOutput for a clip that shows nothing; in no case is a partial file left.
    """
    refuse_unsupported(engine, timeline, settings)
    check_target(path, needed=_ROOM)
    video = generate_clip(engine, timeline, settings, on_step)
    record = {**video.metadata, **provenance(engine, timeline, settings), **(extra or {})}
    video = replace(video, metadata=record)
    with stage("encoding the file"):
        encode_video(video, path)
    return video


def generate_clip(
    engine: Engine,
    timeline: Timeline,
    settings: GenerationSettings,
    on_step: OnStep,
    resume: State | None = None,
    on_made: Callable[[], None] = lambda: None,
) -> Video:
    """The clip, exactly of the timeline's size, length and rate, with the frames of the videos that are kept as they
    are. `on_made` is called when the engine is done. Raises InvalidOutput for a clip that shows nothing.
    """
    with stage("the engine besides"):
        made = engine.generate(timeline, settings, on_step, resume)
    on_made()
    if not engine.procedural and shows_nothing(made):
        raise InvalidOutput(f"all {made.num_frames} frames are of one colour")
    with stage("fitting to the size"):
        video = conform(made, timeline.spec)
    kept = [span for pin in timeline.pins if (span := _kept_span(pin, timeline)) is not None]
    return paste_pinned(video, kept) if kept else video


def shows_nothing(video: Video) -> bool:
    """Whether every pixel of every frame is of one colour, as far as anybody can see."""
    first = video.frames[0, 0, 0]
    if any(abs(int(value) - int(first[channel])) > _FLAT for channel, value in enumerate(video.frames[-1, -1, -1])):
        return False
    return all(int(plane.max()) - int(plane.min()) <= _FLAT for plane in (video.frames[..., c] for c in range(3)))


def _kept_span(pin: Pin, timeline: Timeline) -> PinnedSpan | None:
    """The span in which a pin's own frames are seen: a video's, held at full strength."""
    if pin.kind != "video" or min(pin.strength, pin.last_strength) < 1:
        return None
    source = decode_video(Path(pin.media))
    if round(pin.media_start * source.fps) >= source.num_frames:
        raise Unsupported(f"a source is {source.seconds:g} s long: nothing is left after {pin.media_start:g} s")
    end = timeline.seconds if pin.end is None else min(pin.end, timeline.seconds)
    return PinnedSpan(trim(source, pin.media_start) if pin.media_start else source, pin.start, end)
