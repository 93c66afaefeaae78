"""Two threads beside a running job: one keeps its lease, the other sees when nothing moves any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Literal

import structlog

from daybreak.database.connect import Database, DatabaseUnavailable
from daybreak.generation import Cancelled
from daybreak.jobs.job import Claim, Progress
from daybreak.jobs.queue import heartbeat
from daybreak.worker.failures import Lost
from daybreak.worker.pace import Pace

log = structlog.get_logger()
_STOPPED = 5.0  # seconds between two looks after which the whole process was stopped, not one step slow


class Heart:
    """Prolongs a claim's lease, tells how far the job is, and learns whether it is still wanted."""

    def __init__(self, db: Database, claim: Claim, pace: Pace, clock: Callable[[], float] = time.time) -> None:
        self._db, self._claim, self._pace, self._clock = db, claim, pace, clock
        self._progress = Progress("loading", claim.job.steps_done, claim.job.steps_total)
        self._verdict: Literal["go", "cancel", "lost"] = "go"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def stage(self, name: str) -> None:
        """Notes that another part of the work begins."""
        self._progress = Progress(name, self._progress.steps_done, self._progress.steps_total)

    def step(self, done: int, total: int) -> None:
        """Notes a step."""
        self._progress = Progress("generating", done, total)

    def check(self) -> None:
        """Raises Cancelled or Lost when the job is not to go on."""
        if self._verdict == "cancel":
            raise Cancelled
        if self._verdict == "lost":
            raise Lost

    def beat(self) -> None:
        """One heartbeat; a database that cannot be asked changes nothing: the lease decides."""
        try:
            verdict = heartbeat(self._db, self._claim, self._clock(), self._pace.lease, self._progress)
        except DatabaseUnavailable as error:
            log.warning("no heartbeat", job=self._claim.job.id, reason=str(error))
            return
        if self._verdict == "go":
            self._verdict = verdict

    def _run(self) -> None:
        while self._verdict != "lost":
            self.beat()
            if self._ended.wait(self._pace.beat):
                return


class Watch:
    """Sees when a step, or what comes before and after the steps, takes so long that it will never end."""

    def __init__(
        self, pace: Pace, on_hung: Callable[[float], None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._pace, self._on_hung, self._monotonic = pace, on_hung, monotonic
        self._since = self._looked = monotonic()
        self._average: float | None = None
        self._limit = pace.stage_limit
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def stage(self) -> None:
        """Another part of the work begins."""
        self._since, self._average, self._limit = self._monotonic(), None, self._pace.stage_limit

    def step(self) -> None:
        """A step was done. The first one also took what came before it, so it says nothing about the next."""
        now = self._monotonic()
        took, self._since = now - self._since, now
        if self._limit != self._pace.stage_limit:
            self._average = took if self._average is None else 0.8 * self._average + 0.2 * took
        self._limit = max(self._pace.step_limit, self._pace.slow * (self._average or 0.0))

    def look(self) -> bool:
        """Whether it hangs. Time in which the whole process was stopped does not count."""
        now = self._monotonic()
        gap, self._looked = now - self._looked, now
        if gap > _STOPPED:
            self._since += gap
        return now - self._since > self._limit

    def _run(self) -> None:
        while not self._ended.wait(min(1.0, self._pace.step_limit / 4)):
            if self.look():
                self._on_hung(self._monotonic() - self._since)
                return
