from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from daybreak.catalog import ModelCard, ModelUnavailable
from daybreak.engines.protocol import Engine
from daybreak.testing import FakeEngine
from daybreak.worker.shelf import Shelf


class Opened(list[str]):
    def __call__(self, card: ModelCard) -> Engine:
        self.append(card.name)
        return FakeEngine()


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.json").write_text(json.dumps({"files": []}))
    return tmp_path


def test_the_engine_that_was_used_longest_ago_goes_first(models: Path) -> None:
    opened = Opened()
    shelf = Shelf(models, opened)
    first = shelf.take("a")
    shelf.take("b")
    assert shelf.take("a") is first
    shelf.take("c")
    assert shelf.take("a") is first
    shelf.take("b")
    assert opened == ["a", "b", "c", "b"]
    shelf.clear()
    assert shelf.take("b") is not first
    assert opened[4:] == ["b"]


def test_a_model_that_was_installed_again_is_opened_again(models: Path) -> None:
    opened = Opened()
    shelf = Shelf(models, opened)
    before = shelf.take("a")
    os.utime(models / "a" / "model.json", ns=(1, 1))
    assert shelf.take("a") is not before
    assert opened == ["a", "a"]


def test_a_model_that_is_gone_is_unavailable_although_it_is_in_memory(models: Path) -> None:
    shelf = Shelf(models, Opened())
    shelf.take("a")
    (models / "a" / "model.json").unlink()
    with pytest.raises(ModelUnavailable):
        shelf.take("a")
