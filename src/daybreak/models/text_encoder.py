"""The text encoder: a caption's tokens to states that the transformer attends to.

Besides one state per token it gives one state per *slot* (first subject, its colour, ..., camera): learned
query tokens in front of the caption. In training each slot state names its attribute (`train/text.py`), so
that what a sentence means reaches the transformer at a fixed place, however it was worded. Token states
follow, so that word order and everything the slots have no name for is still there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from daybreak.models.layers import MLP, RMSNorm, SelfAttention

SLOTS = (
    "subject", "colour", "pattern", "size", "action",
    "subject2", "colour2", "pattern2", "size2", "action2",
    "relation", "environment", "time_of_day", "weather", "camera", "style",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TextEncoderConfig:
    """Sizes of the text encoder; saved in `model.json`."""

    vocabulary_size: int = 2048
    max_tokens: int = 64
    width: int = 256
    num_layers: int = 3
    num_heads: int = 4


class TextBlock(nn.Module):
    """A pre-norm transformer block."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.norm_attention = RMSNorm(width)
        self.attention = SelfAttention(width, num_heads)
        self.norm_mlp = RMSNorm(width)
        self.mlp = MLP(width)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x + self.attention(self.norm_attention(x), mask=mask)
        result: Tensor = x + self.mlp(self.norm_mlp(x))
        return result


class TextEncoder(nn.Module):
    """Token ids (B, L) to states (B, S + L, D), the S = len(SLOTS) slot states first."""

    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.vocabulary_size, config.width)
        self.positions = nn.Parameter(torch.randn(config.max_tokens, config.width) * 0.02)
        self.slots = nn.Parameter(torch.randn(len(SLOTS), config.width) * 0.5)
        self.blocks = nn.ModuleList(TextBlock(config.width, config.num_heads) for _ in range(config.num_layers))
        self.norm = RMSNorm(config.width)
        nn.init.normal_(self.tokens.weight, std=0.5)

    def forward(
        self, ids: Int[Tensor, "B L"], mask: Bool[Tensor, "B L"]
    ) -> tuple[Float[Tensor, "B S_L D"], Bool[Tensor, "B S_L"]]:
        """States and their mask. Raises ValueError for more than `max_tokens` tokens."""
        batch, length = ids.shape
        if length > self.config.max_tokens:
            raise ValueError(f"{length} tokens, at most {self.config.max_tokens}")
        words = self.tokens(ids) + self.positions[:length]
        x = torch.cat([self.slots.expand(batch, -1, -1), words], 1)
        text_mask = torch.cat([mask.new_ones(batch, len(SLOTS)), mask], 1)
        for block in self.blocks:
            x = block(x, text_mask[:, None, None])
        return self.norm(x), text_mask
