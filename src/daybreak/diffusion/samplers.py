"""Samplers: functions from noise to data along a schedule. Nothing here has state.

All of them denoise each latent frame at its own sigma: a schedule gives the clip's sigma, and `ceiling`
(B, T) the highest sigma that each frame may have. A free frame has ceiling 1, a pinned one 0 and stays as
it is, one pinned at strength s has ceiling 1 - s and starts from its half-noised pin (SDEdit, Meng et al.,
2022).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from daybreak.diffusion.flow import per_frame, to_data
from daybreak.diffusion.guidance import Denoiser

OnSample = Callable[[int, int, Tensor], None]  # (steps done, steps to do, the data that is now expected)
Sampler = Callable[[Denoiser, Tensor, Tensor, Tensor, OnSample | None], Tensor]


def euler(
    denoise: Denoiser,
    latents: Float[Tensor, "B C T H W"],
    sigmas: Float[Tensor, "steps_plus_1"],
    ceiling: Float[Tensor, "B T"],
    on_sample: OnSample | None = None,
) -> Float[Tensor, "B C T H W"]:
    """Data by Euler's method, one evaluation a step; exact when the velocity is constant."""
    for step, (now, after) in enumerate(_pairs(sigmas, ceiling)):
        predicted = denoise(latents, now)
        if on_sample:
            on_sample(step + 1, len(sigmas) - 1, to_data(latents, predicted, now))
        latents = latents + per_frame(after - now) * predicted
    return latents


def heun(
    denoise: Denoiser,
    latents: Float[Tensor, "B C T H W"],
    sigmas: Float[Tensor, "steps_plus_1"],
    ceiling: Float[Tensor, "B T"],
    on_sample: OnSample | None = None,
) -> Float[Tensor, "B C T H W"]:
    """Data by Heun's method, second order, two evaluations a step but for the last (Karras et al., 2022, alg. 1)."""
    for step, (now, after) in enumerate(_pairs(sigmas, ceiling)):
        predicted = denoise(latents, now)
        if on_sample:
            on_sample(step + 1, len(sigmas) - 1, to_data(latents, predicted, now))
        guess = latents + per_frame(after - now) * predicted
        if step < len(sigmas) - 2:
            predicted = (predicted + denoise(guess, after)) / 2
        latents = latents + per_frame(after - now) * predicted
    return latents


def _pairs(sigmas: Tensor, ceiling: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Each step's sigmas before and after, (B, T), never above a frame's ceiling."""
    limited = [torch.minimum(sigma.to(ceiling), ceiling) for sigma in sigmas]
    return list(pairwise(limited))


SAMPLERS: dict[str, Sampler] = {"euler": euler, "heun": heun}
