"""The native engine: Daybreak's own text encoder, transformer and VAE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daybreak.catalog import ModelCard
from daybreak.engines.canvas import lay_out
from daybreak.engines.protocol import Ability
from daybreak.generation import GenerationSettings, OnStep, Video
from daybreak.shapes import native_spec
from daybreak.timeline import Timeline

if TYPE_CHECKING:
    from daybreak.pipeline import Pipeline


class NativeEngine:
    """Runs one installed model; its weights load with the first clip and stay loaded."""

    procedural = False
    abilities: frozenset[Ability] = frozenset(
        {"image_pin", "video_pin", "later_pin", "partial_strength", "negative_prompt", "steps", "guidance"}
    )

    def __init__(self, card: ModelCard, device: str = "auto") -> None:
        self.name = card.name
        self._card = card
        self._device = device
        self._pipeline: Pipeline | None = None

    def generate(self, timeline: Timeline, settings: GenerationSettings, on_step: OnStep) -> Video:
        """The generated clip, at the model's native size and frame rate."""
        pipeline = self._loaded()
        if not timeline.pins:
            return pipeline(timeline, settings, on_step)
        from daybreak.pipeline import Canvas

        return pipeline(timeline, settings, on_step, Canvas(*lay_out(timeline.pins, native_spec(timeline.spec))))

    def _loaded(self) -> Pipeline:
        if self._pipeline is None:
            from daybreak.pipeline import load_pipeline

            assert self._card.path is not None
            self._pipeline = load_pipeline(self._card.path, device=self._device)
        return self._pipeline
