"""The blocks that the encoder and the decoder of the Wan VAE are made of; frames and `Past` as in `causal.py`."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from einops import rearrange, reduce, repeat
from jaxtyping import Float
from torch import Tensor, nn

from daybreak.models.wan.causal import CausalConv, ChannelNorm, Past


class Residual(nn.Module):
    """Two causal convolutions beside a shortcut."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = ChannelNorm(channels), CausalConv(channels, out_channels)
        self.norm2, self.conv2 = ChannelNorm(out_channels), CausalConv(out_channels, out_channels)
        if channels != out_channels:
            self.conv_shortcut = CausalConv(channels, out_channels, (1, 1, 1))

    def forward(self, x: Tensor, past: Past) -> Tensor:
        shortcut = self.conv_shortcut(x, past) if hasattr(self, "conv_shortcut") else x
        x = self.conv1(F.silu(self.norm1(x)), past)
        result: Tensor = self.conv2(F.silu(self.norm2(x)), past) + shortcut
        return result


class FrameAttention(nn.Module):
    """Attention of every pixel of a frame to every other, one head."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels, (1, 1))
        self.to_qkv, self.proj = nn.Conv2d(channels, channels * 3, 1), nn.Conv2d(channels, channels, 1)

    def forward(self, x: Float[Tensor, "T C H W"]) -> Float[Tensor, "T C H W"]:
        query, key, value = rearrange(self.to_qkv(self.norm(x)), "T (n C) H W -> n T 1 (H W) C", n=3)
        mixed = F.scaled_dot_product_attention(query, key, value)
        result: Tensor = self.proj(rearrange(mixed, "T 1 (H W) C -> T C H W", H=x.shape[2])) + x
        return result


class Middle(nn.Module):
    """Residual, attention, residual: at the smallest size."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.attentions = nn.ModuleList([FrameAttention(channels)])
        self.resnets = nn.ModuleList([Residual(channels, channels), Residual(channels, channels)])

    def forward(self, x: Tensor, past: Past) -> Tensor:
        result: Tensor = self.resnets[1](self.attentions[0](self.resnets[0](x, past)), past)
        return result


class Up(nn.Module):
    """Twice the height and width, and from the second frame on twice the frames if `in_time`."""

    def __init__(self, channels: int, out_channels: int, *, in_time: bool) -> None:
        super().__init__()
        self.resample = nn.Sequential(nn.Identity(), nn.Conv2d(channels, out_channels, 3, padding=1))
        if in_time:
            self.time_conv = CausalConv(channels, 2 * channels, (3, 1, 1))

    def forward(self, x: Tensor, past: Past) -> Tensor:
        if hasattr(self, "time_conv"):
            if self in past:
                x = rearrange(self.time_conv(x, past), "T (n C) H W -> (T n) C H W", n=2)
            else:
                past[self] = ()  # the first frame stays one, and those after it do not see it
        conv = self.resample[1]
        assert isinstance(conv, nn.Conv2d)
        return upsampled_conv(x, conv.weight, conv.bias)


class Down(nn.Module):
    """Half the height and width, and from the second frame on half the frames if `in_time`."""

    def __init__(self, channels: int, *, in_time: bool) -> None:
        super().__init__()
        self.resample = nn.Sequential(nn.Identity(), nn.Conv2d(channels, channels, 3, 2))
        if in_time:
            self.time_conv = CausalConv(channels, channels, (3, 1, 1))

    def forward(self, x: Tensor, past: Past) -> Tensor:
        x = self.resample[1](F.pad(x, (0, 1, 0, 1)))
        if not hasattr(self, "time_conv"):
            return x
        before = past.get(self)
        past[self] = (x[-1:],)
        if before is None:  # the first frame stays as it is
            return x
        clip = torch.cat([*before, x]).transpose(0, 1)[None]
        return F.conv3d(clip, self.time_conv.weight, self.time_conv.bias, stride=(2, 1, 1))[0].transpose(0, 1)


