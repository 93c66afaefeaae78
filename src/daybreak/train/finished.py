"""The networks that finished stages leave behind, averaged and frozen."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from daybreak.diorama.narrowing import Words
from daybreak.models.text_encoder import TextEncoder
from daybreak.models.transformer import Transformer
from daybreak.models.vae import VAE
from daybreak.tokenizer import Tokenizer
from daybreak.train.loop import averaged_weights, under
from daybreak.train.recipes import Recipe
from daybreak.train.text import world_tokenizer

WORDS_FILE = "words.json"


def trained_vae(recipe: Recipe, directory: Path) -> VAE:
    """The VAE of a first stage, whatever its decoder has learnt so far."""
    vae = VAE(recipe.vae.model)
    vae.load_state_dict(averaged_weights(directory / "vae"))
    return vae.eval().requires_grad_(False)


def trained_text_encoder(recipe: Recipe, directory: Path, device: torch.device) -> tuple[Tokenizer, TextEncoder]:
    """The tokenizer and text encoder of a finished second stage."""
    encoder = TextEncoder(recipe.text.model)
    encoder.load_state_dict(under("encoder.", averaged_weights(directory / "text")))
    encoder.to(device).eval().requires_grad_(False)
    return world_tokenizer(recipe.text.model.vocabulary_size, directory / "text"), encoder


def known_words(directory: Path) -> Words | None:
    """The words that a model knows which training goes on from (`publish.adopt`); None: all of the world's."""
    path = directory / WORDS_FILE
    if not path.exists():
        return None
    words: Words = json.loads(path.read_text(encoding="utf-8"))
    return words


def trained_transformer(recipe: Recipe, directory: Path) -> Transformer:
    """The transformer of a finished third stage."""
    transformer = Transformer(recipe.transformer.model)
    transformer.load_state_dict(averaged_weights(directory / "transformer"))
    return transformer.eval().requires_grad_(False)
