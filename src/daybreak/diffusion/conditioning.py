"""Which latent frames are known: the patterns that training mixes and that generation pins.

A pattern is a ceiling (T,) for each frame's sigma: 0 known, 1 free, between for half-known.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

# How often training meets each pattern (decision 2): mostly every frame free, the rest pinned.
PATTERN_SHARES = {
    "free": 0.6, "first": 0.14, "first frames": 0.08, "last frames": 0.05, "both ends": 0.05, "partial": 0.08,
}  # fmt: skip


def sample_ceilings(batch: int, latent_frames: int, generator: torch.Generator) -> Float[Tensor, "B T"]:
    """A random pattern for each clip; all free for still images."""
    if latent_frames == 1:
        return torch.ones(batch, 1)
    names, shares = list(PATTERN_SHARES), torch.tensor(list(PATTERN_SHARES.values()))
    drawn = torch.multinomial(shares, batch, replacement=True, generator=generator)
    return torch.stack([_pattern(names[int(index)], latent_frames, generator) for index in drawn])


def _pattern(name: str, latent_frames: int, generator: torch.Generator) -> Tensor:
    ceiling = torch.ones(latent_frames)
    # At least one frame stays free.
    count = int(torch.randint(1, max(latent_frames // 2, 2), (), generator=generator))
    if name == "first":
        ceiling[0] = 0
    elif name == "first frames":
        ceiling[:count] = 0
    elif name == "last frames":
        ceiling[-count:] = 0
    elif name == "both ends" and latent_frames > 2:
        ceiling[0] = ceiling[-1] = 0
    elif name == "partial":
        ceiling[:] = torch.rand((), generator=generator)
        ceiling[0] = 0
    return ceiling


def sample_sigmas(
    ceilings: Float[Tensor, "B T"], generator: torch.Generator, mean: float = 1.4, deviation: float = 1.2
) -> Float[Tensor, "B T"]:
    """Logit-normal sigmas (Esser et al., 2024), one a clip, cut to each frame's ceiling.

    `mean` > 0 favours noise: the channels that make a picture's layout vary by several times the noise's deviation,
    so that what a clip shows is decided at sigmas near 1.
    """
    drawn = torch.randn(len(ceilings), 1, generator=generator) * deviation + mean
    return torch.minimum(drawn.sigmoid().expand_as(ceilings), ceilings)
