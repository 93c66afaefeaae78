"""Many clips from one model: denoised in batches, decoded one by one, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from daybreak.checkpoint import Components
from daybreak.diffusion.flow import add_noise
from daybreak.diffusion.guidance import guided
from daybreak.diffusion.samplers import euler
from daybreak.generation import Frames
from daybreak.models.precision import autocast
from daybreak.pipeline import WINDOW_FRAMES, Pipeline, encode_texts
from daybreak.shapes import SPATIAL_COMPRESSION, latent_frames_for

HEIGHT, WIDTH = 256, 448  # the landscape bucket
BATCH = 8  # clips denoised together


@dataclass(frozen=True, slots=True)
class Sampling:
    """How clips are generated."""

    num_inference_steps: int
    guidance_scale: float
    batch: int = BATCH
    enhanced: bool = False  # the model is told the prompts in its world's words, as its engine does


def generate_clips(
    components: Components,
    prompts: Sequence[str],
    seeds: Sequence[int],
    sampling: Sampling,
    images: Frames | None = None,
) -> Iterator[Frames]:
    """Each prompt's clip (49, 256, 448, 3), the same as the pipeline's for that seed but for rounding.

    `images` (N, 256, 448, 3) pin each clip's first frame.
    """
    pipeline = Pipeline(components, device_of(components))
    for first in range(0, len(prompts), sampling.batch):
        rows = slice(first, first + sampling.batch)
        pinned = None if images is None else images[rows]
        with torch.inference_mode(), autocast(device_of(components).type):
            latents = _denoise(components, prompts[rows], seeds[rows], sampling, pinned)
        for row in range(len(latents)):
            with torch.inference_mode(), autocast(device_of(components).type):
                frames = pipeline.decode(latents[row : row + 1])
            yield frames


def _denoise(
    components: Components, prompts: Sequence[str], seeds: Sequence[int], sampling: Sampling, images: Frames | None
) -> Tensor:
    vae, count, device = components.vae, len(prompts), device_of(components)
    embeds, mask = encode_texts(components.tokenizer, components.text_encoder, [*prompts, ""], device)
    negative = embeds[-1:].expand(count, -1, -1), mask[-1:].expand(count, -1)
    denoise = guided(components.transformer, (embeds[:-1], mask[:-1]), negative, sampling.guidance_scale)
    sides = HEIGHT // SPATIAL_COMPRESSION, WIDTH // SPATIAL_COMPRESSION
    shape = (1, vae.config.latent_channels, latent_frames_for(WINDOW_FRAMES), *sides)
    noise = torch.cat([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]).to(device)
    ceiling = torch.ones(count, shape[2], device=device)
    latents = noise
    if images is not None:
        ceiling[:, 0] = 0
        known = vae.encode(to_pixels(images[:, None]).to(device)).float()  # (B, C, 1, h, w)
        latents = add_noise(known.expand_as(noise), noise, ceiling)
    return euler(denoise, latents, Pipeline(components, device).schedule(sampling.num_inference_steps), ceiling)


def reconstruct(components: Components, frames: Frames) -> Tensor:
    """A clip (F, H, W, 3) through the VAE and back: pixels (1, 3, F, H, W) in [-1, 1]."""
    vae = components.vae
    with torch.inference_mode(), autocast(device_of(components).type):
        decoded: Tensor = vae.decode(vae.encode(to_pixels(frames[None]).to(device_of(components))))
    return decoded.float().clamp(-1, 1).cpu()


def device_of(components: Components) -> torch.device:
    """Where the model's weights are."""
    return next(components.transformer.parameters()).device


def to_pixels(clips: Frames) -> Tensor:
    """Clips (B, F, H, W, 3) as pixels (B, 3, F, H, W) in [-1, 1]."""
    return torch.from_numpy(clips).permute(0, 4, 1, 2, 3).float() / 127.5 - 1


def to_frames(pixels: Tensor) -> Frames:
    """One clip of pixels (3, F, H, W) as frames (F, H, W, 3)."""
    frames: Frames = ((pixels.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 3, 0).cpu().numpy()
    return frames
