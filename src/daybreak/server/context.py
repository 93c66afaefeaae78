"""What every route needs: the settings, the database, the storage, the clock, and a way to run blocking work."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from fastapi import Request

from daybreak.server.limits import RateLimiter, Seats
from daybreak.server.polls import Polls
from daybreak.server.pulls import Pulls
from daybreak.server.telemetry import Metrics
from daybreak.settings import Settings

if TYPE_CHECKING:
    from daybreak.database.connect import Database
    from daybreak.fetch import FetchPolicy
    from daybreak.server.auth import Principal
    from daybreak.server.health import Checked
    from daybreak.storage import Storage

P = ParamSpec("P")
T = TypeVar("T")

# SQLite answers one reader at a time as quickly as many; PostgreSQL and S3 want some in parallel.
_THREADS = 16
_LOOK_SECONDS = 0.02  # between two looks at whether the database has changed
# Event streams at once: each costs a connection and a task, and no client needs more than a few.
_EVENT_STREAMS, _EVENT_STREAMS_OF_A_PROJECT = 500, 100


class WorkersAlive(Protocol):
    """What the server asks of its executor: how many of its workers are running."""

    def alive(self) -> int: ...


@dataclass(slots=True)
class ServerContext:
    """One server process. `open_access` means that no key is asked for: loopback, and no key was ever made."""

    settings: Settings
    db: Database
    storage: Storage
    fetch_policy: FetchPolicy
    clock: Callable[[], float] = time.time
    open_access: bool = True
    loopback: bool = True
    workers: WorkersAlive | None = None
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    limiter: RateLimiter = field(default_factory=lambda: RateLimiter(0))
    event_seats: Seats = field(default_factory=lambda: Seats(_EVENT_STREAMS, _EVENT_STREAMS_OF_A_PROJECT))
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_THREADS, "daybreak"))
    metrics: Metrics = field(default_factory=Metrics)
    checked: Checked | None = None  # health.py's last look
    polls: Polls = field(default_factory=Polls)
    pulls: Pulls = field(default_factory=Pulls)
    known_keys: dict[bytes, tuple[asyncio.Future[Principal | None], float]] = field(
        default_factory=dict
    )  # auth.py's, by digest
    known_good: dict[str, tuple[int, ...]] = field(default_factory=dict)  # content.py's: files that were hashed
    _local_changes: int = 0
    _seen_changes: int = 0
    _looked_at: float = -1.0
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    async def run(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of blocking work, done in a bounded pool of threads."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, lambda: work(*args, **kwargs))

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Starts a task that lives as long as the server, unless it ends by itself."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop_tasks(self) -> None:
        """Cancels what `start` started and waits for its end."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def changed(self) -> None:
        """Notes that this process has written something, so that no cached answer outlives it."""
        with self._lock:
            self._local_changes += 1

    async def version(self) -> tuple[int, int]:
        """A value that differs after any commit: at once after one of this process, within 20 ms after another's."""
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            # SQLite answers from shared memory, in microseconds; PostgreSQL across a network.
            is_local = self.db.dialect == "sqlite"
            self._seen_changes = self.db.changes() if is_local else await self.run(self.db.changes)
        return self._local_changes, self._seen_changes

    def incoming_folder(self) -> Path:
        """A new folder for one request's uploads; whoever asks for it removes it."""
        root = self.settings.incoming_dir
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=root))

    def clear_incoming(self) -> None:
        """Removes what uploads of servers that have died left behind."""
        root = self.settings.incoming_dir
        for folder in root.iterdir() if root.is_dir() else ():
            owner = folder.name.partition("-")[0]
            if not (owner.isdigit() and Path(f"/proc/{owner}").exists()) or owner == str(os.getpid()):
                shutil.rmtree(folder, ignore_errors=True)


def context_of(request: Request) -> ServerContext:
    """The context of the server that is answering this request."""
    context = request.app.state.context
    assert isinstance(context, ServerContext)
    return context
