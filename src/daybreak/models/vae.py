"""The causal video VAE: pixels to latents and back; a still image is a one-frame video.

A latent cell stands for 8 frames x 32 x 32 pixels. The encoder is linear, the Karhunen-Loeve transform of the
block of pixels at half the frame rate and half the resolution (`train.linear_code` fits it), and of all latents
that train in hours on a laptop these were the best (docs/log.md). The decoder is the best linear way back, at the
full rate and resolution: high-resolution targets cost nothing when the world is rendered. It looks at a cell and,
through a few numbers, at the cells around it and before it; a network can add what it learns. Better decoders leave
latents, and all that was trained on them, valid.

Latent frame 0 holds pixel frame 0, latent frame k the pixel frames 8k-7..8k; nothing ever looks ahead in time.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from daybreak.models.layers import RMSNorm

TEMPORAL = 8  # pixel frames per latent frame
SPATIAL = 32  # pixels per latent cell, both ways
AROUND = (1, 1, 1, 1, 1, 0)  # cells left, right, above, below, before and after a cell that its block sees


@dataclass(frozen=True, slots=True)
class VAEConfig:
    """Sizes of the VAE; saved in `model.json`."""

    latent_channels: int = 192
    decoder_widths: tuple[int, ...] = (384, 192, 96)  # of the network's three scales; none: there is no network
    decoder_blocks: tuple[int, ...] = (2, 2, 3)
    context_channels: int = 0  # numbers through which a block sees the cells around its own; 0: it sees none


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


class ResBlock(nn.Module):
    """A residual block on (B, C, F, H, W): a 3x3 convolution in space, then one that may look back in time."""

    def __init__(self, width: int, temporal: bool = True) -> None:
        super().__init__()
        self.norm = RMSNorm(width)
        self.spatial = nn.Conv3d(width, width, (1, 3, 3), padding=(0, 1, 1))
        self.temporal = nn.Conv3d(width, width, (3, 1, 1)) if temporal else nn.Conv3d(width, width, 1)
        nn.init.zeros_(self.temporal.weight)
        nn.init.zeros_(self.temporal.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        hidden = F.silu(self.spatial(normalise(self.norm, x)))
        if self.temporal.kernel_size[0] == 3:
            # Replicating the first frame keeps the convolution causal and a still image still.
            hidden = torch.cat([hidden[:, :, :1], hidden[:, :, :1], hidden], 2)
        result: Tensor = x + self.temporal(hidden)
        return result


def normalise(norm: RMSNorm, x: Tensor) -> Tensor:
    """`norm` over the channel axis of (B, C, F, H, W); free of copies when memory is channels-last."""
    normalised: Tensor = norm(x.permute(0, 2, 3, 4, 1))
    return normalised.permute(0, 4, 1, 2, 3)


class Resample(nn.Module):
    """A linear layer over channels with a parameter-free shortcut (DC-AE, Chen et al., 2025).

    Fewer channels out: the shortcut averages groups of channels; more: it repeats them. What passes between
    scales therefore starts as plain averaging and repetition, and the layer learns the rest.
    """

    def __init__(self, width_in: int, width_out: int, kernel: int = 1, *, normalised: bool = True) -> None:
        super().__init__()
        if max(width_in, width_out) % min(width_in, width_out):
            raise ValueError(f"{width_in} and {width_out} channels: one must be a multiple of the other")
        self.width_in, self.width_out = width_in, width_out
        self.norm = RMSNorm(width_in) if normalised else None
        self.linear = nn.Conv3d(width_in, width_out, (1, kernel, kernel), padding=(0, kernel // 2, kernel // 2))

    def forward(self, x: Tensor) -> Tensor:
        if self.width_out >= self.width_in:
            shortcut = x.repeat_interleave(self.width_out // self.width_in, 1)
        else:
            shortcut = x.unflatten(1, (self.width_out, -1)).mean(2)  # type: ignore[no-untyped-call]
        result: Tensor = self.linear(normalise(self.norm, x) if self.norm else x) + shortcut
        return result


class Refiner(nn.Module):
    """What a network adds to the pixels of the linear way back: the part of the decoder that is trained.

    Every scale sees, besides the scale above, the linear pixels, in place: to round off blocks and sharpen edges is
    then a local matter, and soon learnt.
    """

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        coarse, middle, fine = config.decoder_widths
        blocks = config.decoder_blocks
        self.embed = Resample(config.latent_channels, coarse, 3, normalised=False)
        self.coarse = nn.Sequential(*(ResBlock(coarse) for _ in range(blocks[0])))
        self.to_middle = Resample(coarse, middle * 16)  # 4 x in time, 2 x 2 in space
        self.see_middle = nn.Conv3d(3 * 2 * 16 * 16, middle, 1)
        self.middle = nn.Sequential(*(ResBlock(middle) for _ in range(blocks[1])))
        self.to_fine = Resample(middle, fine * 8)  # 2 x in time, 2 x 2 in space
        self.see_fine = nn.Conv3d(3 * 8 * 8, fine, 1)
        self.fine = nn.Sequential(*(ResBlock(fine, temporal=False) for _ in range(blocks[2])))
        self.norm = RMSNorm(fine)
        self.rest = zeroed(nn.Conv3d(fine, 3 * 8 * 8, (1, 3, 3), padding=(0, 1, 1)))

    def forward(self, latents: Tensor, linear_pixels: Tensor, kept: Tensor | slice) -> Tensor:
        """The frames `kept` of a clip, counted from 1, given its linear pixels, whose frame 0 comes eight times."""
        x = self.coarse(self.embed(latents))
        x = rearrange(self.to_middle(x), "B (C t h w) T H W -> B C (T t) (H h) (W w)", t=4, h=2, w=2)
        tubes = rearrange(linear_pixels, "B c (T t) (H h) (W w) -> B (c t h w) T H W", t=2, h=16, w=16)
        x = self.middle((x + self.see_middle(tubes))[:, :, 3:])
        x = rearrange(self.to_fine(x), "B (C t h w) T H W -> B C (T t) (H h) (W w)", t=2, h=2, w=2)
        seen = linear_pixels[:, :, TEMPORAL - 2 :][:, :, kept]
        patches = rearrange(seen, "B c F (H h) (W w) -> B (c h w) F H W", h=8, w=8)
        x = self.fine(x[:, :, kept] + self.see_fine(patches))
        rest = rearrange(self.rest(normalise(self.norm, x)), "B (c h w) F H W -> B c F (H h) (W w)", h=8, w=8)
        pixels: Tensor = seen + rest
        return pixels


class Decoder(nn.Module):
    """Latents (B, C, k+1, h, w) to pixels (B, 3, 8k+1, 32h, 32w): the linear way back, and a network on top of it.

    Without `decoder_widths` there is no network: the linear way back is all, and takes a tenth of the time.
    """

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        block = 3 * TEMPORAL * SPATIAL**2
        self.linear = FixedLinear(config.latent_channels, block)
        context = config.context_channels
        self.context = Context(config.latent_channels, context, block) if context else None
        self.refiner = Refiner(config) if config.decoder_widths else None

    def forward(self, latents: Tensor, only: Tensor | None = None) -> Tensor:
        """All frames, or those at the indices `only`: most of the work treats each frame alone."""
        linear_pixels = self.linear_pixels(latents)  # frame 0 is the last of eight
        kept = slice(1, None) if only is None else only + 1
        if self.refiner is None:
            return linear_pixels[:, :, TEMPORAL - 2 :][:, :, kept]
        refined: Tensor = self.refiner(latents, linear_pixels, kept)
        return refined

    def linear_pixels(self, latents: Tensor) -> Tensor:
        """What the linear code alone makes of the latents: (B, 3, 8k+8, 32h, 32w), frame 0 eight times."""
        blocks = self.linear(latents)
        if self.context is not None:
            blocks += self.context(latents)
        pixels: Tensor = rearrange(
            blocks,
            "B (c t h w) T H W -> B c (T t) (H h) (W w)",
            c=3, t=TEMPORAL, h=SPATIAL, w=SPATIAL,
        )  # fmt: skip
        return pixels


def zeroed(layer: nn.Conv3d) -> nn.Conv3d:
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
        self.encoder = FixedLinear(3 * 4 * 16 * 16, config.latent_channels)
        self.decoder = Decoder(config)
        self.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # missing in torch's stubs

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
        latents: Tensor = self.encoder(encoder_blocks(pixels))
        return latents

    def decode(self, latents: Float[Tensor, "B C T H W"]) -> Float[Tensor, "B 3 F h w"]:
        """Pixels, about [-1, 1] and not clamped."""
        pixels: Tensor = self.decoder(latents.contiguous(memory_format=torch.channels_last_3d))
        return pixels


def reduce_pixels(pixels: Float[Tensor, "B 3 F H W"]) -> Float[Tensor, "B 3 f h w"]:
    """Every other frame at half the resolution: what the encoder sees."""
    return F.avg_pool3d(pixels[:, :, ::2], (1, 2, 2))
