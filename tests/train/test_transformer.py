from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from daybreak.diorama.parse import parse
from daybreak.diorama.sampling import sample_spec
from daybreak.models.transformer import Transformer, TransformerConfig
from daybreak.models.vae import VAE
from daybreak.tokenizer import EMPTY
from daybreak.train.latents import shard_path
from daybreak.train.recipes import Recipe
from daybreak.train.transformer import Batch, Conditioner, ShardedLatents, TransformerRecipe, TransformerStage

CPU = torch.device("cpu")


class Saying(Transformer):
    """Says `said` of every frame, but `in_known` of one that is known, and remembers what it was given."""

    def __init__(self, config: TransformerConfig, said: Tensor | None = None, in_known: float = 0.0) -> None:
        super().__init__(config)
        self.said = torch.zeros(()) if said is None else said
        self.in_known = torch.tensor(in_known)
        self.seen: list[tuple[Tensor, Tensor]] = []

    def forward(self, latents: Tensor, sigmas: Tensor, *_text: Tensor) -> Tensor:
        self.seen.append((latents, sigmas))
        known = (sigmas == 0)[:, None, :, None, None]
        return torch.where(known, self.in_known, self.said.expand_as(latents))


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
    return TransformerStage(clips_only, conditioner, vae, ShardedLatents(clips_only, conditioner, folder))


def source_of(recipe: TransformerRecipe, conditioner: Conditioner, folder: Path) -> ShardedLatents:
    return ShardedLatents(replace(recipe, clip_batch=32), conditioner, folder)


def numbers(batch: Batch) -> Tensor:
    """The number that each item of `folder` is made of: its scene's seed."""
    return batch.data[:, 0, 0, 0, 0].long()


def test_a_batch_is_of_clips_or_of_first_frames(recipe: Recipe, conditioner: Conditioner, folder: Path) -> None:
    source = source_of(recipe.transformer, conditioner, folder)
    clips = source.batch(0, still=False)
    assert clips.data.shape == (32, 4, 3, 4, 4)
    assert clips.coverage.shape == (32, 3, 4, 4)
    assert clips.ids.shape == clips.mask.shape == (32, recipe.text.model.max_tokens)
    assert len(set(numbers(clips).tolist())) > 4
    # Where no stills are cached, the clips' first frames do.
    stills = source.batch(0, still=True)
    assert stills.data.shape == (recipe.transformer.still_batch, 4, 1, 4, 4)
    assert stills.coverage.shape == (recipe.transformer.still_batch, 1, 4, 4)


def test_stills_are_scenes_of_their_own(recipe: Recipe, conditioner: Conditioner, folder: Path) -> None:
    seeds = torch.arange(100, 108)
    data = seeds[:, None, None, None, None].expand(8, 4, 1, 2, 6).half().contiguous()
    coverage = torch.full((8, 1, 2, 6), 7, dtype=torch.uint8)
    save_file({"latents": data, "seeds": seeds, "coverage": coverage}, shard_path(folder, 0, still=True))
    source = source_of(recipe.transformer, conditioner, folder)
    stills = source.batch(0, still=True)
    assert stills.data.shape == (recipe.transformer.still_batch, 4, 1, 2, 6)
    assert numbers(stills).min() >= 100
    assert (stills.coverage == 7).all()
    assert numbers(source.batch(0, still=False)).max() < 100


def test_it_begins_with_the_latents_deviations_of_first_and_of_later_frames(
    recipe: Recipe, conditioner: Conditioner, tiny_vae: VAE, tmp_path: Path
) -> None:
    generator = torch.Generator().manual_seed(0)
    deviations = torch.tensor([[0.5, 1.0, 2.0, 4.0], [0.25, 0.75, 1.5, 3.0]])
    per_frame = deviations[[0, 1, 1]].T[None, :, :, None, None]
    for index, (height, width) in enumerate([(4, 6), (6, 4), (4, 4)]):  # shards of several buckets
        data = (per_frame * torch.randn(60, 4, 3, height, width, generator=generator)).half().contiguous()
        tensors = {"latents": data, "seeds": torch.arange(60), "coverage": torch.zeros(60, 3, height, width).byte()}
        save_file(tensors, shard_path(tmp_path, index))
    source = ShardedLatents(recipe.transformer, conditioner, tmp_path)
    stage = TransformerStage(recipe.transformer, conditioner, tiny_vae, source)
    assert isinstance(stage.module, Transformer)
    assert (stage.module.deviations == 1).all()
    stage.begin()
    torch.testing.assert_close(stage.module.deviations, deviations, rtol=0.05, atol=0)


