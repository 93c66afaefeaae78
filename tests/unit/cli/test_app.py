from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from daybreak import __version__
from daybreak.cli.app import run


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"daybreak {__version__}\n"


def test_no_command_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "generate" in capsys.readouterr().out


def test_models_lists_what_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models"]) == 0
    assert "diorama" in capsys.readouterr().out
    assert run(["models", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["diorama"]["procedural"] is True
    assert rows["diorama"]["path"] is None


def test_an_unknown_recipe_is_told_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["train", "nonsense", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("daybreak: no recipe 'nonsense'")


WRONG = [
    ([], "give a prompt"),
    ([""], "the prompt is empty"),
    (["   "], "the prompt is empty"),
    (["two", "words"], "put the prompt in quotes"),
    (["x", "--size", "448"], "size must be WIDTHxHEIGHT"),
    (["x", "--size", "448x257"], "height must be an even number"),
    (["x", "--size", "9000x9000"], "from 64 to 2048"),
    (["x", "--seconds", "0"], "seconds must be more than 0 and at most 120, not 0"),
    (["x", "--seconds", "10000"], "seconds must be more than 0 and at most 120, not 10000"),
    (["x", "--seconds", "two"], "--seconds"),
    (["x", "--fps", "0"], "fps must be from 1 to 120"),
    (["x", "--seed", "abc"], "seed must be a whole number, such as 7, not 'abc'"),
    (["x", "--seed", "1.5"], "seed must be a whole number"),
    (["x", "--seed", "-1"], "seed must be from 0"),
    (["x", "--steps", "0"], "steps must be from 1"),
    (["x", "--guidance", "nan"], "guidance must be from 0"),
    (["x", "--image", "missing.png"], "the image missing.png does not exist"),
    (["x", "--image", "text.png"], "cannot be read: use a PNG, JPEG or WebP file"),
    (["x", "--like", "missing.mp4"], "missing.mp4 cannot be read as a video"),
    (["x", "--model", "nonsense"], "model 'nonsense' is not installed"),
    (["x", "--model", "diorama", "--steps", "4"], "cannot use a number of steps"),
    (["x", "--model", "diorama", "--negative-prompt", "rain"], "cannot use a negative prompt"),
    (["x", "--model", "diorama", "--image", "good.png"], "cannot use an image"),
    (["x", "--model", "diorama", "-o", "nowhere/clip.mp4"], "the folder nowhere does not exist"),
    (["x", "--model", "diorama", "-o", "folder"], "folder is a folder"),
    (["x", "--model", "broken"], "vae.safetensors is damaged"),
    (["x", "--model", "empty"], "tokenizer.json is missing"),
    (["x", "--wrong"], "No such option: --wrong"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG, ids=lambda value: None if isinstance(value, list) else value)
def test_wrong_input_is_one_clear_line_status_2_and_no_file(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    data_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.png").write_text("not an image")
    Image.new("RGB", (64, 64)).save(tmp_path / "good.png")
    for model in ("broken", "empty"):
        (data_dir / "models" / model).mkdir(parents=True)
        (data_dir / "models" / model / "model.json").write_text("{}")
    broken = data_dir / "models" / "broken"
    for name in ("tokenizer.json", "text_encoder.safetensors", "transformer.safetensors"):
        (broken / name).write_bytes((2).to_bytes(8, "little") + b"{}")
    (broken / "vae.safetensors").write_bytes((100).to_bytes(8, "little") + b"{}")
    before = set(tmp_path.rglob("*"))

    assert run(["generate", *arguments]) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("daybreak: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert set(tmp_path.rglob("*")) == before
