from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from daybreak.diorama.parse import parse
from daybreak.diorama.sampling import sample_spec
from daybreak.models.vae import VAE
from daybreak.train.latents import shard_path
from daybreak.train.recipes import Recipe
from daybreak.train.transformer import Conditioner, TransformerRecipe, TransformerStage

CPU = torch.device("cpu")


class Watched(nn.Module):
    """Predicts nothing, but `in_known` where a frame is known, and remembers what it was given."""

    def __init__(self, in_known: float = 0.0) -> None:
        super().__init__()
        self.in_known = in_known
        self.seen: list[tuple[Tensor, Tensor]] = []

    def forward(self, latents: Tensor, sigmas: Tensor, *_text: Tensor) -> Tensor:
        self.seen.append((latents, sigmas))
        known = (sigmas == 0)[:, None, :, None, None]
        return torch.where(known, self.in_known, 0.0).expand_as(latents)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight clips whose every number is their scene's seed; a subject covers the left half of each."""
    seeds = torch.arange(8)
    data = seeds[:, None, None, None, None].expand(8, 4, 3, 4, 4).half().contiguous()
    coverage = torch.zeros(8, 3, 4, 4, dtype=torch.uint8)
    coverage[..., :2] = 255
    save_file({"latents": data, "seeds": seeds, "coverage": coverage}, shard_path(tmp_path, 0))
    return tmp_path


def stage_of(recipe: TransformerRecipe, conditioner: Conditioner, vae: VAE, folder: Path) -> TransformerStage:
    clips_only = replace(recipe, still_steps=0, still_share=0.0, clip_batch=32)
    return TransformerStage(clips_only, conditioner, vae, folder)


def test_clips_come_with_their_own_seeds(recipe: Recipe, conditioner: Conditioner, tiny_vae: VAE, folder: Path) -> None:
    stage = stage_of(recipe.transformer, conditioner, tiny_vae, folder)
    data, seeds, coverage = stage._draw(random.Random(0), still=False)
    assert data.shape == (32, 4, 3, 4, 4)
    assert torch.equal(data[:, 0, 0, 0, 0].long(), seeds)
    assert len(set(seeds.tolist())) > 4
    stills, _, covered = stage._draw(random.Random(0), still=True)
    assert stills.shape == (recipe.transformer.still_batch, 4, 1, 4, 4)
    assert covered.shape == (recipe.transformer.still_batch, 1, 4, 4)
    assert coverage.shape == (32, 3, 4, 4)


def test_known_frames_are_shown_as_they_are_and_cost_nothing(
    recipe: Recipe, conditioner: Conditioner, tiny_vae: VAE, folder: Path
) -> None:
    stage = stage_of(recipe.transformer, conditioner, tiny_vae, folder)
    stage.module = watched = Watched()
    plain, _ = stage.loss(3, CPU)
    ((latents, sigmas),) = watched.seen
    known = sigmas == 0
    assert 0 < known.sum() < known.numel()
    shown = latents.transpose(1, 2)[known]  # (known frames, C, H, W): each one number, its clip's seed
    assert (shown == shown[:, :1, :1, :1]).all()
    assert torch.equal(shown, shown.round())
    stage.module = Watched(in_known=1e6)
    assert stage.loss(3, CPU)[0] == plain


def test_what_a_subject_covers_counts_more(
    recipe: Recipe, conditioner: Conditioner, tiny_vae: VAE, folder: Path
) -> None:
    def loss(weight: float, left: float, right: float) -> float:
        weighted = replace(recipe.transformer, subject_weight=weight)
        stage = stage_of(weighted, conditioner, tiny_vae, folder)
        halves = torch.tensor([left, left, right, right])
        stage.module = nn.Identity()
        # A prediction that is off by far more than the target's own size: its square is the error.
        stage.module.forward = lambda latents, *_: halves.expand_as(latents)  # type: ignore[method-assign]
        return stage.loss(0, CPU)[0].item() / 1e6

    assert loss(3, 1e3, 0) == pytest.approx(0.75, abs=0.02)
    assert loss(3, 0, 1e3) == pytest.approx(0.25, abs=0.02)
    assert loss(1, 1e3, 0) == pytest.approx(0.5, abs=0.02)


def test_captions_are_of_the_clip_s_own_scene_or_left_out(
    recipe: Recipe, conditioner: Conditioner, tiny_vae: VAE, folder: Path
) -> None:
    def captions(unconditional: float) -> list[str]:
        shares = replace(recipe.transformer, full_share=1.0, unconditional_share=unconditional)
        stage = stage_of(shares, conditioner, tiny_vae, folder)
        return stage._captions(torch.arange(8), random.Random(0))

    assert captions(1.0) == [""] * 8
    # Read back by the world's own parser, a caption names its scene's place and style.
    for seed, text in enumerate(captions(0.0)):
        asked, read = sample_spec(seed), parse(text).spec
        assert (read.environment, read.style) == (asked.environment, asked.style)


def test_text_states_have_one_length_and_no_gradient(conditioner: Conditioner) -> None:
    short, long = (conditioner([text], CPU) for text in ("a dog", "a brown dog runs across a meadow at sunset"))
    assert short[0].shape == long[0].shape
    assert short[1].sum() < long[1].sum()
    assert not short[0].requires_grad
