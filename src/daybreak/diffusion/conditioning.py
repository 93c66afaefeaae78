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
    """A random pattern for each clip, on the generator's device; all free for still images."""
    device = generator.device
    if latent_frames == 1:
        return torch.ones(batch, 1, device=device)
    shares = torch.tensor(list(PATTERN_SHARES.values()), device=device)
    drawn = torch.multinomial(shares, batch, replacement=True, generator=generator)
    # At least one frame stays free.
    count = torch.randint(1, max(latent_frames // 2, 2), (batch, 1), generator=generator, device=device)
    level = torch.rand(batch, 1, generator=generator, device=device)
    frame = torch.arange(latent_frames, device=device).expand(batch, -1)
    known = {
        "free": frame < 0,
        "first": frame == 0,
        "first frames": frame < count,
        "last frames": frame >= latent_frames - count,
        "both ends": (frame == 0) | (frame == latent_frames - 1) if latent_frames > 2 else frame < 0,
        "partial": frame == 0,
    }
    pinned = torch.stack([known[name] for name in PATTERN_SHARES])[drawn, torch.arange(batch, device=device)]
    partial = (drawn == list(PATTERN_SHARES).index("partial"))[:, None]
    return torch.where(pinned, 0.0, torch.where(partial, level, 1.0))


def sample_sigmas(
    ceilings: Float[Tensor, "B T"], generator: torch.Generator, mean: float = 1.4, deviation: float = 1.2
) -> Float[Tensor, "B T"]:
    """Logit-normal sigmas (Esser et al., 2024), one a clip, cut to each frame's ceiling.

    `mean` > 0 favours noise: the channels that make a picture's layout vary by several times the noise's deviation,
    so that what a clip shows is decided at sigmas near 1.
    """
    drawn = torch.randn(len(ceilings), 1, generator=generator, device=generator.device) * deviation + mean
    return torch.minimum(drawn.sigmoid().to(ceilings.device).expand_as(ceilings), ceilings)
