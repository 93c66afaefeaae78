"""A server process from its first line to its last: what it opens, what it refuses, how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import signal
import socket
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass
from types import FrameType
from typing import Protocol

import structlog
from uvicorn.config import Config
from uvicorn.server import HANDLED_SIGNALS, Server

from daybreak.database.connect import Database, DatabaseUnavailable, open_database
from daybreak.database.keys import any_keys
from daybreak.fetch import FetchPolicy
from daybreak.server.app import make_app
from daybreak.server.context import ServerContext
from daybreak.server.health import numbers
from daybreak.server.limits import RateLimiter
from daybreak.server.listen import BACKLOG, CannotServe, base_url, bind, is_loopback
from daybreak.server.patience import Patience, PatientProtocol, patient_protocol
from daybreak.server.telemetry import JobNumbers, set_up_logs
from daybreak.settings import Settings
from daybreak.storage import open_storage

log = structlog.get_logger()

_GRACE = 20  # seconds that downloads and workers get to finish after SIGTERM
_LAST_MOMENT = 28.0  # seconds after SIGTERM when the process ends whatever it waits for
_KEEP_ALIVE = 15  # seconds that an idle connection stays open between requests
_OPEN_FILES = 65_536
_FILES_FOR_OURSELVES = 256  # database, storage, workers' pipes


class Executor(Protocol):
    """What runs the workers."""

    def start(self) -> None: ...

    def stop(self, grace: float) -> None: ...

    def alive(self) -> int: ...


@dataclass(slots=True)
class Parts:
    """What a server process holds open."""

    context: ServerContext
    listener: socket.socket
    executor: Executor | None


def serve(settings: Settings, *, announce: Callable[[str], None], executor: Executor | None) -> None:
    """Serves until a signal says to stop. Raises CannotServe before anything was served.

    `announce` gets the two lines that a developer needs, once requests are answered. The workers start after that,
    and stop with the server.
    """
    set_up_logs(settings.log_format, settings.log_level)
    listener = bind(settings.host, settings.port)
    try:
        context = open_context(settings)
    except BaseException:
        listener.close()
        raise
    context.workers = executor
    parts = Parts(context, listener, executor)
    try:
        _DrainingServer(parts, announce).run([listener])
    finally:
        context.pool.shutdown(wait=False, cancel_futures=True)
        context.db.close()
        listener.close()


def open_context(settings: Settings) -> ServerContext:
    """The context of the installation that the settings describe. Raises CannotServe."""
    loopback = is_loopback(settings.host)
    try:
        db = open_database(settings.database)
    except DatabaseUnavailable as error:
        raise CannotServe(f"the database can't be opened: {error}") from error
    try:
        _refuse_exposure(db, settings, loopback)
        storage = open_storage(settings.storage)
    except (ValueError, OSError) as error:
        db.close()
        raise CannotServe(f"the storage can't be opened: {error}: see DAYBREAK_STORAGE_URL") from error
    except CannotServe:
        db.close()
        raise
    context = ServerContext(
        settings=settings,
        db=db,
        storage=storage,
        fetch_policy=FetchPolicy(settings.fetch_hosts),
        open_access=loopback and not settings.require_key,
        loopback=loopback,
        limiter=RateLimiter(settings.requests_per_minute),
    )
    context.metrics.add(JobNumbers(lambda: numbers(context)))
    return context


def _refuse_exposure(db: Database, settings: Settings, loopback: bool) -> None:
    if (not loopback or settings.require_key) and not any_keys(db):
        where = f"{settings.host} can be reached from other machines" if not loopback else "DAYBREAK_REQUIRE_KEY is set"
        raise CannotServe(f"{where}, and there is no key yet: make one with `daybreak keys create`")


class _DrainingServer(Server):
    """uvicorn, with the clients' deadlines, the announcement, and an end that loses nothing."""

    def __init__(self, parts: Parts, announce: Callable[[str], None]) -> None:
        context = parts.context
        self._parts, self._announce = parts, announce
        self._stopping: threading.Thread | None = None
        patience = Patience(max_connections=_raise_open_files() - _FILES_FOR_OURSELVES)
        super().__init__(
            Config(
                make_app(context),
                http=patient_protocol(patience, lambda why: context.metrics.dropped.labels(why).inc()),
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=_GRACE,
                backlog=BACKLOG,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is there now stays to the end. Looked through again and again, it would hold up every request for a tenth
        # of a second while a thousand clients connect.
        gc.freeze()
        gc.enable()
        context = self._parts.context
        url = base_url(self._parts.listener, context.settings.root_path)
        key = "any-word-will-do" if context.open_access else "A_KEY_FROM_daybreak_keys_create"
        self._announce(f"export OPENAI_BASE_URL={url}")
        self._announce(f"export OPENAI_API_KEY={key}")
        log.info("serving", url=url, keys="not needed" if context.open_access else "needed")
        if self._parts.executor is not None:
            await context.run(self._parts.executor.start)

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:  # about once a second
            now = asyncio.get_running_loop().time()
            for connection in list(self.server_state.connections):
                if isinstance(connection, PatientProtocol):
                    connection.check(now)
            broken = self._parts.context.db.broken
            if broken is not None:
                log.error("the database is lost; ending, to be started again", error=broken)
                self._begin_end()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._begin_end()
        await super().shutdown(sockets)
        if self._stopping is not None:
            await self._parts.context.run(self._stopping.join)
        log.info("stopped")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        again = self.should_exit
        super().handle_exit(signal.SIGINT if again else sig, frame)  # a second signal, whichever, stops the waiting
        self._begin_end()

    def _begin_end(self) -> None:
        """Readiness off, event streams told to go, workers asked to give their jobs back; returns at once."""
        self.should_exit = True
        if self._stopping is not None:
            return
        log.info("draining")
        self._parts.context.draining.set()
        executor = self._parts.executor
        self._stopping = threading.Thread(target=executor.stop if executor else lambda _: None, args=(_GRACE,))
        self._stopping.start()
        last = threading.Timer(_LAST_MOMENT, os._exit, (1,))
        last.daemon = True
        last.start()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """As uvicorn's, but the signal isn't raised again at the end: a server that was asked to stop did well."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        earlier = {sig: signal.signal(sig, self.handle_exit) for sig in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for sig, handler in earlier.items():
                signal.signal(sig, handler)


def _raise_open_files() -> int:
    """The number of files that this process may have open, after asking for as many as it may get."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return min(soft, _OPEN_FILES) if soft > 0 else _OPEN_FILES
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft
