"""The server's figures: start and memory, a thousand pollers, ten thousand queued jobs, fairness between projects."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from daybreak.database.connect import Database, open_database
from daybreak.database.projects import DEFAULT_PROJECT, create_project
from daybreak.jobs.job import NewJob
from daybreak.jobs.queue import claim, complete, enqueue_many, get_job
from daybreak.shapes import VideoSpec
from daybreak.timeline import text_to_video
from live_server import LiveServer, live_server, until

POLLERS, SECONDS = 1000, 20
QUEUED = 10_000
ASKED = 200  # creates and lists that are timed


def percentile(times: Sequence[float], share: float) -> float:
    """Milliseconds below which so many of the times are."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000


def show(name: str, figure: str) -> None:
    print(f"{name}: {figure}; load {os.getloadavg()[0]:.1f}", flush=True)


def new_job(project_id: str, number: int) -> NewJob:
    timeline = text_to_video("a brown dog runs", VideoSpec(12, 64, 96, 24.0)).to_dict()
    return NewJob(
        project_id=project_id, kind="create", model="sora-2", engine_model="diorama", prompt="a brown dog runs",
        size="96x64", seconds="0.5", timeline=timeline, settings={"seed": number}, fingerprint=f"bench-{number}",
    )  # fmt: skip


def fill(url: str, counts: dict[str, int]) -> dict[str, list[str]]:
    """The ids of jobs that now wait, by project; `url` is the database's."""
    db = open_database(url)
    try:
        ids = {}
        for name, count in counts.items():
            project = DEFAULT_PROJECT if name == "default" else create_project(db, name, time.time()).id
            ids[name] = [job.id for job in enqueue_many(db, [new_job(project, i) for i in range(count)], time.time())]
        return ids
    finally:
        db.close()


def start_and_memory(folder: Path) -> None:
    server = LiveServer(folder, workers=0)
    times = []
    for _ in range(3):  # the first one makes the database
        times.append(server.start())
        until(lambda: server.get("/livez")["status"] == "ok", every=0.01)
        time.sleep(2)
        memory = server.memory()
        assert server.process is not None
        maps = Path(f"/proc/{server.process.pid}/maps").read_text()
        server.stop()
    show("ready after", ", ".join(f"{seconds:.2f} s" for seconds in times))
    show("memory idle", f"{memory:.0f} MB, torch {'LOADED' if 'libtorch' in maps else 'not loaded'}")


async def poll(port: int, video_id: str, times: list[float], failures: list[str]) -> None:
    """One poller at 1 Hz on a connection of its own, as an SDK has it."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(hash(video_id) % 1000 / 1000)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET /v1/videos/{video_id} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode()
    for _ in range(SECONDS):
        began = loop.time()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        times.append(loop.time() - began)
        if not head.startswith(b"HTTP/1.1 200"):
            failures.append(head.decode()[:40])
        await asyncio.sleep(max(0.0, 1 - (loop.time() - began)))
    writer.close()


def pollers(folder: Path) -> None:
    with live_server(folder, workers=0) as server:
        ids = fill(server.database_url, {"default": POLLERS})["default"]
        times: list[float] = []
        failures: list[str] = []

        async def all_of_them() -> None:
            await asyncio.gather(*(poll(server.port, video_id, times, failures) for video_id in ids))

        asyncio.run(all_of_them())
    show(
        f"{POLLERS} pollers at 1 Hz for {SECONDS} s",
        f"p50 {percentile(times, 0.5):.0f} ms, p99 {percentile(times, 0.99):.0f} ms, {len(times)} answers, "
        f"{len(failures)} not 200",
    )


def timed(act: Callable[[int], Any], count: int = ASKED) -> list[float]:
    times = []
    for number in range(count):
        began = time.perf_counter()
        act(number)
        times.append(time.perf_counter() - began)
    return times


def long_queue(folder: Path) -> None:
    import http.client
    import json

    with live_server(folder, workers=0, queue_limit=2 * QUEUED, sora_model="diorama") as server:
        fill(server.database_url, {"default": QUEUED})
        connection = http.client.HTTPConnection("127.0.0.1", server.port)

        def ask(method: str, path: str, body: Any = None) -> None:
            headers = {"content-type": "application/json"} if body else {}
            connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status

        body = {"prompt": "a brown dog runs", "size": "96x64", "seconds": "0.5"}
        creates = timed(lambda number: ask("POST", "/v1/videos", {**body, "seed": number}))
        lists = timed(lambda _: ask("GET", "/v1/videos?limit=20"))
        connection.close()
        for name, times in (("create", creates), ("list", lists)):
            show(
                f"{QUEUED} queued, {name}", f"p50 {percentile(times, 0.5):.1f} ms, p99 {percentile(times, 0.99):.1f} ms"
            )
        server.kill()
        server.settings["workers"] = 1
        began = time.monotonic()
        server.start()
        until(lambda: server.get("/v1/videos?status=in_progress&limit=1")["data"] or claimed(server), every=0.02)
        show(f"{QUEUED} queued, restart to first claim", f"{time.monotonic() - began:.1f} s")


def claimed(server: LiveServer) -> bool:
    return '"claimed"' in server.log.read_text()


def fairness(folder: Path) -> None:
    """In which slot each project's first job starts when one worker takes them all, and when its last one does."""
    folder.mkdir(parents=True)
    url = f"sqlite:///{folder / 'daybreak.sqlite'}"
    ids = fill(url, {"hundred": 100, "ten": 10, "one": 1})
    owners = {job_id: name for name, some in ids.items() for job_id in some}
    order: list[str] = []
    db: Database = open_database(url)
    with contextlib.closing(db):
        while (found := claim(db, "bench", time.time(), 60.0)) is not None:
            order.append(owners[found.job.id])
            complete(db, found, [], time.time(), 1.0)
            assert get_job(db, found.job.project_id, found.job.id) is not None
    firsts = {name: order.index(name) + 1 for name in ("one", "ten", "hundred")}
    last_of_ten = len(order) - order[::-1].index("ten")
    show(
        "three projects with 1, 10 and 100 queued", f"first starts in slots {firsts}, the tenth of ten in {last_of_ten}"
    )


def main() -> None:
    benches = {"start": start_and_memory, "pollers": pollers, "queue": long_queue, "fairness": fairness}
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or benches:
            benches[name](Path(folder) / name)


if __name__ == "__main__":
    main()
