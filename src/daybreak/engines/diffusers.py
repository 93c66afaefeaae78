"""The diffusers engine: open models through their published pipelines.

A step is a step of the sampler, decoding is one more; whoever cancels does so within one. Weights are bfloat16 where
the processor is quick at it, and lie where there is room for them: everything on the GPU, one part at a time, or piece
by piece. When memory runs out the next thriftier way is tried, then the clip is refused with one that would fit.
A job that is taken up again starts at its first step: samplers here have no state that could be kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from daybreak.catalog import ModelCard
from daybreak.engines.abilities import Ability, abilities_of
from daybreak.engines.loras import chosen_loras, load_into, mix_key, mix_record
from daybreak.engines.lowering import Task, lower
from daybreak.engines.machine import is_out_of_memory, measure
from daybreak.generation import Audio, EngineFailed, Frames, InvalidOutput, OnStep, State, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.open_models.families import HUNYUAN, LTX2, PIPELINES, SANA, Family, ways_of
from daybreak.open_models.layout import INDEX_FILE, read_index, read_json
from daybreak.open_models.memory import need, smaller
from daybreak.shapes import VideoSpec
from daybreak.timeline import Timeline

if TYPE_CHECKING:
    from daybreak.engines.checkpoints import Checkpoint
    from daybreak.open_models.loras import LoraCard

_PLACES = ("whole", "offloaded", "streamed")  # from quick to thrifty
_DECODED = 512  # bytes that a pixel of a clip takes while it is decoded without tiles


class DiffusersEngine:
    """Runs one installed checkpoint; its weights load with the first clip and stay loaded."""

    procedural = False

    def __init__(self, card: ModelCard, device: str = "auto", models_dir: Path | None = None) -> None:
        self.name = card.name
        self.abilities: frozenset[Ability] = abilities_of(card)
        self._card, self._device, self._models_dir = card, device, models_dir
        self._checkpoint: Checkpoint | None = None
        self._placed: tuple[str, str] | None = None  # the pipeline and the place that the weights are in
        self._mix: tuple[object, ...] = ()  # the LoRAs that are loaded into the weights

    def generate(
        self,
        timeline: Timeline,
        settings: GenerationSettings,
        on_step: OnStep,
        resume: State | None = None,  # noqa: ARG002 - it starts again
    ) -> Video:
        """The clip at a size and rate of the model's. Raises EngineFailed, Unsupported, InvalidOutput."""
        ways = self._ways()
        task = lower(self._card, timeline, ways)
        if task.kept is not None and task.spec.num_frames <= 1:
            return Video(task.kept, task.spec.fps)
        for place, tiled in self._attempts(task.spec):
            try:
                return self._run(ways[task.way], task, timeline, settings, on_step, place, tiled=tiled)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            self._forget()  # not in the except block: its exception would hold on to what filled the memory
        raise EngineFailed("out_of_memory", self._too_large(timeline.spec, task.spec))

    def _ways(self) -> Mapping[Any, str]:
        assert self._card.path is not None
        index = read_json(self._card.path / INDEX_FILE, INDEX_FILE)
        pipeline, components = read_index(index)
        return ways_of(pipeline, index, frozenset(components))

    def _attempts(self, spec: VideoSpec) -> list[tuple[str, bool]]:
        """Where the weights may lie for a clip and whether it is decoded in tiles: the quickest first."""
        from daybreak.engines.checkpoints import entry_of

        machine = measure()
        clip = spec.num_frames * spec.width * spec.height * _DECODED
        if self._on() == "cpu":
            tiled = clip > machine.memory / 2
            return [("whole", tiled)] if tiled else [("whole", False), ("whole", True)]
        free = machine.gpu + self._held()
        needed = need(entry_of(self._card), spec.width, spec.height, spec.seconds)
        first = 0 if free >= needed.whole else 1 if free >= needed.offloaded else 2
        tiled = first > 0 or clip > free / 2
        return [(_PLACES[first], tiled), *((place, True) for place in _PLACES[first + 1 :])]

    def _on(self) -> str:
        import torch

        if self._device != "auto":
            return self._device
        return "cuda" if torch.cuda.is_available() else "cpu"

    def _held(self) -> int:
        """Bytes of the GPU that this engine's own weights take already."""
        import torch

        return torch.cuda.memory_reserved() if self._checkpoint is not None else 0

    def _run(
        self,
        class_name: str,
        task: Task,
        timeline: Timeline,
        settings: GenerationSettings,
        on_step: OnStep,
        place: str,
        *,
        tiled: bool,
    ) -> Video:
        import torch

        chosen = chosen_loras(settings.loras, self.name, self._models_dir)
        pipeline = self._pipeline(class_name, place, tiled=tiled)
        self._mix_in(pipeline, chosen)
        family = PIPELINES[self._card.details["pipeline"]].family
        details = self._card.details
        steps = settings.num_inference_steps or int(details.get("num_inference_steps", family.steps))
        guidance = settings.guidance_scale
        if guidance is None:
            guidance = float(details.get("guidance_scale", family.guidance))
        call = _arguments(pipeline, family, task, timeline, steps, guidance)
        report = _Report(on_step, max(1, math.ceil(steps * task.change)) if task.way == "video" else steps)
        report.watch(pipeline, call)
        # Noise is drawn on the CPU, so that a seed means the same clip on every device.
        call["generator"] = torch.Generator("cpu").manual_seed(settings.seed)
        try:
            with torch.inference_mode():
                made = pipeline(**call)
        except BaseException:
            pipeline.maybe_free_model_hooks()
            raise
        frames = _frames(made.frames)
        if task.kept is not None:
            frames = np.concatenate([task.kept, frames[1:]])
        audio, rate = _sound(made, pipeline)
        report.done()
        used = {"num_inference_steps": steps, "guidance_scale": guidance, "pipeline": class_name, **mix_record(chosen)}
        return Video(frames, task.spec.fps, audio, rate, used)

    def _mix_in(self, pipeline: Any, chosen: Sequence[tuple[LoraCard, float]]) -> None:
        """Makes the weights those of the model with exactly this mix of LoRAs. Raises EngineFailed."""
        key = mix_key(chosen)
        if key == self._mix:
            return
        if self._mix:
            pipeline.unload_lora_weights()  # all pipelines of a checkpoint share its parts
            self._mix = ()
        if chosen:
            load_into(pipeline, chosen)
            self._mix = key

    def _pipeline(self, class_name: str, place: str, *, tiled: bool) -> Any:
        """The pipeline with its weights where they are to be."""
        from daybreak.engines.checkpoints import load_checkpoint

        if self._checkpoint is None or (self._placed is not None and self._placed[1] != place):
            self._forget()
            self._checkpoint = load_checkpoint(self._card, number_kind(self._on(), self._card))
        pipeline = self._checkpoint.pipeline(class_name)
        device = self._on()
        if device != "cpu" and self._placed != (class_name, place):
            if place == "whole":
                pipeline.to(device)
            elif place == "offloaded":
                pipeline.enable_model_cpu_offload(device=device)
            else:
                pipeline.enable_sequential_cpu_offload(device=device)
        self._placed = (class_name, place)
        if hasattr(pipeline.vae, "enable_tiling"):
            (pipeline.vae.enable_tiling if tiled else pipeline.vae.disable_tiling)()
        return pipeline

    def _forget(self) -> None:
        from daybreak.engines.checkpoints import free_memory

        self._checkpoint, self._placed, self._mix = None, None, ()
        free_memory()

    def _too_large(self, asked: VideoSpec, made: VideoSpec) -> str:
        from daybreak.engines.checkpoints import entry_of

        machine = measure()
        other = smaller(entry_of(self._card), machine, made.width, made.height, asked.seconds)
        if other is None or other[2] >= asked.seconds:
            other = (made.width, made.height, round(asked.seconds / 2, 2))
        free = machine.gpu if self._on() != "cpu" else machine.memory
        return (
            f"there was not enough memory for {made.width}x{made.height} and {asked.seconds:g} s with {self.name!r} "
            f"({free / 2**30:.1f} GiB are free): {other[0]}x{other[1]} and {other[2]:g} s should fit"
        )


