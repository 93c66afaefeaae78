"""Runs a recipe's stages, each in its own folder: vae, text, latents, transformer, and at last the model."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from daybreak.train.distil import DistilStage
from daybreak.train.finished import known_words, trained_text_encoder, trained_transformer, trained_vae
from daybreak.train.latents import shard_path, write_shard
from daybreak.train.live import LiveLatents, LiveWindows
from daybreak.train.loop import Loop, LoopConfig, Stage, lower_priority
from daybreak.train.publish import publish
from daybreak.train.recipes import Recipe, find_recipe
from daybreak.train.text import TextStage, world_tokenizer
from daybreak.train.transformer import Conditioner, LatentSource, ShardedLatents, TransformerStage
from daybreak.train.vae import VAEStage

STAGES = ("vae", "text", "latents", "transformer", "distil", "publish")
# Where none is named: all but the student's, which no model folder has a place for yet.
DEFAULT_STAGES = tuple(stage for stage in STAGES if stage != "distil")


@dataclass(frozen=True, slots=True)
class How:
    """On what a recipe is run, how long each of its stages, and what is called when a checkpoint has been written."""

    device: torch.device
    resume: bool = False
    seconds: float = 0.0  # of training a stage, instead of the recipe's steps; 0: those
    workers: int = max(1, (os.cpu_count() or 2) - 1)  # processes that render for a graphics card
    on_save: Callable[[], None] = lambda: None


def run(name: str, directory: Path, how: How, stages: tuple[str, ...] = DEFAULT_STAGES) -> None:
    """Trains `stages` of recipe `name` under `directory`, at low priority; "publish" writes `directory`/model.

    Raises ValueError for an unknown recipe or stage, FileNotFoundError when a stage needs one that has not been
    trained.
    """
    recipe = find_recipe(name)
    for stage in stages:
        if stage not in STAGES:
            raise ValueError(f"no stage {stage!r}: there are {', '.join(STAGES)}")
    lower_priority()
    for stage in stages:
        run_stage(recipe, stage, directory, how)


def run_stage(recipe: Recipe, stage: str, directory: Path, how: How) -> None:
    """Runs one of `STAGES`. Raises FileNotFoundError when it needs one that has not been trained."""
    device, live = how.device, how.device.type == "cuda"
    if stage == "vae":
        if live and recipe.vae.loop.num_steps:
            with contextlib.closing(LiveWindows(device, how.workers)) as windows:
                train(VAEStage(recipe.vae, windows), recipe.vae.loop, directory / "vae", how)
        else:
            train(VAEStage(recipe.vae), recipe.vae.loop, directory / "vae", how)
    elif stage == "text":
        tokenizer = world_tokenizer(recipe.text.model.vocabulary_size, directory / "text")
        train(TextStage(recipe.text, tokenizer), recipe.text.loop, directory / "text", how)
    elif stage == "latents":
        if not live:  # a graphics card learns from latents that are made meanwhile
            _write_latents(recipe, directory, device, how.resume)
    elif stage in ("transformer", "distil"):
        vae = trained_vae(recipe, directory).to(device)
        conditioner = Conditioner(*trained_text_encoder(recipe, directory, device))
        if live:
            with contextlib.closing(LiveLatents(vae, conditioner, recipe.transformer, how.workers)) as latents:
                train_denoiser(recipe, stage, directory, how, latents)
        else:
            source = ShardedLatents(recipe.transformer, conditioner, directory / "latents", known_words(directory))
            train_denoiser(recipe, stage, directory, how, source)
    else:
        publish(recipe, directory, directory / "model")


def train_denoiser(recipe: Recipe, stage: str, directory: Path, how: How, source: LatentSource) -> nn.Module:
    """Trains the transformer, or the student that needs few steps, on latents from `source`."""
    conditioner = Conditioner(*trained_text_encoder(recipe, directory, how.device))
    vae = trained_vae(recipe, directory).to(how.device)
    if stage == "transformer":
        learnt = TransformerStage(recipe.transformer, conditioner, vae, source)
        return train(learnt, recipe.transformer.loop, directory / stage, how)
    teacher = trained_transformer(recipe, directory).to(how.device)
    return train(
        DistilStage(recipe.distil, teacher, conditioner, vae, source), recipe.distil.loop, directory / stage, how
    )


def train(stage: Stage, config: LoopConfig, directory: Path, how: How) -> nn.Module:
    """Trains a stage in its folder, for as long as was said; gives the averaged module."""
    loop = Loop(stage, replace(config, seconds=how.seconds), directory, how.device, how.on_save)
    if not (how.resume and loop.resume()):
        loop.begin()
    return loop.run()


def _write_latents(recipe: Recipe, directory: Path, device: torch.device, resume: bool) -> None:
    vae, folder = trained_vae(recipe, directory).to(device), directory / "latents"
    for still, count in ((True, recipe.num_still_shards), (False, recipe.num_shards)):
        for index in range(count):
            if not (resume and shard_path(folder, index, still=still).exists()):
                words = known_words(directory)
                write_shard(vae, index, folder, device, recipe.shard_clips, still=still, words=words)
