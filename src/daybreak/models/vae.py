"""The causal video VAE: pixels to latents and back; a still image is a one-frame video.

A latent cell stands for 8 frames x 32 x 32 pixels. The encoder is a linear code, the Karhunen-Loeve transform of the
block of pixels at half the frame rate and half the resolution (`train.linear_code` fits it), to which a network can
add what it learns: of all latents that train in hours on a laptop the code alone was the best, in minutes on a
graphics card the sum is (docs/log.md). The decoder is the best linear way back, at the full rate and resolution, for
high-resolution targets cost nothing when the world is rendered, which looks at a cell and, through a few numbers, at
the cells around it and before it; or a network; or one on top of the other. Better decoders leave latents, and all that
was trained on them, valid.

Latent frame 0 holds pixel frame 0, latent frame k the pixel frames 8k-7..8k; nothing ever looks ahead in time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from daybreak.models.layers import RMSNorm

TEMPORAL = 8  # pixel frames per latent frame
SPATIAL = 32  # pixels per latent cell, both ways
Layer = TypeVar("Layer", nn.Conv2d, nn.Linear)
AROUND = (1, 1, 1, 1, 1, 0)  # cells left, right, above, below, before and after a cell that its block sees


@dataclass(frozen=True, slots=True)
class VAEConfig:
    """Sizes of the VAE; saved in `model.json`."""

    latent_channels: int = 192
    encoder_widths: tuple[int, ...] = ()  # of the network's two scales, fine first; none: the linear code is all
    encoder_blocks: tuple[int, ...] = ()
    decoder_widths: tuple[int, ...] = (384, 192, 96)  # of the network's three scales; none: there is no network
    decoder_blocks: tuple[int, ...] = (2, 2, 3)
    linear_decoder: bool = True  # whether the network starts from the pixels that the linear way back gives
    context_channels: int = 0  # numbers through which a block sees the cells around its own; 0: it sees none

    def __post_init__(self) -> None:
        if not (self.linear_decoder or self.decoder_widths):
            raise ValueError("a decoder needs a linear way back, a network, or both")


class FixedLinear(nn.Module):
    """A linear map over the channels of (B, C, F, H, W) that is set once and never trained: half of a linear code."""

    weight: Tensor
    bias: Tensor

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.randn(width_out, width_in) / width_in**0.5)
        self.register_buffer("bias", torch.zeros(width_out))

    def forward(self, x: Tensor) -> Tensor:
        # As a matrix product: PyTorch's 1x1x1 convolution takes three times as long on a CPU.
        made = F.linear(x.movedim(1, -1), self.weight.to(x.dtype), self.bias.to(x.dtype))
        return made.movedim(-1, 1)


class Context(nn.Module):
    """What the cells around a block's own, now and one latent frame before, add to the block; set once, never trained.

    Beyond the edges, and before the beginning, the outermost cells repeat.
    """

    gather: Tensor
    spread: Tensor

    def __init__(self, width_in: int, hidden: int, width_out: int) -> None:
        super().__init__()
        self.register_buffer("gather", torch.zeros(hidden, width_in, 2, 3, 3))
        self.register_buffer("spread", torch.zeros(width_out, hidden))

    def forward(self, latents: Tensor) -> Tensor:
        seen = F.conv3d(F.pad(latents, AROUND, mode="replicate"), self.gather.to(latents.dtype))
        return F.linear(seen.movedim(1, -1), self.spread.to(seen.dtype)).movedim(-1, 1)


class SpaceConv(nn.Module):
    """A convolution over each frame of (B, F, H, W, D), channels last.

    As one over many pictures: 3-D convolutions take slow paths, on CPUs and GPUs, where time is left alone.
    """

    def __init__(self, width_in: int, width_out: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width_in, width_out, kernel, padding=kernel // 2)
        self.conv.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs

    def forward(self, x: Tensor) -> Tensor:
        pictures = self.conv(x.flatten(0, 1).movedim(-1, 1))
        convolved: Tensor = pictures.movedim(1, -1).unflatten(0, x.shape[:2])
        return convolved


class TimeConv(nn.Module):
    """A linear map of each frame of (B, F, H, W, D) and the two before it; the first frame stands for those before."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(3 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        # Replicating the first frame keeps the map causal and a still image still.
        padded = torch.cat([x[:, :1], x[:, :1], x], 1)
        mapped: Tensor = self.linear(torch.cat([padded[:, :-2], padded[:, 1:-1], x], -1))
        return mapped


class ResBlock(nn.Module):
    """A residual block on (B, F, H, W, D): a 3x3 convolution in space, then a map that may look back in time."""

    def __init__(self, width: int, temporal: bool = True) -> None:
        super().__init__()
        self.norm = RMSNorm(width)
        self.spatial = SpaceConv(width, width)
        self.out = TimeConv(width) if temporal else nn.Linear(width, width)
        zeroed(self.out.linear if isinstance(self.out, TimeConv) else self.out)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.out(F.silu(self.spatial(self.norm(x))))
        return result


