"""Runs a recipe's stages, each in its own folder: vae, text, latents, transformer, and at last the model."""

from __future__ import annotations

from pathlib import Path

import torch

from daybreak.train.finished import trained_text_encoder, trained_vae
from daybreak.train.latents import shard_path, write_shard
from daybreak.train.loop import Loop, LoopConfig, Stage, lower_priority, pick_device
from daybreak.train.publish import publish
from daybreak.train.recipes import RECIPES, Recipe
from daybreak.train.text import TextStage, world_tokenizer
from daybreak.train.transformer import Conditioner, TransformerStage
from daybreak.train.vae import VAEStage

STAGES = ("vae", "text", "latents", "transformer", "publish")


def run(
    name: str, directory: Path, *, resume: bool = False, stages: tuple[str, ...] = STAGES, device: str = "auto"
) -> None:
    """Trains `stages` of recipe `name` under `directory`, at low priority; "publish" writes `directory`/model.

    With `resume` each stage goes on from its checkpoint. Raises ValueError for an unknown recipe or stage,
    FileNotFoundError when a stage needs one that has not been trained.
    """
    if name not in RECIPES:
        raise ValueError(f"no recipe {name!r}: there are {', '.join(sorted(RECIPES))}")
    for stage in stages:
        if stage not in STAGES:
            raise ValueError(f"no stage {stage!r}: there are {', '.join(STAGES)}")
    lower_priority()
    for stage in stages:
        run_stage(RECIPES[name], stage, directory, pick_device(device), resume=resume)


def run_stage(recipe: Recipe, stage: str, directory: Path, device: torch.device, *, resume: bool = False) -> None:
    """Runs one of `STAGES`. Raises FileNotFoundError when it needs one that has not been trained."""
    if stage == "vae":
        _loop(VAEStage(recipe.vae), recipe.vae.loop, directory / "vae", device, resume)
    elif stage == "text":
        tokenizer = world_tokenizer(recipe.text.model.vocabulary_size, directory / "text")
        _loop(TextStage(recipe.text, tokenizer), recipe.text.loop, directory / "text", device, resume)
    elif stage == "latents":
        _write_latents(recipe, directory, device, resume)
    elif stage == "transformer":
        conditioner = Conditioner(*trained_text_encoder(recipe, directory, device))
        vae = trained_vae(recipe, directory).to(device)
        trained = TransformerStage(recipe.transformer, conditioner, vae, directory / "latents")
        _loop(trained, recipe.transformer.loop, directory / "transformer", device, resume)
    else:
        publish(recipe, directory, directory / "model")


def _loop(stage: Stage, config: LoopConfig, directory: Path, device: torch.device, resume: bool) -> None:
    loop = Loop(stage, config, directory, device)
    if not (resume and loop.resume()):
        loop.begin()
    loop.run()


def _write_latents(recipe: Recipe, directory: Path, device: torch.device, resume: bool) -> None:
    vae, folder = trained_vae(recipe, directory).to(device), directory / "latents"
    for still, count in ((True, recipe.num_still_shards), (False, recipe.num_shards)):
        for index in range(count):
            if not (resume and shard_path(folder, index, still=still).exists()):
                write_shard(vae, index, folder, device, recipe.shard_clips, still=still)
