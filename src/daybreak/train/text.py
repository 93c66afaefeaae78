"""Stage 2: the text encoder, by naming what captions say.

Each slot state must name its attribute, or that the caption leaves it open. That is a small task next to
denoising, learnt in minutes from captions alone, and afterwards the transformer finds "what, which colour,
where" at fixed places however a sentence was worded.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from daybreak.diorama import scene
from daybreak.diorama.captions import augment, caption
from daybreak.diorama.sampling import sample_spec
from daybreak.models.text_encoder import SLOTS, TextEncoder, TextEncoderConfig
from daybreak.tokenizer import Tokenizer, build_vocabulary
from daybreak.train.loop import LoopConfig

VALUES: dict[str, tuple[str, ...]] = {
    "subject": scene.SUBJECTS,
    "colour": scene.COLOURS,
    "pattern": scene.PATTERNS,
    "size": scene.SIZES,
    "action": scene.ACTIONS,
    "relation": scene.RELATIONS,
    "environment": scene.ENVIRONMENTS,
    "time_of_day": scene.TIMES_OF_DAY,
    "weather": scene.WEATHERS,
    "camera": scene.CAMERAS,
    "style": scene.STYLES,
}
EMPTY_SHARE = 0.01  # of captions: what guidance compares with says nothing in any slot
VOCABULARY_CAPTIONS = 20_000  # captions that the tokenizer's vocabulary is counted from


@dataclass(frozen=True, slots=True)
class TextRecipe:
    """A text encoder and how it is trained."""

    model: TextEncoderConfig
    loop: LoopConfig
    batch: int = 64
    noise_share: float = 0.5  # of captions with typos, fillers and unknown words


def slot_values(slot: str) -> tuple[str, ...]:
    """What a slot can name; "colour2" names colours."""
    return VALUES[slot.rstrip("2")]


class NamedSlots(nn.Module):
    """The text encoder with a classifier on each slot: class 0 is "not said"."""

    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__()
        self.encoder = TextEncoder(config)
        self.heads = nn.ModuleList(nn.Linear(config.width, len(slot_values(slot)) + 1) for slot in SLOTS)

    def forward(self, ids: Tensor, mask: Tensor) -> list[Tensor]:
        states, _ = self.encoder(ids, mask)
        return [head(states[:, index]) for index, head in enumerate(self.heads)]


class TextStage:
    """The loss and the samples of a text encoder in training."""

    def __init__(self, recipe: TextRecipe, tokenizer: Tokenizer) -> None:
        self.recipe, self.tokenizer = recipe, tokenizer
        torch.manual_seed(recipe.loop.seed)
        self.module: nn.Module = NamedSlots(recipe.model)

    def begin(self) -> None:
        """Nothing to measure."""

    def loss(self, step: int, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """Mean cross-entropy over the slots of batch `step`."""
        rng = random.Random(f"text {self.recipe.loop.seed} {step}")
        ids, mask, targets = self.batch(rng, self.recipe.batch, held_out=False, noise=self.recipe.noise_share)
        logits = self.module(ids.to(device), mask.to(device))
        losses = [F.cross_entropy(named.float(), targets[:, i].to(device)) for i, named in enumerate(logits)]
        return torch.stack(losses).mean(), {}

    def batch(self, rng: random.Random, size: int, *, held_out: bool, noise: float) -> tuple[Tensor, Tensor, Tensor]:
        """Token ids (B, L), mask (B, L) and classes (B, S) of captions of random scenes."""
        texts, classes = [], []
        for _ in range(size):
            if rng.random() < EMPTY_SHARE:
                texts.append("")
                classes.append([0] * len(SLOTS))
                continue
            words = caption(sample_spec(rng.getrandbits(40), held_out=held_out), rng)
            texts.append(augment(words.text, rng) if rng.random() < noise else words.text)
            classes.append([_class(slot, words.mentioned) for slot in SLOTS])
        ids, mask = tokenize(self.tokenizer, texts, self.recipe.model.max_tokens)
        return ids, mask, torch.tensor(classes)

    def sample(self, averaged: nn.Module, path: Path) -> dict[str, float]:  # noqa: ARG002 - no sheet: captions are words
        """Accuracy of each slot on captions of held-out scenes."""
        device = next(averaged.parameters()).device
        ids, mask, targets = self.batch(random.Random("held out"), 512, held_out=True, noise=0.0)
        named = averaged(ids.to(device), mask.to(device))
        hits = [(logits.argmax(1).cpu() == targets[:, i]).float().mean() for i, logits in enumerate(named)]
        return {slot: round(float(hit), 3) for slot, hit in zip(SLOTS, hits, strict=True)}


def world_tokenizer(size: int, folder: Path) -> Tokenizer:
    """The tokenizer in `folder`, or a new one of the world's captions, kept there: its ids must never change."""
    path = folder / "tokenizer.json"
    if path.exists():
        return Tokenizer.load(path)
    rng = random.Random("vocabulary")
    captions = (caption(sample_spec(rng.getrandbits(40)), rng).text for _ in range(VOCABULARY_CAPTIONS))
    tokenizer = Tokenizer(build_vocabulary(captions, size))
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(path)
    return tokenizer


def tokenize(tokenizer: Tokenizer, texts: list[str], max_tokens: int) -> tuple[Tensor, Tensor]:
    """Ids (B, L) and mask (B, L) of `texts`, L the longest text's tokens."""
    encoded = [tokenizer.encode(text, max_tokens) for text in texts]
    ids = torch.tensor([ids for ids, _ in encoded])
    mask = torch.tensor([mask for _, mask in encoded], dtype=torch.bool)
    longest = int(mask.sum(1).max())
    return ids[:, :longest], mask[:, :longest]


def _class(slot: str, mentioned: dict[str, str]) -> int:
    return slot_values(slot).index(mentioned[slot]) + 1 if slot in mentioned else 0
