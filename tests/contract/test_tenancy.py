"""Two projects: every operation of the OpenAPI document, asked with the ids of another project, is a 404.

The list of operations is the server's own, so that a new route is covered by itself: one whose path has a parameter
that nobody here knows fails this test until it is said what its ids are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx2
import pytest

from live_server import LiveServer
from official import PROMPT, QUICK, png

METHODS = ("get", "post", "put", "patch", "delete")
# Bodies that would be right if the id were the caller's own, by operation; {name} is another project's id.
BODIES: dict[tuple[str, str], Any] = {
    ("post", "/v1/videos/{video_id}/remix"): {"prompt": PROMPT},
    ("post", "/v1/videos/{video_id}/edits"): {"prompt": PROMPT},
    ("post", "/v1/webhook_endpoints/{endpoint_id}"): {"name": "mine"},
    ("post", "/v1/webhook_endpoints/{endpoint_id}/test"): {"event_type": "video.completed"},
    ("patch", "/v1/library/items/{video_id}"): {"favourite": True},
    ("patch", "/v1/library/folders/{folder_id}"): {"name": "mine"},
    ("put", "/v1/library/documents/{document_id}"): {"name": "mine", "content": {}},
    ("post", "/v1/library/queue/{video_id}"): {"where": "first"},
}
# Requests that name another project's things in their bodies or queries.
INSIDE: dict[str, tuple[str, str, Any]] = {
    "edit": ("post", "/v1/videos/edits", {"prompt": PROMPT, "video": {"id": "{video_id}"}}),
    "edit by file": ("post", "/v1/videos/edits", {"prompt": PROMPT, "video": {"file_id": "{file_id}"}}),
    "extend": ("post", "/v1/videos/extensions", {"prompt": PROMPT, "video": {"id": "{video_id}"}}),
    "reference": ("post", "/v1/videos", {"prompt": PROMPT, "input_reference": {"file_id": "{file_id}"}}),
    "character": ("post", "/v1/videos", {"prompt": PROMPT, "characters": [{"id": "{character_id}"}]}),
    "pinned video": ("post", "/v1/videos", {"prompt": PROMPT, "timeline": {"pins": [{"media": "{video_id}"}]}}),
    "pinned file": ("post", "/v1/videos", {"prompt": PROMPT, "timeline": {"pins": [{"media": "{file_id}"}]}}),
    "pinned character": (
        "post", "/v1/videos", {"prompt": PROMPT, "timeline": {"pins": [{"media": "{character_id}"}]}},
    ),
    "sync": ("post", "/v1/videos/sync", {"prompt": PROMPT, "input_reference": {"file_id": "{file_id}"}}),
    "character of a video": ("post", "/v1/videos/characters", {"name": "Mossy", "video": {"id": "{video_id}"}}),
    "batch": (
        "post", "/v1/batches",
        {"input_file_id": "{batch_file_id}", "endpoint": "/v1/videos", "completion_window": "24h"},
    ),
    "page of videos": ("get", "/v1/videos?after={video_id}", None),
    "page of characters": ("get", "/v1/videos/characters?after={character_id}", None),
}  # fmt: skip


@pytest.fixture(scope="module")
def ids(server: LiveServer, http: httpx2.Client, video_id: str, other_key: str) -> Iterator[dict[str, str]]:
    """What the project without a key owns, by the parameter's name; and afterwards it still owns it."""
    batch_line = {"custom_id": "a", "method": "POST", "url": "/v1/videos", "body": {"prompt": PROMPT, **QUICK}}
    files = {
        name: http.post("/v1/files", data={"purpose": purpose}, files={"file": (name, content)}).json()["id"]
        for name, purpose, content in (
            ("dog.png", "vision", png(96, 64)),
            ("batch.jsonl", "batch", json.dumps(batch_line).encode()),
        )
    }
    batch = {"input_file_id": files["batch.jsonl"], "endpoint": "/v1/videos", "completion_window": "24h"}
    hook = {"name": "a", "url": "https://example.com/hook", "event_types": ["video.failed"]}
    azure = {"model": "sora", "prompt": PROMPT, "width": 96, "height": 64, "n_seconds": 1}
    endpoint = made(http, "/v1/webhook_endpoints", hook)
    owned = {
        "video_id": video_id,
        "file_id": files["dog.png"],
        "batch_file_id": files["batch.jsonl"],
        "batch_id": made(http, "/v1/batches", batch),
        "character_id": made(http, "/v1/videos/characters", {"name": "Mossy", "video": {"id": video_id}}),
        "endpoint_id": endpoint,
        "delivery_id": "wh_" + "0" * 32,
        "job_id": made(http, "/openai/v1/video/generations/jobs", azure),
        "generation_id": video_id.replace("video_", "gen_"),
        "folder_id": made(http, "/v1/library/folders", {"name": "mine"}),
        "document_id": made(http, "/v1/library/documents", {"kind": "template", "name": "mine", "content": {}}),
        "key_id": first_key(server),
        "model_id": "sora-9",
    }
    before = http.get(f"/v1/videos/{video_id}").json()
    yield owned
    assert http.get(f"/v1/videos/{video_id}").json() == before
    assert http.get(f"/v1/webhook_endpoints/{endpoint}").json()["name"] == "a"
    assert http.get(f"/v1/files/{owned['file_id']}").status_code == 200
    assert len(http.get(f"/v1/videos/{video_id}/content").content) > 1000


