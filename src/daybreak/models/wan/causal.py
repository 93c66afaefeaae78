"""Convolutions that see the past only, and the memory that lets them run a few frames at a time.

Frames are (T, C, H, W), channels last in memory: what is one frame to a picture is one row of a batch here. Each layer
that looks back keeps the frames that it will still need in `Past`, which one run through a clip fills and then drops;
before the first frame everything is zero. So decoding takes the same memory for a second as for an hour
(the feature cache of Wan Team, 2025, section 4.1).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

Past = dict[nn.Module, Tensor]  # the last frames that each layer was given


class CausalConv(nn.Module):
    """A convolution over time, height and width, frames (T, C, H, W) to frames, padded in space and with the past."""

    def __init__(self, channels: int, out_channels: int, kernel: tuple[int, int, int] = (3, 3, 3)) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, channels, *kernel))
        self.bias = nn.Parameter(torch.zeros(out_channels))

    def forward(self, x: Float[Tensor, "T C H W"], past: Past) -> Float[Tensor, "T out H W"]:
        taps = self.weight.shape[2]
        if taps == 1:
            return convolve(x, self.weight, self.bias)
        before = past.get(self)
        if before is None and len(x) == 1:  # the first frame of all: the other taps would meet zeros
            past[self] = F.pad(x, (0, 0, 0, 0, 0, 0, taps - 2, 0))
            return convolve(x, self.weight[:, :, -1:], self.bias)
        if before is None:
            before = x.new_zeros(taps - 1, *x.shape[1:])
        frames = torch.cat([before, x])
        past[self] = frames[1 - taps :]
        return convolve(frames, self.weight, self.bias)


def convolve(frames: Float[Tensor, "T C H W"], weight: Tensor, bias: Tensor) -> Float[Tensor, "_ out H W"]:
    """Frames convolved with a kernel (out, C, t, h, w) of odd h and w: t - 1 fewer of them, of the same size."""
    taps, height, width = weight.shape[2:]
    padding = (height // 2, width // 2)
    if taps == 1:
        return F.conv2d(frames, weight[:, :, 0], bias, padding=padding)
    clip = frames.transpose(0, 1)[None]  # (1, C, T, H, W): the same memory
    return F.conv3d(clip, weight, bias, padding=(0, *padding))[0].transpose(0, 1)


class ChannelNorm(nn.Module):
    """Root-mean-square normalisation over the channels of each pixel, with a learned gain."""

    def __init__(self, channels: int, shape: tuple[int, ...] = (1, 1, 1)) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels, *shape))

    def forward(self, x: Float[Tensor, "T C H W"]) -> Float[Tensor, "T C H W"]:
        last = x.movedim(1, -1)
        return F.rms_norm(last, last.shape[-1:], self.gamma.flatten(), 1e-24).movedim(-1, 1)
