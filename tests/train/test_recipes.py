from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from daybreak.models.text_encoder import SLOTS
from daybreak.models.transformer import Transformer, parameter_count
from daybreak.models.vae import VAE
from daybreak.tokenizer import Tokenizer
from daybreak.train.latents import BUCKETS, shard_path
from daybreak.train.loop import Loop, LoopConfig
from daybreak.train.optimiser import OptimiserConfig
from daybreak.train.recipes import DAWN, RECIPES, TOY, Recipe, find_recipe
from daybreak.train.text import NamedSlots
from daybreak.train.transformer import Conditioner, ShardedLatents, TransformerStage

CPU = torch.device("cpu")
every_recipe = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())


def test_recipes_are_found_by_their_names() -> None:
    assert set(RECIPES) == {"dawn", "sunrise", "toy"}
    assert all(recipe.name == name and find_recipe(name) is recipe for name, recipe in RECIPES.items())
    with pytest.raises(ValueError, match="no recipe 'noon': there are dawn, sunrise, toy"):
        find_recipe("noon")


@every_recipe
def test_the_networks_of_a_recipe_fit_together(recipe: Recipe) -> None:
    transformer = recipe.transformer.model
    assert transformer.latent_channels == recipe.vae.model.latent_channels
    assert transformer.text_width == recipe.text.model.width
    assert transformer.num_slots == len(SLOTS)
    with torch.device("meta"):  # shapes alone: nothing is computed
        vae, named, network = VAE(recipe.vae.model), NamedSlots(recipe.text.model), Transformer(transformer)
        for height, width in BUCKETS:
            latents = vae.encode(torch.zeros(1, 3, 9, height, width))
            assert vae.decode(latents).shape == (1, 3, 9, height, width)
            states, mask = named.encoder(torch.zeros(1, 5, dtype=torch.long), torch.ones(1, 5, dtype=torch.bool))
            assert network(latents, torch.ones(1, 2), states, mask).shape == latents.shape


@every_recipe
def test_a_recipe_s_crops_are_whole_latents_inside_every_bucket(recipe: Recipe) -> None:
    crops = recipe.vae.crops
    assert crops.crop % 32 == crops.window % 32 == 0  # the linear code is fitted to whole windows
    assert crops.crop_frames % 8 == crops.window_frames % 8 == 1
    assert crops.crop <= crops.window <= min(min(bucket) for bucket in BUCKETS)
    assert crops.crop_frames <= crops.window_frames <= 49
    assert 2 * crops.target_pairs <= crops.crop_frames


@every_recipe
def test_a_recipe_s_linear_code_is_fitted_to_many_more_blocks_than_it_has_channels(recipe: Recipe) -> None:
    crops = recipe.vae.crops
    blocks = recipe.vae.linear_clips * (crops.window // 32) ** 2 * (crops.window_frames // 8 + 1)
    assert blocks > 20 * recipe.vae.model.latent_channels


@every_recipe
def test_every_run_of_a_recipe_saves_on_its_way(recipe: Recipe) -> None:
    for stage in (recipe.vae, recipe.text, recipe.transformer, recipe.distil):
        loop = stage.loop
        if stage is recipe.vae and not recipe.vae.model.decoder_widths:
            assert loop.num_steps == 0  # a linear decoder is fitted, not trained
            continue
        assert loop.save_every <= loop.num_steps
        assert loop.optimiser.warmup_steps + loop.optimiser.decay_steps <= loop.num_steps
    assert recipe.transformer.still_steps < recipe.transformer.loop.num_steps


def test_the_toy_is_a_fraction_of_the_built_in_model() -> None:
    def size(recipe: Recipe) -> int:
        with torch.device("meta"):
            networks = VAE(recipe.vae.model), NamedSlots(recipe.text.model), Transformer(recipe.transformer.model)
        return sum(map(parameter_count, networks))

    assert size(TOY) < size(DAWN) / 4
    assert TOY.num_shards * TOY.shard_clips < DAWN.num_shards * DAWN.shard_clips / 4


def test_a_tiny_transformer_learns_two_clips_by_heart(
    recipe: Recipe, tokenizer: Tokenizer, conditioner: Conditioner, tiny_vae: VAE, tmp_path: Path
) -> None:
    """The best linear estimate, which it starts as, costs above 1.5; sixty steps bring it below 0.5."""
    pattern = torch.randn(2, 4, 1, 1, 1, generator=torch.Generator().manual_seed(0)).expand(2, 4, 3, 4, 4)
    coverage = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    tensors = {"latents": pattern.half().contiguous(), "seeds": torch.tensor([1, 2]), "coverage": coverage}
    save_file(tensors, shard_path(tmp_path, 0))
    loop = LoopConfig(60, OptimiserConfig(1e-2, 2e-2, 5), save_every=100, sample_every=100)
    overfit = replace(
        recipe.transformer,
        model=replace(recipe.transformer.model, width=48),
        loop=loop,
        still_steps=0,
        still_share=0.0,
        clip_batch=16,
        full_share=1.0,
        unconditional_share=0.0,
    )
    stage = TransformerStage(overfit, conditioner, tiny_vae, ShardedLatents(overfit, conditioner, tmp_path))
    training = Loop(stage, loop, tmp_path / "run", CPU)
    training.begin()
    before = stage.loss(1000, CPU)[0].item()
    training.run()
    after = sum(stage.loss(step, CPU)[0].item() for step in range(1000, 1008)) / 8
    assert before > 1.5
    assert after < 0.5
