from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from sqlalchemy import update

from daybreak.database.connect import DatabaseUnavailable
from daybreak.database.projects import DEFAULT_PROJECT
from daybreak.database.tables import jobs
from daybreak.generation import Cancelled
from daybreak.jobs.queue import claim, request_cancel
from daybreak.testing import FakeEngine
from daybreak.worker import loop as loops
from daybreak.worker.failures import Lost
from daybreak.worker.heart import Heart
from daybreak.worker.loop import Worker
from daybreak.worker.sweep import make_folder, sweep_storage
from working import Place, quick, until


def test_a_worker_does_what_comes_until_it_is_told_to_end(place: Place) -> None:
    first = place.submit()
    thread = threading.Thread(target=Worker(place.tools(), "one").run)
    thread.start()
    until(lambda: place.job(first).ended)
    second, third = place.submit(), place.submit()
    until(lambda: place.job(third).ended)
    place.stopping.set()
    thread.join(10)
    assert not thread.is_alive()
    assert [place.job(job_id).status for job_id in (first, second, third)] == ["completed"] * 3
    assert place.opened == 1  # the engine, and with it the weights, stays


def test_a_worker_for_some_models_leaves_the_others_alone(place: Place) -> None:
    job_id = place.submit()
    assert not Worker(place.tools(), "one", frozenset({"dawn"})).work_once()
    assert Worker(place.tools(), "one", frozenset({"dawn", "diorama"})).work_once()
    assert place.job(job_id).status == "completed"


def test_a_lease_that_runs_out_is_noticed_without_a_change(place: Place) -> None:
    job_id = place.submit()
    assert claim(place.db, "dead", time.time(), 0.2)
    worker = Worker(place.tools(), "one")
    assert not worker.work_once()
    until(worker.work_once)
    assert place.job(job_id).status == "completed"


def test_a_database_that_is_away_is_asked_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = place.submit()
    real, away = loops.claim, [True, True]

    def find(*arguments: Any) -> Any:
        if away:
            away.pop()
            raise DatabaseUnavailable("away")
        return real(*arguments)

    monkeypatch.setattr(loops, "claim", find)
    thread = threading.Thread(target=Worker(place.tools(), "one").run)
    thread.start()
    until(lambda: place.job(job_id).ended)
    place.stopping.set()
    thread.join(10)
    assert place.job(job_id).status == "completed"


def test_a_heart_hears_what_became_of_the_job(place: Place) -> None:
    job_id = place.submit()
    mine = claim(place.db, "one", time.time(), 15)
    assert mine is not None
    heart = Heart(place.db, mine, quick())
    heart.step(2, 8)
    heart.beat()
    heart.check()
    assert (place.job(job_id).steps_done, place.job(job_id).stage) == (2, "generating")
    request_cancel(place.db, DEFAULT_PROJECT, job_id, time.time())
    heart.beat()
    with pytest.raises(Cancelled):
        heart.check()
    with place.db.write() as connection:
        connection.execute(update(jobs).values(fence=2, cancel_requested=False))
    other = Heart(place.db, mine, quick())
    other.beat()
    with pytest.raises(Lost):
        other.check()


def test_sweeping_removes_what_no_row_names_and_nothing_else(place: Place) -> None:
    done = place.submit()
    place.work()
    kept = set(place.stored())
    running = place.submit()
    assert claim(place.db, "one", time.time(), 100)
    waiting = place.submit()
    with place.db.write() as connection:
        saved = f"checkpoints/{waiting}/1.safetensors"
        connection.execute(update(jobs).where(jobs.c.id == waiting).values(checkpoint_key=saved, fence=1))
    foreign = f"videos/video_{'0' * 32}/1/video.mp4"
    for key in (
        f"videos/{running}/1/video.mp4",  # being stored at this moment
        f"checkpoints/{running}/1.safetensors",
        saved,
        foreign,  # of another database that keeps its objects here
        "uploads/a/1/b",
    ):
        place.storage.put_bytes(key, b"x", "text/plain")
        kept.add(key)
    for key in (
        f"videos/{done}/7/video.mp4",  # of a worker that was taken for dead
        f"videos/{running}/0/video.mp4",
        f"videos/{waiting}/1/thumbnail.webp",
        f"checkpoints/{done}/1.safetensors",
        f"checkpoints/{running}/0.safetensors",
    ):
        place.storage.put_bytes(key, b"x", "text/plain")
    assert sweep_storage(place.db, place.storage) == 5
    assert set(place.stored()) == kept


def test_a_new_worker_removes_the_folders_of_those_that_are_gone(place: Place) -> None:
    parent = place.folder / "work"
    gone = make_folder(parent, 2**22 + 1)  # no process has this number
    (gone / "video.mp4").write_bytes(b"x")
    mine = make_folder(parent, 1)
    assert [folder.name for folder in parent.iterdir()] == [mine.name]
    (mine / "old").write_bytes(b"x")
    assert list(make_folder(parent, 1).iterdir()) == []


def test_an_idle_worker_sweeps(place: Place) -> None:
    job_id = place.submit()
    place.engine = FakeEngine()
    place.work()
    place.storage.put_bytes(f"videos/{job_id}/9/video.mp4", b"x", "video/mp4")
    thread = threading.Thread(target=Worker(place.tools(), "one").run)
    thread.start()
    until(lambda: len(place.stored()) == 3)
    place.stopping.set()
    thread.join(10)
