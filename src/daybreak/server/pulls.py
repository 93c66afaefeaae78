"""Downloads of open models that were started over the API: one at a time, in a thread of the server's process.

Nothing of a download is lost with the server: what came lies under `downloads`, and the next pull goes on from there.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from daybreak.open_models.catalogue import Entry

log = structlog.get_logger()


class Busy(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """Another model is being pulled; the message names it."""


class _Stopped(BaseException):  # nothing on the way up may take it for an error of the network and try again
    """Its owner stopped the download."""


@dataclass(slots=True)
class Pull:
    """A download: `done` of `total` bytes; `error` says in a line why one has failed."""

    name: str
    state: Literal["running", "stopping", "stopped", "failed", "done"]
    done: int
    total: int
    error: str | None = None

    @property
    def running(self) -> bool:
        return self.state in ("running", "stopping")


class Pulls:
    """The downloads of this server since its start, the newest of each model."""

    def __init__(self) -> None:
        self._pulls: dict[str, Pull] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> Pull | None:
        """The model's newest download."""
        return self._pulls.get(name)

    def start(self, entry: Entry, models_dir: Path) -> Pull:
        """The download of a model, begun now unless it runs already. Raises Busy while another one does."""
        with self._lock:
            current = next((pull for pull in self._pulls.values() if pull.running), None)
            if current is not None and current.name != entry.name:
                raise Busy(f"{current.name} is being pulled: wait for its end or stop it")
            if current is not None:
                return current
            pull = self._pulls[entry.name] = Pull(entry.name, "running", 0, entry.size)
        # A daemon: the server ends without waiting for gigabytes.
        threading.Thread(target=_work, args=(pull, entry, models_dir), name="pull", daemon=True).start()
        return pull

    def stop(self, name: str) -> Pull | None:
        """The model's download, which ends within a piece; None where there never was one."""
        pull = self._pulls.get(name)
        if pull is not None and pull.state == "running":
            pull.state = "stopping"
        return pull


def _work(pull: Pull, entry: Entry, models_dir: Path) -> None:
    def on_bytes(done: int, total: int) -> None:
        if pull.state == "stopping":
            raise _Stopped
        pull.done, pull.total = done, total

    try:
        from daybreak.open_models import hub

        hub.pull(hub.Source(entry.repository), entry.name, models_dir, on_bytes, entry)
        pull.state = "done"
    except _Stopped:
        pull.state = "stopped"
    except Exception as error:  # whatever it is, its owner has to read it
        pull.error = " ".join(str(error).split())[:500] or type(error).__name__
        pull.state = "failed"
        log.warning("a model was not pulled", model=entry.name, reason=pull.error)
