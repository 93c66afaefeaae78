"""A video's events, as a client that listens gets them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daybreak.jobs.job import Progress
from daybreak.jobs.queue import claim, delete_job, heartbeat, save_preview
from daybreak.server import events
from daybreak.server.auth import DEFAULT_PROJECT
from daybreak.server.limits import Seats
from serving import Served


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(events, "_LOOK_SECONDS", 0.01)
    served = Served(tmp_path)
    with served.client:
        yield served
    served.db.close()


def listen(served: Served, video_id: str) -> tuple[threading.Thread, list[tuple[str, Any]]]:
    """Listens until the stream ends; the list fills while it does."""
    heard: list[tuple[str, Any]] = []

    def work() -> None:
        for block in served.client.get(f"/v1/videos/{video_id}/events").text.split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if "event" in lines:
                heard.append((lines["event"], json.loads(lines["data"])))

    thread = threading.Thread(target=work)
    thread.start()
    return thread, heard


def test_a_life_from_the_queue_to_the_end(served: Served) -> None:
    ids = [served.post("/v1/videos", {"prompt": "a\ndog", "seconds": 1, "size": "96x64"})["id"] for _ in range(2)]
    teller = events._Teller()
    told = []

    def news() -> None:
        raw, job = teller.news(served.context, DEFAULT_PROJECT, ids[1])
        told.extend(json.loads(line[6:]) for line in raw.decode().splitlines() if line.startswith("data: "))
        assert job is not None

    news()
    news()
    served.finish()
    news()
    claimed = claim(served.db, "worker", served.now, 15)
    assert claimed is not None
    heartbeat(served.db, claimed, served.now, 15, Progress("generating", 1, 4))
    save_preview(served.db, claimed, 1, b"RIFF")
    news()
    news()
    assert [each["type"] for each in told] == ["video.queued", "video.queued", "video.preview", "video.in_progress"]
    assert [each.get("queue_position") for each in told] == [2, 1, None, None]
    assert (told[2]["step"], told[2]["image"]) == (1, "data:image/webp;base64,UklGRg==")
    assert (told[3]["stage"], told[3]["step"], told[3]["steps"]) == ("generating", 1, 4)
    assert told[3]["video"]["prompt"] == "a\ndog"


def test_a_finished_video_has_one_event(served: Served) -> None:
    job = served.finished()
    thread, heard = listen(served, job.id)
    thread.join(30)
    assert [(name, data["video"]["status"]) for name, data in heard] == [("video.completed", "completed")]


def test_the_stream_ends_with_the_video(served: Served) -> None:
    video = served.post("/v1/videos", {"prompt": "a dog", "seconds": 1, "size": "96x64"})
    thread, heard = listen(served, video["id"])
    while not served.context.event_seats.taken:
        time.sleep(0.01)
    delete_job(served.db, DEFAULT_PROJECT, video["id"], served.now)
    thread.join(30)
    assert heard[-1] == ("video.deleted", {"type": "video.deleted", "video": {"id": video["id"]}})
    assert served.context.event_seats.taken == 0


def test_streams_are_bounded_and_head_takes_no_seat(served: Served) -> None:
    served.context.event_seats = Seats(0, 0)
    video = served.post("/v1/videos", {"prompt": "a dog", "seconds": 1, "size": "96x64"})
    refused = served.client.get(f"/v1/videos/{video['id']}/events")
    assert served.error(refused, 429)["code"] == "too_many_streams"
    assert "retry-after" in refused.headers
    head = served.client.head(f"/v1/videos/{video['id']}/events")
    assert (head.status_code, head.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")


def test_a_server_that_ends_lets_its_listeners_go(served: Served) -> None:
    video = served.post("/v1/videos", {"prompt": "a dog", "seconds": 1, "size": "96x64"})
    thread, heard = listen(served, video["id"])
    while not served.context.event_seats.taken:
        time.sleep(0.01)
    assert served.client.portal is not None
    served.client.portal.call(served.context.draining.set)
    thread.join(30)
    assert not thread.is_alive()
    assert {name for name, _ in heard} <= {"video.queued"}
