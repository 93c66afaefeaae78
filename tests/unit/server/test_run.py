"""A server process: what it refuses, what it loads, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from daybreak.cli.app import run
from daybreak.database.connect import open_database
from daybreak.database.keys import create_key
from daybreak.server.listen import CannotServe, base_url, bind, is_loopback
from daybreak.server.run import open_context
from daybreak.settings import Settings

COMMAND = (sys.executable, "-m", "daybreak", "serve", "--port", "0", "--workers", "0")


@pytest.mark.parametrize(
    ("host", "is_ours"),
    [
        ("127.0.0.1", True), ("localhost", True), ("::1", True), ("[::1]", True), ("127.9.9.9", True),
        ("0.0.0.0", False), ("::", False), ("192.168.1.2", False), ("films.example", False), ("", False),
    ],
)  # fmt: skip
def test_which_addresses_only_this_machine_reaches(host: str, is_ours: bool) -> None:
    assert is_loopback(host) is is_ours


def test_a_taken_port_and_a_foreign_address_are_told_in_a_line() -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(CannotServe, match=rf"port {port} of 127.0.0.1 is in use: choose another with --port"):
            bind("127.0.0.1", port)
        assert base_url(listener) == f"http://127.0.0.1:{port}/v1"
        assert base_url(listener, "/films/") == f"http://127.0.0.1:{port}/films/v1"
    with pytest.raises(CannotServe, match=r"can't listen on 192\.0\.2\.1"):
        bind("192.0.2.1", 0)
    with pytest.raises(CannotServe, match="is not an address"):
        bind("no such host", 0)


def test_an_address_that_others_reach_needs_a_key_first(tmp_path: Path) -> None:
    for settings in (Settings(data_dir=tmp_path, host="0.0.0.0"), Settings(data_dir=tmp_path, require_key=True)):
        with pytest.raises(CannotServe, match="make one with `daybreak keys create`"):
            open_context(settings)
    db = open_database(Settings(data_dir=tmp_path).database)
    create_key(db, "proj_default", "x", ["admin"], 1.0)
    db.close()
    for settings in (Settings(data_dir=tmp_path, host="0.0.0.0"), Settings(data_dir=tmp_path, require_key=True)):
        context = open_context(settings)
        assert context.open_access is False
        context.db.close()
        context.pool.shutdown()


@pytest.mark.parametrize(
    ("options", "environment", "message"),
    [
        (["--host", "0.0.0.0", "--port", "0"], {}, "make one with `daybreak keys create`"),
        (["--port", "0"], {"DAYBREAK_DATABASE_URL": "mysql://x"}, "the database can't be opened"),
        (["--port", "0"], {"DAYBREAK_STORAGE_URL": "ftp://x"}, "the storage can't be opened"),
        (["--port", "0"], {"DAYBREAK_QUEUE_LIMIT": "many"}, "DAYBREAK_QUEUE_LIMIT is wrong"),
        (["--port", "70000"], {}, "--port"),
    ],
)
def test_a_server_that_cannot_start_says_why_in_one_line(
    options: list[str],
    environment: dict[str, str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("daybreak.server.run.set_up_logs", lambda *_: None)  # of the whole process
    assert run(["serve", *options]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("daybreak: ")
    assert said.err.count("\n") == 1
    assert message in said.err


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def started(data_dir: Path) -> tuple[subprocess.Popen[str], str]:
    environment = {**os.environ, "DAYBREAK_DATA_DIR": str(data_dir)}
    process = subprocess.Popen(
        COMMAND, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert process.stdout is not None
    lines = [process.stdout.readline(), process.stdout.readline()]
    assert lines[0].startswith("export OPENAI_BASE_URL=http://127.0.0.1:")
    assert lines[1] == "export OPENAI_API_KEY=any-word-will-do\n"
    return process, lines[0].strip().partition("=")[2]


def test_it_serves_without_torch_and_ends_well_when_asked(data_dir: Path) -> None:
    process, url = started(data_dir)
    try:
        assert get(f"{url}/videos")["data"] == []
        maps = Path(f"/proc/{process.pid}/maps").read_text()
        assert "libtorch" not in maps
        assert "numba" not in maps
        # A download that is being read when the end comes is finished.
        slow = socket.create_connection(("127.0.0.1", int(url.split(":")[2].split("/")[0])), timeout=30)
        slow.sendall(b"GET /v1/videos HTTP/1.1\r\nHost: localhost\r\n")
        timer = threading.Timer(0.2, lambda: slow.sendall(b"Connection: close\r\n\r\n"))
        timer.start()
        timer.join()
        process.send_signal(signal.SIGTERM)
        assert slow.recv(2**16).startswith(b"HTTP/1.1 200 OK")
        slow.close()
        assert process.wait(30) == 0
        assert process.stderr is not None
        events = [json.loads(line)["event"] for line in process.stderr.read().splitlines()]
        assert events == ["serving", "draining", "stopped"]
    finally:
        process.kill()
        process.communicate()


def test_what_a_server_loads_at_its_start(data_dir: Path) -> None:
    program = (
        "import json, sys, daybreak.server.run as run; from daybreak.settings import load_settings; "
        "run.make_app(run.open_context(load_settings())); print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "daybreak.server.app" in loaded
    assert loaded & {"torch", "numba", "numpy", "PIL", "av", "daybreak.pipeline", "daybreak.diorama.render"} == set()
