"""The worker's life: look whether there is work, do it, look again."""

from __future__ import annotations

import time

import structlog

from daybreak.database.connect import DatabaseUnavailable
from daybreak.jobs.job import Claim
from daybreak.jobs.queue import claim, end_leases
from daybreak.storage import StorageUnavailable
from daybreak.worker.attempt import Tools, run_attempt
from daybreak.worker.kin import is_gone
from daybreak.worker.sweep import sweep_storage

log = structlog.get_logger()
_LONGEST_WAIT = 10.0  # seconds between looks at a database that is away


class Worker:
    """Claims one job after the other."""

    def __init__(self, tools: Tools, owner: str, models: frozenset[str] | None = None) -> None:
        self._tools, self._owner, self._models = tools, owner, models
        self._seen: int | None = None
        self._claim_at = self._sweep_at = 0.0
        self._bereaved = False

    def run(self) -> None:
        """Returns when the worker is to end. Raises DatabaseUnavailable when it has to be started again for it."""
        tools, wait = self._tools, self._tools.pace.retry
        while not tools.stopping.is_set():
            try:
                if not self.work_once():
                    self._sweep()
                    tools.stopping.wait(tools.pace.poll)
                wait = tools.pace.retry
            except DatabaseUnavailable as error:
                if tools.db.broken:
                    raise
                log.warning("the database is away", reason=str(error))
                tools.stopping.wait(wait)
                wait = min(2 * wait, _LONGEST_WAIT)

    def work_once(self) -> bool:
        """Whether there was a job; it is settled then."""
        found = self._find()
        if found is None:
            return False
        self._seen = None  # there may be more
        run_attempt(self._tools, found)
        return True

    def _find(self) -> Claim | None:
        """A claim, if the database changed since there was none, or if a lease may have run out."""
        if not self._bereaved:  # this worker may be the heir of one that was killed
            end_leases(self._tools.db, is_gone, self._tools.clock())
            self._bereaved = True
        changes, now = self._tools.db.changes(), time.monotonic()
        if changes == self._seen and now < self._claim_at:
            return None
        found = claim(self._tools.db, self._owner, self._tools.clock(), self._tools.pace.lease, self._models)
        self._seen, self._claim_at = changes, now + self._tools.pace.claim_every
        return found

    def _sweep(self) -> None:
        """Now and then, when there is nothing else to do."""
        if time.monotonic() < self._sweep_at:
            return
        self._sweep_at = time.monotonic() + self._tools.pace.sweep_every
        try:
            removed = sweep_storage(self._tools.db, self._tools.storage)
        except (StorageUnavailable, OSError) as error:
            log.warning("not swept", reason=str(error))
            return
        if removed:
            log.info("swept", removed=removed)
