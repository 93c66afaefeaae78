"""Supervised workers as real processes: killed, stopped, silent, orphaned."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from daybreak.catalog import find_model
from daybreak.database.assets import job_assets
from daybreak.database.connect import Database
from daybreak.database.projects import DEFAULT_PROJECT
from daybreak.engines.produce import generate_clip, open_engine
from daybreak.executors.local import COMMAND, LocalExecutor, device_environment
from daybreak.generation_settings import GenerationSettings
from daybreak.media.encode import encode_video
from daybreak.media.probe import decode_frames
from daybreak.settings import Settings
from daybreak.shapes import VideoSpec
from daybreak.testing import tiny_model
from daybreak.timeline import text_to_video
from working import Place, until

# A worker in a few words: it says who it is in a file, gives signs of life, and ends when its parent does.
LIVELY = """
import os, socket, sys, time
open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
link = socket.socket(fileno=0)
while True:
    link.send(b".")
    time.sleep(0.05)
"""
SILENT = LIVELY.replace('link.send(b".")', "pass")
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + LIVELY
BRIEF = 'import os, sys; open(sys.argv[1], "a").write(f"{os.getpid()}\\n")'

Start = Callable[..., LocalExecutor]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[LocalExecutor] = []

    def start_(program: str, count: int = 1, silent_after: float = 60.0) -> LocalExecutor:
        command = (sys.executable, "-c", program, str(tmp_path / "pids"))
        executor = LocalExecutor(Settings(data_dir=tmp_path / "data"), count, command, silent_after)
        started.append(executor)
        executor.start()
        return executor

    yield start_
    for executor in started:
        executor.stop(0.1)


def seen(tmp_path: Path) -> list[int]:
    """The process ids of all workers that there were."""
    path = tmp_path / "pids"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def running(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_a_worker_that_is_killed_is_replaced_and_the_others_stay(start: Start, tmp_path: Path) -> None:
    executor = start(LIVELY, count=2)
    until(lambda: len(seen(tmp_path)) == 2)
    first, second = executor.pids()
    os.kill(first, signal.SIGKILL)
    until(lambda: len(seen(tmp_path)) == 3 and executor.alive() == 2)
    assert second in executor.pids()
    assert first not in executor.pids()
    executor.stop(10)
    assert executor.alive() == 0
    assert not any(running(pid) for pid in seen(tmp_path))


def test_a_worker_that_gives_no_sign_of_life_is_killed_and_replaced(start: Start, tmp_path: Path) -> None:
    executor = start(SILENT, silent_after=0.5)
    until(lambda: len(seen(tmp_path)) == 2)
    executor.stop(10)
    assert not any(running(pid) for pid in seen(tmp_path))


def test_a_worker_that_was_stopped_is_killed_and_replaced(start: Start, tmp_path: Path) -> None:
    executor = start(LIVELY, silent_after=1.0)
    until(lambda: seen(tmp_path))
    (pid,) = executor.pids()
    os.kill(pid, signal.SIGSTOP)
    until(lambda: len(seen(tmp_path)) == 2)
    assert not running(pid)


def test_a_worker_that_will_not_end_is_killed(start: Start, tmp_path: Path) -> None:
    executor = start(STUBBORN)
    until(lambda: seen(tmp_path))
    executor.stop(0.2)
    assert not running(seen(tmp_path)[0])


def test_workers_that_end_at_once_are_started_ever_more_slowly(start: Start, tmp_path: Path) -> None:
    executor = start(BRIEF)
    until(lambda: len(seen(tmp_path)) == 2)
    assert executor._slots[0].delay >= 1.0


def test_several_workers_share_a_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert device_environment(0, 1) == {}
    assert device_environment(1, 2)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert device_environment(1, 2) == {}


def test_real_workers_end_when_their_server_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from daybreak.executors.local import LocalExecutor; from daybreak.settings import Settings\n"
        "executor = LocalExecutor(Settings(), 1); executor.start()\n"
        "print(executor.pids()[0], flush=True); time.sleep(99)"
    )
    environment = {**os.environ, "DAYBREAK_DATA_DIR": str(tmp_path / "data")}
    with subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        pid = next(int(line) for line in server.stdout if line.strip().isdigit())  # after what is logged
        until(lambda: list((tmp_path / "data" / "work").glob("*")))  # it is up, and would work
        server.kill()
    until(lambda: not running(pid))
    assert list((tmp_path / "data" / "work").glob("*")) == []


def test_a_killed_worker_s_video_goes_on_and_is_the_one_that_would_have_been(
    tmp_path: Path, sqlite_db: Database, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # threads that wait for one another are slow on a busy machine
    place = Place(tmp_path, sqlite_db)
    models = tmp_path / "data" / "models"
    tiny_model(models / "tiny", steps=500)
    settings = Settings(data_dir=tmp_path / "data", database_url=sqlite_url, storage_url=str(tmp_path / "media"))
    timeline = text_to_video("a brown dog", VideoSpec(1, 64, 64))
    quick = ("--lease", "1.5", "--beat", "0.2", "--checkpoint-every", "0.2", "--claim-every", "0.2")
    executor = LocalExecutor(settings, 1, (*COMMAND, *quick))
    job_id = place.submit(timeline, "tiny")
    executor.start()
    try:
        until(lambda: place.job(job_id).checkpoint_step >= 3, 60)
        (killed,) = executor.pids()
        os.kill(killed, signal.SIGKILL)
        saved = place.job(job_id).checkpoint_step
        until(lambda: place.job(job_id).ended, 60)
    finally:
        executor.stop(20)
    job = place.job(job_id)
    assert (job.status, job.fence, job.attempts) == ("completed", 2, 2)
    assert 3 <= saved < 500
    path = place.storage.local_path(job_assets(place.db, DEFAULT_PROJECT, job_id)["video"].key)
    assert path is not None
    engine = open_engine(find_model("tiny", models))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    whole = generate_clip(engine, timeline, GenerationSettings(1), lambda *_, **__: None)
    torch.set_num_threads(threads)
    encode_video(whole, tmp_path / "whole.mp4")
    np.testing.assert_array_equal(decode_frames(path), decode_frames(tmp_path / "whole.mp4"))
    # Nothing but the video and its pictures is left of either attempt.
    assert place.stored() == [
        f"videos/{job_id}/2/{name}" for name in ("spritesheet.jpg", "thumbnail.webp", "video.mp4")
    ]
    assert list((tmp_path / "data" / "work").glob("*")) == []
