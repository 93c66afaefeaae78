"""The denoising transformer: noisy latents, one sigma per latent frame, and text states to a velocity.

- between x and the velocity, the best linear estimate of the data channel by channel; the network adds the rest
  (the preconditioning of EDM, Karras et al., 2022, for flow matching)
- spacetime patches of 1 x p x p latent cells, full attention over all of them, 3-D rotary positions
- one sigma per latent frame: a known frame has sigma 0, a free one runs from 1 to 0
  (Diffusion Forcing, Chen et al., 2024)
- adaptive layer norm with zero-initialised gates (DiT, Peebles & Xie, 2023), its projection factored
  through a narrow layer, conditioned on the frame's sigma and on the text's slot states
- cross-attention to every text state in every block
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from daybreak.models.layers import MLP, CrossAttention, RMSNorm, SelfAttention, rotary_angles, sinusoidal
from daybreak.models.step_cache import StepCache


@dataclass(frozen=True, slots=True)
class TransformerConfig:
    """Sizes of the transformer; saved in `model.json`."""

    latent_channels: int = 192
    patch: int = 1  # latent cells per token, both ways
    width: int = 320
    num_layers: int = 12
    num_heads: int = 5
    modulation_width: int = 96
    text_width: int = 256
    num_slots: int = 16


class Modulation(nn.Module):
    """Shift, scale and gate for each of a block's two main branches, per frame: (B, T, D) to 6 x (B, T, 1, D)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.down = nn.Linear(width, hidden)
        self.up = nn.Linear(hidden, width * 6)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, condition: Tensor) -> tuple[Tensor, ...]:
        changes: Tensor = self.up(F.silu(self.down(condition)))[:, :, None]
        return changes.chunk(6, -1)


