from __future__ import annotations

from pathlib import Path

import pytest

from daybreak.settings import DEFAULT_MODEL, load_settings


def test_the_environment_is_read_when_asked(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().data_dir == data_dir
    assert load_settings().model == DEFAULT_MODEL
    monkeypatch.setenv("DAYBREAK_MODEL", "diorama")
    assert load_settings().model == "diorama"


def test_without_a_variable_data_lies_in_the_platforms_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAYBREAK_DATA_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere/share")
    assert load_settings().models_dir == Path("/somewhere/share/daybreak/models")


def test_an_empty_variable_is_as_if_it_were_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYBREAK_MODEL", "")
    assert load_settings().model == DEFAULT_MODEL


def test_a_home_folder_may_be_written_as_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYBREAK_DATA_DIR", "~/films")
    assert load_settings().models_dir == Path.home() / "films" / "models"
