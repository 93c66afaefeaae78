from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from daybreak.train import loop as loop_module
from daybreak.train.log import contact_sheet
from daybreak.train.loop import (
    Loop,
    LoopConfig,
    Stage,
    averaged_weights,
    evaluating,
    pick_device,
    read_metadata,
    step_generator,
)
from daybreak.train.optimiser import OptimiserConfig

CPU = torch.device("cpu")
CONFIG = LoopConfig(4, OptimiserConfig(1e-2, 0, 3), save_every=3, sample_every=2, log_every=2)


class LineStage:
    """Fits a line; its batch is a function of the step, as every stage's must be."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.module: nn.Module = nn.Linear(3, 1)

    def begin(self) -> None:
        """Nothing to measure."""

    def loss(self, step: int, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        x = torch.randn(16, 3, generator=step_generator(0, step)).to(device)
        loss = (self.module(x).float() - x.sum(1, keepdim=True)).square().mean()
        return loss, {"step_seen": float(step)}

    def sample(self, averaged: nn.Module, path: Path) -> dict[str, float]:
        assert not averaged.training
        contact_sheet([torch.zeros(2, 8, 8, 3, dtype=torch.uint8).numpy()]).save(path)
        return {"bias": float(averaged.bias)}  # type: ignore[arg-type]


def state(folder: Path) -> dict[str, Tensor]:
    return load_file(folder / "state.safetensors")


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_two_steps_then_resume_equal_four_steps_bit_for_bit(make_stage: Callable[[], Stage], tmp_path: Path) -> None:
    config = make_stage().recipe.loop  # type: ignore[attr-defined]
    whole, first = (Loop(make_stage(), config, tmp_path / part, CPU) for part in ("whole", "parts"))
    whole.begin()
    whole.run()
    first.begin()
    first.run(until=2)
    halfway = state(tmp_path / "parts")
    second = Loop(make_stage(), config, tmp_path / "parts", CPU)
    assert second.resume()
    assert second.step == 2
    second.run()
    assert same(state(tmp_path / "parts"), state(tmp_path / "whole"))
    assert not same(halfway, state(tmp_path / "whole"))
    # Not only the weights: what they are averaged to and how the optimisers remember.
    kinds = {name.split(".")[0] for name in halfway}
    assert kinds == {"module", "averaged", "optimiser"}


def test_every_stage_s_loss_is_finite_and_reaches_its_parameters(make_stage: Callable[[], Stage]) -> None:
    stage = make_stage()
    loss, figures = stage.loss(0, CPU)
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.isfinite()
    assert all(isinstance(value, float) for value in figures.values())
    assert any(p.grad is not None and p.grad.any() for p in stage.module.parameters())
    # The same step is the same batch and the same noise, whichever object is asked.
    again, _ = make_stage().loss(0, CPU)
    assert again.item() == loss.item()
    other, _ = stage.loss(1, CPU)
    assert other.item() != loss.item()


class Measuring(LineStage):
    """Learns its bias from its data before the first step."""

    def begin(self) -> None:
        torch.nn.init.constant_(self.module.bias, 5.0)  # type: ignore[arg-type]


def test_what_a_stage_measures_as_it_begins_is_in_the_average_too_and_survives(tmp_path: Path) -> None:
    loop = Loop(Measuring(), CONFIG, tmp_path, CPU)
    assert loop.averaged.bias != 5
    loop.begin()
    assert loop.averaged.bias == 5
    assert not loop.averaged.bias.requires_grad  # type: ignore[union-attr]
    loop.save()
    resumed = Loop(LineStage(), CONFIG, tmp_path, CPU)
    resumed.resume()
    assert resumed.module.bias == resumed.averaged.bias == 5


def test_without_a_checkpoint_there_is_nothing_to_resume(tmp_path: Path) -> None:
    assert not Loop(LineStage(), CONFIG, tmp_path, CPU).resume()
    with pytest.raises(FileNotFoundError, match="has not been trained"):
        averaged_weights(tmp_path)


def test_a_run_leaves_a_checkpoint_a_log_a_curve_and_sheets(tmp_path: Path) -> None:
    averaged = Loop(LineStage(), CONFIG, tmp_path, CPU).run()
    assert {path.name for path in tmp_path.iterdir()} == {
        "state.safetensors", "log.jsonl", "loss.png", "sample-000002.png", "sample-000004.png",
    }  # fmt: skip
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 2, 4, 4]
    # Means since the line before: of steps 0 and 1, then of steps 2 and 3.
    assert [line["step_seen"] for line in lines if "loss" in line] == [0.5, 2.5]
    assert lines[-1]["samples"] == {"bias": pytest.approx(float(averaged.bias))}  # type: ignore[arg-type]
    with Image.open(tmp_path / "loss.png") as curve:
        assert curve.size == (800, 400)
    metadata = read_metadata(tmp_path / "state.safetensors")
    assert metadata["step"] == "4"
    assert float(metadata["seconds"]) > 0
    weights = averaged_weights(tmp_path)
    assert torch.equal(weights["weight"], averaged.weight)  # type: ignore[arg-type]


def test_training_lowers_the_loss(tmp_path: Path) -> None:
    config = replace(CONFIG, num_steps=300, sample_every=1000, optimiser=OptimiserConfig(3e-2))
    stage = LineStage()
    Loop(stage, config, tmp_path, CPU).run()
    assert stage.loss(1000, CPU)[0] < 1e-3


def test_the_average_follows_the_weights_closely_at_first(tmp_path: Path) -> None:
    loop = Loop(LineStage(), CONFIG, tmp_path, CPU)
    expected = loop.module.weight.detach().clone()  # type: ignore[operator]
    for step in range(3):
        loop.run(until=step + 1)
        decay = (1 + step) / (10 + step)
        expected = decay * expected + (1 - decay) * loop.module.weight.detach()  # type: ignore[operator]
    torch.testing.assert_close(loop.averaged.weight, expected)
    assert not any(p.requires_grad for p in loop.averaged.parameters())


class Failing(LineStage):
    """Fails in its third step."""

    def loss(self, step: int, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        if step == 2:
            raise InterruptedError
        return super().loss(step, device)


def test_an_interrupted_run_keeps_its_last_checkpoint_and_goes_on(tmp_path: Path) -> None:
    config = replace(CONFIG, save_every=1)
    with pytest.raises(InterruptedError):
        Loop(Failing(), config, tmp_path / "parts", CPU).run()
    resumed = Loop(LineStage(), config, tmp_path / "parts", CPU)
    assert resumed.resume()
    resumed.run()
    Loop(LineStage(), config, tmp_path / "whole", CPU).run()
    assert same(state(tmp_path / "parts"), state(tmp_path / "whole"))
    assert not list(tmp_path.rglob("*.part"))


def test_a_finished_run_does_nothing_more(tmp_path: Path) -> None:
    Loop(LineStage(), CONFIG, tmp_path, CPU).run()
    before = state(tmp_path)
    again = Loop(LineStage(), CONFIG, tmp_path, CPU)
    again.resume()
    again.run()
    assert same(state(tmp_path), before)


def test_evaluating_gives_the_module_back_as_it_was() -> None:
    module = nn.Linear(2, 2)
    with evaluating(module):
        assert not module.training
        assert not torch.is_grad_enabled()
    assert module.training
    assert torch.is_grad_enabled()
    with pytest.raises(InterruptedError), evaluating(module):
        raise InterruptedError
    assert module.training


def test_randomness_is_a_function_of_seed_and_step() -> None:
    def drawn(seed: int, step: int) -> float:
        return float(torch.rand((), generator=step_generator(seed, step)))

    assert drawn(0, 5) == drawn(0, 5)
    assert len({drawn(seed, step) for seed in range(3) for step in range(50)}) == 150


def test_devices_by_name() -> None:
    assert pick_device("cpu") == CPU
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


class Slow(LineStage):
    """Takes a second of `clock` for every step, and remembers the rates at which it was stepped."""

    def __init__(self, clock: list[float]) -> None:
        super().__init__()
        self.clock = clock

    def loss(self, step: int, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        self.clock[0] += 1
        return super().loss(step, device)


def timed(folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: float) -> tuple[Loop, list[float], list[int]]:
    """A loop of 100 steps in 10 seconds, a second a step; the learning rates, and the steps at which it saved."""
    clock, rates, saved = [0.0], [], []
    monkeypatch.setattr(loop_module.time, "monotonic", lambda: clock[0])
    optimiser = OptimiserConfig(1.0, 0, warmup_steps=0, decay_steps=50)
    config = LoopConfig(100, optimiser, save_every=30, sample_every=1_000, log_every=1_000, seconds=10.0)
    loop = Loop(Slow(clock), replace(config, **changes), folder, CPU, lambda: saved.append(loop.step))
    factor = loop.optimiser.factor

    def watched(step: int, num_steps: int) -> float:
        rates.append(factor(step, num_steps))
        return rates[-1]

    monkeypatch.setattr(loop.optimiser, "factor", watched)
    return loop, rates, saved


def test_a_timed_run_ends_with_its_time_and_its_rates_and_checkpoints_follow_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, rates, saved = timed(tmp_path, monkeypatch)
    loop.run()
    assert loop.step == 10
    assert loop.seconds == 10
    assert loop.position == 100
    # A tenth of the recipe passes in each step: full rate for a half, then down.
    assert rates == pytest.approx([1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2])
    # At 30, 60 and 90 steps of the recipe, and at the end.
    assert saved == [3, 6, 9, 10]


def test_a_timed_run_that_is_resumed_has_the_rest_of_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, rates, _ = timed(tmp_path, monkeypatch)
    first.run(until=60)
    assert first.step == 6
    second, later, _ = timed(tmp_path, monkeypatch)
    assert second.resume()
    assert second.position == 60
    second.run()
    assert second.step == 10
    assert rates + later == pytest.approx([1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2])


def test_a_run_by_steps_takes_the_recipe_s_however_long_they_take(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, rates, saved = timed(tmp_path, monkeypatch, seconds=0.0)
    loop.run()
    assert loop.step == loop.position == len(rates) == 100
    assert saved == [30, 60, 90, 100]


def test_the_hook_sees_each_checkpoint_whole(tmp_path: Path) -> None:
    steps: list[str] = []
    path = tmp_path / "state.safetensors"
    Loop(LineStage(), CONFIG, tmp_path, CPU, lambda: steps.append(read_metadata(path)["step"])).run()
    assert steps == ["3", "4"]
