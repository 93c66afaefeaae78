"""One job for one request, however often the request arrives."""

from __future__ import annotations

import threading

import pytest

from daybreak.database.connect import Database
from daybreak.database.projects import DEFAULT_PROJECT, create_project
from daybreak.jobs.enqueue import RETRY_WINDOW
from daybreak.jobs.queue import (
    KeyReused,
    QueueFull,
    claim,
    complete,
    delete_job,
    enqueue,
    enqueue_many,
    list_jobs,
    queue_length,
)
from new_jobs import new_job

NOW = 1_000.0


def test_two_requests_alike_are_two_jobs(db: Database) -> None:
    first, second = (enqueue(db, new_job(), NOW, None) for _ in range(2))
    assert first.created
    assert second.created
    assert first.job.id != second.job.id


def test_the_sdks_retry_of_a_request_is_the_same_job(db: Database) -> None:
    made = enqueue(db, new_job(), NOW, None).job
    for retry in (1, 2):
        again = enqueue(db, new_job(retry_count=retry), NOW + retry, None)
        assert (again.created, again.job.id) == (False, made.id)
    assert queue_length(db) == 1


def test_retries_of_two_requests_alike_find_a_job_each(db: Database) -> None:
    made = {enqueue(db, new_job(), NOW, None).job.id for _ in range(3)}
    for retry in (1, 2):
        assert {enqueue(db, new_job(retry_count=retry), NOW, None).job.id for _ in range(3)} == made
    assert enqueue(db, new_job(retry_count=1), NOW, None).created  # the fourth request's first attempt never arrived


def test_a_retry_finds_the_job_though_it_has_ended(db: Database) -> None:
    made = enqueue(db, new_job(), NOW, None).job
    mine = claim(db, "worker", NOW, 15)
    assert mine is not None
    assert complete(db, mine, [], NOW + 1, 1.0)
    again = enqueue(db, new_job(retry_count=1), NOW + 2, None)
    assert (again.job.id, again.job.status) == (made.id, "completed")


def test_what_is_no_retry_makes_a_job(db: Database) -> None:
    other = create_project(db, "other", NOW).id
    enqueue(db, new_job(), NOW, None)
    assert enqueue(db, new_job(retry_count=1, fingerprint="another"), NOW, None).created
    assert enqueue(db, new_job(other, retry_count=1), NOW, None).created
    assert enqueue(db, new_job(retry_count=1), NOW + RETRY_WINDOW + 1, None).created
    deleted = enqueue(db, new_job(fingerprint="deleted"), NOW, None).job
    delete_job(db, DEFAULT_PROJECT, deleted.id, NOW)
    assert enqueue(db, new_job(fingerprint="deleted", retry_count=1), NOW, None).created


def test_a_retry_is_not_matched_with_jobs_of_a_key_or_a_batch(db: Database) -> None:
    enqueue(db, new_job(idempotency_key="k"), NOW, None)
    enqueue_many(db, [new_job(batch_id="batch_1")], NOW)
    assert enqueue(db, new_job(retry_count=1), NOW, None).created


def test_one_key_makes_one_job(db: Database) -> None:
    made = enqueue(db, new_job(idempotency_key="k"), NOW, None).job
    again = enqueue(db, new_job(idempotency_key="k"), NOW + 1e6, None)
    assert (again.created, again.job) == (False, made)
    with pytest.raises(KeyReused):
        enqueue(db, new_job(idempotency_key="k", fingerprint="another"), NOW, None)
    delete_job(db, DEFAULT_PROJECT, made.id, NOW)
    assert enqueue(db, new_job(idempotency_key="k"), NOW, None).created is False  # even then it makes no second one
    other = create_project(db, "other", NOW).id
    assert enqueue(db, new_job(other, idempotency_key="k", fingerprint="another"), NOW, None).created


def test_a_key_that_arrives_many_times_at_once_makes_one_job(db: Database) -> None:
    made: list[str] = []

    def ask() -> None:
        made.append(enqueue(db, new_job(idempotency_key="k"), NOW, 10).job.id)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6
    assert len(set(made)) == 1
    assert queue_length(db) == 1


def test_a_full_queue_takes_no_more_but_knows_what_it_has(db: Database) -> None:
    for n in range(3):
        enqueue(db, new_job(fingerprint=f"{n}"), NOW, 3)
    with pytest.raises(QueueFull) as caught:
        enqueue(db, new_job(fingerprint="3", cost=7.2), NOW, 3)
    assert (caught.value.retry_after, caught.value.limit) == (8, 3)
    with pytest.raises(QueueFull) as caught:
        enqueue(db, new_job(fingerprint="3", cost=100_000), NOW, 3)
    assert caught.value.retry_after == 120  # the SDK doesn't retry at all when told to wait longer
    assert not enqueue(db, new_job(fingerprint="2", retry_count=1), NOW, 3).created
    other = create_project(db, "other", NOW).id
    assert enqueue(db, new_job(other), NOW, 3).created
    assert [claim(db, "worker", NOW, 15) is not None for _ in range(2)] == [True, True]
    assert enqueue(db, new_job(fingerprint="3"), NOW, 3).created
    assert enqueue(db, new_job(fingerprint="4"), NOW, 0).created


def test_many_come_in_the_order_of_the_requests_and_once_for_each_key(db: Database) -> None:
    asked = [new_job(idempotency_key=f"batch_1:{n}", fingerprint=f"{n}") for n in range(5)]
    first = enqueue_many(db, asked[:3], NOW)
    both = enqueue_many(db, asked, NOW)
    assert [job.id for job in both[:3]] == [job.id for job in first]
    assert [job.fingerprint for job in both] == list("01234")
    assert [job.id for job in list_jobs(db, DEFAULT_PROJECT, order="asc").jobs] == [job.id for job in both]
    with pytest.raises(KeyReused):
        enqueue_many(db, [new_job(idempotency_key="x"), new_job(idempotency_key="x")], NOW)
    assert queue_length(db) == 5
    assert enqueue_many(db, [], NOW) == []
