"""What the server does by itself: it goes on after errors, stops when told, and removes only what nobody needs."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from daybreak.database.maintenance import ASSET_GRACE
from daybreak.server import background
from daybreak.server.background import every, run_background, supervise, work_off
from daybreak.server.sweep import Sweeper
from serving import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.client.close()
    served.db.close()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses that are noted and not waited for."""
    pauses: list[float] = []

    async def pause(stop: asyncio.Event, seconds: float) -> bool:
        pauses.append(seconds)
        await asyncio.sleep(0)
        return stop.is_set()

    monkeypatch.setattr(background, "stopped_within", pause)
    return pauses


def test_a_task_that_fails_is_started_again_after_a_growing_pause(hurried: list[float]) -> None:
    stop, tries = asyncio.Event(), []

    async def work() -> None:
        tries.append(1)
        if len(tries) < 9:
            raise OSError("the disk is full")
        stop.set()

    asyncio.run(supervise("test", work, stop, random.Random(0)))
    assert len(tries) == 9
    assert len(hurried) == 8
    for pause, wanted in zip(hurried, [1, 2, 4, 8, 16, 32, 60, 60], strict=True):
        assert 0.8 * wanted <= pause <= 1.2 * wanted


def test_cancelling_ends_a_supervised_task() -> None:
    async def work() -> None:
        task = asyncio.create_task(supervise("test", asyncio.Event().wait, asyncio.Event(), random.Random(0)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(work())


def test_every_does_it_at_once_and_again(hurried: list[float]) -> None:
    stop, times = asyncio.Event(), []

    async def work() -> None:
        times.append(1)
        if len(times) == 3:
            stop.set()

    asyncio.run(every(30, work, stop))
    assert (len(times), hurried) == (3, [30, 30, 30])


def test_steps_follow_one_another_while_there_is_work(hurried: list[float]) -> None:
    stop, answers = asyncio.Event(), [True, True, False, True]

    async def step() -> bool:
        if len(answers) == 1:
            stop.set()
        return answers.pop(0)

    asyncio.run(work_off(step, stop, 1.0))
    assert (answers, hurried) == ([], [1.0])


def test_all_of_it_stops_when_told(served: Served) -> None:
    async def work() -> None:
        stop = asyncio.Event()
        task = asyncio.create_task(run_background(served.context, stop, random.Random(0)))
        await asyncio.sleep(0.2)
        assert not task.done()
        stop.set()
        await asyncio.wait_for(task, 20)

    asyncio.run(work())


def test_a_sweep_removes_strays_an_hour_later_and_nothing_else(served: Served) -> None:
    job = served.finished()
    upload = served.form("/v1/files", {"purpose": "batch", "file": ("f", b"{}", "")}).json()
    stray = "files/0123456789abcdef0123456789abcdef/content"
    served.storage.put_bytes(stray, b"left by a crash", "application/jsonl")
    served.storage.put_bytes("elsewhere/x", b"not ours", "text/plain")
    before = served.stored()
    sweeper = Sweeper(served.context)
    assert sweeper.sweep() == 0
    served.now += ASSET_GRACE - 1
    assert sweeper.sweep() == 0
    assert served.stored() == before
    served.now += 1
    assert sweeper.sweep() == 1
    assert served.stored() == [key for key in before if key != stray]
    assert served.client.get(f"/v1/files/{upload['id']}/content").content == b"{}"
    assert served.client.get(f"/v1/videos/{job.id}/content").status_code == 200


def test_a_stray_that_gets_its_row_in_time_stays(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    sweeper = Sweeper(served.context)
    key = "files/0123456789abcdef0123456789abcdef/content"
    served.storage.put_bytes(key, b"{}", "application/jsonl")
    sweeper.sweep()
    monkeypatch.setattr("daybreak.server.files.secrets.token_hex", lambda _: key.split("/")[1])
    served.form("/v1/files", {"purpose": "batch", "file": ("f", b"{}", "")})
    monkeypatch.undo()
    served.now += ASSET_GRACE
    assert sweeper.sweep() == 0
    assert served.stored() == [key]
