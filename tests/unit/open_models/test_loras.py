from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from daybreak.catalog import ModelUnavailable
from daybreak.cli.app import run
from daybreak.media.provenance import read_settings
from daybreak.open_models.loras import check_lora_file, find_lora, install_lora, installed_loras, remove_lora
from daybreak.open_models.weights import UnusableModel
from daybreak.testing import tiny_model

LAYER = "blocks.0.attention.qkv"


def nothing(_done: int, _total: int) -> None:
    pass


def make(file: Path, metadata: dict[str, str] | None = None, width: int = 16, seed: int = 0) -> Path:
    """A LoRA of rank 2 for the tiny model, if `width` is 16."""
    rng = np.random.default_rng(seed)
    tensors = {
        f"transformer.{LAYER}.lora_A.weight": rng.normal(size=(2, width)).astype(np.float32),
        f"transformer.{LAYER}.lora_B.weight": rng.normal(size=(48, 2)).astype(np.float32),
    }
    save_file(tensors, file, metadata=metadata)
    return file


@pytest.fixture
def models_dir(data_dir: Path) -> Path:
    tiny_model(data_dir / "models" / "tiny")
    return data_dir / "models"


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of an error."""
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_it_comes_is_listed_and_goes(models_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = {"made_for": "tiny", "rank": 2, "alpha": 2, "trigger_words": ["ukiyo"], "made_by": "me", "n": 1}
    file = make(tmp_path / "Wood Block.safetensors", {"daybreak": json.dumps(told)})
    assert run(["models", "import", str(file), "--lora", "--base", "tiny"]) == 0
    assert capsys.readouterr().out.strip().endswith("loras/wood-block")
    assert run(["models", "list"]) == 0
    assert "LoRA for tiny; say ukiyo" in capsys.readouterr().out
    assert run(["models", "list", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)[-1]
    assert row["lora"] is True
    assert (row["name"], row["base"], row["rank"], row["made_by"]) == ("wood-block", "tiny", 2, "me")
    file.unlink()
    assert find_lora("wood-block", "tiny", models_dir).trigger_words == ["ukiyo"]
    assert run(["models", "remove", "wood-block"]) == 0
    assert installed_loras(models_dir) == []
    assert run(["models", "remove", "wood-block"]) == 2
    assert list((models_dir.parent / "downloads").iterdir()) == []


def test_a_file_that_says_its_model_needs_no_base(models_dir: Path, tmp_path: Path) -> None:
    file = make(tmp_path / "a.safetensors", {"daybreak": '{"made_for": "tiny"}'})
    assert run(["models", "import", str(file), "--lora", "--name", "mine"]) == 0
    assert [card.name for card in installed_loras(models_dir, "tiny")] == ["mine"]
    assert installed_loras(models_dir, "other") == []


def test_what_other_trainers_write_is_understood(tmp_path: Path) -> None:
    file = make(
        tmp_path / "a.safetensors",
        {"modelspec.trigger_phrase": "ukiyo, print", "modelspec.author": "them", "daybreak": "[1]", "ss_steps": "9"},
    )
    assert check_lora_file(file) == {"made_by": "them", "trigger_words": ["ukiyo", "print"]}


def test_a_clip_is_made_with_one_and_like_makes_it_again(
    models_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed, name in enumerate(("one", "two")):
        file = make(tmp_path / f"{name}.safetensors", seed=seed)
        assert run(["models", "import", str(file), "--lora", "--base", "tiny"]) == 0
    first, again, without = (tmp_path / f"{name}.mp4" for name in ("first", "again", "without"))
    asked = ["generate", "a dog", "--model", "tiny", "--seconds", "0.3", "--size", "64x64", "--seed", "3"]
    assert run([*asked, "--lora", "one:0.5", "--lora", "two", "-o", str(first)]) == 0
    loras = read_settings(first)["settings"]["loras"]
    assert loras == [{"name": "one", "strength": 0.5}, {"name": "two", "strength": 1.0}]
    assert run(["generate", "--like", str(first), "-o", str(again)]) == 0
    assert again.read_bytes() == first.read_bytes()
    assert run(["generate", "--like", str(first), "--lora", "none", "-o", str(without)]) == 0
    assert "loras" not in read_settings(without)["settings"]
    capsys.readouterr()
    changed = make(tmp_path / "two.safetensors", seed=9)
    assert run(["models", "import", str(changed), "--lora", "--base", "tiny", "--replace"]) == 0
    assert run(["generate", "--like", str(first), "-o", str(again)]) == 0
    assert "the LoRA 'two' has changed since" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lora", "words"),
    [
        ("nonsense", "no LoRA 'nonsense' is installed for the model 'tiny'"),
        ("one:lots", "a LoRA is NAME or NAME:STRENGTH"),
        ("one:9", "must be from -4 to 4"),
        ("../one", "no LoRA can be called '../one'"),
    ],
)
def test_a_wrong_one_is_told_in_a_line(
    models_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], lora: str, words: str
) -> None:
    asked = ["generate", "a dog", "--model", "tiny", "--seconds", "0.3", "--lora", lora]
    assert run([*asked, "-o", str(tmp_path / "clip.mp4")]) == 2
    assert words in said(capsys)
    assert not (tmp_path / "clip.mp4").exists()


def pickled(file: Path) -> Path:
    file.write_bytes(pickle.dumps({"a": [1]}))
    return file


def cut(file: Path) -> Path:
    file.write_bytes(make(file).read_bytes()[:-4])
    return file


@pytest.mark.parametrize(
    ("made", "name", "words"),
    [
        (pickled, "a.pt", "a pickle file, which can run any code"),
        (pickled, "a.safetensors", "is not a safetensors file"),
        (cut, "a.safetensors", "is cut short"),
        (lambda file: file, "a.safetensors", "is not there"),
        (lambda file: make(file, width=20), "a.safetensors", f"it changes {LAYER}.weight as [48, 20]"),
    ],
)
def test_what_is_no_lora_leaves_nothing(
    models_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], made: Any, name: str, words: str
) -> None:
    assert run(["models", "import", str(made(tmp_path / name)), "--lora", "--base", "tiny"]) == 2
    assert words in said(capsys)
    assert installed_loras(models_dir) == []
    assert not (models_dir.parent / "downloads").exists()


def test_its_base_is_a_model_that_can_use_one(
    models_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(make(tmp_path / "a.safetensors"))
    for more, words in (
        (["--base", "nonsense"], "model 'nonsense' is not installed"),
        (["--base", "diorama"], "the model 'diorama' cannot use a LoRA"),
        ([], "does not say which model it is for: name it with --base MODEL"),
        (["--base", "tiny", "--name", "tiny"], "is the name of a model"),
        (["--base", "tiny", "--name", "../x"], "a LoRA can't be called '../x'"),
    ):
        assert run(["models", "import", file, "--lora", *more]) == 2
        assert words in said(capsys)


def test_an_interruption_leaves_nothing_and_a_name_is_taken_once(models_dir: Path, tmp_path: Path) -> None:
    file = make(tmp_path / "a.safetensors")

    def stop(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install_lora(file, "one", models_dir, "tiny", {}, stop)
    assert installed_loras(models_dir) == []
    install_lora(file, "one", models_dir, "tiny", {}, nothing)
    with pytest.raises(ValueError, match="installed already: remove it first, or say --replace"):
        install_lora(file, "one", models_dir, "tiny", {}, nothing)
    install_lora(make(file, seed=5), "one", models_dir, "tiny", {}, nothing, replace=True)
    assert list((models_dir.parent / "downloads").iterdir()) == []


def test_one_of_another_model_is_not_found(models_dir: Path, tmp_path: Path) -> None:
    install_lora(make(tmp_path / "a.safetensors"), "one", models_dir, "tiny", {}, nothing)
    with pytest.raises(ModelUnavailable, match="'one' is for the model 'tiny', not for 'dawn'"):
        find_lora("one", "dawn", models_dir)
    (models_dir.parent / "loras" / "one" / "lora.json").write_text("[")
    assert installed_loras(models_dir) == []
    assert remove_lora("one", models_dir) is not None
    assert remove_lora("..", models_dir) is None
    with pytest.raises(UnusableModel, match="is not a file"):
        check_lora_file(tmp_path)
