"""Only what nothing refers to may be thrown away, and not before its time."""

from __future__ import annotations

from sqlalchemy import insert, select

from daybreak.database.assets import add_asset, forget_asset, get_asset
from daybreak.database.connect import Database
from daybreak.database.maintenance import (
    ASSET_GRACE,
    check_integrity,
    forget_deliveries,
    forget_unused_assets,
    mark_removed,
    removable_keys,
    unreferenced_keys,
)
from daybreak.database.projects import DEFAULT_PROJECT
from daybreak.database.tables import webhook_deliveries, webhook_endpoints
from daybreak.jobs.queue import claim, complete, delete_job, enqueue
from new_jobs import new_job, new_video

NOW = 100_000.0


def test_keys_of_living_assets_and_of_open_jobs_are_referred_to(db: Database) -> None:
    upload = add_asset(db, new_video("uploads/1"), NOW)
    waiting = enqueue(db, new_job(priority=-1), NOW, None).job
    enqueue(db, new_job(), NOW, None)
    mine = claim(db, "worker", NOW, 15)
    assert mine is not None
    place, partial = f"videos/{mine.job.id}/1/video.mp4", f"videos/{waiting.id}/7/video.mp4"
    saved, stray = f"checkpoints/{mine.job.id}/1.safetensors", "videos/video_" + "0" * 32 + "/1/video.mp4"
    everything = [upload.key, place, partial, saved, stray, "uploads/2", "videos/odd"]
    assert set(unreferenced_keys(db, everything)) == {"uploads/2", "videos/odd", stray}
    assert complete(db, mine, [new_video(place)], NOW, 1.0)
    assert set(unreferenced_keys(db, everything)) == {"uploads/2", "videos/odd", stray, saved}
    delete_job(db, DEFAULT_PROJECT, mine.job.id, NOW)
    assert set(unreferenced_keys(db, everything)) == {"uploads/2", "videos/odd", stray, saved, place}
    assert unreferenced_keys(db, []) == []


def test_more_keys_than_a_statement_takes(sqlite_db: Database) -> None:
    add_asset(sqlite_db, new_video("uploads/7"), NOW)
    keys = [f"uploads/{n}" for n in range(1_201)]
    assert set(keys) - set(unreferenced_keys(sqlite_db, keys)) == {"uploads/7"}


def test_uploads_that_came_to_nothing_are_forgotten_after_their_grace(db: Database) -> None:
    stray, used = add_asset(db, new_video("stray"), NOW), add_asset(db, new_video("used"), NOW)
    enqueue(db, new_job(timeline={"pins": [{"media": f"asset:{used.id}"}]}), NOW, None)
    assert forget_unused_assets(db, NOW + ASSET_GRACE - 1) == []
    assert forget_unused_assets(db, NOW + ASSET_GRACE) == ["stray"]
    assert get_asset(db, DEFAULT_PROJECT, stray.id) is None
    assert get_asset(db, DEFAULT_PROJECT, used.id) == used


def test_what_was_deleted_is_to_be_removed_until_it_was(db: Database) -> None:
    first, second = add_asset(db, new_video("a"), NOW), add_asset(db, new_video("b"), NOW)
    add_asset(db, new_video("b"), NOW)
    for asset in (first, second):
        forget_asset(db, DEFAULT_PROJECT, asset.id, NOW)
    assert removable_keys(db) == ["a"]  # another asset has the bytes of b
    mark_removed(db, ["a", "b", "c"], NOW)
    assert removable_keys(db) == []


def test_old_deliveries_go_when_there_is_nothing_left_to_send(db: Database) -> None:
    with db.write() as connection:
        connection.execute(
            insert(webhook_endpoints).values(
                id="we_1",
                project_id=DEFAULT_PROJECT,
                name="n",
                url="http://x",
                secret="s",
                created_at=1,
                updated_at=1,
                event_types=[],
            )
        )
        for name, created, due in (("old", 0, None), ("due", 0, 5.0), ("new", int(NOW), None)):
            connection.execute(
                insert(webhook_deliveries).values(
                    id=name,
                    project_id=DEFAULT_PROJECT,
                    endpoint_id="we_1",
                    event_type="t",
                    body="{}",
                    created_at=created,
                    next_attempt_at=due,
                )
            )
    assert forget_deliveries(db, 30 * 86400 + 1) == 1
    with db.read() as connection:
        assert sorted(connection.scalars(select(webhook_deliveries.c.id))) == ["due", "new"]


def test_a_sound_database_has_nothing_to_complain_of(db: Database) -> None:
    assert check_integrity(db) == []
