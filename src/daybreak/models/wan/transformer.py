"""The Wan transformer: noisy latents, timesteps and text states to a velocity (Wan Team, 2025, section 4.2).

- spacetime patches of 1 x 2 x 2 latent cells, full attention over all of them, 3-D rotary positions
- RMS norm of queries and keys over all heads together
- cross-attention to the states of a umT5 encoder in every block
- one projection of the timestep for all blocks, to which each adds a table of its own; no gradient is ever needed
- Wan 2.2's 5B model has a timestep for each token: in image to video, 0 for those of the first latent frame

Both branches of classifier-free guidance go through in one batch: they have one x until the first cross-attention, so
that all before it is computed once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from daybreak.models.step_cache import StepCache
from daybreak.models.wan.layers import (
    MLP,
    CrossAttention,
    Linear,
    SelfAttention,
    TextStates,
    add_gated,
    modulated_norm,
    rotations,
    text_bias,
)

PATCH = 2  # latent cells per token, both ways


@dataclass(frozen=True, slots=True)
class WanConfig:
    """Sizes of the transformer, by the names of its `config.json` in the layout of diffusers."""

    num_attention_heads: int = 40
    attention_head_dim: int = 128
    in_channels: int = 16
    out_channels: int = 16
    text_dim: int = 4096
    freq_dim: int = 256
    ffn_dim: int = 13824
    num_layers: int = 40
    eps: float = 1e-6

    @property
    def width(self) -> int:
        return self.num_attention_heads * self.attention_head_dim


class Block(nn.Module):
    """Self-attention, cross-attention to the text, MLP."""

    def __init__(self, config: WanConfig) -> None:
        super().__init__()
        width, heads, self.eps = config.width, config.num_attention_heads, config.eps
        self.modulation = nn.Parameter(torch.zeros(1, 6, width))
        self.attention = SelfAttention(width, heads, self.eps)
        self.norm_text = nn.LayerNorm(width, self.eps)
        self.text = CrossAttention(width, heads, self.eps)
        self.mlp = MLP(width, config.ffn_dim)

    def forward(
        self, x: Tensor, condition: Tensor, spans: Sequence[int], turns: Tensor, text: tuple[Tensor, Tensor, Tensor]
    ) -> Tensor:
        """Tokens (B, N, D) of tokens (B or 1, N, D); `condition` is (S, 6, D), `text` keys, values and bias."""
        changes = (self.modulation.float() + condition).unbind(1)
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = changes
        x = add_gated(x, self.attention(modulated_norm(x, scale_a, shift_a, spans, self.eps), turns), gate_a, spans)
        x = x + self.text(self._for_text(x), *text)
        return add_gated(x, self.mlp(modulated_norm(x, scale_m, shift_m, spans, self.eps)), gate_m, spans)

    def _for_text(self, x: Tensor) -> Tensor:
        norm = self.norm_text
        return F.layer_norm(x.float(), x.shape[-1:], norm.weight.float(), norm.bias.float(), self.eps).to(x.dtype)


class WanTransformer(nn.Module):
    """Velocity (noise - data) of noisy latents for several prompts at once."""

    def __init__(self, config: WanConfig) -> None:
        super().__init__()
        self.config = config
        self.dtype = torch.float32  # of the arithmetic
        width = config.width
        self.patch = nn.Conv3d(config.in_channels, width, (1, PATCH, PATCH))  # of a patch alone: a linear layer
        self.time = nn.Sequential(Linear(config.freq_dim, width), nn.SiLU(), Linear(width, width))
        self.time_projection = Linear(width, 6 * width)
        self.text = nn.Sequential(Linear(config.text_dim, width), nn.GELU("tanh"), Linear(width, width))
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_layers))
        self.modulation = nn.Parameter(torch.zeros(1, 2, width))
        self.head = Linear(width, config.out_channels * PATCH**2)

    def text_states(self, prompts: Sequence[Float[Tensor, "_ D"]], padded: int = 512) -> TextStates:
        """What the blocks need to know of prompts' embeddings (L, D_text), which Wan sees padded to `padded` tokens."""
        longest = max(map(len, prompts)) + 1
        together = torch.stack([F.pad(prompt, (0, 0, 0, longest - len(prompt))) for prompt in prompts])
        text = self.text(together.to(self.dtype))
        layers = [block.text for block in self.blocks if isinstance(block, Block)]
        keys, values = zip(*(layer.states(text) for layer in layers), strict=True)
        return TextStates(keys, values, text_bias([len(prompt) for prompt in prompts], padded).to(text.device))

    def forward(
        self,
        latents: Float[Tensor, "1 C T H W"],
        timesteps: Float[Tensor, "S"],
        text: TextStates,
        spans: Sequence[int] | None = None,
        cache: StepCache | None = None,
    ) -> Float[Tensor, "B out T H W"]:
        """Velocities of one clip for the B prompts of `text`.

        `timesteps`, 0 to 1,000, has one entry for all tokens, or one for each of `spans`, which count latent frames.
        With a `cache`, all blocks but the first may be left out.
        Raises ValueError when latent height or width is odd.
        """
        frames, height, width = latents.shape[2:]
        if height % PATCH or width % PATCH:
            raise ValueError(f"latents of {height}x{width} cells cannot be cut into {PATCH}x{PATCH} patches")
        rows, columns = height // PATCH, width // PATCH
        tokens = [count * rows * columns for count in spans or [frames]]
        turns = rotations(frames, rows, columns, self.config.attention_head_dim).to(latents.device)
        embedded, condition = self.condition(timesteps)
        patches = rearrange(latents.to(self.dtype), "B C T (H h) (W w) -> B (T H W) (C h w)", h=PATCH, w=PATCH)
        bias = self.patch.bias
        assert bias is not None
        x = F.linear(patches, self.patch.weight.flatten(1).to(self.dtype), bias.to(self.dtype))  # (1, N, D)

        def through(x: Tensor, start: int, end: int | None = None) -> Tensor:
            layers = zip(self.blocks, text.keys, text.values, strict=True)
            for block, key, value in islice(layers, start, end):
                x = block(x, condition, tokens, turns, (key, value, text.bias))
            return x

        x = through(x, 0) if cache is None else cache.through(x, through(x, 0, 1), lambda first: through(first, 1))
        shift, scale = (self.modulation.float() + embedded[:, None]).unbind(1)
        velocities = self.head(modulated_norm(x, scale, shift, tokens, self.config.eps))
        result: Tensor = rearrange(
            velocities, "B (T H W) (h w C) -> B C T (H h) (W w)", T=frames, H=rows, W=columns, h=PATCH, w=PATCH
        )
        return result

    def condition(self, timesteps: Float[Tensor, "S"]) -> tuple[Float[Tensor, "S D"], Float[Tensor, "S 6 D"]]:
        """Embeddings of timesteps, and what all blocks make their scales, shifts and gates of; float32."""
        half = self.config.freq_dim // 2
        frequencies = torch.exp(-math.log(10_000) * torch.arange(half, device=timesteps.device) / half)
        phases = timesteps.float()[:, None] * frequencies
        embedded = self.time(torch.cat([phases.cos(), phases.sin()], -1)).to(self.dtype)
        projected = self.time_projection(F.silu(embedded))
        return embedded.float(), projected.float().unflatten(1, (6, -1))
