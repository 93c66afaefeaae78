"""Leases and fences: who may write what, when a worker dies or wakes up too late."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from daybreak.database.assets import job_assets
from daybreak.database.connect import Database, open_database
from daybreak.database.projects import DEFAULT_PROJECT
from daybreak.jobs.job import Claim, Job, JobError, Progress
from daybreak.jobs.queue import (
    MAX_ATTEMPTS,
    claim,
    complete,
    enqueue,
    enqueue_many,
    fail,
    get_job,
    get_preview,
    give_back,
    heartbeat,
    request_cancel,
    save_checkpoint,
    save_preview,
)
from new_jobs import new_job, new_video

NOW, LEASE = 1_000.0, 15.0
ERROR = JobError("internal_error", "whatever")


def claimed(db: Database, owner: str = "worker", now: float = NOW) -> Claim:
    found = claim(db, owner, now, LEASE)
    assert found is not None
    return found


def now_is(db: Database, job: Job) -> Job:
    found = get_job(db, DEFAULT_PROJECT, job.id)
    assert found is not None
    return found


def test_a_job_is_claimed_once_while_its_lease_lasts(db: Database) -> None:
    enqueue(db, new_job(), NOW, None)
    mine = claimed(db)
    assert claim(db, "other", NOW + LEASE - 0.01, LEASE) is None
    assert heartbeat(db, mine, NOW + LEASE - 0.01, LEASE) == "go"
    assert claim(db, "other", NOW + LEASE, LEASE) is None
    taken = claim(db, "other", NOW + 2 * LEASE, LEASE)
    assert taken is not None
    assert (taken.job.id, taken.fence, taken.job.attempts) == (mine.job.id, mine.fence + 1, 2)


WRITES: dict[str, Callable[[Database, Claim], object]] = {
    "heartbeat": lambda db, mine: heartbeat(db, mine, NOW + 20, 1_000, Progress("generating", 7, 8)) != "lost",
    "save_checkpoint": lambda db, mine: save_checkpoint(db, mine, "stale", 7),
    "save_preview": lambda db, mine: save_preview(db, mine, 7, b"stale"),
    "complete": lambda db, mine: complete(db, mine, [new_video("stale")], NOW + 20, 1.0),
    "fail": lambda db, mine: fail(db, mine, ERROR, NOW + 20),
    "give_back": lambda db, mine: give_back(db, mine, NOW + 20, counted=False),
}


@pytest.mark.parametrize("owner", ["worker", "other"])
def test_a_worker_that_was_taken_for_dead_writes_nothing(db: Database, owner: str) -> None:
    enqueue(db, new_job(), NOW, None)
    stale = claimed(db)
    current = claimed(db, owner, NOW + LEASE)  # even of the same name: the fence is what counts
    before = now_is(db, stale.job)
    for name, write in WRITES.items():
        assert not write(db, stale), name
        assert now_is(db, stale.job) == before, name
    assert get_preview(db, stale.job.id) is None
    assert job_assets(db, DEFAULT_PROJECT, stale.job.id) == {}
    for name in ("heartbeat", "save_checkpoint", "save_preview", "complete"):
        assert WRITES[name](db, current), name


@pytest.mark.parametrize("end", ["fail", "complete", "give_back"])
def test_nothing_changes_a_job_that_is_out_of_the_workers_hands(db: Database, end: str) -> None:
    enqueue(db, new_job(), NOW, None)
    mine = claimed(db)
    assert WRITES[end](db, mine)
    before = now_is(db, mine.job)
    for name, write in WRITES.items():
        assert not write(db, mine), name
        assert now_is(db, mine.job) == before, name
    if end != "give_back":
        assert claim(db, "other", NOW + 10_000, LEASE) is None


def test_a_lease_that_ran_out_is_still_good_while_nobody_else_wants_the_job(db: Database) -> None:
    enqueue(db, new_job(), NOW, None)
    mine = claimed(db)
    assert heartbeat(db, mine, NOW + 100, LEASE) == "go"
    assert claim(db, "other", NOW + 101, LEASE) is None
    assert complete(db, mine, [], NOW + 300, 1.0)


def test_the_job_of_a_dead_worker_comes_before_those_that_wait_and_keeps_its_checkpoint(db: Database) -> None:
    first, _ = enqueue_many(db, [new_job(), new_job(priority=9)], NOW)
    assert claimed(db).job.id != first.id
    dying = claimed(db)
    assert dying.job.id == first.id
    assert save_checkpoint(db, dying, "checkpoints/1", 12)
    enqueue(db, new_job(priority=99), NOW, None)
    taken = claimed(db, now=NOW + LEASE)
    assert (taken.job.priority, taken.job.checkpoint_key) == (0, "checkpoints/1") or taken.job.priority == 9
    again = claimed(db, now=NOW + LEASE)
    assert {taken.job.id, again.job.id}.isdisjoint({claimed(db, now=NOW + LEASE).job.id})
    resumed = taken if taken.job.id == first.id else again
    assert (resumed.job.checkpoint_key, resumed.job.checkpoint_step) == ("checkpoints/1", 12)


def test_a_job_that_kills_its_workers_is_given_up(db: Database) -> None:
    job = enqueue(db, new_job(), NOW, None).job
    for attempt in range(MAX_ATTEMPTS):
        assert claimed(db, now=NOW + attempt * LEASE).job.attempts == attempt + 1
    enqueue(db, new_job(fingerprint="next"), NOW, None)
    following = claimed(db, now=NOW + MAX_ATTEMPTS * LEASE)
    assert following.job.id != job.id  # the next job runs
    ended = now_is(db, job)
    assert (ended.status, ended.error and ended.error.code) == ("failed", "worker_crashed")


def test_a_job_to_be_cancelled_whose_worker_died_is_not_run_again(db: Database) -> None:
    job = enqueue(db, new_job(), NOW, None).job
    claimed(db)
    request_cancel(db, DEFAULT_PROJECT, job.id, NOW + 1)
    assert claim(db, "other", NOW + LEASE, LEASE) is None
    ended = now_is(db, job)
    assert (ended.status, ended.error and ended.error.code) == ("failed", "cancelled")


def test_a_job_given_back_uncounted_has_lost_nothing(db: Database) -> None:
    job = enqueue(db, new_job(), NOW, None).job
    for _ in range(MAX_ATTEMPTS + 2):
        mine = claimed(db)
        assert save_checkpoint(db, mine, f"checkpoints/{mine.fence}", mine.fence)
        assert give_back(db, mine, NOW, counted=False)
    waiting = now_is(db, job)
    assert (waiting.status, waiting.attempts, waiting.lease_owner) == ("queued", 0, None)
    assert waiting.checkpoint_key == f"checkpoints/{MAX_ATTEMPTS + 2}"
    assert waiting.fence == MAX_ATTEMPTS + 2


def test_a_job_given_back_counted_has_as_many_attempts_as_any(db: Database) -> None:
    job = enqueue(db, new_job(), NOW, None).job
    for _ in range(MAX_ATTEMPTS):
        assert give_back(db, claimed(db), NOW, counted=True)
    assert claim(db, "worker", NOW, LEASE) is None
    assert now_is(db, job).error == JobError("worker_crashed", "The job was given up: 3 workers died while running it.")


def test_a_job_given_back_for_later_is_claimed_later(db: Database) -> None:
    first, second = enqueue_many(db, [new_job(), new_job()], NOW)
    assert give_back(db, claimed(db), NOW, counted=True, delay=30)
    assert claimed(db).job.id == second.id
    assert claim(db, "worker", NOW + 29.9, 1_000) is not None  # the second again: its lease ran out
    assert claim(db, "worker", NOW + 29.9, LEASE) is None
    assert claimed(db, now=NOW + 30).job.id == first.id


def test_giving_back_a_cancelled_job_ends_it(db: Database) -> None:
    job = enqueue(db, new_job(), NOW, None).job
    mine = claimed(db)
    request_cancel(db, DEFAULT_PROJECT, job.id, NOW)
    assert give_back(db, mine, NOW, counted=False)
    assert now_is(db, job).status == "failed"


def test_a_worker_gets_only_what_it_can_run(db: Database) -> None:
    small, large = enqueue_many(db, [new_job(engine_model="small"), new_job(engine_model="large")], NOW)
    assert claim(db, "worker", NOW, LEASE, frozenset()) is None
    found = claim(db, "worker", NOW, LEASE, frozenset({"large", "other"}))
    assert found is not None
    assert found.job.id == large.id
    assert claim(db, "worker", NOW + LEASE, LEASE, frozenset({"huge"})) is None  # nor does it take over what it can't
    found = claim(db, "worker", NOW + LEASE, LEASE, frozenset({"small"}))
    assert found is not None
    assert found.job.id == small.id


def test_many_workers_at_once_get_every_job_exactly_once(db: Database, database_url: str) -> None:
    count, workers = 24, 4
    made = enqueue_many(db, [new_job() for _ in range(count)], NOW)
    got: list[str] = []

    def work(name: str, database: Database) -> None:
        while mine := claim(database, name, NOW, LEASE):
            got.append(mine.job.id)
            assert complete(database, mine, [], NOW, 1.0)

    databases = [open_database(database_url) for _ in range(workers)]  # as processes of their own would
    threads = [threading.Thread(target=work, args=(f"w{n}", each)) for n, each in enumerate(databases)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in databases:
        each.close()
    assert sorted(got) == sorted(job.id for job in made)
