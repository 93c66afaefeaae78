"""Keys, scopes and projects at the door."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from daybreak.database.keys import create_key, revoke_key
from daybreak.database.projects import create_project
from daybreak.server import auth
from daybreak.server.auth import api_routes, declared_scopes
from serving import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    served.context.open_access = False
    yield served
    served.client.close()
    served.db.close()


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def a_key(served: Served, *scopes: str, project: str = "proj_default", expires: float | None = None) -> str:
    return create_key(served.db, project, "test", scopes, served.now, expires)[1]


def test_every_route_declares_exactly_one_scope(served: Served) -> None:
    app = served.client.app
    assert isinstance(app, FastAPI)
    routes = api_routes(app.routes)
    assert len(routes) > 20
    undeclared = {route.path: declared_scopes(route) for route in routes if len(set(declared_scopes(route))) != 1}
    assert undeclared == {}
    public = {route.path for route in routes if declared_scopes(route) == [None]}
    assert not any(path.startswith("/v1/") for path in public)


def test_a_request_needs_a_key_that_is_good(served: Served) -> None:
    good, old = a_key(served, "videos.read"), a_key(served, "videos.read", expires=served.now + 10)
    get = served.client.get
    assert served.error(get("/v1/videos"), 401)["code"] == "missing_api_key"
    assert get("/v1/videos", headers=bearer(good)).status_code == 200
    assert get("/v1/videos", headers={"api-key": good}).status_code == 200
    assert get("/v1/videos?api-version=preview", headers={"api-key": good}).status_code == 200
    assert get("/v1/videos", headers=bearer(old)).status_code == 200
    served.now += 11
    served.context.known_keys.clear()
    for headers in (
        bearer(old), bearer(good + "x"), bearer("anything"), bearer(""), {"authorization": f"Basic {good}"},
        {"authorization": good}, {"api-key": "x"}, bearer("sk-daybreak-" + "x" * 10_000),
    ):  # fmt: skip
        assert served.error(get("/v1/videos", headers=headers), 401)["code"] == "invalid_api_key"
        assert get("/v1/videos", headers=headers).headers["www-authenticate"] == "Bearer"


def test_a_revoked_key_opens_nothing_soon_after(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    key, secret = create_key(served.db, "proj_default", "x", ["videos.read"], served.now)
    assert served.client.get("/v1/videos", headers=bearer(secret)).status_code == 200
    revoke_key(served.db, key.id, served.now)
    monkeypatch.setattr(auth, "_CACHED_SECONDS", 0.0)
    served.error(served.client.get("/v1/videos", headers=bearer(secret)), 401)


def test_a_key_does_what_its_scopes_say(served: Served) -> None:
    reader, admin = a_key(served, "videos.read"), a_key(served, "admin")
    refused = served.client.post("/v1/videos/video_1/cancel", headers=bearer(reader))
    assert served.error(refused, 403)["code"] == "missing_scope"
    served.error(served.client.get("/metrics", headers=bearer(reader)), 403)
    assert served.client.get("/metrics", headers=bearer(admin)).status_code == 200
    assert served.client.get("/v1/videos", headers=bearer(admin)).status_code == 200


def test_another_projects_video_is_not_there(served: Served) -> None:
    other = a_key(served, "admin", project=create_project(served.db, "other", served.now).id)
    mine = a_key(served, "admin")
    video = served.client.post("/v1/videos", json={"prompt": "a dog"}, headers=bearer(mine)).json()
    for method, path in (
        ("GET", ""), ("DELETE", ""), ("GET", "/content"), ("GET", "/events"), ("POST", "/cancel"),
        ("POST", "/run_next"),
    ):  # fmt: skip
        real = served.client.request(method, f"/v1/videos/{video['id']}{path}", headers=bearer(other))
        never = served.client.request(method, f"/v1/videos/video_{'0' * 32}{path}", headers=bearer(other))
        shown = served.error(real, 404)["message"].replace(video["id"], "ID")
        assert shown == served.error(never, 404)["message"].replace(f"video_{'0' * 32}", "ID")
    served.error(served.client.get(f"/v1/videos?after={video['id']}", headers=bearer(other)), 404)
    assert served.client.get("/v1/videos", headers=bearer(other)).json()["data"] == []
    assert served.client.get(f"/v1/videos/{video['id']}", headers=bearer(mine)).json() == video


def test_on_loopback_any_word_is_a_key_but_a_bad_key_of_ours(served: Served) -> None:
    served.context.open_access = True
    assert served.client.get("/v1/videos").status_code == 200
    assert served.client.get("/v1/videos", headers=bearer("unused")).status_code == 200
    served.error(served.client.get("/v1/videos", headers=bearer("sk-daybreak-nonsense")), 401)
    # A proxy in front: whoever sent this isn't on this machine.
    served.error(served.client.get("/v1/videos", headers={"x-forwarded-for": "203.0.113.9"}), 401)


def test_the_studios_cookie_works_from_its_own_pages_alone(served: Served) -> None:
    cookie = {"cookie": f"daybreak_key={a_key(served, 'videos.read')}"}
    assert served.client.get("/v1/videos", headers=cookie).status_code == 200
    same = {**cookie, "sec-fetch-site": "same-origin"}
    assert served.client.get("/v1/videos", headers=same).status_code == 200
    served.error(served.client.get("/v1/videos", headers={**cookie, "sec-fetch-site": "cross-site"}), 401)


def test_what_changes_something_is_limited_and_told(tmp_path: Path) -> None:
    served = Served(tmp_path / "limited")
    served.context.limiter.per_minute = 2
    path = f"/v1/videos/video_{'0' * 32}"
    first = served.client.delete(path)
    assert (first.status_code, first.headers["x-ratelimit-remaining-requests"]) == (404, "1")
    served.client.delete(path)
    refused = served.client.delete(path)
    assert served.error(refused, 429)["code"] == "rate_limit_exceeded"
    assert 1 <= int(refused.headers["retry-after"]) <= 120
    assert int(refused.headers["retry-after-ms"]) >= 1000
    assert served.client.get("/v1/videos").status_code == 200  # reading is free
    served.client.close()
    served.db.close()