class _Report:
    """Tells of steps, whichever way the pipeline has of telling us."""

    def __init__(self, on_step: OnStep, steps: int) -> None:
        self._on_step, self._steps, self._done = on_step, steps, 0

    def watch(self, pipeline: Any, call: dict[str, Any]) -> None:
        """Makes the call report each step."""
        if "callback_on_step_end" in parameters_of(pipeline):
            call["callback_on_step_end"] = self._after
        else:
            pipeline.progress_bar = lambda *_, **__: self  # the only thing that such a pipeline tells

    def done(self) -> None:
        """The clip is decoded."""
        self._on_step(self._steps + 1, self._steps + 1)

    def update(self, *_: Any) -> None:
        self._done = min(self._done + 1, self._steps)
        self._on_step(self._done, self._steps + 1)

    def __enter__(self) -> _Report:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def _after(self, _pipeline: Any, _step: int, _moment: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        self.update()
        return tensors


def parameters_of(pipeline: Any) -> frozenset[str]:
    """The names of what a pipeline's call takes."""
    call: Any = type(pipeline).__call__
    code = getattr(call, "__wrapped__", call).__code__
    return frozenset(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def number_kind(device: str, card: ModelCard) -> Any:
    """The type of a model's weights: bfloat16 where it is quick, or where float32 would not fit."""
    import torch

    if device != "cpu":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    quick = torch.cpu._is_avx512_bf16_supported() if hasattr(torch.cpu, "_is_avx512_bf16_supported") else False
    roomy = 2.2 * card.size < measure().memory
    return torch.float32 if not quick and roomy else torch.bfloat16


def _arguments(
    pipeline: Any, family: Family, task: Task, timeline: Timeline, steps: int, guidance: float
) -> dict[str, Any]:
    """What a pipeline is called with."""
    spec = task.spec
    call: dict[str, Any] = {
        "prompt": timeline.prompt,
        "negative_prompt": timeline.negative_prompt or ("" if family is SANA else None),
        "width": spec.width,
        "height": spec.height,
        "num_frames": spec.num_frames,
        "frames": spec.num_frames,
        "frame_rate": spec.fps if family is LTX2 else round(spec.fps),
        "num_inference_steps": steps,
        "guidance_scale": guidance,
        "max_sequence_length": prompt_tokens(pipeline, family),
        "output_type": "np",
    }
    if task.first is not None:
        call["image"] = _image(task.first)
    if task.last is not None:
        call["last_image"] = _image(task.last)
    if task.source is not None:
        call |= {"video": [_image(frame) for frame in task.source], "strength": task.change}
    if task.conditions:
        call["conditions"] = _conditions(task)
    if family is SANA:
        call["use_resolution_binning"] = False
    if family is LTX2:
        layers = int(pipeline.transformer.config.num_layers)
        call["spatio_temporal_guidance_blocks"] = [min(28, layers - 1)]
    if family is HUNYUAN:
        pipeline.guider = pipeline.guider.new(guidance_scale=guidance)
    taken = parameters_of(pipeline)
    return {name: value for name, value in call.items() if name in taken}


def prompt_tokens(pipeline: Any, family: Family) -> int:
    """How long a prompt may be: what the family was trained with, or less where this checkpoint takes less."""
    config, tokenizer = pipeline.transformer.config, pipeline.tokenizer
    limits = [getattr(config, name, None) for name in ("max_text_seq_length", "max_sequence_length")]
    limits.append(getattr(tokenizer, "model_max_length", None))
    return min(family.prompt_tokens, *(int(limit) for limit in limits if limit))


def _conditions(task: Task) -> list[Any]:
    from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition

    made = []
    for each in task.conditions:
        pictures = [_image(frame) for frame in each.frames]
        held: dict[str, Any] = {"image": pictures[0]} if len(pictures) == 1 else {"video": pictures}
        made.append(LTXVideoCondition(**held, frame_index=each.first, strength=each.strength))
    return made


def _image(frame: Frames) -> Any:
    from PIL import Image

    return Image.fromarray(np.ascontiguousarray(frame))


def _frames(made: Any) -> Frames:
    """(F, H, W, 3) uint8 of what a pipeline gave: (1, F, H, W, 3), 0 to 1. Raises InvalidOutput."""
    pixels = np.asarray(made)[0]
    if not np.isfinite(pixels).all():
        raise InvalidOutput("its pixels are not finite numbers")
    frames: Frames = np.round(pixels.clip(0, 1) * 255).astype(np.uint8)
    return frames


def _sound(made: Any, pipeline: Any) -> tuple[Audio | None, int]:
    """(2, N) and its rate, where the model makes sound. Raises InvalidOutput."""
    sound = getattr(made, "audio", None)
    if sound is None:
        return None, 48_000
    samples = np.asarray(sound.float().cpu() if hasattr(sound, "cpu") else sound, np.float32)
    samples = samples.reshape(-1, samples.shape[-1])[:2]
    if not np.isfinite(samples).all():
        raise InvalidOutput("its sound is not finite numbers")
    both = np.broadcast_to(samples, (2, samples.shape[-1])) if len(samples) == 1 else samples
    return np.ascontiguousarray(both.clip(-1, 1)), int(pipeline.vocoder.config.output_sampling_rate)
