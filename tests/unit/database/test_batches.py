"""Batches and their lines in the database: who works on them, what is pending, how they end."""

from __future__ import annotations

import pytest

from daybreak.database.batches import (
    Batch,
    Counts,
    Line,
    NewBatch,
    add_batch,
    assign_jobs,
    begin_finalizing,
    claim_batches,
    close_lines,
    count_lines,
    finish,
    get_batch,
    lines_after,
    list_batches,
    mark_expired,
    pending_lines,
    refuse,
    refuse_line,
    request_cancel,
    start,
    stray_jobs,
    unfinished_jobs,
)
from daybreak.database.connect import Database
from daybreak.database.pages import UnknownCursor
from daybreak.database.projects import create_project
from daybreak.jobs.job import Job, NewJob
from daybreak.jobs.queue import claim, complete, enqueue_many
from daybreak.jobs.queue import request_cancel as cancel_job

PROJECT = "proj_default"
NOW = 1_700_000_000.0
ERROR = {"code": "batch_expired", "message": "too late"}


def a_batch(db: Database, project: str = PROJECT) -> Batch:
    new = NewBatch(project, "/v1/videos", "24h", "file-1", {"who": "me"}, None, int(NOW) + 86_400)
    return add_batch(db, new, NOW)


def started(db: Database, lines: int = 3) -> Batch:
    batch = a_batch(db)
    assert start(db, batch.id, [Line(n, f"c{n}", 10 * n, 9) for n in range(1, lines + 1)], NOW)
    return again(db, batch)


def again(db: Database, batch: Batch) -> Batch:
    found = get_batch(db, batch.project_id, batch.id)
    assert found is not None
    return found


def some_jobs(db: Database, batch: Batch, *lines: int) -> list[Job]:
    news = [
        NewJob(
            PROJECT, "create", "sora-2", "dawn", "a dog", "64x64", "1", {}, {}, f"print{line}",
            batch_id=batch.id, idempotency_key=f"{batch.id}:{line}",
        )
        for line in lines
    ]  # fmt: skip
    return enqueue_many(db, news, NOW)


def test_a_new_batch_is_validating_and_listed_newest_first(db: Database) -> None:
    ids = [a_batch(db).id for _ in range(3)]
    first, more = list_batches(db, PROJECT, None, 2)
    assert ([batch.id for batch in first], more) == ([ids[2], ids[1]], True)
    assert [batch.id for batch in list_batches(db, PROJECT, ids[1])[0]] == [ids[0]]
    assert (first[0].status, first[0].metadata) == ("validating", {"who": "me"})


def test_another_project_sees_nothing(db: Database) -> None:
    batch = a_batch(db)
    other = create_project(db, "other", NOW).id
    assert get_batch(db, other, batch.id) is None
    assert request_cancel(db, other, batch.id, NOW) is None
    assert list_batches(db, other) == ([], False)
    with pytest.raises(UnknownCursor):
        list_batches(db, other, batch.id)


def test_a_batch_belongs_to_one_server_until_its_lease_ends(db: Database) -> None:
    batch = a_batch(db)
    assert [mine.lease_owner for mine in claim_batches(db, "one", NOW, 30)] == [None]
    assert claim_batches(db, "two", NOW + 29, 30) == []
    assert [mine.id for mine in claim_batches(db, "one", NOW + 29, 30)] == [batch.id]
    assert [mine.lease_owner for mine in claim_batches(db, "two", NOW + 60, 30)] == ["one"]
    assert claim_batches(db, "one", NOW + 60, 30) == []


def test_lines_are_pending_until_they_have_a_job_or_an_error(db: Database) -> None:
    batch = started(db)
    assert (batch.status, batch.total) == ("in_progress", 3)
    [job] = some_jobs(db, batch, 1)
    assign_jobs(db, batch.id, {1: job.id})
    refuse_line(db, batch.id, 3, {"status_code": 400})
    assert [(line.line, line.custom_id, line.position) for line in pending_lines(db, batch.id, 10)] == [(2, "c2", 20)]
    assert [line.line for line in lines_after(db, batch.id, 1, 10)] == [2, 3]
    assert count_lines(db, batch) == Counts(3, 0, 1)


def test_a_job_whose_line_does_not_know_of_it_is_found(db: Database) -> None:
    batch = started(db)
    first, second = some_jobs(db, batch, 1, 2)
    assign_jobs(db, batch.id, {1: first.id})
    assert stray_jobs(db, batch.id) == [(second.id, f"{batch.id}:2")]
    assert sorted(unfinished_jobs(db, batch.id)) == sorted([first.id, second.id])


def test_closing_reaches_only_what_has_not_ended_and_a_finished_video_still_counts(db: Database) -> None:
    batch = started(db, 4)
    jobs = some_jobs(db, batch, 1, 2, 3)
    assign_jobs(db, batch.id, {line: job.id for line, job in enumerate(jobs, 1)})
    done = claim(db, "worker", NOW, 15)
    assert done is not None
    assert complete(db, done, [], NOW, 1.0)
    running = claim(db, "worker", NOW, 15)
    assert running is not None
    close_lines(db, batch.id, ERROR)
    assert [line.error is not None for line in lines_after(db, batch.id, 0, 10)] == [False, True, True, True]
    assert complete(db, running, [], NOW, 1.0)  # it was quicker than the word that it should stop
    cancel_job(db, PROJECT, jobs[2].id, NOW)
    assert count_lines(db, batch) == Counts(4, 2, 2)


@pytest.mark.parametrize(("how", "status"), [("run", "completed"), ("expire", "expired"), ("cancel", "cancelled")])
def test_a_batch_ends_once(db: Database, how: str, status: str) -> None:
    batch = started(db)
    if how == "expire":
        mark_expired(db, batch.id, NOW + 5)
    if how == "cancel":
        assert request_cancel(db, PROJECT, batch.id, NOW) is not None
    begin_finalizing(db, batch.id, NOW + 6)
    with db.write() as connection:
        assert finish(connection, batch.id, "file-out", None, NOW + 7) == status
    with db.write() as connection:
        assert finish(connection, batch.id, "file-other", None, NOW + 8) is None
    ended = again(db, batch)
    assert (ended.status, ended.output_file_id, ended.error_file_id) == (status, "file-out", None)
    moments = {"completed": ended.completed_at, "expired": ended.expired_at, "cancelled": ended.cancelled_at}
    assert [name for name, moment in moments.items() if moment is not None] == [status]
    assert claim_batches(db, "one", NOW + 100, 30) == []
    assert request_cancel(db, PROJECT, batch.id, NOW + 9) == ended


def test_a_cancelled_batch_neither_starts_nor_fails(db: Database) -> None:
    batch = a_batch(db)
    request_cancel(db, PROJECT, batch.id, NOW)
    assert not start(db, batch.id, [Line(1, "a", 0, 1)], NOW)
    with db.write() as connection:
        assert not refuse(connection, batch.id, [{"code": "empty_file"}], NOW)
    assert again(db, batch).status == "cancelling"
    assert lines_after(db, batch.id, 0, 10) == []
