"""Where a job stands and when it should be done, from what is known of jobs like it."""

from __future__ import annotations

import pytest

from daybreak.database.connect import Database
from daybreak.database.projects import DEFAULT_PROJECT
from daybreak.jobs import estimate
from daybreak.jobs.estimate import expected_seconds, foreseen_seconds, place
from daybreak.jobs.job import Claim, Job, Place, Progress
from daybreak.jobs.queue import claim, complete, enqueue, enqueue_many, get_job, give_back, heartbeat, request_cancel
from new_jobs import new_job

NOW = 1_000.0


def claimed(db: Database, now: float = NOW) -> Claim:
    found = claim(db, "worker", now, 1_000)
    assert found is not None
    return found


def took(db: Database, *durations: float) -> None:
    """Jobs of the usual kind that took so long."""
    for duration in durations:
        enqueue(db, new_job(), NOW, None)
        assert complete(db, claimed(db), [], NOW, duration)


def now_is(db: Database, job: Job) -> Job:
    found = get_job(db, DEFAULT_PROJECT, job.id)
    assert found is not None
    return found


def test_a_kind_of_job_takes_as_long_as_its_newest_did_in_the_median(db: Database) -> None:
    assert expected_seconds(db, "dawn", "448x256", "2") is None
    took(db, 9.0, 500.0, 10.0)
    assert expected_seconds(db, "dawn", "448x256", "2") == 10.0
    assert expected_seconds(db, "dawn", "448x256", "4") is None
    assert expected_seconds(db, "other", "448x256", "2") is None
    took(db, *[30.0] * 15)
    assert expected_seconds(db, "dawn", "448x256", "2") == 30.0


def test_a_length_that_never_was_is_foreseen_by_others(db: Database) -> None:
    assert foreseen_seconds(db, "dawn", "448x256", 4.0) is None
    took(db, 9.0, 500.0, 10.0)
    assert foreseen_seconds(db, "dawn", "448x256", 2.0) == 10.0
    assert foreseen_seconds(db, "dawn", "448x256", 5.0) == 25.0
    assert foreseen_seconds(db, "dawn", "1280x720", 5.0) is None
    assert foreseen_seconds(db, "other", "448x256", 5.0) is None


def test_what_waits_is_done_after_what_is_before_it(db: Database) -> None:
    first, second = enqueue_many(db, [new_job(cost=4.0), new_job(cost=6.0)], NOW)
    assert (place(db, first, NOW), place(db, second, NOW)) == (Place(1, 4.0), Place(2, 10.0))
    mine = claimed(db)
    assert (place(db, mine.job, NOW + 1), place(db, second, NOW + 1)) == (Place(0, 3.0), Place(1, 9.0))
    assert complete(db, mine, [], NOW + 4, 4.0)
    assert place(db, now_is(db, first), NOW + 4) == Place(0, 0.0)
    assert place(db, second, NOW + 4) == Place(1, 4.0)  # as long as the one like it took, whatever was estimated


def test_several_workers_shorten_the_queue(db: Database) -> None:
    made = enqueue_many(db, [new_job(cost=cost) for cost in (10.0, 4.0, 3.0, 3.0)], NOW)
    claimed(db)
    claimed(db)
    assert [place(db, job, NOW).eta_seconds for job in made[2:]] == [7.0, 10.0]


def test_what_runs_is_done_when_its_steps_are(db: Database) -> None:
    enqueue(db, new_job(cost=50.0), NOW, None)
    mine = claimed(db)
    heartbeat(db, mine, NOW + 6, 1_000, Progress("generating", 2, 8))
    assert place(db, now_is(db, mine.job), NOW + 6) == Place(0, 18.0)  # 2 steps took 6 s, 6 are left
    took(db, 16.0)
    assert place(db, now_is(db, mine.job), NOW + 6) == Place(0, 12.0)  # three quarters of what such a job takes
    heartbeat(db, mine, NOW + 6, 1_000, Progress("encoding", 8, 8))
    assert place(db, now_is(db, mine.job), NOW + 60) == Place(0, 0.0)


def test_a_job_for_later_is_not_done_before(db: Database) -> None:
    enqueue(db, new_job(cost=5.0), NOW, None)
    mine = claimed(db)
    assert give_back(db, mine, NOW, counted=True, delay=30)
    assert place(db, now_is(db, mine.job), NOW) == Place(1, 35.0)


def test_what_was_claimed_meanwhile_is_no_error(db: Database) -> None:
    job = enqueue(db, new_job(), NOW, None).job
    claimed(db)
    assert place(db, job, NOW) == Place(0, None)


def test_a_long_queue_is_gone_through_once_a_second(sqlite_db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "_LONG", 2)
    made = enqueue_many(sqlite_db, [new_job() for _ in range(4)], NOW)
    assert place(sqlite_db, made[3], NOW).position == 4
    request_cancel(sqlite_db, DEFAULT_PROJECT, made[0].id, NOW)
    assert place(sqlite_db, made[3], NOW + 0.9).position == 4
    assert place(sqlite_db, made[3], NOW + 1.0).position == 3
    new = enqueue(sqlite_db, new_job(), NOW, None).job
    assert place(sqlite_db, new, NOW + 1.1).position == 4  # one that is not known yet is not kept waiting
