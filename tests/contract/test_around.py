"""Files, batches and webhooks through the official Python package, from end to end."""

from __future__ import annotations

import json
import time
from typing import Any

import openai
import pytest

from live_server import until
from official import PROMPT, QUICK, Sdk, png
from receiver import Posted, Receiver


def test_files_are_kept_listed_served_and_deleted(sdk: Sdk) -> None:
    files = sdk.client.files
    picture = png(96, 64)
    made = sdk(files.create(file=("dog.png", picture), purpose="vision"))
    assert (made.object, made.bytes, made.filename, made.purpose) == ("file", len(picture), "dog.png", "vision")
    assert sdk(files.retrieve(made.id)) == made
    assert sdk(files.content(made.id)).content == picture
    assert made.id in [file.id for file in sdk.all(files.list(limit=2))]
    gone = sdk(files.delete(made.id))
    assert (gone.id, gone.object, gone.deleted) == (made.id, "file", True)
    with pytest.raises(openai.NotFoundError):
        sdk(files.retrieve(made.id))


def test_a_file_can_go_by_itself(sdk: Sdk) -> None:
    expiry: Any = {"anchor": "created_at", "seconds": 3600}
    made = sdk(sdk.client.files.create(file=("dog.png", png(8, 8)), purpose="vision", expires_after=expiry))
    assert made.expires_at == made.created_at + 3600


def test_a_batch_from_its_file_to_its_videos(sdk: Sdk) -> None:
    lines = [line(f"clip-{i}", {"prompt": f"{PROMPT} {i}", **QUICK}) for i in range(2)]
    lines.append(line("wrong", {"prompt": "", **QUICK}))
    content = "\n".join(lines).encode()
    file = sdk(sdk.client.files.create(file=("batch.jsonl", content), purpose="batch"))
    batch = sdk(
        sdk.client.batches.create(
            input_file_id=file.id, endpoint="/v1/videos", completion_window="24h", metadata={"film": "one"}
        )
    )
    assert (batch.object, batch.input_file_id, batch.metadata) == ("batch", file.id, {"film": "one"})
    assert batch.id in [each.id for each in sdk.all(sdk.client.batches.list(limit=20))]

    def ended() -> Any:
        found = sdk(sdk.client.batches.retrieve(batch.id))
        return found if found.status not in ("validating", "in_progress", "finalizing") else None

    done = until(ended, every=0.3)
    assert done.status == "completed", done
    assert (done.request_counts.total, done.request_counts.completed, done.request_counts.failed) == (3, 2, 1)
    answers = {each["custom_id"]: each for each in read_lines(sdk, done.output_file_id)}
    assert set(answers) == {"clip-0", "clip-1"}
    for answer in answers.values():
        video = answer["response"]["body"]
        assert (answer["response"]["status_code"], video["status"]) == (200, "completed")
        assert sdk(sdk.client.videos.download_content(video["id"])).content[4:8] == b"ftyp"
    (refused,) = read_lines(sdk, done.error_file_id)
    assert refused["custom_id"] == "wrong"
    assert refused["response"]["status_code"] == 400
    assert refused["response"]["body"]["error"]["param"] == "prompt"


def test_a_batch_can_be_cancelled(sdk: Sdk) -> None:
    content = "\n".join(line(f"clip-{i}", {"prompt": f"{PROMPT} {i}", **QUICK}) for i in range(20)).encode()
    file = sdk(sdk.client.files.create(file=("batch.jsonl", content), purpose="batch"))
    batch = sdk(sdk.client.batches.create(input_file_id=file.id, endpoint="/v1/videos", completion_window="24h"))
    cancelled = sdk(sdk.client.batches.cancel(batch.id))
    assert cancelled.status in ("cancelling", "cancelled")
    until(lambda: sdk(sdk.client.batches.retrieve(batch.id)).status == "cancelled", every=0.3)


def test_webhooks_are_managed_delivered_and_verified(sdk: Sdk, receiver: Receiver) -> None:
    hooks = sdk.client.webhooks
    path = f"/hook-{time.monotonic_ns()}"
    made = sdk(hooks.create(name="ours", url=receiver.url + path, event_types=["video.completed"]))
    try:
        assert made.signing_secret.startswith("whsec_")
        assert not hasattr(sdk(hooks.retrieve(made.id)), "signing_secret")
        assert made.id in [each.id for each in sdk.all(hooks.list(limit=1))]
        renamed = sdk(hooks.update(made.id, name="renamed", event_types=["video.completed", "video.failed"]))
        assert (renamed.name, renamed.event_types) == ("renamed", ["video.completed", "video.failed"])
        tested = sdk(hooks.test(made.id, event_type="video.failed"))
        assert (tested.object, tested.status_code, tested.success) == ("webhook_endpoint.test", 200, True)
        assert_event(sdk, receiver.wait_for(lambda post: post.path == path), made.signing_secret, "video.failed")

        video = sdk.finished(sdk.client.videos.create(prompt=PROMPT, **QUICK))
        told = receiver.wait_for(lambda post: post.path == path and video.id.encode() in post.body)
        event = assert_event(sdk, told, made.signing_secret, "video.completed")
        assert event.data.id == video.id

        rotated = sdk(hooks.rotate_secret(made.id, keep_old_secret_active_for_24_hours=True))
        assert rotated.signing_secret != made.signing_secret
        second = sdk.finished(sdk.client.videos.create(prompt=PROMPT, **QUICK))
        told = receiver.wait_for(lambda post: post.path == path and second.id.encode() in post.body)
        for secret in (made.signing_secret, rotated.signing_secret):
            assert_event(sdk, told, secret, "video.completed")
        log = sdk(sdk.client.get(f"/webhook_endpoints/{made.id}/deliveries", cast_to=dict))
        assert len(log["data"]) == 2
    finally:
        gone = sdk(hooks.delete(made.id))
    assert (gone.id, gone.deleted) == (made.id, True)
    with pytest.raises(openai.NotFoundError):
        sdk(hooks.retrieve(made.id))


def test_the_event_types_are_told(sdk: Sdk) -> None:
    assert {"video.completed", "video.failed"} <= set(sdk(sdk.client.webhooks.event_types.list()).data)


def assert_event(sdk: Sdk, post: Posted, secret: str, kind: str) -> Any:
    """The event of a delivery whose signature the SDK accepts, and refuses once a byte is another."""
    event = sdk.client.webhooks.unwrap(post.body, post.headers, secret=secret)
    assert event.type == kind
    plain = json.loads(post.body)
    assert set(plain) == {"id", "object", "created_at", "type", "data"}
    assert set(plain["data"]) == {"id"}
    with pytest.raises(openai.InvalidWebhookSignatureError):
        sdk.client.webhooks.unwrap(post.body + b" ", post.headers, secret=secret)
    return event


def line(custom_id: str, body: dict[str, Any]) -> str:
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": "/v1/videos", "body": body})


def read_lines(sdk: Sdk, file_id: str) -> list[dict[str, Any]]:
    return [json.loads(text) for text in sdk(sdk.client.files.content(file_id)).text.splitlines()]
