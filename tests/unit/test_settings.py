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


def test_where_rows_and_bytes_are(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().database == f"sqlite:///{data_dir / 'daybreak.sqlite'}"
    assert load_settings().storage == str(data_dir / "media")
    monkeypatch.setenv("DAYBREAK_DATABASE_URL", "postgresql://db/x")
    monkeypatch.setenv("DAYBREAK_STORAGE_URL", "s3://bucket")
    assert (load_settings().database, load_settings().storage) == ("postgresql://db/x", "s3://bucket")


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYBREAK_FETCH_ALLOW", "Media.internal, ,10.0.0.7:9000")
    monkeypatch.setenv("DAYBREAK_ALLOWED_ORIGINS", "https://a.example/")
    assert load_settings().fetch_hosts == {"media.internal", "10.0.0.7:9000"}
    assert load_settings().origins == {"https://a.example"}
    assert load_settings().hosts == frozenset()


def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYBREAK_PORT", "70000")
    with pytest.raises(ValueError, match="DAYBREAK_PORT is wrong"):
        load_settings()
