"""The native engine: Daybreak's own text encoder, transformer and VAE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from daybreak.catalog import ModelCard
from daybreak.engines.abilities import NATIVE_ABILITIES, Ability
from daybreak.engines.canvas import lay_out
from daybreak.generation import OnStep, State, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.shapes import NATIVE_FPS, VideoSpec, native_spec
from daybreak.stages import stage
from daybreak.timeline import Timeline

if TYPE_CHECKING:
    from daybreak.pipeline import Pipeline


class NativeEngine:
    """Runs one installed model; its weights load with the first clip and stay loaded."""

    procedural = False
    abilities: frozenset[Ability] = NATIVE_ABILITIES

    def __init__(self, card: ModelCard, device: str = "auto") -> None:
        self.name = card.name
        self._card = card
        self._device = device
        self._pipeline: Pipeline | None = None

    def generate(
        self, timeline: Timeline, settings: GenerationSettings, on_step: OnStep, resume: State | None = None
    ) -> Video:
        """The generated clip, at the model's native size and frame rate."""
        pipeline = self._loaded()
        from daybreak.pipeline import Canvas, empty_canvas

        spec = clip_spec(timeline.spec)
        canvas = Canvas(*lay_out(timeline.pins, spec)) if timeline.pins else empty_canvas(spec)
        return pipeline(timeline, settings, on_step, canvas, resume)

    def _loaded(self) -> Pipeline:
        if self._pipeline is None:
            assert self._card.path is not None
            with stage("loading the model"):
                from daybreak.pipeline import load_pipeline

                self._pipeline = load_pipeline(self._card.path, device=self._device)
        return self._pipeline


def clip_spec(spec: VideoSpec) -> VideoSpec:
    """What the model makes for `spec`: its nearest size and its own rate, exactly as long, so that a cut, the end of a
    source or the end of a loop falls where it was asked for."""
    native = native_spec(spec)
    return VideoSpec(max(1, round(spec.seconds * NATIVE_FPS)), native.height, native.width, NATIVE_FPS)
