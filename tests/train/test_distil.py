"""The few-step student: its schedule, what the teacher's paths teach it, and that it learns."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from daybreak.diffusion.flow import add_noise
from daybreak.diffusion.schedule import shifted_schedule
from daybreak.models.transformer import Transformer, TransformerConfig
from daybreak.models.vae import VAE
from daybreak.train import distil
from daybreak.train.distil import DistilRecipe, DistilStage, refined
from daybreak.train.recipes import Recipe
from daybreak.train.transformer import Batch, Conditioner

CPU = torch.device("cpu")
SHAPE = (4, 3, 4, 4)


class Steady(Transformer):
    """A teacher whose velocity is the same number for each channel, whatever it sees."""

    def forward(self, latents: Tensor, *_: Tensor) -> Tensor:
        return torch.tensor([-2.0, 0.5, 1.0, 3.0])[:, None, None, None].expand_as(latents)


class Repeated:
    """Latents of noise, always the same, that nobody has to wait for."""

    def __init__(self, conditioner: Conditioner) -> None:
        generator = torch.Generator().manual_seed(0)
        ids, mask = conditioner.tokens(["a brown dog runs"] * 40)
        self.one = Batch(torch.randn(40, *SHAPE, generator=generator), torch.zeros(40, *SHAPE[1:]).byte(), ids, mask)

    def wait(self) -> None:
        """They are there."""

    def deviations(self) -> Tensor:
        return torch.ones(2, 4)

    def batch(self, step: int, *, still: bool) -> Batch:  # noqa: ARG002 - the same at every step
        assert not still
        return self.one


def stage_of(
    recipe: DistilRecipe, teacher: Transformer, conditioner: Conditioner, vae: VAE, **changes: int
) -> DistilStage:
    return DistilStage(replace(recipe, **changes), teacher, conditioner, vae, Repeated(conditioner))  # type: ignore[arg-type]


@pytest.fixture
def steady(recipe: Recipe) -> Transformer:
    torch.manual_seed(0)
    return Steady(recipe.transformer.model).requires_grad_(False)


def pinned_to(monkeypatch: pytest.MonkeyPatch, *rows: list[float]) -> None:
    """Patterns in turn, instead of random ones."""
    monkeypatch.setattr(
        distil,
        "sample_ceilings",
        lambda batch, _frames, _generator: torch.tensor(rows, dtype=torch.float32)[torch.arange(batch) % len(rows)],
    )


@pytest.mark.parametrize("shift", [1.0, 6.0, 40.0])
@pytest.mark.parametrize("substeps", [1, 2, 5])
def test_a_refined_step_ends_exactly_where_it_should_and_lies_on_the_schedule(shift: float, substeps: int) -> None:
    coarse, fine = shifted_schedule(4, shift), shifted_schedule(4 * substeps, shift)
    for index in range(4):
        sigmas = refined(coarse[index], coarse[index + 1], substeps, shift)
        assert sigmas.shape == (substeps + 1,)
        assert torch.equal(sigmas[[0, -1]], coarse[[index, index + 1]])
        assert (sigmas.diff() < 0).all()
        expected = fine[index * substeps : (index + 1) * substeps + 1]
        torch.testing.assert_close(sigmas, expected, rtol=1e-5, atol=1e-6)


def test_of_a_steady_teacher_every_target_is_its_velocity(
    recipe: Recipe, steady: Transformer, conditioner: Conditioner, tiny_vae: VAE, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned_to(monkeypatch, [1, 1, 1], [0, 1, 1], [0.4, 1, 1])
    stage = stage_of(recipe.distil, steady, conditioner, tiny_vae, num_steps=3, paths=6, kept=6)
    batch = stage.source.batch(0, still=False)
    stage._gather(batch, 0, CPU)
    (pool,) = stage.pools.values()
    ceilings, velocities = pool.tensors["ceilings"], pool.tensors["velocities"].float()
    assert velocities.shape == (6, 3, *SHAPE)
    steady_velocity = torch.tensor([-2.0, 0.5, 1.0, 3.0])[:, None, None].expand(SHAPE[0], *SHAPE[2:])
    for stretch, (now, after) in enumerate(zip(stage.schedule, stage.schedule[1:], strict=False)):
        moving = torch.minimum(now, ceilings) > torch.minimum(after, ceilings)  # (B, T)
        for clip, frame in moving.nonzero().tolist():
            torch.testing.assert_close(velocities[clip, stretch, :, frame], steady_velocity, rtol=2e-3, atol=2e-3)
        # A frame that is known, or that its ceiling holds, does not move.
        still = velocities[:, stretch].transpose(1, 2)[~moving]
        assert (still == 0).all()
        assert (~moving).any() or not stretch


def test_paths_begin_at_the_ceilings_and_keep_known_frames(
    recipe: Recipe, steady: Transformer, conditioner: Conditioner, tiny_vae: VAE, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned_to(monkeypatch, [0, 1, 1])
    stage = stage_of(recipe.distil, steady, conditioner, tiny_vae)
    data = stage.source.batch(0, still=False).data[: recipe.distil.paths]
    stage._gather(stage.source.batch(0, still=False), 0, CPU)
    (pool,) = stage.pools.values()
    states = pool.tensors["states"][: recipe.distil.paths].float()
    for stretch in range(recipe.distil.num_steps):
        torch.testing.assert_close(states[:, stretch, :, 0], data[:, :, 0].half().float())
    noise = torch.randn(data.shape, generator=distil.step_generator(recipe.distil.loop.seed + 1, 0, CPU))
    begun = add_noise(data, noise, torch.tensor([[0.0, 1, 1]]).expand(len(data), -1))
    torch.testing.assert_close(states[:, 0], begun.half().float())


class Saying(Transformer):
    """Says the steady velocity, but `in_known` of frames at sigma 0."""

    in_known = 0.0

    def forward(self, latents: Tensor, sigmas: Tensor, *_: Tensor) -> Tensor:
        known = (sigmas == 0)[:, None, :, None, None]
        steady = torch.tensor([-2.0, 0.5, 1.0, 3.0])[:, None, None, None].expand_as(latents)
        return torch.where(known, self.in_known, steady)


def test_known_frames_have_no_weight_and_the_right_answer_costs_nothing(
    recipe: Recipe, steady: Transformer, conditioner: Conditioner, tiny_vae: VAE, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned_to(monkeypatch, [0, 1, 1], [1, 1, 0])
    stage = stage_of(recipe.distil, steady, conditioner, tiny_vae)
    stage.module = student = Saying(recipe.transformer.model)
    right, _ = stage.loss(0, CPU)
    assert right.item() == pytest.approx(0, abs=1e-5)
    student.in_known = 1e6
    assert stage.loss(1, CPU)[0].item() == pytest.approx(0, abs=1e-5)


def test_paths_of_every_size_are_drawn_and_new_ones_come_regularly(
    recipe: Recipe, steady: Transformer, conditioner: Conditioner, tiny_vae: VAE
) -> None:
    stage = stage_of(recipe.distil, steady, conditioner, tiny_vae)
    for step in range(5):
        stage.loss(step, CPU)
    (pool,) = stage.pools.values()
    assert pool.added == (2 + 1 + 1) * recipe.distil.paths  # two batches to begin with, one each two steps
    assert len(pool) == recipe.distil.kept


def test_the_student_starts_as_its_teacher_and_learns(conditioner: Conditioner, tiny_vae: VAE, recipe: Recipe) -> None:
    torch.manual_seed(0)
    teacher = Transformer(TransformerConfig(4, 2, 16, 1, 2, 8, text_width=16)).requires_grad_(False)
    torch.nn.init.normal_(teacher.rest.weight, std=0.5)
    stage = stage_of(recipe.distil, teacher, conditioner, tiny_vae, batch=16, paths=16, kept=32)
    assert all(
        torch.equal(ours, theirs) for ours, theirs in zip(stage.module.parameters(), teacher.parameters(), strict=True)
    )
    assert all(parameter.requires_grad for parameter in stage.module.parameters())
    optimiser = torch.optim.Adam(stage.module.parameters(), 1e-2)
    losses = []
    for step in range(24):
        loss, _ = stage.loss(step, CPU)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
    assert sum(losses[-6:]) < 0.7 * sum(losses[:6])
    assert not any(parameter.requires_grad for parameter in teacher.parameters())
