"""The networks that finished stages leave behind, averaged and frozen."""

from __future__ import annotations

from pathlib import Path

import torch

from daybreak.models.text_encoder import TextEncoder
from daybreak.models.transformer import Transformer
from daybreak.models.vae import VAE
from daybreak.tokenizer import Tokenizer
from daybreak.train.loop import averaged_weights
from daybreak.train.recipes import Recipe
from daybreak.train.statistics import with_latent_statistics
from daybreak.train.text import NamedSlots, world_tokenizer


def trained_vae(recipe: Recipe, directory: Path) -> VAE:
    """The VAE of a finished first stage, its latents at unit variance, with the decoder of a later stage if any."""
    vae = VAE(recipe.vae.model)
    vae.load_state_dict(averaged_weights(directory / "vae"))
    vae = with_latent_statistics(vae, directory / "vae" / "statistics.json")
    if (directory / "decoder" / "state.safetensors").exists():
        vae.load_state_dict(averaged_weights(directory / "decoder"))
    return vae.eval().requires_grad_(False)


def forget_later_decoder(directory: Path) -> None:
    """Removes what was measured of and trained on a first stage's VAE: a new one must not be given an old decoder."""
    for path in (directory / "vae" / "statistics.json", directory / "decoder" / "state.safetensors"):
        path.unlink(missing_ok=True)


def trained_text_encoder(recipe: Recipe, directory: Path, device: torch.device) -> tuple[Tokenizer, TextEncoder]:
    """The tokenizer and text encoder of a finished second stage."""
    named = NamedSlots(recipe.text.model)
    named.load_state_dict(averaged_weights(directory / "text"))
    encoder = named.encoder.to(device).eval().requires_grad_(False)
    return world_tokenizer(recipe.text.model.vocabulary_size, directory / "text"), encoder


def trained_transformer(recipe: Recipe, directory: Path) -> Transformer:
    """The transformer of a finished third stage."""
    transformer = Transformer(recipe.transformer.model)
    transformer.load_state_dict(averaged_weights(directory / "transformer"))
    return transformer.eval().requires_grad_(False)
