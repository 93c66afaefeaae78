"""Recipes: named training configurations, as Python values."""

from __future__ import annotations

from dataclasses import dataclass

from daybreak.models.text_encoder import TextEncoderConfig
from daybreak.models.transformer import TransformerConfig
from daybreak.models.vae import VAEConfig
from daybreak.train.latents import SHARD_CLIPS
from daybreak.train.loop import LoopConfig
from daybreak.train.optimiser import OptimiserConfig
from daybreak.train.text import TextRecipe
from daybreak.train.transformer import TransformerRecipe
from daybreak.train.vae import VAERecipe
from daybreak.train.world import CropConfig


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that makes a model, stage by stage."""

    name: str
    description: str  # for the published model's card
    vae: VAERecipe
    text: TextRecipe
    transformer: TransformerRecipe
    decoder: VAERecipe  # more training of the VAE's decoder, for a frozen encoder
    num_shards: int  # of cached latents
    shard_clips: int = SHARD_CLIPS


DAWN = Recipe(
    name="dawn",
    description="Daybreak's built-in model: two-second clips of the Diorama world, trained in this repository.",
    vae=VAERecipe(
        VAEConfig(),
        LoopConfig(
            20_000, OptimiserConfig(1e-3, 3e-3, warmup_steps=60), save_every=250, sample_every=250, compile=True
        ),
        CropConfig(),
    ),
    text=TextRecipe(
        TextEncoderConfig(),
        LoopConfig(600, OptimiserConfig(1e-3, 2e-3, 50, 300), save_every=100, sample_every=100),
    ),
    transformer=TransformerRecipe(
        TransformerConfig(),
        LoopConfig(60_000, OptimiserConfig(1e-3, 2e-3, 100), save_every=250, sample_every=500, compile=True),
        still_steps=250,
    ),
    decoder=VAERecipe(
        VAEConfig(),
        LoopConfig(
            20_000, OptimiserConfig(5e-4, 1.5e-3, 60, 2_000), save_every=250, sample_every=250, compile=True, seed=1
        ),
        CropConfig(),
        latent_noise=0.1,
    ),
    num_shards=40,
)

# Every stage of `dawn`, each as small as still teaches it something: blurs of the right colours in the right places.
_TOY_VAE = VAEConfig(16, (32, 128), (1, 1), (128, 64, 32), (1, 1, 1))
_TOY_CROPS = CropConfig(window=96, window_frames=17, crop=64, pool=160)
TOY = Recipe(
    name="toy",
    description="A toy: every stage of the built-in model's training in about ten minutes on two processor cores.",
    vae=VAERecipe(
        _TOY_VAE,
        LoopConfig(600, OptimiserConfig(2e-3, 0, 50, 300), ema_decay=0.99, save_every=200, sample_every=300),
        _TOY_CROPS,
    ),
    text=TextRecipe(
        TextEncoderConfig(width=128, num_layers=2, num_heads=2),
        LoopConfig(600, OptimiserConfig(1e-3, 2e-3, 50, 200), ema_decay=0.99, save_every=200, sample_every=200),
    ),
    transformer=TransformerRecipe(
        TransformerConfig(16, width=192, num_layers=4, num_heads=3, modulation_width=48, text_width=128),
        LoopConfig(1_500, OptimiserConfig(1e-3, 2e-3, 100, 500), ema_decay=0.99, save_every=250, sample_every=500),
        still_steps=500,
        still_batch=48,
        clip_batch=8,
    ),
    decoder=VAERecipe(
        _TOY_VAE,
        LoopConfig(100, OptimiserConfig(1e-3, 0, 10, 50), ema_decay=0.99, save_every=100, sample_every=100, seed=1),
        _TOY_CROPS,
        latent_noise=0.1,
    ),
    num_shards=2,
)

RECIPES = {recipe.name: recipe for recipe in (DAWN, TOY)}