def made(http: httpx2.Client, path: str, body: Mapping[str, Any]) -> str:
    answer = http.post(path, json=dict(body))
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["id"])


def first_key(server: LiveServer) -> str:
    server.key("default")
    return str(json.loads(server.run("keys", "list", "--project", "default", "--json"))[0]["id"])


@pytest.fixture(scope="module")
def stranger(server: LiveServer) -> Iterator[httpx2.Client]:
    """A client with every scope, in a project that owns nothing."""
    key = server.key("stranger", "admin", *(f"{what}.{may}" for what in ("videos", "files", "webhooks")
                                            for may in ("read", "write")))  # fmt: skip
    with httpx2.Client(base_url=server.root, timeout=60, headers={"authorization": f"Bearer {key}"}) as client:
        yield client


def test_every_operation_with_an_id_of_another_project_is_a_404(stranger: httpx2.Client, ids: dict[str, str]) -> None:
    paths = stranger.get("/openapi.json").json()["paths"]
    asked, wrong = 0, []
    for path, item in paths.items():
        if "{" not in path:
            continue
        for method in (method for method in METHODS if method in item):
            query = [parameter["name"] for parameter in item[method].get("parameters", ()) if needed(parameter)]
            url = path.format(**ids) + ("?" + "&".join(f"{name}={QUERY[name]}" for name in query) if query else "")
            body = BODIES.get((method, path), {}) if method in ("post", "put", "patch") else None
            answer = stranger.request(method, url, json=body)
            asked += 1
            if answer.status_code != 404 or set(answer.json()) != {"error"}:
                wrong.append((method, path, answer.status_code, answer.text[:200]))
    assert wrong == []
    assert asked >= 30


QUERY = {"format": "gif"}  # of required parameters of a query


def needed(parameter: Mapping[str, Any]) -> bool:
    return parameter["in"] == "query" and bool(parameter.get("required"))


@pytest.mark.parametrize("case", INSIDE)
def test_an_id_of_another_project_inside_a_request_is_a_404(
    stranger: httpx2.Client, ids: dict[str, str], case: str
) -> None:
    method, path, body = INSIDE[case]
    filled = json.loads(fill(json.dumps(body), ids)) if body is not None else None
    answer = stranger.request(method, fill(path, ids), json=filled)
    assert answer.status_code == 404, answer.text
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def fill(text: str, ids: Mapping[str, str]) -> str:
    for name, value in ids.items():
        text = text.replace("{" + name + "}", value)
    return text


def test_lists_hold_nothing_of_another_project(stranger: httpx2.Client, ids: dict[str, str]) -> None:
    document = stranger.get("/openapi.json").json()["paths"]
    owned = set(ids.values()) - {"sora-9", ids["delivery_id"]}
    for path, item in document.items():
        if "{" in path or "get" not in item or "event-stream" in json.dumps(item["get"].get("responses", {})):
            continue
        query = [parameter["name"] for parameter in item["get"].get("parameters", ()) if needed(parameter)]
        if query or path in ("/v1/library/events", "/metrics"):
            continue
        text = stranger.get(path).text
        assert [found for found in owned if found in text] == [], path


def test_without_a_key_nothing_is_answered_to_a_wrong_one(server: LiveServer) -> None:
    wrong = {"authorization": "Bearer sk-daybreak-" + "x" * 43}
    with httpx2.Client(base_url=server.root, timeout=60, headers=wrong) as client:
        for path, item in client.get("/openapi.json").json()["paths"].items():
            for method in (method for method in METHODS if method in item):
                if item[method]["security"] == []:
                    continue
                answer = client.request(method, path, json={} if method != "get" else None)
                assert answer.status_code == 401, (method, path, answer.status_code)
