"""The life of a job from the owner's side, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from daybreak.database.assets import get_asset, insert_asset, job_assets
from daybreak.database.connect import Database
from daybreak.database.projects import DEFAULT_PROJECT, create_project
from daybreak.database.tables import jobs
from daybreak.jobs.job import Claim, Job, JobError, Progress
from daybreak.jobs.queue import (
    UnknownCursor,
    claim,
    complete,
    delete_job,
    enqueue,
    enqueue_many,
    expire_jobs,
    fail,
    get_job,
    get_preview,
    heartbeat,
    list_jobs,
    newest,
    queue_length,
    request_cancel,
    rerank,
    save_checkpoint,
    save_preview,
)
from new_jobs import new_job, new_video

NOW, LEASE = 1_000.0, 15.0
OTHER_ERROR = JobError("out_of_memory", "The model did not fit.")


def queued(db: Database, **changes: object) -> Job:
    return enqueue(db, new_job(**changes), NOW, None).job


def claimed(db: Database) -> Claim:
    found = claim(db, "worker", NOW, LEASE)
    assert found is not None
    return found


def running(db: Database) -> Job:
    queued(db)
    return claimed(db).job


def completed(db: Database) -> Job:
    queued(db)
    mine = claimed(db)
    assert complete(db, mine, [new_video()], NOW + 5, 4.5)
    return now_is(db, mine.job)


def failed(db: Database) -> Job:
    queued(db)
    mine = claimed(db)
    assert fail(db, mine, OTHER_ERROR, NOW + 5)
    return now_is(db, mine.job)


def now_is(db: Database, job: Job) -> Job:
    found = get_job(db, DEFAULT_PROJECT, job.id)
    assert found is not None
    return found


STATES: list[Callable[[Database], Job]] = [queued, running, completed, failed]


def test_a_new_job_is_all_that_was_asked_for_and_nothing_has_happened_yet(db: Database) -> None:
    asked = new_job(
        kind="remix",
        source_id="video_s",
        remixed_from_id="video_s",
        metadata={"a": "b"},
        priority=2,
        cost=7.5,
        expires_after=60,
        prompt="ein Hund läuft 🐕",
    )
    job = enqueue(db, asked, NOW + 0.75, None).job
    for name in ("project_id", "kind", "model", "engine_model", "prompt", "size", "seconds", "timeline", "settings"):
        assert getattr(job, name) == getattr(asked, name)
    for name in ("source_id", "remixed_from_id", "metadata", "fingerprint", "priority", "cost", "expires_after"):
        assert getattr(job, name) == getattr(asked, name)
    assert (job.status, job.progress, job.error, job.created_at, job.attempts) == ("queued", 0, None, 1000, 0)
    assert (job.started_at, job.completed_at, job.expires_at) == (None, None, None)
    assert get_job(db, DEFAULT_PROJECT, job.id) == job == newest(db, DEFAULT_PROJECT)


def test_a_job_runs_and_is_completed_with_its_assets(db: Database) -> None:
    job = queued(db, expires_after=60)
    mine = claimed(db)
    assert (mine.job.id, mine.job.status, mine.job.started_at, mine.fence) == (job.id, "in_progress", 1000, 1)
    assert heartbeat(db, mine, NOW + 1, LEASE, Progress("generating", 2, 8)) == "go"
    assert (now_is(db, job).progress, now_is(db, job).stage, now_is(db, job).lease_until) == (25, "generating", 1016)
    assert heartbeat(db, mine, NOW + 2, LEASE, Progress("storing", 8, 8)) == "go"
    assert now_is(db, job).progress == 99  # not 100 before the video is there
    told = {"revised_prompt": "a brown dog", "not_followed": ["a submarine"]}
    assert complete(db, mine, [new_video(), new_video("t", variant="thumbnail")], NOW + 9.9, 9.5, told)
    done = now_is(db, job)
    assert (done.status, done.progress, done.completed_at, done.expires_at) == ("completed", 100, 1009, 1069)
    assert (done.duration, done.lease_owner, done.lease_until, done.stage) == (9.5, None, None, "")
    assert done.told == told
    found = job_assets(db, DEFAULT_PROJECT, job.id)
    assert {variant: asset.key for variant, asset in found.items()} == {
        "video": "videos/a/1/video.mp4",
        "thumbnail": "t",
    }
    assert all(asset.job_id == job.id for asset in found.values())


def test_a_job_that_fails_says_why(db: Database) -> None:
    job = failed(db)
    assert (job.status, job.error, job.completed_at, job.expires_at) == ("failed", OTHER_ERROR, 1005, None)
    assert job_assets(db, DEFAULT_PROJECT, job.id) == {}


def test_a_preview_is_the_newest_one_and_goes_with_the_end(db: Database) -> None:
    queued(db)
    mine = claimed(db)
    assert get_preview(db, mine.job.id) is None
    assert save_preview(db, mine, 3, b"first")
    assert save_preview(db, mine, 5, b"second")
    assert get_preview(db, mine.job.id) == (5, b"second")
    assert complete(db, mine, [], NOW, 1.0)
    assert get_preview(db, mine.job.id) is None


def test_cancelling_what_waits_ends_it_at_once(db: Database) -> None:
    job = request_cancel(db, DEFAULT_PROJECT, queued(db).id, NOW + 1)
    assert job is not None
    assert (job.status, job.error, job.completed_at) == (
        "failed",
        JobError("cancelled", "The job was cancelled."),
        1001,
    )
    assert claim(db, "worker", NOW + 1, LEASE) is None


@pytest.mark.parametrize("worker_says", ["failed", "completed"])
def test_cancelling_what_runs_ends_it_when_the_worker_stops(db: Database, worker_says: str) -> None:
    queued(db)
    mine = claimed(db)
    flagged = request_cancel(db, DEFAULT_PROJECT, mine.job.id, NOW + 1)
    assert flagged is not None
    assert (flagged.status, flagged.cancel_requested) == ("in_progress", True)
    assert heartbeat(db, mine, NOW + 2, LEASE) == "cancel"
    if worker_says == "failed":
        assert fail(db, mine, JobError("internal_error", "whatever"), NOW + 3)
    else:  # the last step was done in the same moment: too late all the same
        assert not complete(db, mine, [new_video()], NOW + 3, 2.0)
    ended = now_is(db, mine.job)
    assert (ended.status, ended.error) == ("failed", JobError("cancelled", "The job was cancelled."))
    assert job_assets(db, DEFAULT_PROJECT, mine.job.id) == {}


def test_cancelling_what_runs_without_a_living_worker_ends_it_at_once(db: Database) -> None:
    job = request_cancel(db, DEFAULT_PROJECT, running(db).id, NOW + LEASE)
    assert job is not None
    assert (job.status, job.error and job.error.code) == ("failed", "cancelled")


@pytest.mark.parametrize("state", [completed, failed])
def test_cancelling_what_ended_changes_nothing(db: Database, state: Callable[[Database], Job]) -> None:
    job = state(db)
    assert request_cancel(db, DEFAULT_PROJECT, job.id, NOW + 60) == job


@pytest.mark.parametrize("state", STATES)
def test_deleted_stays_deleted(db: Database, state: Callable[[Database], Job]) -> None:
    job = state(db)
    mine = Claim(job, job.fence, "worker")
    assert delete_job(db, DEFAULT_PROJECT, job.id, NOW + 6) is not None
    for _ in range(2):
        assert get_job(db, DEFAULT_PROJECT, job.id) is None
        assert list_jobs(db, DEFAULT_PROJECT).jobs == []
        assert job_assets(db, DEFAULT_PROJECT, job.id) == {}
        assert queue_length(db) == 0
        assert delete_job(db, DEFAULT_PROJECT, job.id, NOW + 7) is None
        assert request_cancel(db, DEFAULT_PROJECT, job.id, NOW + 7) is None
        assert rerank(db, DEFAULT_PROJECT, job.id, 5) is None
        # Nor does anything bring it back that a worker or the clock could do.
        assert claim(db, "other", NOW + 1_000, LEASE) is None
        assert not complete(db, mine, [new_video()], NOW + 8, 1.0)
        assert not fail(db, mine, OTHER_ERROR, NOW + 8)
        assert not save_checkpoint(db, mine, "key", 1)
        assert not save_preview(db, mine, 1, b"x")
        assert expire_jobs(db, NOW + 10_000) == []


def test_a_deleted_job_keeps_nothing_of_what_was_asked_for(db: Database) -> None:
    job = queued(db, metadata={"secret": "yes"})
    delete_job(db, DEFAULT_PROJECT, job.id, NOW)
    with db.read() as connection:
        row = connection.execute(select(jobs).where(jobs.c.id == job.id)).mappings().one()
    assert (row["prompt"], row["timeline"], row["metadata"]) == (None, {}, {})


def test_the_worker_of_a_deleted_job_is_told_to_stop(db: Database) -> None:
    queued(db)
    mine = claimed(db)
    delete_job(db, DEFAULT_PROJECT, mine.job.id, NOW + 1)
    assert heartbeat(db, mine, NOW + 2, LEASE) == "cancel"


def test_deleting_gives_the_keys_that_nothing_refers_to_any_more(db: Database) -> None:
    with db.write() as connection:
        pinned = insert_asset(connection, new_video("uploads/pinned", variant="image"), NOW)
        shared = insert_asset(connection, new_video("uploads/shared", variant="image"), NOW)
    timeline = {"pins": [{"media": f"asset:{pinned.id}"}, {"media": f"asset:{shared.id}"}]}
    other = queued(db, timeline={"pins": [{"media": f"asset:{shared.id}"}]}, priority=-1)
    queued(db, timeline=timeline)
    mine = claimed(db)
    assert complete(db, mine, [new_video("v"), new_video("t", variant="thumbnail")], NOW, 1.0)
    gone = delete_job(db, DEFAULT_PROJECT, mine.job.id, NOW)
    assert gone is not None
    assert gone.keys == ["t", "uploads/pinned", "v"]
    assert get_asset(db, DEFAULT_PROJECT, pinned.id) is None
    assert get_asset(db, DEFAULT_PROJECT, shared.id) == shared
    gone = delete_job(db, DEFAULT_PROJECT, other.id, NOW)
    assert gone is not None
    assert gone.keys == ["uploads/shared"]


def test_deleting_what_runs_gives_its_checkpoint(db: Database) -> None:
    queued(db)
    mine = claimed(db)
    assert save_checkpoint(db, mine, "checkpoints/a", 3)
    assert now_is(db, mine.job).checkpoint_step == 3
    gone = delete_job(db, DEFAULT_PROJECT, mine.job.id, NOW)
    assert gone is not None
    assert gone.keys == ["checkpoints/a"]


def test_nothing_expires_unless_its_owner_said_so(db: Database) -> None:
    kept = completed(db)
    queued(db, expires_after=60)
    mine = claimed(db)
    assert complete(db, mine, [new_video("short")], NOW + 5, 4.5)
    assert expire_jobs(db, NOW + 64) == []
    assert expire_jobs(db, NOW + 65) == ["short"]
    assert get_job(db, DEFAULT_PROJECT, mine.job.id) is None
    assert get_job(db, DEFAULT_PROJECT, kept.id) == kept


def test_pages_go_through_everything_once_in_both_directions(db: Database) -> None:
    ids = [job.id for job in enqueue_many(db, [new_job(fingerprint=f"{i}") for i in range(7)], NOW)]
    for order, expected in (("asc", ids), ("desc", ids[::-1])):
        seen: list[str] = []
        after = None
        while True:
            page = list_jobs(db, DEFAULT_PROJECT, after=after, limit=3, order=order)  # type: ignore[arg-type]
            seen += [job.id for job in page.jobs]
            if not page.has_more:
                break
            after = page.jobs[-1].id
        assert seen == expected
    assert list_jobs(db, DEFAULT_PROJECT, limit=7).has_more is False
    assert list_jobs(db, DEFAULT_PROJECT, limit=0).jobs == []


def test_a_page_can_start_after_a_job_that_was_deleted(db: Database) -> None:
    ids = [job.id for job in enqueue_many(db, [new_job(fingerprint=f"{i}") for i in range(3)], NOW)]
    delete_job(db, DEFAULT_PROJECT, ids[1], NOW)
    assert [job.id for job in list_jobs(db, DEFAULT_PROJECT, after=ids[1], order="asc").jobs] == [ids[2]]
    with pytest.raises(UnknownCursor):
        list_jobs(db, DEFAULT_PROJECT, after="video_no")


def test_a_list_can_be_of_one_status(db: Database) -> None:
    done, waiting = completed(db), queued(db)
    assert list_jobs(db, DEFAULT_PROJECT, status="completed").jobs == [done]
    assert list_jobs(db, DEFAULT_PROJECT, status="queued").jobs == [waiting]
    assert queue_length(db) == queue_length(db, DEFAULT_PROJECT) == 1


@pytest.mark.parametrize("state", STATES)
def test_another_project_sees_and_does_nothing(db: Database, state: Callable[[Database], Job]) -> None:
    job = state(db)
    other = create_project(db, "other", NOW).id
    assert get_job(db, other, job.id) is None
    assert list_jobs(db, other).jobs == []
    assert job_assets(db, other, job.id) == {}
    assert queue_length(db, other) == 0
    assert request_cancel(db, other, job.id, NOW) is None
    assert delete_job(db, other, job.id, NOW) is None
    assert rerank(db, other, job.id, 9) is None
    with pytest.raises(UnknownCursor):
        list_jobs(db, other, after=job.id)
    assert now_is(db, job) == job


def test_rerank_makes_a_job_the_next(db: Database) -> None:
    first, second, third = (queued(db, fingerprint=name, priority=3) for name in "abc")
    changed = rerank(db, DEFAULT_PROJECT, third.id)
    assert changed is not None
    assert changed.priority == 4
    assert rerank(db, DEFAULT_PROJECT, first.id, -1) is not None
    assert [claimed(db).job.id for _ in range(3)] == [third.id, second.id, first.id]
    unchanged = rerank(db, DEFAULT_PROJECT, first.id, 8)  # too late
    assert unchanged is not None
    assert unchanged.priority == -1
