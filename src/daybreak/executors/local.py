"""Workers as child processes: started, watched, started again, and never left behind."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from daybreak.settings import Settings

log = structlog.get_logger()
COMMAND = (sys.executable, "-m", "daybreak.worker", "--supervised")
_TICK = 0.1  # seconds between looks at the children
_SHORT_LIFE = 10.0  # seconds: whoever ends sooner ends soon again
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 30.0  # seconds before a worker is started again


@dataclass(slots=True)
class _Slot:
    """A place for one worker, which is filled again when it becomes empty."""

    number: int
    process: subprocess.Popen[bytes] | None = None
    link: socket.socket | None = None
    started: float = 0.0
    heard: float = 0.0
    start_at: float = 0.0
    delay: float = field(default=_FIRST_DELAY)


class LocalExecutor:
    """`count` workers of this machine. Each has a socket to this process: it gives signs of life on it, and ends by
    itself when this process is gone, however it went.
    """

    def __init__(
        self, settings: Settings, count: int, command: Sequence[str] = COMMAND, silent_after: float = 120.0
    ) -> None:
        self._environment = worker_environment(settings)
        self._command, self._silent_after = tuple(command), silent_after
        self._slots = [_Slot(number) for number in range(count)]
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="workers", daemon=True)

    def start(self) -> None:
        """Starts the workers and the thread that watches them."""
        self._tend()
        self._thread.start()

    def stop(self, grace: float) -> None:
        """Asks the workers to end, and returns when they have: they save what they were at. Kills them after `grace`
        seconds; their jobs then go on from the last checkpoint.
        """
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        with self._lock:
            processes = [slot.process for slot in self._slots if slot.process is not None]
            for process in processes:
                process.terminate()
            deadline = time.monotonic() + grace
            for process in processes:
                try:
                    process.wait(max(0.0, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    log.warning("worker killed", pid=process.pid, why="it did not end in time")
                    process.kill()
                    process.wait()
            for slot in self._slots:
                self._clear(slot)

    def alive(self) -> int:
        """How many workers run now."""
        with self._lock:
            return sum(slot.process is not None and slot.process.poll() is None for slot in self._slots)

    def pids(self) -> list[int]:
        """The process ids of the workers that run now."""
        with self._lock:
            running = [slot.process for slot in self._slots if slot.process is not None]
            return [process.pid for process in running if process.poll() is None]

    def _watch(self) -> None:
        looked = time.monotonic()
        while not self._stopping.wait(_TICK):
            gap, looked = time.monotonic() - looked, time.monotonic()
            self._tend(stopped_for=gap if gap > 10 * _TICK else 0.0)

    def _tend(self, stopped_for: float = 0.0) -> None:
        """One look at every slot. Time in which this process itself was stopped is nobody's silence."""
        with self._lock:
            for slot in self._slots:
                slot.heard += stopped_for
                if slot.process is None:
                    if time.monotonic() >= slot.start_at:
                        self._spawn(slot)
                    continue
                self._listen(slot)
                status = slot.process.poll()
                if status is not None:
                    self._ended(slot, status)
                elif time.monotonic() - slot.heard > self._silent_after:
                    log.warning("worker killed", pid=slot.process.pid, why="it gave no sign of life")
                    slot.process.kill()  # ends a process that is stopped, too

    def _spawn(self, slot: _Slot) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        environment = {**self._environment, **device_environment(slot.number, len(self._slots))}
        try:
            with theirs:
                # A session of its own: Ctrl-C is for the server, which then asks its workers to end.
                slot.process = subprocess.Popen(
                    self._command, stdin=theirs.fileno(), env=environment, start_new_session=True
                )
        except OSError as error:
            log.error("no worker", reason=str(error))
            ours.close()
            self._wait(slot)
            return
        slot.link, slot.started = ours, time.monotonic()
        slot.heard = slot.started
        log.info("worker started", pid=slot.process.pid, slot=slot.number)

    def _listen(self, slot: _Slot) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            while slot.link is not None and slot.link.recv(4096):
                slot.heard = time.monotonic()

    def _ended(self, slot: _Slot, status: int) -> None:
        pid = slot.process.pid if slot.process else None
        log.warning("worker ended", pid=pid, slot=slot.number, status=status)
        if time.monotonic() - slot.started >= _SHORT_LIFE:
            slot.delay = _FIRST_DELAY
        self._clear(slot)
        self._wait(slot)

    def _wait(self, slot: _Slot) -> None:
        slot.start_at = time.monotonic() + slot.delay
        slot.delay = min(2 * slot.delay, _LONGEST_DELAY)

    def _clear(self, slot: _Slot) -> None:
        if slot.link is not None:
            slot.link.close()
        slot.process = slot.link = None


def worker_environment(settings: Settings) -> dict[str, str]:
    """This process's environment, with the settings that a worker shares with the server said outright."""
    said = {
        "DATA_DIR": str(settings.data_dir.expanduser().absolute()),
        "DATABASE_URL": settings.database,
        "STORAGE_URL": settings.storage,
        "LOG_FORMAT": settings.log_format,
        "LOG_LEVEL": settings.log_level,
    }
    return {**os.environ, **{f"DAYBREAK_{name}": value for name, value in said.items()}}


def device_environment(number: int, count: int) -> dict[str, str]:
    """What lets several workers share a machine: each gets a graphics card of its own, or its share of the cores."""
    if count == 1:
        return {}
    chosen = {}
    cards = len(list(Path("/dev").glob("nvidia[0-9]*")))
    if cards and "CUDA_VISIBLE_DEVICES" not in os.environ:
        chosen["CUDA_VISIBLE_DEVICES"] = str(number % cards)
    if not cards and "OMP_NUM_THREADS" not in os.environ:
        chosen["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // count))
    return chosen
