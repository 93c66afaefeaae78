"""The building blocks that the VAE, the text encoder and the transformer share.

Axes: B batch, C latent channels, T/H/W latent frames/height/width, N tokens, L text tokens, D width,
K heads; F pixel frames.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn


class RMSNorm(nn.Module):
    """Root-mean-square normalisation over the last axis (Zhang & Sennrich, 2019), with a learned gain."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, x.shape[-1:], self.weight.to(x.dtype), 1e-6)


class MLP(nn.Module):
    """Two linear layers with a GELU between them, (..., D) to (..., D)."""

    def __init__(self, width: int, ratio: int = 4) -> None:
        super().__init__()
        self.up = nn.Linear(width, width * ratio)
        self.down = nn.Linear(width * ratio, width)

    def forward(self, x: Tensor) -> Tensor:
        hidden: Tensor = self.down(F.gelu(self.up(x), approximate="tanh"))
        return hidden


class SelfAttention(nn.Module):
    """Full self-attention with normalised queries and keys (Dehghani et al., 2023) and optional rotary positions."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        if width % num_heads:
            raise ValueError(f"width {width} is not a multiple of {num_heads} heads")
        self.num_heads = num_heads
        self.qkv = nn.Linear(width, width * 3)
        self.out = nn.Linear(width, width)
        self.norm_q = RMSNorm(width // num_heads)
        self.norm_k = RMSNorm(width // num_heads)

    def forward(self, x: Tensor, rotary: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        q, k, v = rearrange(self.qkv(x), "B N (three K D) -> three B K N D", three=3, K=self.num_heads)
        q, k = self.norm_q(q), self.norm_k(k)
        if rotary is not None:
            q, k = apply_rotary(q, rotary), apply_rotary(k, rotary)
        result: Tensor = self.out(rearrange(attend(q, k, v, mask), "B K N D -> B N (K D)"))
        return result


class CrossAttention(nn.Module):
    """Attention from N latent tokens to L text tokens; `mask` (B, L) is False where there is no text."""

    def __init__(self, width: int, num_heads: int, text_width: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.q = nn.Linear(width, width)
        self.kv = nn.Linear(text_width, width * 2)
        self.out = nn.Linear(width, width)
        self.norm_q = RMSNorm(width // num_heads)
        self.norm_k = RMSNorm(width // num_heads)

    def forward(self, x: Tensor, text: Tensor, mask: Tensor) -> Tensor:
        q = rearrange(self.q(x), "B N (K D) -> B K N D", K=self.num_heads)
        k, v = rearrange(self.kv(text), "B L (two K D) -> two B K L D", two=2, K=self.num_heads)
        attended = attend(self.norm_q(q), self.norm_k(k), v, mask[:, None, None])
        result: Tensor = self.out(rearrange(attended, "B K N D -> B N (K D)"))
        return result


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Float[Tensor, "B K N D"]:
    """Scaled dot-product attention; `mask` is False where a key must not be seen.

    While training on a CPU, written out: torch's kernel never holds all scores at once, which sequences this
    short have no need of, and its backward pass takes more than twice as long (docs/log.md).
    """
    if q.device.type == "cpu" and torch.is_grad_enabled():
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf"))
        attended: Tensor = scores.softmax(-1) @ v
        return attended
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def rotary_angles(
    latent_frames: int, rows: int, columns: int, head_width: int, device: torch.device | None = None
) -> Float[Tensor, "N half"]:
    """Rotary angles of every token of a (T, rows, columns) grid, time varying slowest.

    A quarter of the head's pairs turns with time, the rest is split between rows and columns
    (3-D rotary positions, as in CogVideoX, Yang et al., 2024). Rows and columns are centred, so that a
    picture's middle means the same in every bucket.
    """
    pairs = head_width // 2
    in_time = pairs // 4
    in_rows = (pairs - in_time) // 2
    axes = (
        (torch.arange(latent_frames, device=device).float(), in_time),
        (torch.arange(rows, device=device) - (rows - 1) / 2, in_rows),
        (torch.arange(columns, device=device) - (columns - 1) / 2, pairs - in_time - in_rows),
    )
    # Base 100, not 10,000: a grid is at most a few dozen steps long.
    grids = torch.meshgrid(*(position for position, _ in axes), indexing="ij")
    angles = [
        grid.reshape(-1, 1) * 100.0 ** (-torch.arange(count, device=device) / max(count, 1))
        for grid, (_, count) in zip(grids, axes, strict=True)
    ]
    return torch.cat(angles, 1)


def apply_rotary(x: Float[Tensor, "B K N D"], angles: Float[Tensor, "N half"]) -> Float[Tensor, "B K N D"]:
    """`x` with each pair (i, i + D/2) turned by its token's angle (Su et al., 2021)."""
    cosine, sine = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x.chunk(2, -1)
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], -1)


def sinusoidal(values: Float[Tensor, "..."], width: int) -> Float[Tensor, "... width"]:
    """Sinusoidal features of `values` in [0, 1] (Vaswani et al., 2017), scaled to 1,000 steps."""
    half = width // 2
    frequencies = torch.exp(-math.log(10_000) * torch.arange(half, device=values.device) / half)
    phases = values.float()[..., None] * 1000 * frequencies
    return torch.cat([phases.cos(), phases.sin()], -1)
