"""What a machine has, without torch."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from daybreak.open_models import here
from daybreak.open_models.here import available_memory, graphics_memory, total_memory


@pytest.fixture(autouse=True)
def _fresh() -> None:
    graphics_memory.cache_clear()


def says(text: str) -> Callable[..., Any]:
    return lambda *_, **__: subprocess.CompletedProcess([], 0, text, "")


def test_the_largest_card_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here.subprocess, "run", says("24564\n81559\n[N/A]\n"))
    assert graphics_memory() == 81559 * 2**20


@pytest.mark.parametrize("error", [FileNotFoundError(), subprocess.TimeoutExpired("x", 5)])
def test_without_a_driver_there_is_no_card(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(here.subprocess, "run", fail)
    assert graphics_memory() == 0


def test_no_more_is_free_than_there_is() -> None:
    assert 0 < available_memory() < total_memory()
