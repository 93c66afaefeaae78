"""From a timeline to a finished file: the one road that every way of asking takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from daybreak import __version__
from daybreak.catalog import ModelCard
from daybreak.engines.protocol import Engine, refuse_unsupported
from daybreak.generation import GenerationSettings, OnStep, Video
from daybreak.media.encode import check_target, encode_video
from daybreak.media.fit import conform
from daybreak.timeline import Timeline

_ROOM = 8 * 2**20  # bytes that must be free before compute is spent on a clip


def open_engine(card: ModelCard) -> Engine:
    """The engine that runs the model of a card; weights load when it first generates."""
    if card.procedural:
        from daybreak.engines.diorama import DioramaEngine

        return DioramaEngine()
    from daybreak.engines.native import NativeEngine

    return NativeEngine(card)


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
    when `path` cannot be written to; in no case is a partial file left.
    """
    refuse_unsupported(engine, timeline, settings)
    check_target(path, needed=_ROOM)
    video = conform(engine.generate(timeline, settings, on_step), timeline.spec)
    record = {**video.metadata, **provenance(engine, timeline, settings), **(extra or {})}
    video = replace(video, metadata=record)
    encode_video(video, path)
    return video
