"""The worker as a process: its options, its signals, its ties to the supervisor that started it."""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import structlog

from daybreak.database.connect import DatabaseUnavailable, open_database
from daybreak.settings import Settings, load_settings
from daybreak.storage import StorageUnavailable, open_storage
from daybreak.worker.attempt import Tools
from daybreak.worker.kin import new_owner
from daybreak.worker.loop import Worker
from daybreak.worker.pace import Pace
from daybreak.worker.shelf import Shelf
from daybreak.worker.sweep import make_folder

log = structlog.get_logger()
OK, UNUSABLE, HUNG = 0, 1, 75  # exit statuses
ORPHAN_GRACE = 30.0  # seconds in which a worker whose supervisor is gone may end its step
_BEAT = 1.0  # seconds between signs of life to the supervisor


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a worker until it is told to end; its exit status."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in the command: torch is not loaded yet
    parser = argparse.ArgumentParser(prog="daybreak worker", description="Take jobs from the queue and do them.")
    parser.add_argument("--models", help="only jobs for these models, with commas [default: all]")
    parser.add_argument("--supervised", action="store_true", help="standard input is the supervisor's socket")
    for field in fields(Pace):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=float, default=field.default, metavar="SECONDS")
    options = vars(parser.parse_args(arguments))
    pace = Pace(**{field.name: options[field.name] for field in fields(Pace)})
    models = frozenset(options["models"].split(",")) if options["models"] else None
    settings = load_settings()
    _log_to_stderr(settings)
    return run_worker(settings, pace, models, supervised=options["supervised"])


def run_worker(
    settings: Settings, pace: Pace, models: frozenset[str] | None = None, *, supervised: bool = False
) -> int:
    """Runs a worker in this process until SIGTERM or SIGINT; its exit status."""
    faulthandler.enable()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    _die_first()
    if supervised:
        _tie_to_supervisor(stopping)
    folder = None
    try:
        db, storage = open_database(settings.database), open_storage(settings.storage)
        folder = make_folder(settings.data_dir.expanduser().absolute() / "work", os.getpid())
    except (DatabaseUnavailable, StorageUnavailable, OSError, ValueError) as error:
        log.error("cannot start", reason=str(error))
        return UNUSABLE
    try:
        tools = Tools(db, storage, Shelf(settings.models_dir), folder, pace, stopping, lambda: _exit_hung(folder))
        owner = new_owner()
        log.info("ready", owner=owner)
        Worker(tools, owner, models).run()
    except DatabaseUnavailable as error:
        log.error("the database failed", reason=str(error))
        return UNUSABLE
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        db.close()
    log.info("ended")
    return OK


def _exit_hung(folder: Path) -> None:
    """Ends the process at once: a thread that hangs would keep any other way from ending it."""
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(HUNG)


def _die_first() -> None:
    """When memory runs out, the system shall end the worker, whose job goes on elsewhere, and not the server."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")


def _tie_to_supervisor(stopping: threading.Event) -> None:
    """Gives signs of life on the socket that is standard input; ends when its other end is closed."""
    link = socket.socket(fileno=os.dup(0))
    link.setblocking(True)

    def live() -> None:
        while True:
            try:
                link.send(b".", socket.MSG_DONTWAIT)
            except BlockingIOError:
                pass  # nobody reads: the supervisor is busy or stopped
            except OSError:
                return
            time.sleep(_BEAT)

    def listen() -> None:
        with contextlib.suppress(OSError):
            while link.recv(64):
                pass
        stopping.set()
        time.sleep(ORPHAN_GRACE)
        os._exit(OK)

    threading.Thread(target=live, name="signs of life", daemon=True).start()
    threading.Thread(target=listen, name="supervisor", daemon=True).start()


def _log_to_stderr(settings: Settings) -> None:
    """Lines for people on a terminal, JSON elsewhere, unless the settings say otherwise."""
    plain = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    render = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if plain
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(worker=os.getpid())
