"""Videos asked for, listed, moved, stopped and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from daybreak.jobs.job import JobError, Progress
from daybreak.jobs.queue import claim, heartbeat
from daybreak.server import polls
from daybreak.server.app import make_app
from daybreak.server.polls import poll_after
from serving import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.client.close()
    served.db.close()


def make(served: Served, prompt: str = "a dog") -> str:
    return str(served.post("/v1/videos", {"prompt": prompt, "seconds": 1, "size": "96x64"})["id"])


def test_a_video_is_null_complete_and_says_when_to_ask_again(served: Served) -> None:
    video_id = make(served)
    answer = served.client.get(f"/v1/videos/{video_id}")
    video = answer.json()
    details = video.pop("daybreak")
    assert video == {
        "id": video_id, "object": "video", "model": "sora-2", "status": "queued", "progress": 0,
        "created_at": int(served.now), "completed_at": None, "expires_at": None, "prompt": "a dog", "size": "96x64",
        "seconds": "1", "remixed_from_video_id": None, "error": None,
    }  # fmt: skip
    assert (details["kind"], details["model"], details["stage"]) == ("create", "dawn", "")
    assert 500 <= int(answer.headers["openai-poll-after-ms"]) <= 10_000


def test_what_a_poller_sees_follows_the_job(served: Served) -> None:
    video_id = make(served)
    assert served.client.get(f"/v1/videos/{video_id}").json()["status"] == "queued"
    claimed = claim(served.db, "worker", served.now, 15)
    assert claimed is not None
    heartbeat(served.db, claimed, served.now, 15, Progress("generating", 3, 4))
    served.context.changed()  # what another process's commit does within 20 ms
    video = served.client.get(f"/v1/videos/{video_id}").json()
    assert (video["status"], video["progress"], video["daybreak"]["step"]) == ("in_progress", 75, 3)


def test_a_finished_one_is_not_polled_any_more(served: Served) -> None:
    make(served)
    job = served.finish(error=JobError("out_of_memory", "There was not enough memory."))
    answer = served.client.get(f"/v1/videos/{job.id}")
    assert answer.json()["error"] == {"code": "out_of_memory", "message": "There was not enough memory."}
    assert "openai-poll-after-ms" not in answer.headers


def test_a_crowd_is_answered_by_few_readings(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [make(served) for _ in range(6)] + [f"video_{'0' * 32}"]
    readings = []
    read = polls._jobs
    monkeypatch.setattr(polls, "_jobs", lambda db, wanted: (readings.append(len(wanted)), read(db, wanted))[1])
    served.context.changed()

    async def crowd() -> list[int]:
        transport = httpx2.ASGITransport(make_app(served.context))
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answers = await asyncio.gather(*(client.get(f"/v1/videos/{each}") for each in ids * 10))
            again = await client.get(f"/v1/videos/{ids[0]}")
            return [answer.status_code for answer in (*answers, again)]

    assert asyncio.run(crowd()) == ([200] * 6 + [404]) * 10 + [200]
    assert len(readings) <= 3
    assert sum(readings) <= 2 * len(ids)


def test_pages(served: Served) -> None:
    ids = [make(served, f"number {number}") for number in range(5)]
    newest = served.client.get("/v1/videos?limit=2").json()
    assert [video["id"] for video in newest["data"]] == [ids[4], ids[3]]
    assert (newest["first_id"], newest["last_id"], newest["has_more"]) == (ids[4], ids[3], True)
    rest = served.client.get(f"/v1/videos?limit=3&after={ids[3]}").json()
    assert [video["id"] for video in rest["data"]] == [ids[2], ids[1], ids[0]]
    assert rest["has_more"] is False
    oldest = served.client.get("/v1/videos?order=asc&limit=1").json()
    assert oldest["data"][0]["id"] == ids[0]
    none = served.client.get("/v1/videos?limit=0").json()
    assert (none["data"], none["first_id"], none["has_more"]) == ([], None, True)
    assert served.client.get("/v1/videos?status=completed").json()["data"] == []


@pytest.mark.parametrize(
    ("query", "status", "param"),
    [
        ("limit=101", 400, "limit"), ("limit=-1", 400, "limit"), ("limit=x", 400, "limit"), ("order=up", 400, "order"),
        ("status=done", 400, "status"), ("after=video_1", 404, None), (f"after=video_{'0' * 32}", 404, None),
        ("after=%00", 404, None), ("limit=%ff", 400, "limit"),
    ],
)  # fmt: skip
def test_a_wrong_query_is_told(served: Served, query: str, status: int, param: str | None) -> None:
    assert served.error(served.client.get(f"/v1/videos?{query}"), status)["param"] == param


def test_deleting_takes_the_files_along_and_is_final(served: Served) -> None:
    job = served.finished()
    assert any(job.id in key for key in served.stored())
    answer = served.client.request("DELETE", f"/v1/videos/{job.id}", headers={"content-type": "application/json"})
    assert answer.json() == {"id": job.id, "object": "video.deleted", "deleted": True}
    assert not any(job.id in key for key in served.stored())
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/content"), ("POST", "/cancel"), ("GET", "/events")):
        served.error(served.client.request(method, f"/v1/videos/{job.id}{path}"), 404)


def test_cancelling_a_queued_one_ends_it_at_once(served: Served) -> None:
    video_id = make(served)
    served.client.get(f"/v1/videos/{video_id}")
    video = served.post(f"/v1/videos/{video_id}/cancel")
    assert (video["status"], video["error"]["code"]) == ("failed", "cancelled")
    assert served.client.get(f"/v1/videos/{video_id}").json() == video
    assert served.post(f"/v1/videos/{video_id}/cancel") == video


def test_run_next(served: Served) -> None:
    first, second = make(served, "first"), make(served, "second")
    served.post(f"/v1/videos/{second}/run_next")
    assert served.finish().id == second
    assert served.error(served.client.post(f"/v1/videos/{second}/run_next"))["code"] == "not_queued"
    third = make(served, "third")
    served.post(f"/v1/videos/{third}/run_next?priority=-5")
    assert served.finish().id == first
    served.error(served.client.post(f"/v1/videos/{third}/run_next?priority=5000"))


@pytest.mark.parametrize("video_id", ["x", "video_", "video_" + "g" * 32, "video_" + "0" * 33, "%2e%2e", "video_%00"])
def test_what_is_no_id_is_not_found(served: Served, video_id: str) -> None:
    served.error(served.client.get(f"/v1/videos/{video_id}"), 404)
    served.error(served.client.delete(f"/v1/videos/{video_id}"), 404)


@pytest.mark.parametrize(
    ("seconds", "milliseconds"), [(None, 1000), (0.0, 500), (30.0, 1500), (100.0, 5000), (9999.0, 10_000)]
)
def test_the_polling_interval_comes_from_the_time_left(seconds: float | None, milliseconds: int) -> None:
    assert poll_after(seconds) == milliseconds
