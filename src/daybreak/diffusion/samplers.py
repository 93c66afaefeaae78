"""Samplers: functions from noise to data along a schedule. Nothing here has state.

All of them denoise each latent frame at its own sigma: a schedule gives the clip's sigma, and `ceiling`
(B, T) the highest sigma that each frame may have. A free frame has ceiling 1, a pinned one 0 and stays as
it is, one pinned at strength s has ceiling 1 - s and starts from its half-noised pin (SDEdit, Meng et al.,
2022).

A run that was interrupted goes on with the latents that a report gave it and `start`, the steps done until then;
it makes bit for bit what it would have made uninterrupted.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor

from daybreak.diffusion.flow import per_frame, to_data
from daybreak.diffusion.guidance import Denoiser


class OnSample(Protocol):
    """Told after each step: steps done, steps to do, the data that is now expected, and the latents to go on from."""

    def __call__(self, done: int, steps: int, expected: Tensor, latents: Tensor, /) -> None: ...


class Sampler(Protocol):
    """Data from noise."""

    def __call__(
        self,
        denoise: Denoiser,
        latents: Tensor,
        sigmas: Tensor,
        ceiling: Tensor,
        on_sample: OnSample | None = None,
        start: int = 0,
    ) -> Tensor: ...


def euler(
    denoise: Denoiser,
    latents: Float[Tensor, "B C T H W"],
    sigmas: Float[Tensor, "steps_plus_1"],
    ceiling: Float[Tensor, "B T"],
    on_sample: OnSample | None = None,
    start: int = 0,
) -> Float[Tensor, "B C T H W"]:
    """Data by Euler's method, one evaluation a step; exact when the velocity is constant."""
    for step, (now, after) in list(enumerate(_pairs(sigmas, ceiling)))[start:]:
        predicted = denoise(latents, now)
        expected = to_data(latents, predicted, now)
        latents = latents + per_frame(after - now) * predicted
        if on_sample:
            on_sample(step + 1, len(sigmas) - 1, expected, latents)
    return latents


def heun(
    denoise: Denoiser,
    latents: Float[Tensor, "B C T H W"],
    sigmas: Float[Tensor, "steps_plus_1"],
    ceiling: Float[Tensor, "B T"],
    on_sample: OnSample | None = None,
    start: int = 0,
) -> Float[Tensor, "B C T H W"]:
    """Data by Heun's method, second order, two evaluations a step but for the last (Karras et al., 2022, alg. 1)."""
    for step, (now, after) in list(enumerate(_pairs(sigmas, ceiling)))[start:]:
        predicted = denoise(latents, now)
        expected = to_data(latents, predicted, now)
        if step < len(sigmas) - 2:
            guess = latents + per_frame(after - now) * predicted
            predicted = (predicted + denoise(guess, after)) / 2
        latents = latents + per_frame(after - now) * predicted
        if on_sample:
            on_sample(step + 1, len(sigmas) - 1, expected, latents)
    return latents


def _pairs(sigmas: Tensor, ceiling: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Each step's sigmas before and after, (B, T), never above a frame's ceiling."""
    limited = [torch.minimum(sigma.to(ceiling), ceiling) for sigma in sigmas]
    return list(pairwise(limited))


SAMPLERS: dict[str, Sampler] = {"euler": euler, "heun": heun}
