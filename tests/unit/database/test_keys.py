"""Keys are shown once, and open what they may for as long as they may."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from daybreak.database.connect import Database
from daybreak.database.keys import SCOPES, any_keys, create_key, find_key, list_keys, revoke_key
from daybreak.database.projects import DEFAULT_PROJECT, create_project
from daybreak.database.tables import api_keys

NOW = 1_000.0


def test_a_key_is_found_by_its_secret_which_is_kept_nowhere(db: Database) -> None:
    assert not any_keys(db)
    key, secret = create_key(db, DEFAULT_PROJECT, "laptop", ["videos.read", "videos.write"], NOW)
    assert secret.startswith("sk-daybreak-")
    assert len(secret) >= len("sk-daybreak-") + 43  # 32 bytes in base64
    assert key.hint == secret[-4:]
    assert find_key(db, secret, NOW) == key
    assert key.scopes == {"videos.read", "videos.write"}
    assert any_keys(db)
    with db.read() as connection:
        row = str(connection.execute(select(api_keys)).mappings().one())
    assert secret not in row
    assert secret.removeprefix("sk-daybreak-")[:20] not in row


@pytest.mark.parametrize("guess", ["", "sk-daybreak-", "sk-daybreak-" + "a" * 43, "x" * 100_000, "\ud800", "'; --"])
def test_what_is_no_key_finds_none(db: Database, guess: str) -> None:
    create_key(db, DEFAULT_PROJECT, "laptop", SCOPES, NOW)
    assert find_key(db, guess, NOW) is None


def test_a_key_opens_nothing_once_revoked_or_past_its_time(db: Database) -> None:
    key, secret = create_key(db, DEFAULT_PROJECT, "a", SCOPES, NOW)
    assert revoke_key(db, key.id, NOW + 1)
    assert find_key(db, secret, NOW + 1) is None
    assert not revoke_key(db, key.id, NOW + 2)
    assert not revoke_key(db, "key_no", NOW)
    _, brief = create_key(db, DEFAULT_PROJECT, "b", SCOPES, NOW, expires_at=NOW + 60)
    assert find_key(db, brief, NOW + 59) is not None
    assert find_key(db, brief, NOW + 60) is None
    assert any_keys(db)


def test_keys_are_listed_by_project(db: Database) -> None:
    other = create_project(db, "other", NOW).id
    first, _ = create_key(db, DEFAULT_PROJECT, "a", ["admin"], NOW)
    second, _ = create_key(db, other, "b", [], NOW + 1)
    assert list_keys(db, DEFAULT_PROJECT) == [first]
    assert list_keys(db, other) == [second]
    assert list_keys(db, None) == [first, second]


def test_a_scope_that_there_is_not_is_refused(db: Database) -> None:
    with pytest.raises(ValueError, match="no scope is called root, videos"):
        create_key(db, DEFAULT_PROJECT, "a", ["videos", "root", "admin"], NOW)
    assert not any_keys(db)
