"""The native engine for Wan 2.1 and 2.2: published weights through our own transformer, VAE and sampler.

What it does as diffusers does, to the rounding of its arithmetic: the same seed is the same clip. A step is a step of
the sampler, decoding is one more; a job that is taken up again goes on from its last step. What it does not do is left
to the engine that it is given beside the card: clips that do not fit in memory in one piece, and LoRAs that are more
than matrices.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from daybreak.catalog import ModelCard
from daybreak.engines.abilities import Ability
from daybreak.engines.loras import chosen_loras, mix_key, mix_record
from daybreak.engines.lowering import Task, lower
from daybreak.engines.machine import is_out_of_memory
from daybreak.engines.protocol import Engine
from daybreak.generation import InvalidOutput, OnStep, State, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.open_models.families import PIPELINES, ways_of
from daybreak.open_models.layout import INDEX_FILE, read_index, read_json
from daybreak.timeline import Timeline

if TYPE_CHECKING:
    from daybreak.engines.wan_checkpoint import WanParts
    from daybreak.engines.wan_clip import Clip
    from daybreak.engines.wan_loras import Mixed
    from daybreak.open_models.loras import LoraCard


class WanEngine:
    """Runs one installed checkpoint; its weights load with the first clip and stay loaded.

    `general` is the engine that runs whatever this one leaves to it, from the same card. `precision` "auto" is what the
    device is quickest at without a loss; "int8" is quicker on a processor, and less exact. LoRAs are those installed
    beside `models_dir`.
    """

    procedural = False

    def __init__(
        self,
        card: ModelCard,
        general: Engine,
        device: str = "auto",
        precision: str = "auto",
        models_dir: Path | None = None,
    ) -> None:
        self.name = card.name
        self.abilities: frozenset[Ability] = general.abilities
        self._card, self._general, self._device, self._precision = card, general, device, precision
        self._models_dir = models_dir
        self._parts: WanParts | None = None
        self._mixed: Mixed | None = None  # what is in the weights

    def generate(
        self, timeline: Timeline, settings: GenerationSettings, on_step: OnStep, resume: State | None = None
    ) -> Video:
        """The clip at a size and rate of the model's. Raises EngineFailed, Unsupported, InvalidOutput."""
        chosen = chosen_loras(settings.loras, self.name, self._models_dir)
        mixed = self._mix(chosen)
        if mixed is None:
            self._parts = None  # two copies of the weights may be more than there is room for
            return self._general.generate(timeline, settings, on_step)
        task = lower(self._card, timeline, self._ways())
        if task.kept is not None and task.spec.num_frames <= 1:
            return Video(task.kept, task.spec.fps)
        try:
            video = self._run(task, timeline, settings, on_step, resume, mixed)
            return replace(video, metadata={**video.metadata, **mix_record(chosen)})
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        self._parts = None
        from daybreak.engines.checkpoints import free_memory

        free_memory()  # not in the except block: its exception would hold on to what filled the memory
        return self._general.generate(timeline, settings, on_step)

    def _mix(self, chosen: Sequence[tuple[LoraCard, float]]) -> Mixed | None:
        """What is to be in the weights; None for LoRAs that are left to the general engine."""
        from daybreak.engines.wan_loras import Mixed, mix_of

        if not chosen:
            return Mixed()
        if self._mixed is not None and self._mixed.key == mix_key(chosen):
            return self._mixed
        assert self._card.path is not None
        experts = 2 if (self._card.path / "transformer_2").is_dir() else 1
        return mix_of(chosen, str(self._card.details["pipeline"]), experts)

    def _ways(self) -> Any:
        assert self._card.path is not None
        index = read_json(self._card.path / INDEX_FILE, INDEX_FILE)
        pipeline, components = read_index(index)
        return ways_of(pipeline, index, frozenset(components))

    def _run(
        self,
        task: Task,
        timeline: Timeline,
        settings: GenerationSettings,
        on_step: OnStep,
        resume: State | None,
        mixed: Mixed,
    ) -> Video:
        import torch

        from daybreak.engines.wan_clip import Clip

        details, family = self._card.details, PIPELINES[self._card.details["pipeline"]].family
        steps = settings.num_inference_steps or int(details.get("num_inference_steps", family.steps))
        guidance = settings.guidance_scale
        if guidance is None:
            guidance = float(details.get("guidance_scale", family.guidance))
        parts = self._loaded(mixed)
        with torch.inference_mode():
            clip = Clip(parts, task, self._on(), steps, guidance, settings.seed, settings.step_cache or 0.0)
            signature = self._signature(timeline, settings, parts.precision, mixed)
            if resume is not None and bytes(resume.get("signature", np.zeros(0))) == signature:
                clip.take_up(resume)
            clip.prompt(timeline.prompt, timeline.negative_prompt or "", family.prompt_tokens)
            total = clip.steps_to_do + 1
            while clip.done < clip.steps_to_do:
                clip.step()
                on_step(clip.done, total, None, _saved(clip, signature))
            frames = clip.frames()
        if task.kept is not None:
            frames = np.concatenate([task.kept, frames[1:]])
        on_step(total, total)
        used = {
            "num_inference_steps": steps, "guidance_scale": guidance, "pipeline": details["pipeline"],
            "engine": "native", "precision": parts.precision,
        }  # fmt: skip
        return Video(frames, task.spec.fps, metadata=used)

    def _on(self) -> str:
        import torch

        if self._device != "auto":
            return self._device
        return "cuda" if torch.cuda.is_available() else "cpu"

    def _loaded(self, mixed: Mixed) -> WanParts:
        """The checkpoint with exactly these LoRAs in it; for another mix only the transformers are read anew."""
        from daybreak.engines.wan_checkpoint import load_parts, reload_experts

        parts, int8 = self._parts, self._precision == "int8"
        self._parts = None  # until it is whole again
        if parts is None:
            parts = load_parts(self._card, self._on(), int8=int8, mixes=mixed.experts)
        elif self._mixed is None or self._mixed.key != mixed.key:
            reload_experts(parts, self._card, mixed.experts)
        self._parts, self._mixed = parts, mixed
        return parts

    def _signature(self, timeline: Timeline, settings: GenerationSettings, precision: str, mixed: Mixed) -> bytes:
        """What a state must be of to be gone on from: this clip, by this model, in this arithmetic."""
        plain = (self._card.digest(), timeline.to_dict(), settings.to_dict(), precision, self._on(), mixed.key)
        return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).digest()


def _saved(clip: Clip, signature: bytes) -> Callable[[], State]:
    """The state after the step just done, worked out when asked for."""
    return lambda: {**clip.state(), "signature": np.frombuffer(signature, np.uint8)}


def check_finite(pixels: Any) -> None:
    """Raises InvalidOutput for a tensor with numbers that are not finite."""
    if not pixels.isfinite().all():
        raise InvalidOutput("its pixels are not finite numbers")
