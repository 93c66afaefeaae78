"""A recipe that trains in a few seconds, and what its stages need of one another."""

from __future__ import annotations

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
from daybreak.train.distil import DistilRecipe
from daybreak.train.latents import write_shard
from daybreak.train.loop import LoopConfig, Stage
from daybreak.train.optimiser import OptimiserConfig
from daybreak.train.recipes import TOY, Recipe
from daybreak.train.text import TextStage
from daybreak.train.transformer import Conditioner, ShardedLatents, TransformerStage
from daybreak.train.vae import VAEStage
from daybreak.train.world import CropConfig, UnitPool

CPU = torch.device("cpu")
VAE_MODEL = VAEConfig(4, decoder_widths=(8, 8, 4), decoder_blocks=(1, 1, 1), context_channels=2)
CROPS = CropConfig(window=64, window_frames=9, crop=32, crop_frames=9, batch=2, target_pairs=2, pool=4)
LOOP = LoopConfig(4, OptimiserConfig(1e-3, 2e-3, warmup_steps=3), save_every=100, sample_every=100, log_every=2)


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    """Every stage of `toy` at four steps, with networks of a few thousand parameters."""
    return replace(
        TOY,
        name="tiny",
        vae=replace(TOY.vae, model=VAE_MODEL, loop=LOOP, crops=CROPS, linear_clips=4, context_clips=1),
        text=replace(
            TOY.text, model=TextEncoderConfig(256, 64, width=16, num_layers=1, num_heads=2), loop=LOOP, batch=8
        ),
        transformer=replace(
            TOY.transformer,
            model=TransformerConfig(4, 2, 16, 2, 2, 8, text_width=16),
            loop=LOOP,
            still_steps=1,
            still_share=0.5,
            still_batch=4,
            clip_batch=2,
        ),
        distil=DistilRecipe(LOOP, num_steps=2, substeps=2, batch=4, paths=2, gather_every=2, kept=4),
        num_shards=1,
        num_still_shards=1,
        shard_clips=2,
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
    """A folder with one shard of clips and one of stills, encoded by the tiny VAE."""
    folder = tmp_path_factory.mktemp("cached") / "latents"
    for still in (False, True):
        write_shard(tiny_vae, 0, folder, CPU, recipe.shard_clips, still=still)
    return folder


@pytest.fixture(scope="session")
def conditioner(recipe: Recipe, tokenizer: Tokenizer) -> Conditioner:
    torch.manual_seed(0)
    return Conditioner(tokenizer, TextEncoder(recipe.text.model).eval().requires_grad_(False))


@pytest.fixture
def make_vae_stage(recipe: Recipe) -> Iterator[Callable[[], VAEStage]]:
    """Makes stages of the VAE, and at the end drops what their pools have still to render."""
    made: list[VAEStage] = []

    def make() -> VAEStage:
        made.append(VAEStage(recipe.vae))
        return made[-1]

    yield make
    for stage in made:
        assert isinstance(stage.source, UnitPool)
        stage.source.threads.shutdown(cancel_futures=True)


@pytest.fixture(params=["vae", "text", "transformer"])
def make_stage(
    request: pytest.FixtureRequest,
    recipe: Recipe,
    tokenizer: Tokenizer,
    tiny_vae: VAE,
    latents: Path,
    conditioner: Conditioner,
    make_vae_stage: Callable[[], VAEStage],
) -> Callable[[], Stage]:
    """Makes the stage anew, as a new process would."""
    makers: dict[str, Callable[[], Stage]] = {
        "vae": make_vae_stage,
        "text": lambda: TextStage(recipe.text, tokenizer),
        "transformer": lambda: TransformerStage(
            recipe.transformer, conditioner, tiny_vae, ShardedLatents(recipe.transformer, conditioner, latents)
        ),
    }
    return makers[request.param]


@pytest.fixture
def prepared(tokenizer: Tokenizer, tmp_path: Path) -> Path:
    """A run's folder with what takes long to make already in it: the tokenizer."""
    (tmp_path / "text").mkdir()
    tokenizer.save(tmp_path / "text" / "tokenizer.json")
    return tmp_path
