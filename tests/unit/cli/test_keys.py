from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from daybreak.cli.app import run
from daybreak.database.connect import open_database
from daybreak.database.keys import find_key
from daybreak.database.projects import find_project
from daybreak.settings import load_settings


def test_a_key_is_made_listed_and_revoked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["keys", "create", "editor", "--project", "films", "--scope", "videos.read", "--days", "2"]) == 0
    made = capsys.readouterr()
    secret = made.out.strip()
    assert secret.startswith("sk-daybreak-")
    assert "films" in made.err
    db = open_database(load_settings().database)
    key = find_key(db, secret, time.time())
    assert key is not None
    project = find_project(db, "films")
    assert project is not None
    assert (key.project_id, key.name, key.scopes) == (project.id, "editor", {"videos.read"})
    assert find_key(db, secret, time.time() + 3 * 86_400) is None

    assert run(["keys", "list", "--json"]) == 0
    shown = capsys.readouterr().out
    assert secret not in shown
    (row,) = json.loads(shown)
    assert (row["id"], row["project"], row["state"], row["hint"]) == (key.id, "films", "valid", secret[-4:])

    assert run(["keys", "revoke", key.id]) == 0
    assert find_key(db, secret, time.time()) is None
    assert run(["keys", "list", "--project", "films"]) == 0
    assert "revoked" in capsys.readouterr().out
    assert run(["keys", "revoke", key.id]) == 2
    db.close()


def test_without_a_word_a_key_may_do_all_but_manage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["keys", "create", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["project"] == "default"
    assert "admin" not in made["scopes"]
    assert {"videos.write", "files.write", "webhooks.write"} <= set(made["scopes"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create", "--scope", "everything"], "no scope is called everything"),
        (["create", ""], "a name has 1 to 200 characters"),
        (["create", "--days", "0"], "--days"),
        (["revoke", "key_1"], "no key that still opens anything"),
        (["list", "--project", "nonsense"], "no project is called 'nonsense'"),
    ],
)
def test_what_is_wrong_is_one_line(
    arguments: list[str], message: str, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["keys", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
    assert said.err.count("\n") == 1
