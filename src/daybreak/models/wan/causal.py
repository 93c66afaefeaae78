"""Convolutions that see the past only, and the memory that lets them run a few frames at a time.

Frames are (T, C, H, W), channels last in memory: what is one frame to a picture is one row of a batch here. Each layer
that looks back keeps the frames that it will still need in `Past`, which one run through a clip fills and then drops;
before the first frame everything is zero. So decoding takes the same memory for a second as for an hour
(the feature cache of Wan Team, 2025, section 4.1).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from daybreak.models.wan import winograd

Past = dict[nn.Module, tuple[Tensor, ...]]  # the last frames that each layer was given, (1, C, H, W) each


class CausalConv(nn.Module):
    """A convolution over time, height and width, frames (T, C, H, W) to frames, padded in space and with the past."""

    def __init__(self, channels: int, out_channels: int, kernel: tuple[int, int, int] = (3, 3, 3)) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, channels, *kernel))
        self.bias = nn.Parameter(torch.zeros(out_channels))
        self._transformed: tuple[Tensor, Tensor] | None = None  # not a buffer: it is no part of the weights

    @torch.no_grad()
    def forward(self, x: Float[Tensor, "T C H W"], past: Past) -> Float[Tensor, "T out H W"]:
        taps, frames = self.weight.shape[2], [x[at : at + 1] for at in range(len(x))]
        if taps == 1:
            return convolve(frames, self.weight, self.bias)
        if self not in past and len(x) == 1:  # the first frame of all: the other taps would meet zeros
            past[self] = (*[torch.zeros_like(x)] * (taps - 2), x)
            return convolve(frames, self.weight[:, :, -1:], self.bias)
        frames = [*past.get(self, [torch.zeros_like(frames[0])] * (taps - 1)), *frames]
        past[self] = tuple(frames[1 - taps :])
        if not winograd.is_quick(x, self.weight):
            return convolve(frames, self.weight, self.bias)
        made = [winograd.convolve(frames[at : at + taps], self._planes(), self.bias) for at in range(len(x))]
        return torch.cat(made)

    def _planes(self) -> Tensor:
        """The kernel as Winograd's algorithm wants it, transformed once for each set of weights."""
        if self._transformed is None or self._transformed[0] is not self.weight:
            self._transformed = (self.weight, winograd.transformed(self.weight))
        return self._transformed[1]


def convolve(frames: list[Tensor], weight: Tensor, bias: Tensor) -> Float[Tensor, "T out H W"]:
    """Frames (1, C, H, W) convolved with a kernel (out, C, t, h, w): t - 1 fewer of them, of the same size.

    As pictures whose channels are those of the frames that the taps see: oneDNN has quick kernels for pictures on every
    processor, and few for clips.
    """
    taps, height, width = weight.shape[2:]
    seen = [torch.cat(frames[at : at + taps], 1) for at in range(len(frames) - taps + 1)]
    kernel = rearrange(weight, "O C t h w -> O (t C) h w").contiguous(memory_format=torch.channels_last)
    return F.conv2d(torch.cat(seen), kernel, bias, padding=(height // 2, width // 2))


class ChannelNorm(nn.Module):
    """Root-mean-square normalisation over the channels of each pixel, with a learned gain."""

    def __init__(self, channels: int, shape: tuple[int, ...] = (1, 1, 1)) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels, *shape))

    def forward(self, x: Float[Tensor, "T C H W"]) -> Float[Tensor, "T C H W"]:
        last = x.movedim(1, -1)
        return F.rms_norm(last, last.shape[-1:], self.gamma.flatten(), 1e-24).movedim(-1, 1)
