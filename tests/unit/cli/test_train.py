"""`daybreak train RECIPE`: what its options make of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from daybreak.cli.app import run
from daybreak.train import run as runs
from daybreak.train.run import DEFAULT_STAGES, How


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """The runs that are asked for, instead of training."""
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(runs, "run", lambda *arguments: calls.append(arguments))
    return calls


def how_of(call: tuple[Any, ...]) -> How:
    how = call[2]
    assert isinstance(how, How)
    return how


def test_a_recipe_is_trained_whole_by_its_own_steps(asked: list[tuple[Any, ...]], tmp_path: Path) -> None:
    assert run(["train", "sunrise", "--out", str(tmp_path), "--device", "cpu"]) == 0
    ((name, folder, how, stages),) = asked
    assert (name, folder, stages) == ("sunrise", tmp_path, DEFAULT_STAGES)
    assert how == How(torch.device("cpu"), on_save=how.on_save)
    assert not how.resume
    assert how.seconds == 0
    assert how.workers >= 1


def test_options_say_how(asked: list[tuple[Any, ...]], tmp_path: Path) -> None:
    options = ["--resume", "--seconds", "90", "--workers", "3", "--stage", "vae", "--stage", "text", "--device", "cpu"]
    assert run(["train", "toy", "--out", str(tmp_path), *options]) == 0
    how = how_of(asked[0])
    assert (how.resume, how.seconds, how.workers) == (True, 90, 3)
    assert asked[0][3] == ("vae", "text")


@pytest.mark.parametrize("option", [["--workers", "0"], ["--seconds", "-1"]])
def test_what_makes_no_sense_is_refused(asked: list[tuple[Any, ...]], tmp_path: Path, option: list[str]) -> None:
    assert run(["train", "toy", "--out", str(tmp_path), *option]) == 2
    assert asked == []


def test_training_goes_on_from_a_model_of_its_sizes_only(
    asked: list[tuple[Any, ...]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "sunrise", "--from", "dawn", "--out", str(tmp_path / "run")]) == 2
    told = "daybreak: dawn was trained by the recipe dawn: its sizes do not fit sunrise's"
    assert capsys.readouterr().err.strip() == told
    assert asked == []
    assert run(["train", "nonsense", "--from", "dawn", "--out", str(tmp_path / "run")]) == 2
    assert "no recipe 'nonsense': there are dawn, sunrise, toy" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert run(["train", "dawn", "--from", "dawn", "--out", str(tmp_path / "run")]) == 0
    assert how_of(asked[0]).resume
    assert (tmp_path / "run" / "transformer" / "state.safetensors").exists()
