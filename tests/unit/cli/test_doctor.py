from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from daybreak.cli.app import run
from daybreak.cli.doctor import Finding, examine
from daybreak.settings import Settings


def found(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding for finding in examine(settings)}


def test_a_new_installation_is_looked_at_and_not_changed(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) in {0, 2}
    rows = json.loads(capsys.readouterr().out)
    checks = [row["check"] for row in rows]
    for name in ("python", "torch", "processor", "memory", "disk", "database", "keys", "storage", "model", "port"):
        assert name in checks
    assert all(row["fix"] for row in rows if row["state"] != "ok")
    assert not (data_dir / "daybreak.sqlite").exists()


def test_what_is_wrong_has_a_fix_and_status_2(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torn = data_dir / "models" / "torn"
    torn.mkdir(parents=True)
    (torn / "model.json").write_text("{}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(
            data_dir=data_dir,
            host="0.0.0.0",
            port=taken.getsockname()[1],
            model="torn",
            storage_url="ftp://x",
            database_url="postgresql://someone:canary@127.0.0.1:1/x",
        )
        findings = found(settings)
    assert findings["storage"].state == "wrong"
    assert findings["database"].state == "wrong"
    assert "canary" not in str(findings)
    assert findings["port"].state == "warning"
    models = [each for each in examine(settings) if each.check == "model" and each.found.startswith("torn")]
    assert [each.state for each in models] == ["wrong"]
    assert all(each.fix for each in findings.values() if each.state != "ok")


def test_an_exposed_server_without_a_key_is_wrong(data_dir: Path) -> None:
    finding = found(Settings(data_dir=data_dir, host="0.0.0.0"))["keys"]
    assert (finding.state, finding.fix) == ("wrong", "Run: daybreak keys create")


def test_wrong_ends_with_status_2(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DAYBREAK_MODEL", "nonsense")
    assert run(["doctor"]) == 2
    said = capsys.readouterr()
    assert "model 'nonsense' is not installed" in said.out
    assert said.err.count("\n") == 1
