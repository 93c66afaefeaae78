"""A worker inside a test: real jobs, a real database and storage, and an engine that does what the test says."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from daybreak.database.connect import Database
from daybreak.database.projects import DEFAULT_PROJECT
from daybreak.engines.protocol import Engine
from daybreak.jobs.job import Job
from daybreak.jobs.queue import enqueue, get_job
from daybreak.shapes import VideoSpec
from daybreak.storage import Storage, open_storage
from daybreak.testing import FakeEngine
from daybreak.timeline import Timeline, text_to_video
from daybreak.worker.attempt import Tools
from daybreak.worker.loop import Worker
from daybreak.worker.pace import Pace
from daybreak.worker.shelf import Shelf
from new_jobs import new_job

QUICK = Pace(beat=0.02, checkpoint_every=0.0, preview_every=0.0, poll=0.01, claim_every=0.02, retry=0.01)
TIMELINE = text_to_video("a brown dog", VideoSpec(6, 64, 96, 12.0))
FOUR_STEPS = range(1, 5)  # what FakeEngine takes


class Place:
    """A whole installation in a folder. `engine` runs every job; `hung` is set where a real process would end."""

    def __init__(self, folder: Path, db: Database) -> None:
        self.folder, self.db = folder, db
        self.storage: Storage = open_storage(str(folder / "media"))
        self.engine: Engine = FakeEngine()
        self.stopping, self.hung = threading.Event(), threading.Event()
        self.pace = QUICK
        self.opened = 0
        (folder / "work").mkdir()

    def submit(self, timeline: Timeline = TIMELINE, model: str = "diorama", **settings: Any) -> str:
        """The id of a new job."""
        new = new_job(
            engine_model=model,
            timeline=timeline.to_dict(),
            settings={"seed": 1, **settings},
            fingerprint=str(time.monotonic_ns()),
        )
        return enqueue(self.db, new, time.time(), 100).job.id

    def job(self, job_id: str) -> Job:
        job = get_job(self.db, DEFAULT_PROJECT, job_id)
        assert job is not None
        return job

    def code(self, job_id: str) -> str | None:
        """The error code of a job that failed."""
        error = self.job(job_id).error
        return error.code if error else None

    def tools(self) -> Tools:
        return Tools(
            self.db, self.storage, Shelf(self.folder / "models", self._open), self.folder / "work", self.pace,
            self.stopping, self.hung.set,
        )  # fmt: skip

    def work(self, owner: str = "one") -> bool:
        """Lets a worker do one job."""
        return Worker(self.tools(), owner).work_once()

    def fails(self, error: BaseException, at: int = 2, times: int = 99) -> None:
        """Makes the engine raise an exception at a step, so often."""
        left = [times]

        def before(step: int) -> None:
            if step == at and left[0] > 0:
                left[0] -= 1
                raise error

        self.engine = FakeEngine(before_step=before)

    def at_step(self, step: int, act: Any) -> list[int]:
        """Makes the engine call `act` before a step; returns the list of steps that it begins."""
        begun: list[int] = []

        def before(number: int) -> None:
            begun.append(number)
            if number == step:
                act()

        self.engine = FakeEngine(before_step=before)
        return begun

    def stored(self) -> list[str]:
        return sorted(self.storage.keys())

    def left_over(self) -> list[Path]:
        """Files that a worker left on this machine."""
        return list((self.folder / "work").rglob("*"))

    def _open(self, _card: object) -> Engine:
        self.opened += 1
        return self.engine


def below(place: Place, prefix: str) -> list[str]:
    return [key for key in place.stored() if key.startswith(prefix)]


def assert_clean(place: Place) -> None:
    """Nothing is left of jobs that made no video, and the next job runs."""
    assert place.stored() == []
    assert place.left_over() == []
    place.engine = FakeEngine()
    following = place.submit()
    assert place.work("two")
    assert place.job(following).status == "completed"


def until(condition: Any, seconds: float = 20.0) -> None:
    """Returns when the condition holds. Raises AssertionError when it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)


def quick(**changes: float) -> Pace:
    return replace(QUICK, **changes)
