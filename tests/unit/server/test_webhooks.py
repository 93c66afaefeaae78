"""Webhook endpoints through the official SDK, and the log of deliveries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from daybreak.database.webhooks import claim_due, not_delivered
from daybreak.fetch import Answer, FetchRefused
from daybreak.server import webhooks
from daybreak.server.webhooks import EVENT_TYPES
from serving import Served

URL = "https://me.example/hook"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.client.close()
    served.db.close()


@pytest.fixture
def sdk(served: Served) -> openai.OpenAI:
    return openai.OpenAI(api_key="none", base_url="http://localhost/v1", http_client=served.client, max_retries=0)


def test_an_endpoint_from_creation_to_deletion(served: Served, sdk: openai.OpenAI) -> None:
    made = sdk.webhooks.create(name="mine", url=URL, event_types=["video.completed", "video.failed"])
    assert made.signing_secret.startswith("whsec_")
    assert made.signing_secret_hint == f"whsec_...{made.signing_secret[-4:]}"
    assert (made.created_at, made.updated_at) == (int(served.now), int(served.now))
    seen = sdk.webhooks.retrieve(made.id)
    assert (seen.name, seen.url, seen.event_types) == ("mine", URL, ["video.completed", "video.failed"])
    assert "signing_secret" not in seen.model_dump()
    served.now += 5
    renamed = sdk.webhooks.update(made.id, name="yours", event_types=["video.failed"])
    assert (renamed.name, renamed.url, renamed.event_types) == ("yours", URL, ["video.failed"])
    assert renamed.updated_at == int(served.now)
    rotated = sdk.webhooks.rotate_secret(made.id, keep_old_secret_active_for_24_hours=True)
    assert rotated.signing_secret != made.signing_secret
    gone = sdk.webhooks.delete(made.id)
    assert gone.model_dump() == {"id": made.id, "object": "webhook_endpoint.deleted", "deleted": True}
    for ask in (sdk.webhooks.retrieve, sdk.webhooks.delete, sdk.webhooks.rotate_secret):
        with pytest.raises(openai.NotFoundError):
            ask(made.id)


def test_endpoints_are_listed_newest_first(sdk: openai.OpenAI) -> None:
    ids = [sdk.webhooks.create(name=f"n{n}", url=URL, event_types=["video.failed"]).id for n in range(3)]
    assert [endpoint.id for endpoint in sdk.webhooks.list(limit=2)] == ids[::-1]


def test_the_events_that_there_are(sdk: openai.OpenAI) -> None:
    assert tuple(sdk.webhooks.event_types.list().data) == EVENT_TYPES


def test_a_sample_is_signed_and_its_answer_is_told(
    served: Served, sdk: openai.OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[bytes, Any]] = []

    def post(_url: str, body: bytes, headers: Any, _timeout: float) -> Answer:
        sent.append((body, headers))
        return Answer(404)

    monkeypatch.setattr(webhooks, "poster", lambda _: post)
    monkeypatch.setattr("openai.lib._webhooks.time.time", lambda: served.now)
    made = sdk.webhooks.create(name="mine", url=URL, event_types=["video.completed"])
    result = sdk.webhooks.test(made.id, event_type="video.failed")
    assert (result.status_code, result.success, result.webhook_endpoint_id) == (404, True, made.id)
    [(body, headers)] = sent
    event = sdk.webhooks.unwrap(body.decode(), headers, secret=made.signing_secret)
    assert event.type == "video.failed"  # type: ignore[comparison-overlap]


def test_a_receiver_that_can_not_be_reached_is_a_400(
    served: Served, sdk: openai.OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def post(*_: object) -> Answer:
        raise FetchRefused("me.example is not known")

    monkeypatch.setattr(webhooks, "poster", lambda _: post)
    made = sdk.webhooks.create(name="mine", url=URL, event_types=["video.completed"])
    with pytest.raises(openai.BadRequestError, match=r"me\.example is not known"):
        sdk.webhooks.test(made.id, event_type="video.completed")


@pytest.mark.parametrize(
    "url",
    [
        "http://me.example/",
        "ftp://me.example/",
        "me.example",
        "https://",
        "https://user:secret@me.example/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "https://me.example:22/",
        "https://me.example/a b",
        "https://0x7f.1/",
    ],
)
def test_urls_that_are_refused(served: Served, url: str) -> None:
    served.context.loopback = False
    body = {"name": "mine", "url": url, "event_types": ["video.failed"]}
    assert served.error(served.client.post("/v1/webhook_endpoints", json=body))["param"] == "url"


def test_a_server_for_this_machine_alone_may_call_this_machine(served: Served, sdk: openai.OpenAI) -> None:
    made = sdk.webhooks.create(name="dev", url="http://localhost:3000/hook", event_types=["video.failed"])
    assert sdk.webhooks.update(made.id, url="http://127.0.0.1:8080/").url == "http://127.0.0.1:8080/"
    served.context.loopback = False
    with pytest.raises(openai.BadRequestError, match=r"DAYBREAK_FETCH_ALLOW|port 3000"):
        sdk.webhooks.update(made.id, url="http://localhost:3000/hook")


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"name": None}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"url": None}, "url"),
        ({"event_types": None}, "event_types"),
        ({"event_types": []}, "event_types"),
        ({"event_types": "video.failed"}, "event_types"),
        ({"event_types": ["response.completed"]}, "event_types"),
        ({"event_types": [["video.failed"]]}, "event_types"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_an_endpoint_refuses(served: Served, change: dict[str, Any], param: str) -> None:
    body = {"name": "mine", "url": URL, "event_types": ["video.failed"], **change}
    assert served.error(served.client.post("/v1/webhook_endpoints", json=body))["param"] == param


def test_a_project_has_a_bounded_number_of_endpoints(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "_MOST_ENDPOINTS", 1)
    body = {"name": "mine", "url": URL, "event_types": ["video.failed"]}
    served.post("/v1/webhook_endpoints", body)
    answer = served.client.post("/v1/webhook_endpoints", json=body)
    assert served.error(answer)["code"] == "too_many_endpoints"


def test_a_finished_video_is_in_the_log_and_can_be_delivered_again(served: Served, sdk: openai.OpenAI) -> None:
    made = sdk.webhooks.create(name="mine", url=URL, event_types=["video.completed"])
    job = served.finished()
    path = f"/v1/webhook_endpoints/{made.id}/deliveries"
    [entry] = served.client.get(path).json()["data"]
    assert entry["event"] == {
        "id": entry["event"]["id"],
        "object": "event",
        "created_at": int(served.now),
        "type": "video.completed",
        "data": {"id": job.id},
    }
    assert (entry["status"], entry["attempts"], entry["object"]) == ("pending", 0, "webhook_delivery")
    [(delivery, _)] = claim_due(served.db, served.now, 60)
    not_delivered(served.db, delivery.id, 500, "answered 500", None, served.now)
    [entry] = served.client.get(path).json()["data"]
    assert (entry["status"], entry["last_status_code"], entry["last_error"]) == ("exhausted", 500, "answered 500")
    again = served.post(f"{path}/{entry['id']}/replay")
    assert (again["id"], again["status"], again["attempts"]) == (entry["id"], "pending", 0)
    served.error(served.client.post(f"{path}/wh_{'0' * 32}/replay"), 404)
    served.error(served.client.get(f"{path}?after=wh_none"))
