"""The causal video VAE: pixels to latents and back; a still image is a one-frame video.

A latent cell stands for 8 frames x 32 x 32 pixels, but the encoder looks at half the frame rate and half
the resolution only, and the decoder restores both: high-resolution targets cost nothing when the world is
rendered, and a small encoder makes latents cheap to cache. Latent frame 0 holds pixel frame 0, latent
frame k the pixel frames 8k-7..8k; nothing ever looks ahead in time.
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


@dataclass(frozen=True, slots=True)
class VAEConfig:
    """Sizes of the VAE; saved in `model.json`."""

    latent_channels: int = 24
    encoder_widths: tuple[int, int] = (96, 384)
    encoder_blocks: tuple[int, int] = (1, 3)
    decoder_widths: tuple[int, int, int] = (384, 192, 96)
    decoder_blocks: tuple[int, int, int] = (4, 2, 2)
    latent_scale: tuple[float, ...] = ()  # each channel's standard deviation before it is divided by it
    latent_shift: tuple[float, ...] = ()  # each channel's mean


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


class Encoder(nn.Module):
    """Half-rate, half-resolution pixels (B, 3, 4k+1, 16h, 16w) to moments (B, 2C, k+1, h, w)."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        narrow, wide = config.encoder_widths
        self.embed = Resample(3 * 8 * 8, narrow, normalised=False)
        self.fine = nn.Sequential(*(ResBlock(narrow, temporal=False) for _ in range(config.encoder_blocks[0])))
        self.join = Resample(narrow * 16, wide)  # 4 frames x 2 x 2 positions become one
        self.coarse = nn.Sequential(*(ResBlock(wide) for _ in range(config.encoder_blocks[1])))
        self.mean = Resample(wide, config.latent_channels)
        self.log_variance = nn.Conv3d(wide, config.latent_channels, 1)
        # A sharp posterior to begin with: at deviation 1 the decoder would see little but noise for a long time.
        nn.init.zeros_(self.log_variance.weight)
        nn.init.constant_(self.log_variance.bias, -5.0)  # type: ignore[arg-type]

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        x = rearrange(pixels, "B c F (H h) (W w) -> B (c h w) F H W", h=8, w=8)
        x = self.fine(self.embed(x))
        x = torch.cat([x[:, :, :1]] * 3 + [x], 2)  # frame 0 fills a whole group of four
        x = self.join(rearrange(x, "B C (T t) (H h) (W w) -> B (C t h w) T H W", t=4, h=2, w=2))
        x = self.coarse(x)
        return self.mean(x), self.log_variance(x)


class Decoder(nn.Module):
    """Latents (B, C, k+1, h, w) to pixels (B, 3, 8k+1, 32h, 32w)."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        coarse, middle, fine = config.decoder_widths
        blocks = config.decoder_blocks
        self.embed = Resample(config.latent_channels, coarse, 3, normalised=False)
        self.coarse = nn.Sequential(*(ResBlock(coarse) for _ in range(blocks[0])))
        self.to_middle = Resample(coarse, middle * 16)  # 4 x in time, 2 x 2 in space
        self.middle = nn.Sequential(*(ResBlock(middle) for _ in range(blocks[1])))
        self.to_fine = Resample(middle, fine * 8)  # 2 x in time, 2 x 2 in space
        self.fine = nn.Sequential(*(ResBlock(fine, temporal=False) for _ in range(blocks[2])))
        self.patches = Resample(fine, 3 * 8 * 8, 3)

    def forward(self, latents: Tensor, only: Tensor | None = None) -> Tensor:
        """All frames, or those at the indices `only`: the last stage, most of the work, treats each frame alone."""
        x = self.coarse(self.embed(latents))
        x = rearrange(self.to_middle(x), "B (C t h w) T H W -> B C (T t) (H h) (W w)", t=4, h=2, w=2)
        x = self.middle(x[:, :, 3:])
        x = rearrange(self.to_fine(x), "B (C t h w) T H W -> B C (T t) (H h) (W w)", t=2, h=2, w=2)
        x = self.fine(x[:, :, 1:] if only is None else x[:, :, only + 1])
        pixels: Tensor = rearrange(self.patches(x), "B (c h w) F H W -> B c F (H h) (W w)", h=8, w=8)
        return pixels


class VAE(nn.Module):
    """Encoder and decoder with normalised latents between them."""

    def __init__(self, config: VAEConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        ones, zeros = (1.0,) * config.latent_channels, (0.0,) * config.latent_channels
        self.register_buffer("scale", torch.tensor(config.latent_scale or ones), persistent=False)
        self.register_buffer("shift", torch.tensor(config.latent_shift or zeros), persistent=False)
        self.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # missing in torch's stubs

    def encode(self, pixels: Float[Tensor, "B 3 F H W"]) -> Float[Tensor, "B C T h w"]:
        """Latents of unit variance for pixels in [-1, 1].

        Raises ValueError unless F = 8k + 1 and H and W are multiples of 32.
        """
        frames, height, width = pixels.shape[2:]
        if frames % TEMPORAL != 1 or height % SPATIAL or width % SPATIAL:
            raise ValueError(f"cannot encode {frames} frames of {width}x{height}: need 8k+1 frames and multiples of 32")
        return self.encode_reduced(reduce_pixels(pixels))

    def encode_reduced(self, pixels: Float[Tensor, "B 3 f h w"]) -> Float[Tensor, "B C T H W"]:
        """Latents for pixels that are already at half the frame rate and half the resolution."""
        mean, _ = self.moments(pixels)
        return self.normalise(mean)

    def moments(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the posterior, (B, C, T, H, W) each, not normalised; for training."""
        mean, log_variance = self.encoder(pixels)
        return mean, log_variance.clamp(-20, 10)

    def normalise(self, latents: Tensor) -> Tensor:
        """Latents with each channel at mean 0 and deviation 1."""
        return (latents - self._per_channel(self.shift)) / self._per_channel(self.scale)

    def decode(self, latents: Float[Tensor, "B C T H W"]) -> Float[Tensor, "B 3 F h w"]:
        """Pixels, about [-1, 1] and not clamped, for latents of unit variance."""
        restored = latents * self._per_channel(self.scale) + self._per_channel(self.shift)
        pixels: Tensor = self.decoder(restored.contiguous(memory_format=torch.channels_last_3d))
        return pixels

    @property
    def deviations(self) -> Float[Tensor, "1 C 1 1 1"]:
        """Each latent channel's deviation before normalisation; ones until they have been measured."""
        return self._per_channel(self.scale)

    def _per_channel(self, values: Tensor | nn.Module) -> Tensor:
        assert isinstance(values, Tensor)
        return values[None, :, None, None, None]


def reduce_pixels(pixels: Float[Tensor, "B 3 F H W"]) -> Float[Tensor, "B 3 f h w"]:
    """Every other frame at half the resolution: what the encoder sees."""
    return F.avg_pool3d(pixels[:, :, ::2], (1, 2, 2))
