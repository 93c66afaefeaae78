import asyncio
import json
import threading

import pytest

from daybreak.jobs.job import JobError
from daybreak.jobs.queue import newest, request_cancel
from daybreak.server.auth import DEFAULT_PROJECT
from serving import serve

BODY = {"prompt": "a dog", "seconds": 1, "size": "96x64"}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("sync")) as served:
        yield served


def ask(served, end):
    """The answer to a request that waits; `end` is called when its video is in the queue."""
    before = newest(served.db, DEFAULT_PROJECT)
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(served.client.post("/v1/videos/sync", json=BODY)))
    waiting.start()
    while True:
        job = newest(served.db, DEFAULT_PROJECT)
        if job is not None and (before is None or job.id != before.id):
            break
    end(job)
    waiting.join(timeout=20)
    return answers[0], job


def test_it_answers_with_the_finished_file(served):
    answer, job = ask(served, lambda _job: served.finish())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
    assert answer.content == served.clip().read_bytes()
    assert (answer.headers["x-video-id"], answer.headers["x-inference-time-s"]) == (job.id, "1.500")
    assert answer.headers["x-request-id"]


def test_a_failure_is_told_and_not_to_be_tried_again(served):
    answer, _ = ask(served, lambda _job: served.finish(error=JobError("out_of_memory", "No memory is left.")))
    error = served.error(answer, 422)
    assert (error["code"], error["message"]) == ("out_of_memory", "No memory is left.")
    assert answer.headers["x-should-retry"] == "false"


def test_a_cancelled_one_is_told(served):
    answer, _ = ask(served, lambda job: request_cancel(served.db, DEFAULT_PROJECT, job.id, served.now))
    assert served.error(answer, 422)["code"] == "cancelled"


def test_a_deleted_one_is_told(served):
    answer, _ = ask(served, lambda job: served.client.delete(f"/v1/videos/{job.id}"))
    assert answer.status_code == 404


def test_a_bad_request_does_not_wait(served):
    assert served.error(served.client.post("/v1/videos/sync", json={}))["param"] == "prompt"


def test_who_hangs_up_cancels(served):
    before = newest(served.db, DEFAULT_PROJECT)

    async def hang_up():
        body = json.dumps(BODY).encode()
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive():
            if messages:
                return messages.pop()
            while newest(served.db, DEFAULT_PROJECT).id == before.id:
                await asyncio.sleep(0.01)
            return {"type": "http.disconnect"}

        sent = []

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": "/v1/videos/sync", "raw_path": b"/v1/videos/sync", "query_string": b"", "root_path": "",
            "headers": [(b"host", b"localhost"), (b"content-type", b"application/json")], "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
        }  # fmt: skip
        await served.client.app(scope, receive, send)
        return sent

    sent = served.client.portal.call(hang_up)
    assert sent[0]["status"] == 499
    job = newest(served.db, DEFAULT_PROJECT)
    assert job.id != before.id
    assert (job.status, job.error.code) == ("failed", "cancelled")
