from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from daybreak import catalog
from daybreak.catalog import ModelUnavailable, find_model, installed_models


@pytest.fixture
def models_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models, with no packaged ones beside it."""
    monkeypatch.setattr(catalog, "PACKAGED_WEIGHTS", tmp_path / "packaged")
    return tmp_path / "models"


def install(root: Path, name: str = "tiny", description: str = "a test") -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    save_file({"weight": np.arange(100, dtype=np.float32)}, folder / "net.safetensors")
    card = {"description": description, "files": ["net.safetensors"]}
    (folder / "model.json").write_text(json.dumps(card))
    return folder


def test_a_whole_model_is_found(models_dir: Path) -> None:
    folder = install(models_dir)
    card = find_model("tiny", models_dir)
    assert (card.name, card.path, card.description, card.procedural) == ("tiny", folder, "a test", False)
    assert card.size == (folder / "net.safetensors").stat().st_size


def test_a_users_own_model_wins_over_a_packaged_one(models_dir: Path) -> None:
    install(catalog.PACKAGED_WEIGHTS, description="packaged")
    assert find_model("tiny", models_dir).description == "packaged"
    install(models_dir, description="mine")
    assert find_model("tiny", models_dir).description == "mine"


def test_the_digest_changes_with_a_single_byte_of_the_weights(models_dir: Path) -> None:
    folder = install(models_dir)
    before = find_model("tiny", models_dir).digest()
    assert before == find_model("tiny", models_dir).digest()
    weights = bytearray((folder / "net.safetensors").read_bytes())
    weights[-1] ^= 1
    (folder / "net.safetensors").write_bytes(weights)
    assert find_model("tiny", models_dir).digest() != before


def test_the_procedural_engine_is_always_there_and_says_what_it_is(models_dir: Path) -> None:
    card = find_model("diorama", models_dir)
    assert card.procedural
    assert card.digest() is None
    assert installed_models(models_dir) == [card]


def test_a_model_that_is_not_installed_says_where_it_looked_and_what_there_is(models_dir: Path) -> None:
    install(models_dir)
    with pytest.raises(ModelUnavailable, match=r"'huge' is not installed .*models.*choose one of tiny, diorama"):
        find_model("huge", models_dir)


def cut_short(folder: Path) -> None:
    weights = folder / "net.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])


def cut_in_the_header(folder: Path) -> None:
    weights = folder / "net.safetensors"
    weights.write_bytes(weights.read_bytes()[:20])


def empty(folder: Path) -> None:
    (folder / "net.safetensors").write_bytes(b"")


def replaced_by_something_else(folder: Path) -> None:
    (folder / "net.safetensors").write_bytes(b"<html>not found</html>" * 40)


def header_of_nonsense(folder: Path) -> None:
    (folder / "net.safetensors").write_bytes((7).to_bytes(8, "little") + b'{"a":1}')


def removed(folder: Path) -> None:
    (folder / "net.safetensors").unlink()


def card_broken(folder: Path) -> None:
    (folder / "model.json").write_text("{")


def card_of_another_kind(folder: Path) -> None:
    (folder / "model.json").write_text("[]")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (cut_short, "is damaged"),
        (cut_in_the_header, "is damaged"),
        (empty, "is not a safetensors file"),
        (replaced_by_something_else, "is not a safetensors file"),
        (header_of_nonsense, "is not a safetensors file"),
        (removed, "is missing"),
        (card_broken, "cannot be read"),
        (card_of_another_kind, "is not a model card"),
    ],
)
def test_a_damaged_model_is_refused_with_what_to_do(
    models_dir: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(install(models_dir))
    with pytest.raises(ModelUnavailable, match=f"{message}.*install the model 'tiny' again"):
        find_model("tiny", models_dir)


def test_a_damaged_card_is_listed_as_unusable(models_dir: Path) -> None:
    card_broken(install(models_dir))
    broken, _ = installed_models(models_dir)
    assert broken.description.startswith("unusable: ")
