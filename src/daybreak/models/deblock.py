"""Seams between a decoder's blocks, levelled: what H.264's deblocking filter does (List et al., 2003), for our cells.

The VAE decodes one block of 32 x 32 pixels from each latent cell. Blocks of encoded pictures fit together. Generated
ones differ by what the transformer got wrong in each cell, and a viewer sees a grid.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from daybreak.models.vae import SPATIAL

ALONG = 9  # pixels along a seam over which its step is averaged: what varies faster is the picture's own
REACH = SPATIAL // 2  # pixels on either side over which a step is spread
LIMIT = 60 / 127.5  # steps well above this are edges of the picture, such as a horizon, and stay


def level_seams(pixels: Float[Tensor, "B 3 F H W"]) -> Float[Tensor, "B 3 F H W"]:
    """Pixels without steps between neighbouring blocks; sides must be multiples of 32.

    A step is what is left of the difference across a seam after the slopes on both sides are taken off. Half of it is
    added to either side, falling to nothing at the block's middle: within a block nothing sharp changes.
    """
    return level_seams_(pixels.clone())


def level_seams_(pixels: Float[Tensor, "B 3 F H W"]) -> Float[Tensor, "B 3 F H W"]:
    """`level_seams` in place: passes over the pixels are what it costs."""
    _level_columns_(pixels)
    _level_columns_(pixels.transpose(-1, -2))
    return pixels


def _level_columns_(pixels: Tensor) -> None:
    blocks = pixels.unflatten(-1, (-1, SPATIAL))  # type: ignore[no-untyped-call]  # (B, C, F, H, n, w), a view
    left, right = blocks[..., :-1, :], blocks[..., 1:, :]
    slopes = (left[..., -1] - left[..., -2]) + (right[..., 1] - right[..., 0])
    steps = right[..., 0] - left[..., -1] - slopes / 2  # (B, C, F, H, seams)
    flat = rearrange(steps, "B C F H n -> (B C F n) 1 H")
    flat = F.avg_pool1d(F.pad(flat, (ALONG // 2, ALONG // 2), mode="replicate"), ALONG, 1)
    steps = rearrange(flat, "(B C F n) 1 H -> B C F H n 1", **dict(zip("BCF", pixels.shape[:3], strict=True)))
    steps = steps * torch.exp(-(steps / LIMIT).square())
    share = (torch.arange(REACH, device=pixels.device) + 0.5) / REACH / 2  # 0 at the block's middle, a half at the seam
    left[..., SPATIAL - REACH :].addcmul_(steps, share)
    right[..., :REACH].addcmul_(steps, -share.flip(0))
