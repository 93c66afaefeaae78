"""Components to a `Video`: a timeline is laid out as latent frames, some of them pinned, and denoised.

A clip longer than one training window is made window by window (`diffusion.windows`): each pins the last seconds of
what is known and goes on from there. A run that stopped after any step goes on from the state which that step
reported, and makes bit for bit the clip that it would have made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from daybreak.checkpoint import Components, load_components
from daybreak.diffusion.flow import add_noise
from daybreak.diffusion.guidance import Denoiser, guided
from daybreak.diffusion.samplers import euler
from daybreak.diffusion.schedule import shifted_schedule
from daybreak.diffusion.windows import WINDOW_FRAMES as WINDOW_FRAMES
from daybreak.diffusion.windows import Segment, Window, plan_windows, segments_of, window_frames
from daybreak.generation import Frames, InvalidOutput, OnStep, Preview, State, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.models.deblock import level_seams_
from daybreak.models.precision import autocast
from daybreak.models.step_cache import StepCache
from daybreak.models.text_encoder import TextEncoder
from daybreak.shapes import NATIVE_FPS, TEMPORAL_COMPRESSION, VideoSpec, latent_frames_for, native_spec
from daybreak.stages import stage
from daybreak.timeline import Timeline
from daybreak.tokenizer import Tokenizer

DEFAULT_STEPS = 30
DEFAULT_GUIDANCE = 4.0
DEFAULT_SHIFT = 40.0
FINITE_EVERY = 4  # steps between looks at whether all latents are still numbers
PREVIEW_LATENT_FRAMES = 2  # of a window: decoding them costs a fraction of what decoding all of it does


@dataclass(frozen=True, slots=True)
class Canvas:
    """What is known of a clip before it is made: frames (F, H, W, 3), and how strongly each is held (F,), 0 to 1.

    A latent frame is held as its least held pixel frame, unless one of them is in `points` (F,): that one then stands
    for all of it.
    """

    frames: Frames
    strengths: NDArray[np.float32]
    points: NDArray[np.bool_] | None = None


def empty_canvas(spec: VideoSpec) -> Canvas:
    """A canvas of `spec` on which nothing is known."""
    frames = np.zeros((spec.num_frames, spec.height, spec.width, 3), np.uint8)
    return Canvas(frames, np.zeros(spec.num_frames, np.float32))


class Pipeline:
    """A loaded model on one device."""

    def __init__(self, components: Components, device: torch.device) -> None:
        self.components, self.device = components, device

    def __call__(
        self,
        timeline: Timeline,
        settings: GenerationSettings,
        on_step: OnStep,
        canvas: Canvas | None = None,
        resume: State | None = None,
    ) -> Video:
        """The clip of the canvas; without one, at the bucket nearest in aspect, 24 fps, at least as long as asked.

        `canvas` holds the timeline's pins as pixels of that bucket and rate. A `resume` of another clip or model is
        not used. Raises whatever `on_step` raises, InvalidOutput for latents that are not finite, and Unsupported
        for a loop that is too short.
        """
        steps, guidance = self.choices(settings)
        known = canvas or empty_canvas(native_spec(timeline.spec))
        run = _Run(self, timeline, settings.seed, steps, guidance, settings.step_cache or 0.0, known)
        with torch.inference_mode(), autocast(self.device.type):
            frames = run.finish(on_step, resume)
        return Video(frames, NATIVE_FPS, metadata={"num_inference_steps": steps, "guidance_scale": guidance})

    def choices(self, settings: GenerationSettings) -> tuple[int, float]:
        """Steps and guidance scale: those asked for, else the model's own."""
        steps, guidance = settings.num_inference_steps, settings.guidance_scale
        if steps is None:
            steps = int(self.components.card.get("num_inference_steps", DEFAULT_STEPS))
        if guidance is None:
            guidance = float(self.components.card.get("guidance_scale", DEFAULT_GUIDANCE))
        return steps, guidance

    def schedule(self, steps: int) -> Tensor:
        """The sigmas of so many steps, spaced as the model's card says."""
        return shifted_schedule(steps, float(self.components.card.get("schedule_shift", DEFAULT_SHIFT)))

    def denoiser(
        self, prompt: str, negative_prompt: str, guidance_scale: float, cache: StepCache | None = None
    ) -> Denoiser:
        """The transformer, told what to show; with a `cache`, each call is a step of its own."""
        parts = self.components
        if cache is not None:

            def ask(*given: Tensor) -> Tensor:
                cache.next_step()
                velocities: Tensor = parts.transformer(*given, cache=cache)
                return velocities

        embeds, mask = encode_texts(parts.tokenizer, parts.text_encoder, [prompt, negative_prompt], self.device)
        transformer = parts.transformer if cache is None else ask
        return guided(transformer, (embeds[:1], mask[:1]), (embeds[1:], mask[1:]), guidance_scale)

    def latents(self, known: Canvas, seed: int) -> tuple[Tensor, Tensor]:
        """A window's latents before the first step (1, C, T, H, W), and their ceiling (1, T)."""
        frames, height, width = known.frames.shape[:3]
        vae = self.components.vae
        shape = (1, vae.config.latent_channels, latent_frames_for(frames), height // 32, width // 32)
        # Noise is drawn on the CPU, so that a seed means the same clip on every device.
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(self.device)
        ceiling = self.ceiling(known)
        if not known.strengths.any():
            return noise, ceiling
        return add_noise(vae.encode(self._pixels(known)).float(), noise, ceiling), ceiling

    def ceiling(self, known: Canvas) -> Tensor:
        """The highest sigma that each latent frame may have (1, T)."""
        return 1 - latent_strengths(known.strengths).to(self.device)[None]

    def decode(self, latents: Tensor) -> Frames:
        """Pixels (F, H, W, 3) of latents (1, C, T, H, W)."""
        vae = self.components.vae
        # A decoder that is a network alone makes no blocks that might not fit together.
        level = level_seams_ if vae.config.linear_decoder else torch.nn.Identity()
        # A few frames at a time: they then stay in the processor's cache from one pass to the next.
        pixels = torch.split(vae.decode(latents), TEMPORAL_COMPRESSION, 2)
        parts = [_to_bytes(level(part.float())[0]) for part in pixels]
        frames: Frames = torch.cat(parts).cpu().numpy()
        return frames

    def preview(self, latents: Tensor) -> Preview:
        """A function that decodes the first latent frames: every fourth frame at half the size."""

        def decode() -> Frames:
            with torch.inference_mode(), autocast(self.device.type):
                return self.decode(latents[:, :, :PREVIEW_LATENT_FRAMES])[::4, ::2, ::2]

        return decode

    def _pixels(self, known: Canvas) -> Tensor:
        """The canvas as pixels (1, 3, F, H, W); frames that nothing holds repeat the nearest held one."""
        held = np.flatnonzero(known.strengths > 0)
        nearest = held[np.abs(np.arange(len(known.frames))[:, None] - held).argmin(1)]
        pixels = torch.from_numpy(known.frames[nearest]).permute(3, 0, 1, 2)[None]
        return pixels.to(self.device).float() / 127.5 - 1


@dataclass(slots=True)
class _Run:
    """One clip while it is made. What a step changes is in the last six; a state is made of them.

    With a step cache, a run is taken up before the last step at which all blocks were asked, which needs nothing older.
    """

    pipeline: Pipeline
    timeline: Timeline
    seed: int
    steps: int
    guidance: float
    step_cache: float  # a threshold; 0: none
    canvas: Canvas
    segments: list[Segment] = field(init=False)
    plan: list[Window] = field(init=False)
    frames: Frames = field(init=False)
    strengths: NDArray[np.float32] = field(init=False)
    made: list[Tensor] = field(default_factory=list)  # the latents of each finished window
    cache: StepCache | None = None
    reached: tuple[int, Tensor | None] = (0, None)  # steps of this window that are done, and its latents then
    before_full: tuple[int, Tensor | None] = (0, None)  # the same, before the last step that asked all blocks

    def __post_init__(self) -> None:
        self.segments = segments_of(self.timeline, len(self.canvas.frames))
        self.plan = plan_windows(self.canvas.strengths, self.segments, loop=self.timeline.loop)
        self.frames, self.strengths = self.canvas.frames.copy(), self.canvas.strengths.copy()

    def finish(self, on_step: OnStep, resume: State | None) -> Frames:
        """The whole clip."""
        total = max(len(self.plan), 1) * (self.steps + 1)
        step, latents = self._take_up(resume) if resume else (0, None)
        for number, window in list(enumerate(self.plan))[len(self.made) :]:
            segment = self.segments[window.segment]
            self.cache = StepCache(self.step_cache, self.steps - step) if self.step_cache else None
            with stage("reading the prompt"):
                negative = self.timeline.negative_prompt
                denoise = self.pipeline.denoiser(segment.prompt, negative, self.guidance, self.cache)
            with stage("laying out the latents"):
                known = self._known(window)
                if latents is None:
                    latents, ceiling = self.pipeline.latents(known, window_seed(self.seed, number))
                else:
                    ceiling = self.pipeline.ceiling(known)
            self.reached = self.before_full = step, latents
            report = partial(self._report, on_step, number * (self.steps + 1), total)
            with stage("denoising"):
                latents = euler(denoise, latents, self.pipeline.schedule(self.steps), ceiling, report, step)
            self._keep(window, latents)
            on_step((number + 1) * (self.steps + 1), total, state=self._state(0, None))
            step, latents = 0, None
        if not self.plan:
            on_step(total, total)
        return self.frames

    def _known(self, window: Window) -> Canvas:
        """The canvas of a window, on its own latent frames."""
        numbers = window_frames(window, self.segments[window.segment], len(self.frames))
        strengths = np.where(numbers < 0, 0, self.strengths[numbers]).astype(np.float32)
        points = None if self.canvas.points is None else (numbers >= 0) & self.canvas.points[numbers]
        return spread_points(Canvas(self.frames[numbers], strengths, points))

    def _keep(self, window: Window, latents: Tensor) -> None:
        """Decodes a finished window into the clip."""
        made = slice(window.kept, window.kept_end)
        with stage("decoding"):
            decoded = self.pipeline.decode(latents)
        self.frames[made] = decoded[window.kept - window.first : window.kept_end - window.first]
        self.strengths[made] = 1
        self.made.append(latents)

    def _report(self, on_step: OnStep, before: int, total: int, done: int, steps: int, *tensors: Tensor) -> None:
        """Turns one window's sampler steps into the clip's."""
        expected, latents = tensors
        if (done % FINITE_EVERY == 0 or done == steps) and not bool(torch.isfinite(latents).all()):
            raise InvalidOutput(f"after step {before + done} of {total} the latents are not finite numbers")
        if self.cache is None or self.cache.full:
            self.before_full = self.reached
        self.reached = done, latents
        resumable = self.reached if self.cache is None else self.before_full
        on_step(before + done, total, self.pipeline.preview(expected), self._state(*resumable))

    def _state(self, step: int, latents: Tensor | None) -> Callable[[], State]:
        made = list(self.made)

        def state() -> State:
            arrays = {f"made_{number}": to_array(window) for number, window in enumerate(made)}
            if latents is not None:
                arrays["latents"] = to_array(latents)
            return {**arrays, "step": np.array([step]), "signature": np.frombuffer(self._signature(), np.uint8)}

        return state

    def _take_up(self, state: State) -> tuple[int, Tensor | None]:
        """The step that a state was reported after, and the latents then; what it holds of the clip is decoded."""
        if bytes(state.get("signature", np.zeros(0))) != self._signature():
            return 0, None
        count = sum(name.startswith("made_") for name in state)
        for number in range(count):
            self._keep(self.plan[number], self._tensor(state[f"made_{number}"]))
        latents = self._tensor(state["latents"]) if "latents" in state else None
        return int(state["step"][0]), latents

    def _tensor(self, array: NDArray[Any]) -> Tensor:
        return torch.tensor(np.asarray(array, np.float32)).to(self.pipeline.device)

    def _signature(self) -> bytes:
        """What a state must be of to be gone on from: this clip, by this model."""
        plain = (
            self.seed, self.steps, self.guidance, self.step_cache, self.timeline.negative_prompt, self.frames.shape,
            [*map(repr, self.segments), *map(repr, self.plan)], dict(self.pipeline.components.card),
        )  # fmt: skip
        digest = hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode())
        digest.update(self.canvas.strengths.tobytes())
        return digest.digest()