class Block(nn.Module):
    """Self-attention, cross-attention to the text, MLP."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width = config.width
        self.modulation = Modulation(width, config.modulation_width)
        self.norm_attention = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.attention = SelfAttention(width, config.num_heads)
        self.norm_text = RMSNorm(width)
        self.text = CrossAttention(width, config.num_heads, config.text_width)
        self.norm_mlp = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.mlp = MLP(width)
        nn.init.zeros_(self.text.out.weight)
        nn.init.zeros_(self.text.out.bias)

    def forward(self, x: Tensor, condition: Tensor, rotary: Tensor, text: Tensor, text_mask: Tensor) -> Tensor:
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = self.modulation(condition)
        frames = condition.shape[1]
        # (B, T, n, D): what modulates is the same for all tokens of a frame.
        x = x.unflatten(1, (frames, -1))  # type: ignore[no-untyped-call]
        seen = (self.norm_attention(x) * (1 + scale_a) + shift_a).flatten(1, 2)
        x = x + gate_a * self.attention(seen, rotary).unflatten(1, (frames, -1))
        x = x + self.text(self.norm_text(x).flatten(1, 2), text, text_mask).unflatten(1, (frames, -1))
        x = x + gate_m * self.mlp(self.norm_mlp(x) * (1 + scale_m) + shift_m)
        result: Tensor = x.flatten(1, 2)
        return result


class Transformer(nn.Module):
    """Velocity (noise - data) of noisy latents, given a sigma for each latent frame and text states."""

    deviations: Tensor  # (2, C): each channel's root mean square in latent frame 0, which holds one picture, and later

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        width, patch = config.width, config.latent_channels * config.patch**2
        self.register_buffer("deviations", torch.ones(2, config.latent_channels))
        self.embed = nn.Linear(patch, width)
        self.sigma = nn.Sequential(nn.Linear(256, width), nn.SiLU(), nn.Linear(width, width))
        self.slots = nn.Linear(config.text_width * config.num_slots, width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.norm = nn.LayerNorm(width, elementwise_affine=False, eps=1e-6)
        self.final_modulation = nn.Linear(width, width * 2)
        self.rest = nn.Linear(width, patch)
        for layer in (self.final_modulation, self.rest):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        latents: Float[Tensor, "B C T H W"],
        sigmas: Float[Tensor, "B T"],
        text_embeds: Float[Tensor, "B L D"],
        text_mask: Bool[Tensor, "B L"],
        cache: StepCache | None = None,
    ) -> Float[Tensor, "B C T H W"]:
        """With a `cache`, all blocks but the first may be left out.

        Raises ValueError when latent height or width is odd.
        """
        scale_in, keep, scale_out = self.precondition(sigmas)
        x, rotary = self.patchify(latents * scale_in)
        condition = self.condition(sigmas, text_embeds)

        def through(x: Tensor, blocks: nn.ModuleList) -> Tensor:
            for block in blocks:
                x = block(x, condition, rotary, text_embeds, text_mask)
            return x

        if cache is None:
            x = through(x, self.blocks)
        else:
            x = cache.through(x, through(x, self.blocks[:1]), lambda first: through(first, self.blocks[1:]))
        return keep * latents - scale_out * self.unpatchify(x, condition, latents)

    def precondition(self, sigmas: Float[Tensor, "B T"]) -> tuple[Tensor, Tensor, Tensor]:
        """Factors (B, C, T, 1, 1): of the latents going in, of the latents in the velocity, of the network in it.

        For data of deviation s, x = (1 - sigma) data + sigma noise has variance D = ((1 - sigma) s)^2 + sigma^2, and
        the best linear estimate of the data is (1 - sigma) s^2 / D x, with an error of deviation s sigma / sqrt(D).
        The network tells that error in units of its deviation; velocity = (x - data) / sigma gives the rest.
        """
        s = self.channel_deviations(sigmas.shape[1])
        sigma = sigmas.float()[:, None, :, None, None]
        variance = ((1 - sigma) * s).square() + sigma.square()
        return variance.rsqrt(), (sigma - (1 - sigma) * s.square()) / variance, s * variance.rsqrt()

    def channel_deviations(self, latent_frames: int) -> Float[Tensor, "1 C T 1 1"]:
        """Each channel's deviation in each frame; never quite 0, as in frame 0 are the channels that tell of change."""
        frame = (torch.arange(latent_frames, device=self.deviations.device) > 0).long()
        return self.deviations[frame].T[None, :, :, None, None].clamp_min(1e-2)

    def patchify(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (B, N, D) and their rotary angles (N, D / K / 2)."""
        frames, height, width = latents.shape[2:]
        patch = self.config.patch
        if height % patch or width % patch:
            raise ValueError(f"latents of {height}x{width} cells cannot be cut into {patch}x{patch} patches")
        x = self.embed(rearrange(latents, "B C T (H h) (W w) -> B (T H W) (h w C)", h=patch, w=patch))
        head_width = self.config.width // self.config.num_heads
        return x, rotary_angles(frames, height // patch, width // patch, head_width, latents.device)

    def condition(self, sigmas: Tensor, text_embeds: Tensor) -> Tensor:
        """What the modulations see, (B, T, D): the frame's sigma and what the text's slots say."""
        slots = self.slots(text_embeds[:, : self.config.num_slots].flatten(1))
        features = sinusoidal(sigmas, 256).to(text_embeds.dtype)
        return F.silu(self.sigma(features) + slots[:, None])

    def unpatchify(self, x: Tensor, condition: Tensor, latents: Tensor) -> Tensor:
        """What the network adds, in the shape of `latents`, from the last block's tokens."""
        frames, height, _ = latents.shape[2:]
        patch = self.config.patch
        shift, scale = self.final_modulation(condition)[:, :, None].chunk(2, -1)
        by_frame = x.unflatten(1, (frames, -1))  # type: ignore[no-untyped-call]
        patches = self.rest(self.norm(by_frame) * (1 + scale) + shift)
        rest: Tensor = rearrange(patches, "B T (H W) (h w C) -> B C T (H h) (W w)", H=height // patch, h=patch, w=patch)
        return rest


def parameter_count(module: nn.Module) -> int:
    """Number of parameters of `module`."""
    return sum(parameter.numel() for parameter in module.parameters())
