"""Flow matching on straight lines (Lipman et al., 2023; Liu et al., 2023), stated once.

    x = (1 - sigma) * data + sigma * noise        sigma in [0, 1], 1 = noise
    velocity = noise - data

Every latent frame has its own sigma, (B, T), broadcast over channels, height and width.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def per_frame(values: Float[Tensor, "B T"]) -> Float[Tensor, "B 1 T 1 1"]:
    """`values` shaped to multiply latents (B, C, T, H, W)."""
    return values[:, None, :, None, None]


def add_noise(
    data: Float[Tensor, "B C T H W"], noise: Float[Tensor, "B C T H W"], sigmas: Float[Tensor, "B T"]
) -> Float[Tensor, "B C T H W"]:
    """The point at `sigmas` on the line from data to noise."""
    sigma = per_frame(sigmas)
    return (1 - sigma) * data + sigma * noise


def velocity(data: Tensor, noise: Tensor) -> Tensor:
    """What the transformer predicts: d x / d sigma."""
    return noise - data


def to_data(x: Tensor, predicted: Tensor, sigmas: Float[Tensor, "B T"]) -> Tensor:
    """The data that `x` and a velocity point to."""
    return x - per_frame(sigmas) * predicted