def load_pipeline(folder: Path, device: str = "auto") -> Pipeline:
    """The model in `folder`; "auto" is CUDA where there is one. Raises ModelUnavailable."""
    chosen = torch.device(device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu")
    return Pipeline(load_components(folder, chosen), chosen)


def _to_bytes(pixels: Tensor) -> Tensor:
    """Pixels (3, F, H, W) in [-1, 1], which are overwritten, as bytes (F, H, W, 3)."""
    return pixels.mul_(127.5).add_(127.5).clamp_(0, 255).round_().byte().permute(1, 2, 3, 0)


def window_seed(seed: int, number: int) -> int:
    """The seed of window `number`'s noise: no window shares its noise with another, nor with another seed's."""
    return (seed + number * 0x9E3779B97F4A7C15) % 2**63  # the golden ratio's bits: multiples of it never come close


def spread_points(known: Canvas) -> Canvas:
    """A window's canvas on which each point fills its latent frame, as strongly as it is held itself."""
    if known.points is None or not known.points.any():
        return known
    frames, strengths = known.frames.copy(), known.strengths.copy()
    for point in sorted(np.flatnonzero(known.points), key=lambda number: float(known.strengths[number])):
        first = (int(point) - 1) // TEMPORAL_COMPRESSION * TEMPORAL_COMPRESSION + 1 if point else 0
        span = slice(first, first + (TEMPORAL_COMPRESSION if first else 1))
        weaker = strengths[span] < known.strengths[point]
        frames[span][weaker] = known.frames[point]
        strengths[span][weaker] = known.strengths[point]
    return Canvas(frames, strengths, known.points)


def latent_strengths(strengths: NDArray[np.float32]) -> Tensor:
    """How strongly each latent frame is held (T,): as its least held pixel frame."""
    rest = strengths[1:].reshape(-1, TEMPORAL_COMPRESSION).min(1) if len(strengths) > 1 else strengths[1:]
    return torch.from_numpy(np.concatenate([strengths[:1], rest]).astype(np.float32))


def to_array(latents: Tensor) -> NDArray[np.float32]:
    """Latents as numbers that give them back exactly."""
    array: NDArray[np.float32] = latents.float().cpu().numpy()
    return array


def encode_texts(
    tokenizer: Tokenizer, text_encoder: TextEncoder, texts: list[str], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Text states (B, S + L, D) and mask, L the longest text's tokens."""
    encoded = [tokenizer.encode(text, text_encoder.config.max_tokens) for text in texts]
    mask = torch.tensor([mask for _, mask in encoded], dtype=torch.bool)
    longest = max(int(mask.sum(1).max()), 1)
    ids = torch.tensor([ids for ids, _ in encoded])
    states: tuple[Tensor, Tensor] = text_encoder(ids[:, :longest].to(device), mask[:, :longest].to(device))
    return states