class Resample(nn.Module):
    """A layer over channels with a parameter-free shortcut (DC-AE, Chen et al., 2025), (..., D) to (..., E).

    Fewer channels out: the shortcut averages groups of channels; more: it repeats them. What passes between
    scales therefore starts as plain averaging and repetition, and the layer learns the rest.
    """

    def __init__(self, width_in: int, width_out: int, kernel: int = 1, *, normalised: bool = True) -> None:
        super().__init__()
        if max(width_in, width_out) % min(width_in, width_out):
            raise ValueError(f"{width_in} and {width_out} channels: one must be a multiple of the other")
        self.width_in, self.width_out = width_in, width_out
        self.norm = RMSNorm(width_in) if normalised else None
        self.map: nn.Module = nn.Linear(width_in, width_out) if kernel == 1 else SpaceConv(width_in, width_out, kernel)

    def forward(self, x: Tensor) -> Tensor:
        if self.width_out >= self.width_in:
            shortcut = x.repeat_interleave(self.width_out // self.width_in, -1)
        else:
            shortcut = x.unflatten(-1, (self.width_out, -1)).mean(-1)  # type: ignore[no-untyped-call]
        result: Tensor = self.map(self.norm(x) if self.norm else x) + shortcut
        return result


class Analysis(nn.Module):
    """What a network adds to the latents of the linear code: the part of the encoder that is trained."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        fine, coarse = config.encoder_widths
        blocks = config.encoder_blocks
        self.embed = nn.Linear(3 * 8 * 8, fine)
        self.fine_blocks = nn.Sequential(*(ResBlock(fine) for _ in range(blocks[0])))
        self.to_coarse = Resample(fine * 16, coarse)  # 4 x in time, 2 x 2 in space
        self.coarse_blocks = nn.Sequential(*(ResBlock(coarse) for _ in range(blocks[1])))
        self.norm = RMSNorm(coarse)
        self.rest = zeroed(nn.Linear(coarse, config.latent_channels))

    def forward(self, pixels: Float[Tensor, "B 3 f h w"]) -> Float[Tensor, "B C T H W"]:
        """Of half-rate, half-resolution pixels (f = 4k + 1)."""
        x = self.fine_blocks(self.embed(rearrange(pixels, "B c f (H h) (W w) -> B f H W (c h w)", h=8, w=8)))
        filled = torch.cat([x[:, :1]] * 3 + [x], 1)
        x = rearrange(filled, "B (T t) (H h) (W w) D -> B T H W (D t h w)", t=4, h=2, w=2)
        x = self.coarse_blocks(self.to_coarse(x))
        added: Tensor = self.rest(self.norm(x)).movedim(-1, 1)
        return added


class Encoder(nn.Module):
    """Half-rate, half-resolution pixels to latents: the linear code and, with `encoder_widths`, a network beside it."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.linear = FixedLinear(3 * 4 * 16 * 16, config.latent_channels)
        self.network = Analysis(config) if config.encoder_widths else None

    def forward(self, pixels: Float[Tensor, "B 3 f h w"]) -> Float[Tensor, "B C T H W"]:
        latents: Tensor = self.linear(encoder_blocks(pixels))
        if self.network is not None:
            latents = latents + self.network(pixels)
        return latents


class Synthesis(nn.Module):
    """Latents to pixels by a network: the part of the decoder that is trained.

    Where there is a linear way back, every scale sees, besides the scale above, the linear pixels, in place, and the
    network adds to them: to round off blocks and sharpen edges is then a local matter, and soon learnt.
    """

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        coarse, middle, fine = config.decoder_widths
        blocks = config.decoder_blocks
        self.embed = Resample(config.latent_channels, coarse, 3, normalised=False)
        self.coarse_blocks = nn.Sequential(*(ResBlock(coarse) for _ in range(blocks[0])))
        self.to_middle = Resample(coarse, middle * 16)  # 4 x in time, 2 x 2 in space
        self.see_middle = nn.Linear(3 * 2 * 16 * 16, middle) if config.linear_decoder else None
        self.middle_blocks = nn.Sequential(*(ResBlock(middle) for _ in range(blocks[1])))
        self.to_fine = Resample(middle, fine * 8)  # 2 x in time, 2 x 2 in space
        self.see_fine = nn.Linear(3 * 8 * 8, fine) if config.linear_decoder else None
        self.fine_blocks = nn.Sequential(*(ResBlock(fine, temporal=False) for _ in range(blocks[2])))
        self.norm = RMSNorm(fine)
        self.rest = SpaceConv(fine, 3 * 8 * 8)
        zeroed(self.rest.conv)

    def forward(self, latents: Tensor, linear_pixels: Tensor | None, kept: Tensor | slice) -> Tensor:
        """The frames `kept` of a clip, counted from 1, given its linear pixels, whose frame 0 comes eight times."""
        x = self.coarse_blocks(self.embed(latents.movedim(1, -1)))
        x = rearrange(self.to_middle(x), "B T H W (D t h w) -> B (T t) (H h) (W w) D", t=4, h=2, w=2)
        if self.see_middle is not None and linear_pixels is not None:
            tubes = rearrange(linear_pixels, "B c (T t) (H h) (W w) -> B T H W (c t h w)", t=2, h=16, w=16)
            x = x + self.see_middle(tubes)
        x = self.middle_blocks(x[:, 3:])
        x = rearrange(self.to_fine(x), "B T H W (D t h w) -> B (T t) (H h) (W w) D", t=2, h=2, w=2)[:, kept]
        seen = None if linear_pixels is None else linear_pixels[:, :, TEMPORAL - 2 :][:, :, kept]
        if self.see_fine is not None and seen is not None:
            x = x + self.see_fine(rearrange(seen, "B c F (H h) (W w) -> B F H W (c h w)", h=8, w=8))
        x = self.fine_blocks(x)
        rest = rearrange(self.rest(self.norm(x)), "B F H W (c h w) -> B c F (H h) (W w)", h=8, w=8)
        pixels: Tensor = rest if seen is None else seen + rest
        return pixels


class Decoder(nn.Module):
    """Latents (B, C, k+1, h, w) to pixels (B, 3, 8k+1, 32h, 32w): a linear way back, a network, or one on the other.

    Without `decoder_widths` there is no network: the linear way back is all.
    """

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        block = 3 * TEMPORAL * SPATIAL**2
        self.linear = FixedLinear(config.latent_channels, block) if config.linear_decoder else None
        context = config.context_channels
        self.context = Context(config.latent_channels, context, block) if context else None
        self.network = Synthesis(config) if config.decoder_widths else None

    def forward(self, latents: Tensor, only: Tensor | None = None) -> Tensor:
        """All frames, or those at the indices `only`: most of the work treats each frame alone."""
        kept = slice(1, None) if only is None else only + 1
        latents = latents.contiguous()  # sums depend on the layout, and a clip that goes on must not
        linear_pixels = self.linear_pixels(latents) if self.linear is not None else None
        if self.network is None:
            assert linear_pixels is not None  # the configuration has one or the other
            return linear_pixels[:, :, TEMPORAL - 2 :][:, :, kept]
        made: Tensor = self.network(latents, linear_pixels, kept)
        return made

    def linear_pixels(self, latents: Tensor) -> Tensor:
        """What the linear code alone makes of the latents: (B, 3, 8k+8, 32h, 32w), frame 0 eight times."""
        assert self.linear is not None
        blocks = self.linear(latents)
        if self.context is not None:
            blocks += self.context(latents)
        pixels: Tensor = rearrange(
            blocks,
            "B (c t h w) T H W -> B c (T t) (H h) (W w)",
            c=3, t=TEMPORAL, h=SPATIAL, w=SPATIAL,
        )  # fmt: skip
        return pixels


def zeroed(layer: Layer) -> Layer:
    """`layer` with weights and bias at 0: what it ends adds nothing to begin with."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def encoder_blocks(pixels: Float[Tensor, "B 3 f h w"]) -> Float[Tensor, "B P T H W"]:
    """Half-rate, half-resolution pixels (f = 4k + 1) cut into the blocks that become latent cells.

    Frame 0 is repeated, so that it fills a whole block of four frames as the others do.
    """
    filled = torch.cat([pixels[:, :, :1]] * 3 + [pixels], 2)
    return rearrange(filled, "B c (T t) (H h) (W w) -> B (c t h w) T H W", t=4, h=16, w=16)


class VAE(nn.Module):
    """Encoder and decoder; the latents' mean square is 1, and channels that carry more of the picture vary more."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)

    def encode(self, pixels: Float[Tensor, "B 3 F H W"]) -> Float[Tensor, "B C T h w"]:
        """Latents of pixels in [-1, 1].

        Raises ValueError unless F = 8k + 1 and H and W are multiples of 32.
        """
        frames, height, width = pixels.shape[2:]
        if frames % TEMPORAL != 1 or height % SPATIAL or width % SPATIAL:
            raise ValueError(f"cannot encode {frames} frames of {width}x{height}: need 8k+1 frames and multiples of 32")
        return self.encode_reduced(reduce_pixels(pixels))

    def encode_reduced(self, pixels: Float[Tensor, "B 3 f h w"]) -> Float[Tensor, "B C T H W"]:
        """Latents for pixels that are already at half the frame rate and half the resolution."""
        latents: Tensor = self.encoder(pixels)
        return latents

    def decode(self, latents: Float[Tensor, "B C T H W"]) -> Float[Tensor, "B 3 F h w"]:
        """Pixels, about [-1, 1] and not clamped."""
        pixels: Tensor = self.decoder(latents)
        return pixels


def reduce_pixels(pixels: Float[Tensor, "B 3 F H W"]) -> Float[Tensor, "B 3 f h w"]:
    """Every other frame at half the resolution: what the encoder sees."""
    return F.avg_pool3d(pixels[:, :, ::2], (1, 2, 2))
