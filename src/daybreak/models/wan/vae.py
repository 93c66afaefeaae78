"""The causal VAE of Wan 2.1 and 2.2 (Wan Team, 2025, section 4.1): frames to latents and back, one at a time.

Latent frame 0 is pixel frame 0, each later one four more. Wan 2.2's is wider, sees patches of 2 x 2 pixels and has
shortcuts around its stages. Latents outside have about unit variance: `latents_mean` and `latents_std` are taken off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from daybreak.models.wan.causal import CausalConv, ChannelNorm, Past
from daybreak.models.wan.vae_layers import Down, DownStage, Middle, Residual, UpStage


@dataclass(frozen=True, slots=True)
class WanVAEConfig:
    """Sizes of the VAE, by the names of its `config.json` in the layout of diffusers."""

    base_dim: int = 96
    decoder_base_dim: int | None = None
    z_dim: int = 16
    dim_mult: tuple[int, ...] = (1, 2, 4, 4)
    num_res_blocks: int = 2
    temperal_downsample: tuple[bool, ...] = (False, True, True)
    latents_mean: tuple[float, ...] = ()
    latents_std: tuple[float, ...] = ()
    is_residual: bool = False
    in_channels: int = 3
    out_channels: int = 3
    patch_size: int | None = None
    scale_factor_temporal: int = 4
    scale_factor_spatial: int = 8


class Encoder(nn.Module):
    """Frames to means and log variances of latents."""

    def __init__(self, config: WanVAEConfig) -> None:
        super().__init__()
        widths = [config.base_dim * factor for factor in (1, *config.dim_mult)]
        self.conv_in = CausalConv(config.in_channels, widths[0])
        self.down_blocks = nn.ModuleList()
        for stage, (width, wider) in enumerate(pairwise(widths)):
            in_space = stage < len(config.dim_mult) - 1
            in_time = in_space and config.temperal_downsample[stage]
            if config.is_residual:
                block = DownStage(width, wider, config.num_res_blocks, in_space=in_space, in_time=in_time)
                self.down_blocks.append(block)
                continue
            inner = [width, *[wider] * config.num_res_blocks]
            self.down_blocks.extend(Residual(a, b) for a, b in pairwise(inner))
            if in_space:
                self.down_blocks.append(Down(wider, in_time=in_time))
        self.mid_block = Middle(widths[-1])
        self.norm_out, self.conv_out = ChannelNorm(widths[-1]), CausalConv(widths[-1], 2 * config.z_dim)

    def forward(self, x: Tensor, past: Past) -> Tensor:
        x = self.conv_in(x, past)
        for block in self.down_blocks:
            x = block(x, past)
        result: Tensor = self.conv_out(F.silu(self.norm_out(self.mid_block(x, past))), past)
        return result


class Decoder(nn.Module):
    """Latents to frames."""

    def __init__(self, config: WanVAEConfig) -> None:
        super().__init__()
        base = config.decoder_base_dim or config.base_dim
        widths = [base * factor for factor in (config.dim_mult[-1], *reversed(config.dim_mult))]
        self.conv_in = CausalConv(config.z_dim, widths[0])
        self.mid_block = Middle(widths[0])
        self.up_blocks = nn.ModuleList()
        in_time = (*reversed(config.temperal_downsample), False)
        for stage, (width, narrower) in enumerate(pairwise(widths)):
            last, residual = stage == len(config.dim_mult) - 1, config.is_residual
            self.up_blocks.append(
                UpStage(
                    width if residual or stage == 0 else width // 2,  # Wan 2.1 halves the width as it grows the frame
                    narrower,
                    config.num_res_blocks + 1,
                    0 if last else narrower if residual else narrower // 2,
                    in_time=in_time[stage],
                    shortcut=residual and not last,
                )
            )
        self.norm_out, self.conv_out = ChannelNorm(widths[-1]), CausalConv(widths[-1], config.out_channels)

    def forward(self, x: Tensor, past: Past) -> Iterator[Tensor]:
        """The frames that a latent frame becomes, one by one.

        Each goes all the way to its pixels before the next one is begun: the past is all that they share, and no more
        than one frame of the larger sizes is ever held.
        """
        yield from self._from_stage(0, self.mid_block(self.conv_in(x, past), past), past)

    def _from_stage(self, number: int, x: Tensor, past: Past) -> Iterator[Tensor]:
        if number == len(self.up_blocks):
            yield self.conv_out(F.silu(self.norm_out(x)), past)
            return
        for frame in self.up_blocks[number](x, past).split(1):
            yield from self._from_stage(number + 1, frame, past)


class WanVAE(nn.Module):
    """Pixels in [-1, 1] to latents of about unit variance and back."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: WanVAEConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder, self.decoder = Encoder(config), Decoder(config)
        self.quant_conv = CausalConv(2 * config.z_dim, 2 * config.z_dim, (1, 1, 1))
        self.post_quant_conv = CausalConv(config.z_dim, config.z_dim, (1, 1, 1))
        self.register_buffer("mean", torch.tensor(config.latents_mean)[:, None, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(config.latents_std)[:, None, None, None], persistent=False)

    def encode(self, pixels: Float[Tensor, "1 3 F H W"]) -> Float[Tensor, "1 C T h w"]:
        """The most likely latents of 4k + 1 frames."""
        step, past = self.config.scale_factor_temporal, Past()
        frames = _channels_last(pixels[0].transpose(0, 1))
        if (patch := self.config.patch_size) is not None:
            frames = rearrange(frames, "T C (H h) (W w) -> T (C w h) H W", h=patch, w=patch)
        parts = (frames[:1], *(frames[at : at + step] for at in range(1, len(frames), step)))
        made = [self.quant_conv(self.encoder(_channels_last(part), past), past) for part in parts]
        mean, _ = torch.cat(made).transpose(0, 1)[None].chunk(2, 1)  # the other half is the log of the variance
        return (mean - self.mean) / self.std

    def decode(self, latents: Float[Tensor, "1 C T h w"]) -> Iterator[Float[Tensor, "1 3 H W"]]:
        """The pixels of each frame in turn."""
        past = Past()
        for latent in latents[0].transpose(0, 1):
            x = _channels_last(latent[None].to(self.mean) * self.std[:, 0] + self.mean[:, 0])
            for frame in self.decoder(self.post_quant_conv(x, past), past):
                if (patch := self.config.patch_size) is not None:
                    frame = rearrange(frame, "T (C w h) H W -> T C (H h) (W w)", h=patch, w=patch)
                yield frame.clamp(-1, 1)


def _channels_last(frames: Tensor) -> Tensor:
    return frames.contiguous(memory_format=torch.channels_last)
