"""What survives kill -9 and lost answers; `make faults` does the same at full size."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daybreak.testing import tiny_model
from dropping_proxy import DroppingProxy, send_creates
from fault_campaign import Campaign, all_videos
from live_server import LiveServer, live_server, until
from receiver import Receiver

pytestmark = [
    pytest.mark.xdist_group("live"),
    pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning"),
]


@contextmanager
def worker(server: LiveServer, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker with options of its own, for a server that has none."""
    with (server.folder / "worker.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "daybreak.worker", *options], stderr=log, env=server.environment
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server without workers."""
    folder = tmp_path_factory.mktemp("idle")
    tiny_model(folder / "data" / "models" / "tiny", steps=400)
    with live_server(folder, sora_model="tiny", workers=0) as server:
        yield server


def test_killed_servers_and_workers_lose_nothing_and_do_nothing_twice(tmp_path: Path) -> None:
    tiny_model(tmp_path / "data" / "models" / "tiny")
    with Receiver() as receiver, live_server(tmp_path, sora_model="diorama") as server:
        figures = Campaign(server, receiver, jobs=10, kills=6, seed=1, pause=3.0).run()
    assert figures["violations"] == []
    assert sum(figures["kills"].values()) == 6
    assert figures["ends"].get("completed", 0) >= 8, figures  # a job may have died with three workers


def test_a_killed_job_goes_on_from_a_step_above_zero(idle: LiveServer) -> None:
    body = {"prompt": "a brown dog", "size": "96x64", "seconds": "2", "num_inference_steps": 20}
    video = idle.post("/v1/videos", body)["id"]
    pace = ("--checkpoint-every", "0.1", "--lease", "2", "--beat", "0.2", "--claim-every", "0.2")

    def step() -> int:
        return int(idle.get(f"/v1/videos/{video}")["daybreak"]["step"])

    with worker(idle, *pace) as first:
        until(lambda: step() >= 4, 120, 0.02)
        first.send_signal(signal.SIGKILL)
        first.wait()
    with worker(idle, *pace):
        until(lambda: idle.get(f"/v1/videos/{video}")["status"] == "completed", 120)
    claims = [json.loads(line) for line in (idle.folder / "worker.log").read_text().splitlines() if "claimed" in line]
    assert [claim["attempt"] for claim in claims] == [1, 2]
    assert claims[0]["step"] == 0
    assert claims[1]["step"] > 0


@pytest.mark.parametrize("how", ["cancel", "delete"])
def test_a_job_that_is_not_wanted_any_more_frees_the_worker(idle: LiveServer, how: str) -> None:
    wanted = {"prompt": "a red car", "size": "96x64", "seconds": "0.25", "num_inference_steps": 1}
    video = idle.post("/v1/videos", {"prompt": "a brown dog", "size": "96x64", "seconds": "2"})["id"]
    with worker(idle):
        until(lambda: idle.get(f"/v1/videos/{video}")["daybreak"]["step"] > 0, 120)
        following = idle.post("/v1/videos", wanted)["id"]
        if how == "cancel":
            idle.post(f"/v1/videos/{video}/cancel", {})
        else:
            delete(idle, video)
        until(lambda: idle.get(f"/v1/videos/{following}")["status"] == "completed", 60)
        if how == "cancel":
            assert idle.get(f"/v1/videos/{video}")["error"]["code"] == "cancelled"
    assert not list((idle.folder / "data" / "media").rglob(f"*{video}*/*"))


def delete(server: LiveServer, video: str) -> None:
    import urllib.request

    urllib.request.urlopen(urllib.request.Request(f"{server.url}/videos/{video}", method="DELETE"), timeout=60).close()


def test_lost_answers_make_no_job_twice(idle: LiveServer) -> None:
    before = {video["id"] for video in all_videos(idle)}
    with DroppingProxy(idle.port, 0.3, seed=3) as proxy:
        ids = send_creates(proxy.url, 60)
    assert proxy.dropped >= 5
    made = {video["id"] for video in all_videos(idle)} - before
    assert len(made) == 60
    assert set(ids) == made


def test_a_server_that_is_asked_to_end_does_so_without_losing_its_job(tmp_path: Path) -> None:
    tiny_model(tmp_path / "data" / "models" / "tiny", steps=400)
    with live_server(tmp_path, sora_model="tiny") as server:
        video = server.post(
            "/v1/videos", {"prompt": "a brown dog", "size": "96x64", "seconds": "2", "num_inference_steps": 200}
        )["id"]
        until(lambda: server.get(f"/v1/videos/{video}")["daybreak"]["step"] > 2, 120, 0.02)
        children = server.workers()
        assert server.stop() == 0
        time.sleep(0.2)
        for pid in children:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
        server.start()
        until(lambda: server.get(f"/v1/videos/{video}")["status"] == "completed", 120)
        claims = [json.loads(line) for line in server.log.read_text().splitlines() if '"claimed"' in line]
    assert [(claim["attempt"], claim["step"] > 0) for claim in claims] == [(1, False), (1, True)]
