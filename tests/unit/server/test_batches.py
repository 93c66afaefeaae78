"""Batches from the upload to the output file, as the official SDK sees them; and what restarts do to them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from daybreak.database.webhooks import add_endpoint, claim_due
from daybreak.jobs.job import JobError
from daybreak.jobs.queue import list_jobs
from daybreak.server import batch_output, batch_runner
from daybreak.server.auth import DEFAULT_PROJECT
from daybreak.server.batch_runner import LEASE, WINDOW, BatchRunner
from serving import Served

DAY = 86_400


class Batching(Served):
    """A server whose batches advance only when a test says so."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        super().__init__(folder, **settings)
        self.sdk = openai.OpenAI(api_key="none", base_url="http://localhost/v1", http_client=self.client, max_retries=0)
        self.runner = BatchRunner(self.context, "one")

    def batch(self, *bodies: dict[str, Any], **more: Any) -> openai.types.Batch:
        lines = [
            {
                "custom_id": f"c{n}",
                "method": "POST",
                "url": "/v1/videos",
                "body": {"seconds": 1, "size": "96x64", **body},
            }
            for n, body in enumerate(bodies, 1)
        ]
        return self.batch_of("\n".join(json.dumps(line) for line in lines).encode(), **more)

    def batch_of(self, content: bytes, **more: Any) -> openai.types.Batch:
        file = self.sdk.files.create(file=("requests.jsonl", content), purpose="batch")
        return self.sdk.batches.create(input_file_id=file.id, endpoint="/v1/videos", completion_window="24h", **more)

    def step(self, times: int = 1, runner: BatchRunner | None = None) -> None:
        for _ in range(times):
            asyncio.run((runner or self.runner).step())

    def now_is(self, batch: openai.types.Batch) -> openai.types.Batch:
        return self.sdk.batches.retrieve(batch.id)

    def jobs(self) -> list[Any]:
        return list_jobs(self.db, DEFAULT_PROJECT, limit=1000, order="asc").jobs

    def lines(self, file_id: str | None) -> dict[str, Any]:
        assert file_id is not None
        found = [json.loads(line) for line in self.sdk.files.content(file_id).text.splitlines()]
        return {line["custom_id"]: line for line in found}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Batching]:
    batching = Batching(tmp_path)
    yield batching
    batching.client.close()
    batching.context.pool.shutdown()
    batching.db.close()


def test_a_batch_from_upload_to_output(served: Batching) -> None:
    batch = served.batch({"prompt": "a dog"}, {"prompt": "a cat"}, {"prompt": "x", "size": "huge"}, metadata={"a": "b"})
    assert (batch.status, batch.endpoint, batch.metadata) == ("validating", "/v1/videos", {"a": "b"})
    assert batch.expires_at == batch.created_at + DAY
    served.step(2)
    running = served.now_is(batch)
    assert (running.status, running.request_counts.model_dump()) == (
        "in_progress",
        {"total": 3, "completed": 0, "failed": 1},
    )
    served.finish()
    served.finish(error=JobError("out_of_memory", "too large"))
    served.step(2)
    ended = served.now_is(batch)
    assert (ended.status, ended.request_counts.model_dump()) == ("completed", {"total": 3, "completed": 1, "failed": 2})
    assert None not in (ended.in_progress_at, ended.finalizing_at, ended.completed_at)
    output, errors = served.lines(ended.output_file_id), served.lines(ended.error_file_id)
    assert (sorted(output), sorted(errors)) == (["c1", "c2"], ["c3"])
    dog = output["c1"]
    assert (dog["error"], dog["response"]["status_code"]) == (None, 200)
    assert (dog["response"]["body"]["status"], dog["response"]["body"]["prompt"]) == ("completed", "a dog")
    assert served.client.get(f"/v1/videos/{dog['response']['body']['id']}/content").status_code == 200
    failed = output["c2"]["response"]["body"]
    assert (failed["status"], failed["error"]) == ("failed", {"code": "out_of_memory", "message": "too large"})
    refused = errors["c3"]["response"]
    assert (refused["status_code"], refused["body"]["error"]["param"]) == (400, "size")
    file = served.sdk.files.retrieve(str(ended.output_file_id))
    assert (file.purpose, file.filename, file.expires_at) == ("batch_output", f"{batch.id}_output.jsonl", None)


