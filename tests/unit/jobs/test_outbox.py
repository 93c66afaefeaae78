"""Events are written in the transaction that ends a job: one for each end, none for what its owner stopped."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from sqlalchemy import RowMapping, insert, select

from daybreak.database.connect import Database
from daybreak.database.ids import new_id
from daybreak.database.projects import DEFAULT_PROJECT, create_project
from daybreak.database.tables import webhook_deliveries, webhook_endpoints
from daybreak.jobs import outbox
from daybreak.jobs.job import Claim, JobError
from daybreak.jobs.queue import claim, complete, delete_job, enqueue, fail, get_job, request_cancel
from new_jobs import new_job, new_video

NOW = 1_000.5


def subscribe(db: Database, project_id: str, types: Sequence[str], **changes: object) -> str:
    endpoint_id = new_id("we")
    values = {"name": "n", "url": "http://x", "secret": "whsec_x", "created_at": 1, "updated_at": 1}
    with db.write() as connection:
        connection.execute(
            insert(webhook_endpoints).values(
                id=endpoint_id, project_id=project_id, event_types=list(types), **values, **changes
            )
        )
    return endpoint_id


def deliveries(db: Database) -> Sequence[RowMapping]:
    with db.read() as connection:
        return connection.execute(select(webhook_deliveries)).mappings().all()


def claimed(db: Database) -> Claim:
    enqueue(db, new_job(), NOW, None)
    found = claim(db, "worker", NOW, 15)
    assert found is not None
    return found


@pytest.mark.parametrize("end", ["completed", "failed"])
def test_every_endpoint_that_wants_to_know_of_an_end_is_told_the_same_once(db: Database, end: str) -> None:
    event = f"video.{end}"
    wanted = {subscribe(db, DEFAULT_PROJECT, [event, "batch.completed"]), subscribe(db, DEFAULT_PROJECT, [event])}
    subscribe(db, DEFAULT_PROJECT, ["video.failed" if end == "completed" else "video.completed"])
    subscribe(db, DEFAULT_PROJECT, [event], disabled_at=5)
    subscribe(db, DEFAULT_PROJECT, [event], deleted_at=5)
    subscribe(db, create_project(db, "other", NOW).id, [event])
    mine = claimed(db)
    for _ in range(2):  # the second time it has ended already
        if end == "completed":
            complete(db, mine, [new_video()], NOW, 1.0)
        else:
            fail(db, mine, JobError("out_of_memory", "x"), NOW)
    rows = deliveries(db)
    assert {row["endpoint_id"] for row in rows} == wanted
    assert len(rows) == len({row["id"] for row in rows}) == 2
    assert len({row["body"] for row in rows}) == 1
    body = json.loads(rows[0]["body"])
    assert body.pop("id").startswith("evt_")
    assert body == {"object": "event", "created_at": 1000, "type": event, "data": {"id": mine.job.id}}
    assert {(row["next_attempt_at"], row["attempts"], row["event_type"]) for row in rows} == {(NOW, 0, event)}


def test_whoever_stops_a_job_is_not_told_of_it(db: Database) -> None:
    subscribe(db, DEFAULT_PROJECT, ["video.completed", "video.failed"])
    waiting = enqueue(db, new_job(), NOW, None).job
    request_cancel(db, DEFAULT_PROJECT, waiting.id, NOW)
    mine = claimed(db)
    request_cancel(db, DEFAULT_PROJECT, mine.job.id, NOW)
    assert not complete(db, mine, [], NOW, 1.0)
    mine = claimed(db)
    delete_job(db, DEFAULT_PROJECT, mine.job.id, NOW)
    assert not fail(db, mine, JobError("internal_error", "x"), NOW)
    assert deliveries(db) == []


def test_a_job_given_up_is_told_of(db: Database) -> None:
    subscribe(db, DEFAULT_PROJECT, ["video.failed"])
    mine = claimed(db)
    for attempt in range(1, 4):
        claim(db, "worker", NOW + attempt * 15, 15)
    assert [json.loads(row["body"])["data"]["id"] for row in deliveries(db)] == [mine.job.id]


def test_an_end_and_its_event_are_one_transaction(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    subscribe(db, DEFAULT_PROJECT, ["video.completed"])
    mine = claimed(db)

    def crash(prefix: str) -> str:
        raise KeyboardInterrupt(prefix)

    monkeypatch.setattr(outbox, "new_id", crash)
    with pytest.raises(KeyboardInterrupt):
        complete(db, mine, [new_video()], NOW, 1.0)
    monkeypatch.undo()
    job = get_job(db, DEFAULT_PROJECT, mine.job.id)
    assert job is not None
    assert job.status == "in_progress"
    assert deliveries(db) == []
    assert complete(db, mine, [new_video()], NOW, 1.0)
    assert len(deliveries(db)) == 1
