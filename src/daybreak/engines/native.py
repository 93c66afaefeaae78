"""The native engine: Daybreak's own text encoder, transformer and VAE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from daybreak.catalog import ModelCard
from daybreak.engines.abilities import Ability, abilities_of, of_the_world
from daybreak.engines.canvas import lay_out
from daybreak.engines.world import (
    SAMPLE_RATE,
    in_captions,
    read_timeline,
    reading_record,
    shot_frames,
    soundtrack,
)
from daybreak.generation import OnStep, State, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.shapes import NATIVE_FPS, VideoSpec, native_spec
from daybreak.stages import stage
from daybreak.timeline import Timeline

if TYPE_CHECKING:
    from daybreak.open_models.loras import LoraCard
    from daybreak.pipeline import Pipeline


class NativeEngine:
    """Runs one installed model; its weights load with the first clip and stay loaded, as does the last mix of LoRAs.

    LoRAs are those installed beside `models_dir`.
    """

    procedural = False

    def __init__(self, card: ModelCard, device: str = "auto", models_dir: Path | None = None) -> None:
        self.name = card.name
        self.abilities: frozenset[Ability] = abilities_of(card)
        self._card = card
        self._device, self._models_dir = device, models_dir
        self._pipeline: Pipeline | None = None
        self._mixed: tuple[object, Pipeline] | None = None

    def generate(
        self, timeline: Timeline, settings: GenerationSettings, on_step: OnStep, resume: State | None = None
    ) -> Video:
        """The generated clip, at the model's native size and frame rate.

        A model of the Diorama world is told every prompt in the world's words, and its clips get the sound of the
        scenes, unless the settings say no; both are in the record.
        """
        from daybreak.engines.loras import chosen_loras, mix_record

        chosen = chosen_loras(settings.loras, self.name, self._models_dir)
        pipeline = self._with(chosen) if chosen else self._loaded()
        from daybreak.pipeline import Canvas, empty_canvas

        spec = clip_spec(timeline.spec)
        canvas = Canvas(*lay_out(timeline.pins, spec)) if timeline.pins else empty_canvas(spec)
        words = self._card.details.get("words")  # none: it knows all of the world
        readings = read_timeline(timeline, settings.seed, words) if of_the_world(self._card) else []
        enhanced = bool(readings) and settings.enhance_prompt is not False
        told = in_captions(timeline, readings) if enhanced else timeline
        video = pipeline(told, settings, on_step, canvas, resume)
        if readings and settings.generate_audio is not False:
            with stage("making the sound"):
                spans = shot_frames(timeline, video.num_frames, video.fps)
                sound = soundtrack(readings, spans, video.fps, video.width / video.height, settings.seed)
            video = replace(video, audio=sound, sample_rate=SAMPLE_RATE)
        record = {**mix_record(chosen), **reading_record(readings, enhanced=enhanced)}
        return replace(video, metadata={**video.metadata, **record})

    def _with(self, chosen: Sequence[tuple[LoraCard, float]]) -> Pipeline:
        """The pipeline with a mix merged into copies of the weights that it changes; the model's own stay."""
        from daybreak.engines.loras import mix_key, read_native
        from daybreak.models.lora import with_low_rank
        from daybreak.pipeline import Pipeline

        key = mix_key(chosen)
        if self._mixed is None or self._mixed[0] != key:
            self._mixed = None  # its copies are freed before new ones are made
            plain = self._loaded()
            with stage("mixing the LoRAs"):
                mixed = [(read_native(card), strength) for card, strength in chosen]
                transformer = with_low_rank(plain.components.transformer, mixed)
                # The card is part of what a saved state must be of: one of another mix is not gone on from.
                card = {**plain.components.card, "loras": key}
                parts = replace(plain.components, transformer=transformer, card=card)
                self._mixed = (key, Pipeline(parts, plain.device))
        return self._mixed[1]

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
