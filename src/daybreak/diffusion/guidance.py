"""Classifier-free guidance (Ho & Salimans, 2022)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Denoiser = Callable[[Tensor, Tensor], Tensor]  # (latents (B, C, T, H, W), sigmas (B, T)) -> velocity


def guide(conditional: Tensor, unconditional: Tensor, guidance_scale: float) -> Tensor:
    """`unconditional` moved towards `conditional` and past it: scale 1 gives the conditional velocity, 0 the other."""
    return unconditional + guidance_scale * (conditional - unconditional)


def guided(
    transformer: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor],
    prompt: tuple[Tensor, Tensor],
    negative: tuple[Tensor, Tensor],
    guidance_scale: float,
) -> Denoiser:
    """A denoiser that asks `transformer` for both velocities in one batch; with scale 1 for the prompt's alone.

    `prompt` and `negative` are (text_embeds (B, L, D), text_mask (B, L)) of equal shapes.
    """
    if guidance_scale == 1:
        return lambda latents, sigmas: transformer(latents, sigmas, *prompt)
    embeds = torch.cat([prompt[0], negative[0]])
    mask = torch.cat([prompt[1], negative[1]])

    def denoise(latents: Tensor, sigmas: Tensor) -> Tensor:
        both = transformer(latents.repeat(2, 1, 1, 1, 1), sigmas.repeat(2, 1), embeds, mask)
        conditional, unconditional = both.chunk(2)
        return guide(conditional, unconditional, guidance_scale)

    return denoise
