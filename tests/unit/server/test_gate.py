"""What every request meets first: ids, hosts, origins, methods, slashes, bugs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from structlog.testing import capture_logs

from daybreak.server.auth import public
from serving import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.client.close()
    served.db.close()


def test_every_answer_has_an_id_and_keeps_a_sane_one(served: Served) -> None:
    made = served.client.get("/v1/videos").headers["x-request-id"]
    assert made.startswith("req_")
    assert served.client.get("/nowhere").headers["x-request-id"] not in {"", made}
    given = {"x-request-id": "abc-1"}
    assert served.client.get("/v1/videos", headers=given).headers["x-request-id"] == "abc-1"
    odd = {"x-request-id": "a b"}
    assert served.client.get("/v1/videos", headers=odd).headers["x-request-id"].startswith("req_")
    assert served.client.get("/v1/videos").headers["x-content-type-options"] == "nosniff"


def test_unknown_urls_and_methods_have_envelopes(served: Served) -> None:
    unknown = served.error(served.client.post("/v1/nonsense"), 404)
    assert unknown["message"] == "Invalid URL (POST /v1/nonsense)"
    wrong = served.client.put("/v1/videos")
    assert served.error(wrong, 405)["code"] == "method_not_supported"
    assert wrong.headers["allow"] == "GET, HEAD, POST"
    assert served.client.patch(f"/v1/videos/video_{'0' * 32}").headers["allow"] == "DELETE, GET, HEAD"
    served.error(served.client.request("BREW", "/v1/videos"), 405)
    served.error(served.client.get("/v1/videos/%00"), 404)
    served.error(served.client.get("/v1/videos/%ff%fe"), 404)


def test_bytes_in_a_query_are_read_as_if_they_were_encoded(served: Served) -> None:
    async def ask(method: str, path: str) -> int:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {
            "type": "http", "method": method, "path": path, "raw_path": b"", "query_string": b"after=\xff",
            "headers": [(b"host", b"localhost")], "scheme": "http", "root_path": "",
            "http_version": "1.1", "asgi": {}, "state": {}, "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
        }  # fmt: skip
        await served.client.app(scope, receive, send)
        return int(sent[0]["status"])

    async def ask_all() -> list[int]:
        return [await ask("GET", "/v1/videos"), await ask("PUT", "/v1/videos"), await ask("GET", "/nowhere")]

    assert asyncio.run(ask_all()) == [404, 405, 404]


def test_slashes_at_the_end_and_head(served: Served) -> None:
    assert served.client.get("/v1/videos/").json()["object"] == "list"
    assert served.client.post("/v1/videos/", json={"prompt": "a dog"}).status_code == 200
    head, get = served.client.head("/v1/videos"), served.client.get("/v1/videos")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]
    assert served.client.head("/nowhere").status_code == 404


def test_a_prefix_works_with_and_without_a_proxy_that_cuts_it_off(tmp_path: Path) -> None:
    served = Served(tmp_path / "prefixed", root_path="/daybreak/")
    video = served.post("/daybreak/v1/videos", {"prompt": "a dog"})
    assert served.client.get(f"/daybreak/v1/videos/{video['id']}").json() == video
    assert served.client.get(f"/v1/videos/{video['id']}").json() == video
    assert served.client.get("/daybreak/openapi.json").json()["servers"] == [{"url": "/daybreak"}]
    served.client.close()
    served.db.close()


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.", "a/?x=", "", "[::1", "localhost:x"]
)
def test_a_host_that_is_not_this_machine_is_refused(served: Served, host: str) -> None:
    assert served.client.get("/v1/videos", headers={"host": host}).status_code in {400, 403}


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:80", "[::1]:8000"])
def test_this_machines_names_are_answered(served: Served, host: str) -> None:
    assert served.client.get("/v1/videos", headers={"host": host}).status_code == 200


def test_two_hosts_are_refused(served: Served) -> None:
    answer = served.client.get("/v1/videos", headers=[("host", "localhost"), ("host", "localhost")])
    served.error(answer, 400)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:3000"},
        {"origin": "http://[", "sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=B"])
def test_pages_of_other_origins_change_nothing(served: Served, headers: dict[str, str], kind: str) -> None:
    answer = served.client.post("/v1/videos", content=b'{"prompt": "x"}', headers={**headers, "content-type": kind})
    assert served.error(answer, 403)["code"] == "foreign_origin"
    assert served.client.get("/v1/videos").json()["data"] == []


def test_pages_of_this_origin_and_programs_may(served: Served) -> None:
    for headers in ({}, {"origin": "http://localhost"}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}):
        assert served.client.post("/v1/videos", json={"prompt": "x"}, headers=headers).status_code == 200
    sent_by_a_program = {"origin": "http://evil.example", "authorization": "Bearer x"}
    assert served.client.post("/v1/videos", json={"prompt": "x"}, headers=sent_by_a_program).status_code == 200


def test_allowed_hosts_and_origins_are_allowed(tmp_path: Path) -> None:
    served = Served(tmp_path / "allowed", allowed_hosts="films.example", allowed_origins="https://films.example/")
    headers = {"host": "films.example:8000", "origin": "https://films.example"}
    assert served.client.post("/v1/videos", json={"prompt": "x"}, headers=headers).status_code == 200
    served.client.close()
    served.db.close()


def test_a_bug_is_an_envelope_with_the_requests_id(served: Served) -> None:
    app = served.client.app
    assert isinstance(app, FastAPI)

    @app.get("/bug", dependencies=[Depends(public)])
    async def bug() -> None:
        raise RuntimeError("details that are nobody's business")

    with capture_logs() as logged:
        answer = served.client.get("/bug")
    assert "details" not in answer.text
    assert served.error(answer, 500)["type"] == "server_error"
    assert [line["request_id"] for line in logged if line["event"] == "a bug"] == [answer.headers["x-request-id"]]


def test_requests_are_counted(served: Served) -> None:
    served.client.get("/v1/videos")
    served.client.get(f"/v1/videos/video_{'0' * 32}")
    served.client.request("BREW", "/nowhere")
    text = served.client.get("/metrics").text
    assert 'daybreak_http_requests_total{method="GET",route="/v1/videos",status="200"} 1.0' in text
    assert 'route="/v1/videos/{video_id}",status="404"} 1.0' in text
    assert 'daybreak_http_requests_total{method="other",route="none",status="404"} 1.0' in text
