"""A worker whose storage, database, disk or process fails."""

from __future__ import annotations

import errno
import time
from typing import Any

import pytest

from daybreak.database.connect import DatabaseUnavailable
from daybreak.durable import OutOfSpace
from daybreak.jobs.queue import claim
from daybreak.storage import Damaged, StorageUnavailable
from daybreak.worker import attempt as attempts
from working import Place, assert_clean, below, quick, until


class Broken:
    """A storage of which one operation fails, so often, and works then."""

    def __init__(self, place: Place, operation: str, error: Exception, times: int) -> None:
        self._real, self._operation, self._error, self.left = place.storage, operation, error, times

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)

        def maybe(*arguments: Any, **options: Any) -> Any:
            if name == self._operation and self.left > 0:
                self.left -= 1
                raise self._error
            return real(*arguments, **options)

        return maybe


STORAGE_ERRORS = [StorageUnavailable("away"), OSError(errno.EIO, "I/O error"), Damaged("flipped")]


@pytest.mark.parametrize("operation", ["put_file", "read", "put_bytes"])
@pytest.mark.parametrize("error", STORAGE_ERRORS, ids=lambda error: type(error).__name__)
def test_a_storage_that_fails_for_a_while_costs_no_video(place: Place, operation: str, error: Exception) -> None:
    job_id = place.submit()
    place.storage = Broken(place, operation, error, 3)  # type: ignore[assignment]
    place.work()
    assert place.job(job_id).status == "completed"


def test_a_storage_that_stays_away_gives_the_job_back_and_in_the_end_fails_it(place: Place) -> None:
    job_id = place.submit()
    broken = Broken(place, "put_file", StorageUnavailable("away"), 10**6)
    place.storage = broken  # type: ignore[assignment]
    place.work()
    job = place.job(job_id)
    assert (job.status, job.attempts) == ("queued", 1)
    assert job.not_before > time.time() + 20
    assert below(place, "videos/") == []
    for attempt in (2, 3):
        tools = place.tools()
        found = claim(place.db, "one", time.time() + 100 * attempt, 15)
        assert found is not None
        attempts.run_attempt(tools, found)
    assert place.code(job_id) == "storage_unavailable"
    broken.left = 0
    assert_clean(place)


def test_a_full_disk_fails_the_job_at_once(place: Place) -> None:
    job_id = place.submit()
    place.storage = Broken(place, "put_file", OutOfSpace("full"), 1)  # type: ignore[assignment]
    place.work()
    assert place.code(job_id) == "disk_full"
    assert_clean(place)


def test_a_database_that_is_away_at_the_end_costs_no_video(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = place.submit()
    real, calls = attempts.complete, []

    def complete(*arguments: Any) -> bool:
        calls.append(1)
        if len(calls) < 3:
            if len(calls) == 2:  # it was written, but nobody heard
                assert real(*arguments)
            raise DatabaseUnavailable("away")
        return real(*arguments)

    monkeypatch.setattr(attempts, "complete", complete)
    place.work()
    assert len(calls) == 3
    assert place.job(job_id).status == "completed"
    assert len(place.stored()) == 3  # what the assets name is still there


def test_a_step_that_never_ends_fails_the_job_and_ends_the_process(place: Place) -> None:
    job_id = place.submit()
    place.pace = quick(step_limit=0.2)
    place.at_step(3, lambda: until(place.hung.is_set))
    place.work()
    assert place.hung.is_set()
    assert place.code(job_id) == "step_timeout"
    assert_clean(place)


@pytest.mark.parametrize("signal", [KeyboardInterrupt, SystemExit])
def test_a_process_that_ends_gives_the_job_back(place: Place, signal: type[BaseException]) -> None:
    job_id = place.submit()
    place.fails(signal())
    with pytest.raises(signal):
        place.work()
    job = place.job(job_id)
    assert (job.status, job.attempts, job.checkpoint_step) == ("queued", 0, 1)
    assert place.left_over() == []


def test_a_machine_without_room_fails_the_job_before_any_step(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = place.at_step(9, None)
    monkeypatch.setattr(attempts, "_ROOM", 2**70)
    job_id = place.submit()
    place.work()
    assert (place.code(job_id), begun) == ("disk_full", [])
    monkeypatch.undo()
    assert_clean(place)
