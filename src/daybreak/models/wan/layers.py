"""What the blocks of the Wan transformer are made of. Axes as in `models/layers.py`; S spans of tokens.

Two things are done once that a plain forward pass repeats. A step has one timestep for all tokens, or one for each of
a few spans of them, so that scale and shift of an adaptive layer norm are the weight and bias of one fused kernel.
And what a prompt is to the cross-attention does not change from step to step: `TextStates` keeps it for the clip.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Complex, Float
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class TextStates:
    """Keys and values of B prompts in every block, (B, K, L, D / K) each, and what is added to their logits (B, L)."""

    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    bias: Float[Tensor, "B L"]

    def branch(self, number: int) -> TextStates:
        """The states of one prompt alone."""
        one = slice(number, number + 1)
        return TextStates(tuple(k[one] for k in self.keys), tuple(v[one] for v in self.values), self.bias[one])


def text_bias(lengths: Sequence[int], padded: int) -> Float[Tensor, "B L"]:
    """What is added to the logits of prompts of these lengths that Wan sees padded with zeros to `padded` tokens.

    All padding has one key and one value, and n equal keys get together what one gets whose logit is larger by log n.
    So each prompt is followed by a single token of padding (L = longest prompt + 1); whatever else is there counts for
    nothing. Exact, and it spares most of 512 keys.
    """
    bias = torch.full((len(lengths), max(lengths) + 1), -math.inf)
    for row, length in zip(bias, lengths, strict=True):
        row[:length] = 0
        if padded > length:
            row[length] = math.log(padded - length)
    return bias


def modulated_norm(x: Tensor, scale: Tensor, shift: Tensor, spans: Sequence[int], eps: float) -> Tensor:
    """Layer norm of x (B, N, D), then `* (1 + scale) + shift`, each (S, D), a row for each span of tokens.

    In float32 whatever the type of `x`, as Wan was trained.
    """
    parts = [
        F.layer_norm(part.float(), part.shape[-1:], 1 + a, b, eps).to(x.dtype)
        for part, a, b in zip(_spans(x, spans), scale.float(), shift.float(), strict=True)
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


def add_gated(x: Tensor, change: Tensor, gate: Tensor, spans: Sequence[int]) -> Tensor:
    """`x + gate * change` for x (B, N, D) and a gate (S, D), a row for each span of tokens."""
    parts = [
        torch.addcmul(part, piece, g) if part.dtype == g.dtype else (part + piece * g).to(x.dtype)
        for part, piece, g in zip(_spans(x, spans), _spans(change, spans), gate, strict=True)
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


def _spans(x: Tensor, spans: Sequence[int]) -> Sequence[Tensor]:
    parts: Sequence[Tensor] = torch.split(x, list(spans), 1)
    return parts


def rotations(frames: int, height: int, width: int, head_width: int) -> Complex[Tensor, "N 1 half"]:
    """Unit complex numbers that turn pairs of a head's channels by a token's position in time, height and width.

    Height and width have a third of the pairs each, rounded down, and time the rest (Wan2.1, `rope_apply`).
    """
    side = 2 * (head_width // 6)
    axes = []
    for axis, (length, channels) in enumerate(((frames, head_width - 2 * side), (height, side), (width, side))):
        frequencies = 10_000.0 ** -(torch.arange(0, channels, 2, dtype=torch.float64) / channels)
        angles = torch.outer(torch.arange(length, dtype=torch.float64), frequencies)
        shape = [1, 1, 1, channels // 2]
        shape[axis] = length
        axes.append(angles.view(shape).expand(frames, height, width, -1))
    angles = torch.cat(axes, -1).flatten(0, 2).float()[:, None]
    return torch.polar(torch.ones_like(angles), angles)


def rotate(x: Float[Tensor, "B N K d"], turns: Complex[Tensor, "N 1 half"]) -> Float[Tensor, "B N K d"]:
    """`x` with each pair of neighbouring channels turned (Su et al., 2021)."""
    pairs = torch.view_as_complex(rearrange(x.float(), "B N K (d two) -> B N K d two", two=2))
    return torch.view_as_real(pairs * turns).flatten(-2).to(x.dtype)


class Linear(nn.Linear):
    """A linear layer that calculates in the type of `x`, whatever its weights are kept in."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight.to(x.dtype), self.bias.to(x.dtype))


class RMSNorm(nn.Module):
    """Root-mean-square normalisation over all heads together, with a learned gain."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, x.shape[-1:], self.weight.to(x.dtype), self.eps)


class SelfAttention(nn.Module):
    """Attention of every token to every token, (B, N, D) to (B, N, D)."""

    def __init__(self, width: int, num_heads: int, eps: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.qkv = Linear(width, 3 * width)
        self.norm_q, self.norm_k = RMSNorm(width, eps), RMSNorm(width, eps)
        self.out = Linear(width, width)

    def forward(self, x: Tensor, turns: Tensor) -> Tensor:
        query, key, value = self.qkv(x).chunk(3, -1)
        query, key = (
            rotate(rearrange(norm(part), "B N (K d) -> B N K d", K=self.num_heads), turns)
            for norm, part in ((self.norm_q, query), (self.norm_k, key))
        )
        value = rearrange(value, "B N (K d) -> B N K d", K=self.num_heads)
        query, key, value = (part.transpose(1, 2) for part in (query, key, value))
        mixed = F.scaled_dot_product_attention(query, key, value)
        result: Tensor = self.out(rearrange(mixed, "B K N d -> B N (K d)"))
        return result


class CrossAttention(nn.Module):
    """Attention of every token to the text."""

    def __init__(self, width: int, num_heads: int, eps: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.query = Linear(width, width)
        self.key_value = Linear(width, 2 * width)
        self.norm_q, self.norm_k = RMSNorm(width, eps), RMSNorm(width, eps)
        self.out = Linear(width, width)

    def states(self, text: Float[Tensor, "B L D"]) -> tuple[Tensor, Tensor]:
        """Keys and values of a text, (B, K, L, D / K)."""
        key, value = self.key_value(text).chunk(2, -1)
        key, value = (rearrange(part, "B L (K d) -> B K L d", K=self.num_heads) for part in (self.norm_k(key), value))
        return key.contiguous(), value.contiguous()

    def forward(self, x: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
        """The result is (B, N, D) for the B of `key`, also where `x` (1, N, D) is the same for all of them."""
        query = rearrange(self.norm_q(self.query(x)), "B N (K d) -> B K N d", K=self.num_heads)
        query = query.expand(len(key), -1, -1, -1)
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=bias[:, None, None].to(query.dtype))
        result: Tensor = self.out(rearrange(mixed, "B K N d -> B N (K d)"))
        return result


class MLP(nn.Module):
    """Two linear layers with a GELU between them, (B, N, D) to (B, N, D)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.up = Linear(width, hidden)
        self.down = Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        hidden: Tensor = self.down(gelu_(self.up(x)))
        return hidden


def gelu_(x: Tensor) -> Tensor:
    """The tanh approximation of GELU (Hendrycks & Gimpel, 2016) of `x`, which is overwritten.

    (1 + tanh(u)) / 2 is sigmoid(2 u), which a processor has in half the time.
    """
    twice = x.square().mul_(2 * 0.044715 * math.sqrt(2 / math.pi)).add_(2 * math.sqrt(2 / math.pi)).mul_(x)
    return x.mul_(twice.sigmoid_())
