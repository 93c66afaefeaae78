"""A recipe that trains in a few seconds, and what its stages need of one another."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from daybreak.diorama.captions import caption
from daybreak.diorama.sampling import sample_spec
from daybreak.models.text_encoder import TextEncoder, TextEncoderConfig
from daybreak.models.transformer import TransformerConfig
from daybreak.models.vae import VAE, VAEConfig
from daybreak.tokenizer import Tokenizer, build_vocabulary
from daybreak.train.latents import write_shard
from daybreak.train.loop import LoopConfig, Stage
from daybreak.train.optimiser import OptimiserConfig
from daybreak.train.recipes import TOY, Recipe
from daybreak.train.text import TextStage
from daybreak.train.transformer import Conditioner, TransformerStage
from daybreak.train.vae import VAEStage
from daybreak.train.world import CropConfig

CPU = torch.device("cpu")
VAE_MODEL = VAEConfig(4, (4, 8), (1, 1), (8, 8, 4), (1, 1, 1))
CROPS = CropConfig(window=64, window_frames=9, crop=32, crop_frames=9, batch=2, target_pairs=2, pool=4)
LOOP = LoopConfig(4, OptimiserConfig(1e-3, 2e-3, warmup_steps=3), save_every=100, sample_every=100, log_every=2)


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    """Every stage of `toy` at four steps, with networks of a few thousand parameters."""
    return replace(
        TOY,
        name="tiny",
        vae=replace(TOY.vae, model=VAE_MODEL, loop=LOOP, crops=CROPS),
        text=replace(
            TOY.text, model=TextEncoderConfig(256, 64, width=16, num_layers=1, num_heads=2), loop=LOOP, batch=8
        ),
        transformer=replace(
            TOY.transformer,
            model=TransformerConfig(4, 16, 2, 2, 8, text_width=16),
            loop=LOOP,
            still_steps=1,
            still_share=0.5,
            still_batch=4,
            clip_batch=2,
        ),
        decoder=replace(TOY.decoder, model=VAE_MODEL, loop=LOOP, crops=CROPS),
        num_shards=1,
        shard_clips=3,
    )


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    rng = random.Random(0)
    return Tokenizer(build_vocabulary([caption(sample_spec(seed), rng).text for seed in range(50)], 256))


@pytest.fixture(scope="session")
def tiny_vae(recipe: Recipe) -> VAE:
    torch.manual_seed(0)
    return VAE(recipe.vae.model).eval().requires_grad_(False)


@pytest.fixture(scope="session")
def latents(recipe: Recipe, tiny_vae: VAE, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one shard, encoded by the tiny VAE."""
    folder = tmp_path_factory.mktemp("cached") / "latents"
    write_shard(tiny_vae, 0, folder, CPU, recipe.shard_clips)
    return folder


@pytest.fixture(scope="session")
def conditioner(recipe: Recipe, tokenizer: Tokenizer) -> Conditioner:
    torch.manual_seed(0)
    return Conditioner(tokenizer, TextEncoder(recipe.text.model).eval().requires_grad_(False))


@pytest.fixture
def make_vae_stage(recipe: Recipe, tiny_vae: VAE) -> Iterator[Callable[..., VAEStage]]:
    """Makes stages of the VAE, or of its decoder alone, and at the end drops what their pools have still to render."""
    made: list[VAEStage] = []

    def make(decoder_alone: bool = False) -> VAEStage:
        stage = VAEStage(recipe.decoder, copy.deepcopy(tiny_vae)) if decoder_alone else VAEStage(recipe.vae)
        made.append(stage)
        return stage

    yield make
    for stage in made:
        stage.pool.threads.shutdown(cancel_futures=True)


@pytest.fixture(params=["vae", "text", "transformer", "decoder"])
def make_stage(
    request: pytest.FixtureRequest,
    recipe: Recipe,
    tokenizer: Tokenizer,
    tiny_vae: VAE,
    latents: Path,
    conditioner: Conditioner,
    make_vae_stage: Callable[..., VAEStage],
) -> Callable[[], Stage]:
    """Makes the stage anew, as a new process would."""
    makers: dict[str, Callable[[], Stage]] = {
        "vae": make_vae_stage,
        "text": lambda: TextStage(recipe.text, tokenizer),
        "decoder": lambda: make_vae_stage(decoder_alone=True),
        "transformer": lambda: TransformerStage(recipe.transformer, conditioner, tiny_vae, latents),
    }
    return makers[request.param]


@pytest.fixture
def prepared(recipe: Recipe, tokenizer: Tokenizer, tmp_path: Path) -> Path:
    """A run's folder with what takes long to measure already in it: the tokenizer and the latents' statistics."""
    for stage in ("text", "vae"):
        (tmp_path / stage).mkdir()
    tokenizer.save(tmp_path / "text" / "tokenizer.json")
    channels = recipe.vae.model.latent_channels
    figures = {"shift": [0.5] * channels, "scale": [2.0] * channels}
    (tmp_path / "vae" / "statistics.json").write_text(json.dumps(figures))
    return tmp_path
