"""Components to a `Video`: a timeline is laid out as latent frames, some of them pinned, and denoised.

A clip longer than one training window is made window by window: each pins the last seconds of the one
before and goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from daybreak.checkpoint import Components, load_components
from daybreak.diffusion.flow import add_noise
from daybreak.diffusion.guidance import Denoiser, guided
from daybreak.diffusion.samplers import euler
from daybreak.diffusion.schedule import shifted_schedule
from daybreak.generation import Frames, GenerationSettings, OnStep, Preview, Video
from daybreak.models.precision import autocast
from daybreak.models.text_encoder import TextEncoder
from daybreak.shapes import NATIVE_FPS, TEMPORAL_COMPRESSION, VideoSpec, latent_frames_for, native_spec
from daybreak.timeline import Timeline
from daybreak.tokenizer import Tokenizer

WINDOW_FRAMES = 49  # the clips that the model was trained on: two seconds
OVERLAP_FRAMES = 17  # how much of a window the next one pins: three latent frames
DEFAULT_STEPS = 30
DEFAULT_GUIDANCE = 4.0


@dataclass(frozen=True, slots=True)
class Canvas:
    """What is known of a clip before it is made: frames (F, H, W, 3), and how strongly each is held (F,), 0 to 1."""

    frames: Frames
    strengths: np.ndarray


def empty_canvas(spec: VideoSpec) -> Canvas:
    """A canvas of `spec` on which nothing is known."""
    frames = np.zeros((spec.num_frames, spec.height, spec.width, 3), np.uint8)
    return Canvas(frames, np.zeros(spec.num_frames, np.float32))


class Pipeline:
    """A loaded model on one device."""

    def __init__(self, components: Components, device: torch.device) -> None:
        self.components, self.device = components, device

    def __call__(
        self, timeline: Timeline, settings: GenerationSettings, on_step: OnStep, canvas: Canvas | None = None
    ) -> Video:
        """The clip at the bucket nearest in aspect, at 24 fps, at least as long as asked.

        `canvas` holds the timeline's pins as pixels of that bucket and rate. Raises whatever `on_step` raises.
        """
        canvas = canvas or empty_canvas(native_spec(timeline.spec))
        windows = list(window_spans(len(canvas.frames)))
        steps = settings.num_inference_steps or int(self.components.card.get("num_inference_steps", DEFAULT_STEPS))
        guidance = settings.guidance_scale
        if guidance is None:
            guidance = float(self.components.card.get("guidance_scale", DEFAULT_GUIDANCE))
        total = len(windows) * (steps + 1)
        frames, strengths = canvas.frames.copy(), canvas.strengths.copy()
        with torch.inference_mode(), autocast(self.device.type):
            denoise = self._denoiser(timeline, guidance)
            for number, (first, end) in enumerate(windows):
                report = _Report(self, on_step, number * (steps + 1), total)
                known = Canvas(frames[first:end], strengths[first:end])
                frames[first:end] = self._window(known, denoise, steps, window_seed(settings.seed, number), report)
                strengths[max(end - OVERLAP_FRAMES, 0) : end] = 1
                on_step((number + 1) * (steps + 1), total)
        return Video(frames, NATIVE_FPS, metadata={"num_inference_steps": steps, "guidance_scale": guidance})

    def _window(self, known: Canvas, denoise: Denoiser, steps: int, seed: int, report: _Report) -> Frames:
        frames, height, width = known.frames.shape[:3]
        vae = self.components.vae
        shape = (1, vae.config.latent_channels, latent_frames_for(frames), height // 32, width // 32)
        # Noise is drawn on the CPU, so that a seed means the same clip on every device.
        noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(self.device)
        ceiling = 1 - latent_strengths(known.strengths).to(self.device)[None]
        latents = noise
        if known.strengths.any():
            latents = add_noise(vae.encode(self._pixels(known)).float(), noise, ceiling)
        latents = euler(denoise, latents, shifted_schedule(steps), ceiling, report)
        return self._frames(vae.decode(latents)[0])

    def _denoiser(self, timeline: Timeline, guidance_scale: float) -> Denoiser:
        parts = self.components
        texts = [timeline.prompt, timeline.negative_prompt]
        embeds, mask = encode_texts(parts.tokenizer, parts.text_encoder, texts, self.device)
        transformer = parts.transformer
        return guided(transformer, (embeds[:1], mask[:1]), (embeds[1:], mask[1:]), guidance_scale)

    def _pixels(self, known: Canvas) -> Tensor:
        """The canvas as pixels (1, 3, F, H, W); frames that nothing holds repeat the nearest held one."""
        held = np.flatnonzero(known.strengths > 0)
        nearest = held[np.abs(np.arange(len(known.frames))[:, None] - held).argmin(1)]
        pixels = torch.from_numpy(known.frames[nearest]).permute(3, 0, 1, 2)[None]
        return pixels.to(self.device).float() / 127.5 - 1

    def _frames(self, pixels: Tensor) -> Frames:
        frames: Frames = ((pixels.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 3, 0).cpu().numpy()
        return frames

    def preview(self, latents: Tensor) -> Preview:
        """A function that decodes `latents` to every fourth frame at half the size."""

        def decode() -> Frames:
            with torch.inference_mode(), autocast(self.device.type):
                return self._frames(self.components.vae.decode(latents)[0])[::4, ::2, ::2]

        return decode


@dataclass(frozen=True, slots=True)
class _Report:
    """Turns one window's sampler steps into the clip's."""

    pipeline: Pipeline
    on_step: OnStep
    before: int
    total: int

    def __call__(self, done: int, _steps: int, expected: Tensor) -> None:
        self.on_step(self.before + done, self.total, self.pipeline.preview(expected))


def load_pipeline(folder: Path, device: str = "auto") -> Pipeline:
    """The model in `folder`; "auto" is CUDA where there is one. Raises ModelUnavailable."""
    chosen = torch.device(device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu")
    return Pipeline(load_components(folder, chosen), chosen)


def window_seed(seed: int, number: int) -> int:
    """The seed of window `number`'s noise: no window shares its noise with another, nor with another seed's."""
    return (seed + number * 0x9E3779B97F4A7C15) % 2**63  # the golden ratio's bits: multiples of it never come close


def window_spans(num_frames: int) -> Iterator[tuple[int, int]]:
    """First and end frame of each window of a clip of 8k + 1 frames; each begins inside the one before."""
    first = 0
    while True:
        end = min(first + WINDOW_FRAMES, num_frames)
        yield first, end
        if end == num_frames:
            return
        first = end - OVERLAP_FRAMES


def latent_strengths(strengths: np.ndarray) -> Tensor:
    """How strongly each latent frame is held (T,): as its least held pixel frame."""
    rest = strengths[1:].reshape(-1, TEMPORAL_COMPRESSION).min(1) if len(strengths) > 1 else strengths[1:]
    return torch.from_numpy(np.concatenate([strengths[:1], rest]).astype(np.float32))


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
