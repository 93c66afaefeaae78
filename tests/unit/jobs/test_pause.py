"""A paused queue: what runs ends, what waits is not begun, by any worker, until it goes on."""

from __future__ import annotations

import threading
import time

from daybreak.database.connect import Database, open_database
from daybreak.database.projects import DEFAULT_PROJECT, create_project
from daybreak.jobs.estimate import place
from daybreak.jobs.job import Claim, Place
from daybreak.jobs.pause import QueueState, pause, queue_state, resume
from daybreak.jobs.queue import claim, complete, enqueue, enqueue_many, give_back, heartbeat
from new_jobs import new_job

NOW, LEASE = 1_000.0, 15.0


def taken(db: Database, now: float = NOW) -> str | None:
    found = claim(db, "worker", now, LEASE)
    return None if found is None else found.job.id


def claimed(db: Database) -> Claim:
    found = claim(db, "worker", NOW, LEASE)
    assert found is not None
    return found


def test_what_waits_goes_on_waiting_and_what_runs_is_finished(db: Database) -> None:
    first, second = enqueue_many(db, [new_job(), new_job()], NOW)
    mine = claimed(db)
    assert mine.job.id == first.id
    assert pause(db, DEFAULT_PROJECT, NOW + 1) == QueueState(int(NOW) + 1, 1, 1)
    assert pause(db, DEFAULT_PROJECT, NOW + 9).paused_at == int(NOW) + 1
    assert taken(db) is None
    assert heartbeat(db, mine, NOW + 2, LEASE) == "go"
    assert complete(db, mine, [], NOW + 3, 3.0)
    late = enqueue(db, new_job(), NOW + 3, None).job
    assert taken(db) is None
    assert queue_state(db, DEFAULT_PROJECT) == QueueState(int(NOW) + 1, 2, 0)
    assert resume(db, DEFAULT_PROJECT) == QueueState(None, 2, 0)
    assert [taken(db), taken(db), taken(db)] == [second.id, late.id, None]


def test_a_pause_outlasts_whoever_opened_the_database(database_url: str) -> None:
    db = open_database(database_url)
    enqueue(db, new_job(), NOW, None)
    pause(db, DEFAULT_PROJECT, NOW)
    db.close()
    again = open_database(database_url)
    assert taken(again) is None
    resume(again, DEFAULT_PROJECT)
    assert taken(again) is not None
    again.close()


def test_only_ones_own_queue_stands_still(db: Database) -> None:
    other = create_project(db, "other", NOW).id
    enqueue(db, new_job(), NOW, None)
    theirs = enqueue(db, new_job(project_id=other), NOW, None).job
    pause(db, DEFAULT_PROJECT, NOW)
    assert queue_state(db, other) == QueueState(None, 1, 0)
    assert [taken(db), taken(db)] == [theirs.id, None]


def test_a_job_whose_worker_died_is_finished_and_one_that_was_given_back_waits(db: Database) -> None:
    job = enqueue(db, new_job(), NOW, None).job
    claimed(db)
    pause(db, DEFAULT_PROJECT, NOW)
    again = claim(db, "heir", NOW + LEASE, LEASE)
    assert again is not None
    assert again.job.id == job.id
    assert give_back(db, again, NOW + LEASE, counted=False)  # as a server does that stops
    assert taken(db, NOW + LEASE) is None


def test_nobody_knows_when_a_paused_job_is_done(db: Database) -> None:
    first, second = enqueue_many(db, [new_job(cost=4.0), new_job(cost=6.0)], NOW)
    other = create_project(db, "other", NOW).id
    theirs = enqueue(db, new_job(project_id=other, cost=2.0), NOW, None).job
    pause(db, DEFAULT_PROJECT, NOW)
    assert [place(db, job, NOW) for job in (first, second)] == [Place(1, None), Place(2, None)]
    assert place(db, theirs, NOW) == Place(1, 2.0)
    resume(db, DEFAULT_PROJECT)
    assert place(db, second, NOW).eta_seconds is not None


def test_after_the_answer_to_a_pause_nothing_is_begun(database_url: str) -> None:
    """Claims race with pauses: one that the pause did not see has ended before it."""
    db = open_database(database_url)
    enqueue_many(db, [new_job() for _ in range(60)], NOW)
    over = threading.Event()

    def work() -> None:
        mine = open_database(database_url)
        while not over.is_set():
            taken(mine)
        mine.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for _ in range(5):
        told = pause(db, DEFAULT_PROJECT, NOW)
        time.sleep(0.03)
        assert queue_state(db, DEFAULT_PROJECT) == told
        resume(db, DEFAULT_PROJECT)
    over.set()
    for worker in workers:
        worker.join()
    db.close()
