"""Recipes: named training configurations, as Python values."""

from __future__ import annotations

from dataclasses import dataclass

from daybreak.models.text_encoder import TextEncoderConfig
from daybreak.models.transformer import TransformerConfig
from daybreak.models.vae import VAEConfig
from daybreak.train.distil import DistilRecipe
from daybreak.train.latents import SHARD_CLIPS
from daybreak.train.loop import LoopConfig
from daybreak.train.optimiser import OptimiserConfig
from daybreak.train.text import TextRecipe
from daybreak.train.transformer import TransformerRecipe
from daybreak.train.vae import VAERecipe
from daybreak.train.world import LIVE_WINDOWS, CropConfig


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that makes a model, stage by stage."""

    name: str
    description: str  # for the published model's card
    vae: VAERecipe
    text: TextRecipe
    transformer: TransformerRecipe
    distil: DistilRecipe
    num_shards: int  # of cached clips
    num_still_shards: int
    shard_clips: int = SHARD_CLIPS


DAWN = Recipe(
    name="dawn",
    description="Daybreak's built-in model: two-second clips of the Diorama world, trained in this repository.",
    vae=VAERecipe(
        # No network: what it learnt in 290 steps was less than what 147 had cost (docs/log.md).
        VAEConfig(decoder_widths=(), decoder_blocks=(), context_channels=16),
        LoopConfig(0, OptimiserConfig(warmup_steps=0), save_every=1),
        CropConfig(),
    ),
    text=TextRecipe(
        TextEncoderConfig(),
        LoopConfig(600, OptimiserConfig(1e-3, 2e-3, 50, 300), save_every=100, sample_every=100),
    ),
    transformer=TransformerRecipe(
        TransformerConfig(patch=2, num_layers=8),
        LoopConfig(5_000, OptimiserConfig(1e-3, 2e-3, 100, 1_200), save_every=250, sample_every=1_000, compile=True),
        still_steps=1_500,
    ),
    distil=DistilRecipe(LoopConfig(400, OptimiserConfig(5e-4, 1e-3, 20, 300), 0.99, 50, 200), batch=16, paths=16),
    num_shards=32,
    num_still_shards=4,
)

# For a graphics card (`runs/gpu.py`): the whole world, a VAE of networks, finer patches, a student of few steps.
SUNRISE = Recipe(
    name="sunrise",
    description="Two-second clips of the whole Diorama world: half an hour of a graphics card.",
    vae=VAERecipe(
        VAEConfig(192, (96, 384), (2, 1), (384, 192, 96), (3, 4, 3), linear_decoder=False),
        LoopConfig(6_000, OptimiserConfig(1e-3, 2e-3, 100, 4_000), save_every=2_000, sample_every=1_500),
        LIVE_WINDOWS,
    ),
    text=TextRecipe(
        TextEncoderConfig(vocabulary_size=3072),
        LoopConfig(4_000, OptimiserConfig(1e-3, 2e-3, 50, 2_500), save_every=2_000, sample_every=1_000),
    ),
    transformer=TransformerRecipe(
        TransformerConfig(),
        LoopConfig(5_000, OptimiserConfig(1e-3, 2e-3, 100, 3_000), save_every=500, sample_every=1_000, compile=True),
        still_steps=500,
        still_share=0.15,
    ),
    distil=DistilRecipe(LoopConfig(600, OptimiserConfig(5e-4, 1e-3, 20, 400), 0.99, 200, 300, compile=True)),
    num_shards=32,
    num_still_shards=4,
)

# Every stage of `dawn`, each as small as still teaches it something: blurs of the right colours in the right places.
TOY = Recipe(
    name="toy",
    description="A toy: every stage of the built-in model's training in ten to fifteen minutes on two processor cores.",
    vae=VAERecipe(
        VAEConfig(32, decoder_widths=(128, 64, 32), decoder_blocks=(1, 1, 1)),
        LoopConfig(300, OptimiserConfig(5e-4, 1e-3, 30, 150), ema_decay=0.99, save_every=100, sample_every=150),
        CropConfig(window=96, window_frames=17, crop=64, pool=160),
    ),
    text=TextRecipe(
        TextEncoderConfig(width=128, num_layers=2, num_heads=2),
        LoopConfig(600, OptimiserConfig(1e-3, 2e-3, 50, 200), ema_decay=0.99, save_every=200, sample_every=200),
    ),
    transformer=TransformerRecipe(
        TransformerConfig(32, 2, width=192, num_layers=4, num_heads=3, modulation_width=48, text_width=128),
        LoopConfig(450, OptimiserConfig(1e-3, 2e-3, 50, 200), ema_decay=0.99, save_every=150, sample_every=150),
        still_steps=200,
        still_batch=32,
        clip_batch=6,
    ),
    distil=DistilRecipe(LoopConfig(60, OptimiserConfig(5e-4, 1e-3, 10, 30), 0.9, 30, 60), batch=8, paths=8, kept=64),
    num_shards=2,
    num_still_shards=1,
)

RECIPES = {recipe.name: recipe for recipe in (DAWN, SUNRISE, TOY)}


def find_recipe(name: str) -> Recipe:
    """The recipe of that name. Raises ValueError when there is none."""
    if name not in RECIPES:
        raise ValueError(f"no recipe {name!r}: there are {', '.join(sorted(RECIPES))}")
    return RECIPES[name]
