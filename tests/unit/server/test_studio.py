"""The studio's pages and files, with and without a build, and its cookie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from daybreak.database.keys import create_key
from daybreak.server import studio
from serving import Served


@pytest.fixture
def dist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "dist"
    monkeypatch.setattr(studio, "DIST", folder)
    return folder


@pytest.fixture
def served(tmp_path: Path, dist: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.client.close()
    served.db.close()


def build(dist: Path) -> None:
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html><html><head><title>x</title></head></html>")
    (dist / "theme.js").write_text("// theme")
    (dist / "assets" / "index-abc.js").write_text("export const x = 1;\n" * 100)
    (dist.parent / "secret.txt").write_text("not yours")


def test_without_a_build_the_first_page_says_what_to_do(served: Served) -> None:
    answer = served.client.get("/")
    assert answer.status_code == 200
    assert "npm run build" in answer.text
    assert served.client.get("/v1/models").status_code == 200


@pytest.mark.parametrize("path", ["/", "/library", "/clip/video_1", "/storyboard/doc_1", "/settings"])
def test_every_page_is_the_studio_under_a_strict_policy(served: Served, dist: Path, path: str) -> None:
    build(dist)
    answer = served.client.get(path)
    assert '<base href="/">' in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"


def test_it_works_below_another_path(tmp_path: Path, dist: Path) -> None:
    build(dist)
    served = Served(tmp_path, root_path="/daybreak")
    assert '<base href="/daybreak/">' in served.client.get("/library").text
    served.client.close()
    served.db.close()


def test_built_files_never_change(served: Served, dist: Path) -> None:
    build(dist)
    answer = served.client.get("/assets/index-abc.js", headers={"accept-encoding": "gzip"})
    assert answer.text.startswith("export const x")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert served.client.get("/theme.js").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    ["/assets/../index.html", "/assets/..%2f..%2fsecret.txt", "/assets/.hidden", "/assets/none.js", "/secret.txt"],
)
def test_nothing_else_is_served(served: Served, dist: Path, path: str) -> None:
    build(dist)
    answer = served.client.get(path)
    assert answer.status_code == 404
    assert "not yours" not in answer.text


def test_the_api_keeps_its_own_refusals(served: Served, dist: Path) -> None:
    build(dist)
    assert served.error(served.client.get("/v1/nothing"), 404)["code"] == "unknown_url"
    assert served.error(served.client.post("/nothing"), 404)["code"] == "unknown_url"


def test_a_window_at_an_unknown_address_sees_the_studio(served: Served, dist: Path) -> None:
    build(dist)
    answer = served.client.get("/nothing", headers={"accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.status_code == 404
    assert '<base href="/">' in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert served.error(served.client.get("/nothing"), 404)["code"] == "unknown_url"


def test_a_key_becomes_a_cookie_that_opens_pictures(served: Served) -> None:
    served.context.open_access = False
    assert served.client.get("/studio/info").json()["signed_in"] is False
    assert served.client.get("/v1/library").status_code == 401
    refused = served.client.post("/studio/session", json={"key": "sk-daybreak-wrong"})
    assert served.error(refused, 401)["code"] == "invalid_api_key"
    _, secret = create_key(served.db, "proj_default", "me", ["videos.read"], served.now)
    cookie = served.client.post("/studio/session", json={"key": secret}).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert served.client.get("/v1/library").status_code == 200
    assert served.client.get("/v1/library", headers={"sec-fetch-site": "cross-site"}).status_code == 401
    assert served.client.get("/studio/info").json()["scopes"] == ["videos.read"]
    served.client.delete("/studio/session")
    assert served.client.get("/v1/library").status_code == 401


def test_the_studios_types_are_those_of_this_server() -> None:
    import importlib.util

    script = Path(__file__).parents[3] / "studio" / "scripts" / "openapi.py"
    spec = importlib.util.spec_from_file_location("studio_openapi", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stale = "studio/openapi.json is stale: run `make studio-types`"
    assert module.TARGET.read_text(encoding="utf-8") == module.document(), stale
