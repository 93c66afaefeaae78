"""Which stored files are still needed, and by whom."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from daybreak.database.assets import Asset, add_asset, forget_asset, get_asset, insert_asset, job_assets
from daybreak.database.characters import add_character, delete_character
from daybreak.database.connect import Database
from daybreak.database.ids import is_id, new_id
from daybreak.database.projects import DEFAULT_PROJECT, create_project
from daybreak.database.tables import files
from daybreak.jobs.queue import claim, complete, delete_job, enqueue
from new_jobs import new_job, new_video

NOW = 1_000.0


def upload(db: Database, key: str) -> Asset:
    return add_asset(db, new_video(key, variant="image", content_type="image/png"), NOW)


def test_an_asset_is_found_by_its_project_alone(db: Database) -> None:
    other = create_project(db, "other", NOW).id
    asset = add_asset(db, new_video("a", width=448, height=256, num_frames=48, fps=24.0), NOW + 0.9)
    assert is_id(asset.id, "asset_")
    assert (asset.created_at, asset.seconds, asset.bytes) == (1000, 2.0, 3)
    assert get_asset(db, DEFAULT_PROJECT, asset.id) == asset
    assert get_asset(db, other, asset.id) is None
    assert forget_asset(db, other, asset.id, NOW) == []
    assert get_asset(db, DEFAULT_PROJECT, asset.id) == asset


def test_an_asset_that_nothing_holds_is_forgotten_once(db: Database) -> None:
    asset = upload(db, "a")
    assert forget_asset(db, DEFAULT_PROJECT, asset.id, NOW) == ["a"]
    assert get_asset(db, DEFAULT_PROJECT, asset.id) is None
    assert forget_asset(db, DEFAULT_PROJECT, asset.id, NOW) == []


def test_bytes_stay_while_any_asset_has_their_key(db: Database) -> None:
    first, second = upload(db, "same"), upload(db, "same")
    assert forget_asset(db, DEFAULT_PROJECT, first.id, NOW) == []
    assert forget_asset(db, DEFAULT_PROJECT, second.id, NOW) == ["same"]


def test_a_file_a_character_and_a_job_each_hold_an_asset(db: Database) -> None:
    asset = upload(db, "a")
    file_id = new_id("file")
    with db.write() as connection:
        connection.execute(
            insert(files).values(
                id=file_id,
                project_id=DEFAULT_PROJECT,
                asset_id=asset.id,
                filename="a.png",
                purpose="vision",
                created_at=1,
            )
        )
    character = add_character(db, DEFAULT_PROJECT, "Ada", asset.id, NOW)
    job = enqueue(db, new_job(timeline={"pins": [{"media": f"asset:{asset.id}"}]}), NOW, None).job
    assert forget_asset(db, DEFAULT_PROJECT, asset.id, NOW) == []
    with db.write() as connection:
        connection.execute(update(files).values(deleted_at=2))
    assert forget_asset(db, DEFAULT_PROJECT, asset.id, NOW) == []
    assert delete_character(db, DEFAULT_PROJECT, character.id, NOW) == []
    assert get_asset(db, DEFAULT_PROJECT, asset.id) == asset
    gone = delete_job(db, DEFAULT_PROJECT, job.id, NOW)
    assert gone is not None
    assert gone.keys == ["a"]


def test_what_a_job_made_stays_with_it_unless_something_else_holds_it(db: Database) -> None:
    enqueue(db, new_job(), NOW, None)
    mine = claim(db, "worker", NOW, 15)
    assert mine is not None
    assert complete(db, mine, [new_video("v"), new_video("t", variant="thumbnail")], NOW, 1.0)
    made = job_assets(db, DEFAULT_PROJECT, mine.job.id)
    assert forget_asset(db, DEFAULT_PROJECT, made["video"].id, NOW) == []
    character = add_character(db, DEFAULT_PROJECT, "Ada", made["video"].id, NOW)
    gone = delete_job(db, DEFAULT_PROJECT, mine.job.id, NOW)
    assert gone is not None
    assert gone.keys == ["t"]
    assert get_asset(db, DEFAULT_PROJECT, made["video"].id) is not None
    assert delete_character(db, DEFAULT_PROJECT, character.id, NOW) == ["v"]


def test_an_asset_written_in_a_transaction_that_fails_was_never_there(db: Database) -> None:
    made: list[Asset] = []

    def half() -> None:
        with db.write() as connection:
            made.append(insert_asset(connection, new_video("a"), NOW))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert get_asset(db, DEFAULT_PROJECT, made[0].id) is None