class DownStage(nn.Module):
    """Residuals and a `Down` beside a mean over what becomes one pixel: a stage of Wan 2.2's encoder."""

    def __init__(self, channels: int, out_channels: int, depth: int, *, in_space: bool, in_time: bool) -> None:
        super().__init__()
        self.out_channels, self.frames, self.side = out_channels, 2 if in_time else 1, 2 if in_space else 1
        widths = [channels, *[out_channels] * depth]
        self.resnets = nn.ModuleList(Residual(a, b) for a, b in pairwise(widths))
        if in_space:
            self.downsampler = Down(out_channels, in_time=in_time)

    def forward(self, x: Tensor, past: Past) -> Tensor:
        frames = F.pad(x, (0, 0, 0, 0, 0, 0, -len(x) % self.frames, 0))
        cells = rearrange(frames, "(T t) C (H h) (W w) -> T (C t h w) H W", t=self.frames, h=self.side, w=self.side)
        shortcut = reduce(cells, "T (C n) H W -> T C H W", "mean", C=self.out_channels)
        for resnet in self.resnets:
            x = resnet(x, past)
        return (self.downsampler(x, past) if hasattr(self, "downsampler") else x) + shortcut


class UpStage(nn.Module):
    """Residuals and an `Up`; in Wan 2.2's decoder beside a copy of the stage's input, spread over what it becomes."""

    def __init__(
        self, channels: int, out_channels: int, depth: int, up_channels: int = 0, *, in_time: bool, shortcut: bool
    ) -> None:
        super().__init__()
        widths = [channels, *[out_channels] * depth]
        self.resnets = nn.ModuleList(Residual(a, b) for a, b in pairwise(widths))
        self.frames, self.copies = 2 if in_time else 1, 0
        if shortcut:
            self.copies = out_channels * self.frames * 4 // channels
            self.upsampler = Up(out_channels, up_channels, in_time=in_time)
        elif up_channels:
            self.upsamplers = nn.ModuleList([Up(out_channels, up_channels, in_time=in_time)])

    def forward(self, x: Tensor, past: Past) -> Tensor:
        first, given = self not in past, x
        past[self] = ()
        for resnet in self.resnets:
            x = resnet(x, past)
        if hasattr(self, "upsamplers"):
            x = self.upsamplers[0](x, past)
        if not self.copies:
            return x
        copied = rearrange(
            repeat(given, "T C H W -> T (C n) H W", n=self.copies),
            "T (C t h w) H W -> (T t) C (H h) (W w)", t=self.frames, h=2, w=2,
        )  # fmt: skip
        result: Tensor = self.upsampler(x, past) + (copied[self.frames - 1 :] if first else copied)
        return result


def upsampled_conv(x: Float[Tensor, "T C H W"], weight: Tensor, bias: Tensor | None) -> Float[Tensor, "T out H2 W2"]:
    """A 3 x 3 convolution of `x` at twice its size, each pixel repeated.

    A pixel of the result sees 2 x 2 pixels of `x`, of which some are seen twice or four times. So each of its four
    kinds, by even and odd row and column, is a 2 x 2 convolution with the kernel's rows and columns added up: 16
    products where the convolution at the larger size has 36.
    """
    padded = F.pad(x, (1, 1, 1, 1))
    result = x.new_empty(len(x), len(weight), 2 * x.shape[2], 2 * x.shape[3])
    result = result.contiguous(memory_format=torch.channels_last)
    for down, tall in enumerate(_folded(weight, 2)):
        for across, kernel in enumerate(_folded(tall, 3)):
            seen = padded[:, :, down : down + x.shape[2] + 1, across : across + x.shape[3] + 1]
            result[:, :, down::2, across::2] = F.conv2d(seen, kernel, bias)
    return result


def _folded(weight: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Three taps along `dim` as two, for even and for odd places of a signal in which every value is there twice."""
    first, middle, last = weight.chunk(3, dim)
    return torch.cat([first, middle + last], dim), torch.cat([first + middle, last], dim)