@pytest.mark.parametrize("steps", [(0, 1, 2), (5,), (3, 2, 3), (0, 7)])
@pytest.mark.parametrize("still", [False, True])
def test_a_batch_put_together_ahead_is_that_of_its_step(
    recipe: Recipe, conditioner: Conditioner, folder: Path, steps: tuple[int, ...], still: bool
) -> None:
    source, other = (source_of(recipe.transformer, conditioner, folder) for _ in range(2))
    for step in steps:
        batch, expected = source.batch(step, still=still), other._assemble(step, still)
        for name in ("data", "coverage", "ids", "mask"):
            assert torch.equal(getattr(batch, name), getattr(expected, name))
        assert 0 <= batch.coverage.min() < batch.coverage.max() == 255


def test_clips_that_follow_stills_are_not_those_put_together_ahead(
    recipe: Recipe, conditioner: Conditioner, folder: Path
) -> None:
    source = source_of(recipe.transformer, conditioner, folder)
    source.batch(0, still=True)
    assert source.batch(1, still=False).data.shape == (32, 4, 3, 4, 4)


def test_known_frames_are_shown_as_they_are_and_cost_nothing(
    recipe: Recipe, conditioner: Conditioner, tiny_vae: VAE, folder: Path
) -> None:
    stage = stage_of(recipe.transformer, conditioner, tiny_vae, folder)
    stage.module = watched = Saying(recipe.transformer.model)
    plain, _ = stage.loss(3, CPU)
    ((latents, sigmas),) = watched.seen
    known = sigmas == 0
    assert 0 < known.sum() < known.numel()
    shown = latents.transpose(1, 2)[known]  # (known frames, C, H, W): each one number, its clip's seed
    assert (shown == shown[:, :1, :1, :1]).all()
    assert torch.equal(shown, shown.round())
    stage.module = Saying(recipe.transformer.model, in_known=1e6)
    assert stage.loss(3, CPU)[0] == plain


def test_what_a_subject_covers_counts_more(
    recipe: Recipe, conditioner: Conditioner, tiny_vae: VAE, folder: Path
) -> None:
    def loss(weight: float, left: float, right: float) -> float:
        weighted = replace(recipe.transformer, subject_weight=weight)
        stage = stage_of(weighted, conditioner, tiny_vae, folder)
        # A prediction that is off by far more than the target's own size: its square is the error.
        stage.module = Saying(weighted.model, torch.tensor([left, left, right, right]))
        return stage.loss(0, CPU)[0].item() / 1e6

    assert loss(3, 1e3, 0) == pytest.approx(0.75, abs=0.02)
    assert loss(3, 0, 1e3) == pytest.approx(0.25, abs=0.02)
    assert loss(1, 1e3, 0) == pytest.approx(0.5, abs=0.02)


def test_an_error_counts_by_its_channel_s_deviation(
    recipe: Recipe, conditioner: Conditioner, tiny_vae: VAE, folder: Path
) -> None:
    stage = stage_of(recipe.transformer, conditioner, tiny_vae, folder)
    for channel, deviation in enumerate((1.0, 2.0, 3.0, 4.0)):
        off = torch.zeros(4, 1, 1, 1)
        off[channel] = 1e3
        stage.module = Saying(recipe.transformer.model, off)
        stage.module.deviations.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]))
        assert stage.loss(0, CPU)[0].item() / 1e6 == pytest.approx(deviation / (1 + 2 + 3 + 4), abs=0.01)


def test_captions_are_of_the_clip_s_own_scene_or_left_out(
    recipe: Recipe, conditioner: Conditioner, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    tokens = Conditioner.tokens
    monkeypatch.setattr(Conditioner, "tokens", lambda self, said: (texts.extend(said), tokens(self, said))[1])

    def batch(unconditional: float) -> Batch:
        texts.clear()
        shares = replace(recipe.transformer, full_share=1.0, unconditional_share=unconditional)
        return source_of(shares, conditioner, folder)._assemble(0, still=False)

    left_out = batch(1.0)
    assert texts == [""] * 32
    assert (left_out.ids[left_out.mask] == EMPTY).all()
    told = batch(0.0)
    # Read back by the world's own parser, a caption names its scene's place and style.
    for seed, text in zip(numbers(told).tolist(), texts, strict=True):
        asked, read = sample_spec(seed), parse(text).spec
        assert (read.environment, read.style) == (asked.environment, asked.style)
    ids, mask = conditioner.tokens(list(texts))
    assert torch.equal(told.ids, ids)
    assert torch.equal(told.mask, mask)


def test_text_states_have_one_length_and_no_gradient(conditioner: Conditioner) -> None:
    short, long = (conditioner([text], CPU) for text in ("a dog", "a brown dog runs across a meadow at sunset"))
    assert short[0].shape == long[0].shape
    assert short[1].sum() < long[1].sum()
    assert not short[0].requires_grad