def test_a_bad_file_fails_the_batch_and_makes_no_job(served: Batching) -> None:
    batch = served.batch_of(b'{"custom_id": "a"}\nnot json\n')
    served.step(3)
    failed = served.now_is(batch)
    assert failed.status == "failed"
    assert failed.errors is not None
    assert [(error.code, error.line) for error in failed.errors.data or ()] == [
        ("missing_required_parameter", 1),
        ("invalid_json_line", 2),
    ]
    assert failed.failed_at is not None
    assert served.jobs() == []


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"endpoint": "/v1/chat/completions"}, "endpoint"),
        ({"completion_window": "1h"}, "completion_window"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata"),
        ({"output_expires_after": {"anchor": "created_at", "seconds": 60}}, "output_expires_after.seconds"),
        ({"output_expires_after": {"seconds": 3600}}, "output_expires_after.anchor"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_a_batch_refuses(served: Batching, body: dict[str, Any], param: str) -> None:
    file = served.sdk.files.create(file=("requests.jsonl", b"{}"), purpose="batch")
    good = {"input_file_id": file.id, "endpoint": "/v1/videos", "completion_window": "24h"}
    assert served.error(served.client.post("/v1/batches", json={**good, **body}))["param"] == param


def test_a_batch_reads_only_a_file_that_is_meant_for_it(served: Batching) -> None:
    file = served.sdk.files.create(file=("requests.jsonl", b"{}"), purpose="user_data")
    with pytest.raises(openai.BadRequestError, match="purpose"):
        served.sdk.batches.create(input_file_id=file.id, endpoint="/v1/videos", completion_window="24h")
    with pytest.raises(openai.NotFoundError):
        served.sdk.batches.create(input_file_id="file-none", endpoint="/v1/videos", completion_window="24h")


def test_lines_become_jobs_a_few_at_a_time_behind_those_that_somebody_waits_for(served: Batching) -> None:
    served.batch(*({"prompt": f"dog {n}"} for n in range(WINDOW + 20)))
    served.step(20)
    assert len(served.jobs()) == WINDOW
    mine = served.post("/v1/videos", {"prompt": "I wait", "seconds": 1, "size": "96x64"})
    assert served.finish().id == mine["id"]
    served.finish()
    served.step()
    assert len(served.jobs()) == WINDOW + 2


def test_half_of_the_queue_stays_free(tmp_path: Path) -> None:
    served = Batching(tmp_path, queue_limit=6)
    served.batch(*({"prompt": f"dog {n}"} for n in range(10)))
    served.step(5)
    assert len(served.jobs()) == 3
    for _ in range(3):
        served.post("/v1/videos", {"prompt": "I wait", "seconds": 1, "size": "96x64"})
    served.db.close()


def test_cancelling_keeps_what_is_finished(served: Batching) -> None:
    batch = served.batch({"prompt": "a dog"}, {"prompt": "a cat"}, {"prompt": "a cow"})
    served.step(2)
    served.finish()
    cancelling = served.sdk.batches.cancel(batch.id)
    assert (cancelling.status, cancelling.cancelled_at) == ("cancelling", None)
    served.step(2)
    ended = served.now_is(batch)
    assert (ended.status, ended.request_counts.model_dump()) == ("cancelled", {"total": 3, "completed": 1, "failed": 2})
    assert sorted(served.lines(ended.output_file_id)) == ["c1"]
    errors = served.lines(ended.error_file_id)
    assert {line["error"]["code"] for line in errors.values()} == {"batch_cancelled"}
    assert {job.status for job in served.jobs()} == {"completed", "failed"}
    again = served.sdk.batches.cancel(batch.id)
    assert again.status == "cancelled"


def test_a_batch_that_has_ended_is_not_cancelled_any_more(served: Batching) -> None:
    batch = served.batch_of(b"x")
    served.step()
    with pytest.raises(openai.ConflictError) as caught:
        served.sdk.batches.cancel(batch.id)
    assert caught.value.response.headers["x-should-retry"] == "false"


def test_the_window_ends_after_24_hours(served: Batching) -> None:
    batch = served.batch(
        {"prompt": "a dog"}, {"prompt": "a cat"}, output_expires_after={"anchor": "created_at", "seconds": 3600}
    )
    served.step(2)
    served.finish()
    served.now += DAY
    served.step(3)
    ended = served.now_is(batch)
    assert (ended.status, ended.completed_at, ended.expired_at) == ("expired", None, int(served.now))
    assert sorted(served.lines(ended.output_file_id)) == ["c1"]
    assert served.lines(ended.error_file_id)["c2"]["error"]["code"] == "batch_expired"
    assert served.sdk.files.retrieve(str(ended.error_file_id)).expires_at == int(served.now) + 3600


def test_a_deleted_video_is_told_of(served: Batching) -> None:
    batch = served.batch({"prompt": "a dog"})
    served.step(2)
    job = served.finish()
    served.client.delete(f"/v1/videos/{job.id}").raise_for_status()
    served.step(2)
    ended = served.now_is(batch)
    assert served.lines(ended.error_file_id)["c1"]["error"]["code"] == "video_deleted"
    assert ended.output_file_id is None


def test_the_input_may_be_deleted_while_the_batch_runs(served: Batching) -> None:
    batch = served.batch({"prompt": "a dog"}, {"prompt": "a cat"})
    served.step()
    served.sdk.files.delete(batch.input_file_id)
    served.step()
    assert [job.prompt for job in served.jobs()] == ["a dog", "a cat"]


@pytest.mark.parametrize("crash", ["before the lines know", "before anything is written"])
def test_a_server_that_dies_anywhere_makes_no_job_twice_and_loses_none(
    served: Batching, monkeypatch: pytest.MonkeyPatch, crash: str
) -> None:
    class Died(BaseException):
        pass

    def die(*_: object) -> None:
        raise Died

    batch = served.batch(*({"prompt": f"dog {n}"} for n in range(5)))
    served.step()
    name = "assign_jobs" if crash == "before the lines know" else "enqueue_many"
    monkeypatch.setattr(batch_runner, name, die)
    with pytest.raises(Died):
        served.step()
    monkeypatch.undo()
    other = BatchRunner(served.context, "two")
    served.step(1, other)
    served.now += LEASE + 1
    served.step(2, other)
    assert [job.prompt for job in served.jobs()] == [f"dog {n}" for n in range(5)]
    for _ in range(5):
        served.finish()
    served.step(2, other)
    assert sorted(served.lines(served.now_is(batch).output_file_id)) == [f"c{n}" for n in range(1, 6)]


def test_dying_while_the_output_is_written_gives_one_output(served: Batching, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = served.batch({"prompt": "a dog"})
    served.step(2)
    served.finish()
    served.step()
    assert served.now_is(batch).status == "finalizing"

    def fail(*_: object) -> str:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(batch_output, "finish", fail)
    served.step()
    assert served.now_is(batch).status == "finalizing"
    monkeypatch.undo()
    served.step()  # it waits a moment after an error
    assert served.now_is(batch).status == "finalizing"
    served.now += 5
    served.step()
    assert served.now_is(batch).status == "completed"
    outputs = served.sdk.files.list(purpose="batch_output").data
    assert len(outputs) == 1


def test_an_event_tells_of_the_end(served: Batching) -> None:
    add_endpoint(served.db, DEFAULT_PROJECT, "mine", "https://me.example/", ["batch.completed", "batch.failed"], 0)
    good, bad = served.batch({"prompt": "a dog"}), served.batch_of(b"x")
    served.step(2)
    served.finish()
    served.step(2)
    events = [json.loads(delivery.body) for delivery, _ in claim_due(served.db, served.now, 60)]
    assert {(event["type"], event["data"]["id"]) for event in events} == {
        ("batch.completed", good.id),
        ("batch.failed", bad.id),
    }


def test_batches_are_listed_in_pages(served: Batching) -> None:
    ids = [served.batch_of(b"x").id for _ in range(3)]
    assert [batch.id for batch in served.sdk.batches.list(limit=2)] == ids[::-1]
    assert served.error(served.client.get("/v1/batches?after=batch_none"))["param"] == "after"
    assert served.error(served.client.get("/v1/batches/batch_none"), 404)["code"] == "not_found"


def test_a_retry_of_the_sdk_makes_nothing_twice(served: Batching) -> None:
    retry = {"x-stainless-retry-count": "1"}
    first = served.batch({"prompt": "a dog"}, metadata={"a": "b"})
    body = {"input_file_id": first.input_file_id, "endpoint": "/v1/videos", "completion_window": "24h"}
    same = served.client.post("/v1/batches", json={**body, "metadata": {"a": "b"}}, headers=retry)
    other = served.client.post("/v1/batches", json=body, headers=retry)
    assert same.json()["id"] == first.id != other.json()["id"]
    served.now += 601
    late = served.client.post("/v1/batches", json=body, headers=retry)
    assert late.json()["id"] not in (first.id, other.json()["id"])
    upload = {"purpose": "vision", "file": ("cat.png", b"cat", "image/png")}
    made = served.form("/v1/files", upload).json()
    assert served.form("/v1/files", upload, headers=retry).json() == made
    assert served.form("/v1/files", upload).json()["id"] != made["id"]
    hook = {"name": "mine", "url": "https://me.example/", "event_types": ["video.failed"]}
    endpoint = served.post("/v1/webhook_endpoints", hook)
    assert served.post("/v1/webhook_endpoints", hook, headers=retry) == endpoint
    assert served.post("/v1/webhook_endpoints", hook)["id"] != endpoint["id"]
