"""A real `daybreak serve` in processes of its own, for tests that must not trust what a process would share."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_START_SECONDS = 180.0  # on a machine that has much else to do
_STOP_SECONDS = 60.0


class LiveServer:
    """A server of its own data folder. It keeps its port when it is killed and started again.

    `settings` are DAYBREAK_ variables without the prefix, in small letters.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder, self.settings = folder, settings
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = folder / "serve.log"
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """What a client calls its base URL."""
        return f"{self.root}/v1"

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.folder / 'data' / 'daybreak.sqlite'}"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DAYBREAK_")}
        said = {"data_dir": self.folder / "data", "log_format": "json", **self.settings}
        return {**kept, **{f"DAYBREAK_{name.upper()}": str(value) for name, value in said.items()}}

    def start(self) -> float:
        """Seconds until it said that it answers. Raises RuntimeError with the log's end when it never does."""
        began = time.monotonic()
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "daybreak", "serve", "--port", str(self.port)],
                stdout=subprocess.PIPE, stderr=log, env=self.environment, bufsize=0,
            )  # fmt: skip
        assert self.process.stdout is not None
        while time.monotonic() - began < _START_SECONDS:
            if select.select([self.process.stdout], [], [], 0.5)[0]:
                line = self.process.stdout.readline()
                if line.startswith(b"export OPENAI_API_KEY"):
                    return time.monotonic() - began
                if not line:
                    break
        raise RuntimeError(f"the server did not start:\n{self.log.read_text()[-3000:]}")

    def stop(self) -> int:
        """Its exit status after SIGTERM."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(_STOP_SECONDS)
        self._close()
        return status

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self._close()

    def workers(self) -> list[int]:
        """The process ids of its workers."""
        assert self.process is not None
        return children(self.process.pid)

    def kill_worker(self) -> bool:
        """kill -9 of a worker; whether there was one."""
        killed = False
        for pid in self.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed = True
        return killed

    def memory(self) -> float:
        """MB of memory that the server process itself holds now."""
        assert self.process is not None
        return resident(self.process.pid)

    def peak_memory(self) -> float:
        """The most MB that it ever held."""
        assert self.process is not None
        return _status_mb(self.process.pid, "VmHWM")

    def run(self, *arguments: str) -> str:
        """What a `daybreak` command prints on the same installation."""
        done = subprocess.run(
            [sys.executable, "-m", "daybreak", *arguments],
            capture_output=True, text=True, env=self.environment, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def key(self, project: str, *scopes: str) -> str:
        """A new key of a project."""
        said = [word for scope in scopes for word in ("--scope", scope)]
        return self.run("keys", "create", "test", "--project", project, *said).strip()

    def get(self, path: str, **headers: str) -> Any:
        """The JSON at a path of this server. Raises urllib.error.HTTPError."""
        request = urllib.request.Request(f"{self.root}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """The JSON that a JSON request is answered with. Raises urllib.error.HTTPError."""
        data, said = json.dumps(body).encode(), {"content-type": "application/json", **headers}
        request = urllib.request.Request(f"{self.root}{path}", data, said, method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def _close(self) -> None:
        assert self.process is not None
        if self.process.stdout is not None:
            self.process.stdout.close()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def children(pid: int) -> list[int]:
    """The process ids of the living children of a process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return found


def resident(pid: int) -> float:
    """MB of memory that a process holds."""
    return _status_mb(pid, "VmRSS")


def _status_mb(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def live_server(folder: Path, **settings: Any) -> Iterator[LiveServer]:
    """A running server until the block ends."""
    server = LiveServer(folder, **settings)
    try:
        server.start()
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.process.terminate()
            try:
                server.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
        if server.process is not None and server.process.stdout is not None:
            server.process.stdout.close()


def until(condition: Any, seconds: float = 120.0, every: float = 0.05) -> Any:
    """What `condition` returns as soon as that is true. Raises AssertionError when it never is."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(every)
