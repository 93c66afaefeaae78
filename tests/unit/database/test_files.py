"""Files in the database: when they are there, and when their bytes may go."""

from __future__ import annotations

import pytest

from daybreak.database.assets import get_asset
from daybreak.database.batches import NewBatch, add_batch, refuse
from daybreak.database.connect import Database
from daybreak.database.files import (
    File,
    NewFile,
    add_file,
    delete_expired,
    delete_file,
    file_asset,
    get_file,
    list_files,
)
from daybreak.database.maintenance import ASSET_GRACE, forget_unused_assets, removable_keys
from daybreak.database.pages import UnknownCursor
from daybreak.database.projects import create_project

PROJECT = "proj_default"
NOW = 1_700_000_000.0


def a_file(db: Database, key: str = "files/1/content", expires_at: int | None = None, project: str = PROJECT) -> File:
    return add_file(
        db, NewFile(project, "a.jsonl", "batch", key, "application/jsonl", 3, "0" * 64, expires_at=expires_at), NOW
    )


def test_a_file_is_its_asset_with_a_name(db: Database) -> None:
    file = a_file(db)
    assert get_file(db, PROJECT, file.id, NOW) == file
    asset = get_asset(db, PROJECT, file.asset_id)
    assert asset is not None
    assert (asset.key, asset.variant, asset.bytes) == (file.key, "data", 3)


def test_another_project_sees_and_deletes_nothing(db: Database) -> None:
    file = a_file(db)
    other = create_project(db, "other", NOW).id
    assert get_file(db, other, file.id, NOW) is None
    assert file_asset(db, other, file.id) is None
    assert not delete_file(db, other, file.id, NOW)
    assert list_files(db, other, NOW) == ([], False)
    with pytest.raises(UnknownCursor):
        list_files(db, other, NOW, after=file.id)
    assert get_file(db, PROJECT, file.id, NOW) == file


def test_a_deleted_file_s_bytes_may_go(db: Database) -> None:
    file = a_file(db)
    assert delete_file(db, PROJECT, file.id, NOW)
    assert not delete_file(db, PROJECT, file.id, NOW)
    assert removable_keys(db) == [file.key]


def test_a_file_past_its_end_is_gone_even_before_it_is_deleted(db: Database) -> None:
    file = a_file(db, expires_at=int(NOW) + 10)
    assert list_files(db, PROJECT, NOW + 9)[0] == [file]
    assert list_files(db, PROJECT, NOW + 10)[0] == []
    assert get_file(db, PROJECT, file.id, NOW + 10) is None
    assert (delete_expired(db, NOW + 9), delete_expired(db, NOW + 10), delete_expired(db, NOW + 11)) == (0, 1, 0)
    assert removable_keys(db) == [file.key]


def test_an_open_batch_keeps_the_bytes_of_its_input(db: Database) -> None:
    file = a_file(db)
    batch = add_batch(db, NewBatch(PROJECT, "/v1/videos", "24h", file.id, None, None, int(NOW)), NOW)
    assert delete_file(db, PROJECT, file.id, NOW)
    forget_unused_assets(db, NOW + ASSET_GRACE + 1)
    assert removable_keys(db) == []
    assert file_asset(db, PROJECT, file.id) == file
    with db.write() as connection:
        assert refuse(connection, batch.id, [], NOW)
    forget_unused_assets(db, NOW + ASSET_GRACE + 1)
    assert removable_keys(db) == [file.key]
