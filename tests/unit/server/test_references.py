import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from daybreak.database.assets import get_asset
from daybreak.fetch import FetchPolicy
from daybreak.server.auth import DEFAULT_PROJECT
from daybreak.server.references import Wanted, wanted_of_text
from serving import png, serve


@pytest.fixture(scope="module")
def site():
    """A web server with a picture, a clip, a page, and a way to somewhere else."""
    pages = {"/picture": png(70, 50), "/page": b"<html>"}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.path)
            if self.path == "/elsewhere":
                self.send_response(302)
                self.send_header("location", "http://169.254.169.254/latest")
                self.end_headers()
                return
            content = pages.get(self.path)
            self.send_response(200 if content else 404)
            self.send_header("content-length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_):
            pass

    seen = []
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", pages, seen
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def served(tmp_path_factory, site):
    policy = FetchPolicy(frozenset({site[0].removeprefix("http://")}))
    with serve(tmp_path_factory.mktemp("references"), policy) as served:
        site[1]["/clip"] = served.clip().read_bytes()
        yield served


def pins_of(served, video):
    return served.job(video["id"]).timeline["pins"]


@pytest.mark.parametrize("wrap", [lambda url: {"image_url": url}, lambda url: url], ids=["object", "text"])
def test_a_picture_is_fetched_and_kept(served, site, wrap):
    video = served.post("/v1/videos", {"prompt": "it moves", "input_reference": wrap(f"{site[0]}/picture")})
    (pin,) = pins_of(served, video)
    asset = get_asset(served.db, DEFAULT_PROJECT, pin["media"].removeprefix("asset:"))
    assert (asset.width, asset.height) == (70, 50)
    assert b"".join(served.storage.read(asset.key)) == site[1]["/picture"]


def test_what_is_named_twice_is_fetched_once(served, site):
    site[2].clear()
    url = f"{site[0]}/clip"
    timeline = {"pins": [{"media": url, "end": 1}, {"media": {"url": url}, "start": 2}]}
    pins = pins_of(served, served.post("/v1/videos", {"prompt": "a", "timeline": timeline}))
    assert pins[0]["media"] == pins[1]["media"]
    assert site[2] == ["/clip"]


def test_a_video_at_a_url_is_edited(served, site):
    video = served.post("/v1/videos/edits", {"prompt": "a", "video": {"url": f"{site[0]}/clip"}})
    assert (video["size"], video["seconds"]) == ("96x64", "1")


@pytest.mark.parametrize("path", ["/page", "/nothing", "/elsewhere", "/clip"])
def test_what_is_no_picture_is_told_and_not_kept(served, site, path):
    before = served.stored()
    answer = served.client.post("/v1/videos", json={"prompt": "a", "input_reference": {"image_url": site[0] + path}})
    assert served.error(answer)["param"] == "input_reference"
    assert served.stored() == before


def test_nothing_is_stored_when_a_later_part_is_wrong(served, site):
    before = served.stored()
    timeline = {"pins": [{"media": f"{site[0]}/picture"}, {"media": f"{site[0]}/page"}]}
    answer = served.client.post("/v1/videos", json={"prompt": "a", "timeline": timeline})
    assert served.error(answer)["param"] == "timeline.pins[1].media"
    assert served.stored() == before
    assert list(served.settings.incoming_dir.iterdir()) == []


def test_a_file_part_may_come_once(served):
    picture = ("a.png", png(), "image/png")
    clip = ("a.mp4", served.clip().read_bytes(), "video/mp4")
    for path, name, part, fields in (
        ("/v1/videos", "input_reference", picture, [("prompt", "a")]),
        ("/v1/videos/edits", "video", clip, [("prompt", "a")]),
        ("/v1/videos/extensions", "video", clip, [("prompt", "a")]),
        ("/v1/videos/characters", "video", clip, [("name", "a")]),
    ):
        answer = served.form(path, [*fields, (name, part), (name, part)])
        assert served.error(answer)["message"] == f"Invalid '{name}': expected one file, but got 2."


def test_a_remix_takes_no_file(served):
    source = served.finished(priority=90)
    clip = ("a.mp4", b"x", "video/mp4")
    for way in ("remix", "edits"):
        answer = served.form(f"/v1/videos/{source.id}/{way}", {"prompt": "a", "video": clip})
        assert answer.status_code in (400, 413)


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("https://a.b/c", "url"),
        ("HTTP://a.b", "url"),
        ("data:image/png;base64,AA", "data"),
        ("DATA:,x", "data"),
        ("file-abc", "file"),
        ("video_abc", "video"),
        ("char_abc", "character"),
    ],
)
def test_what_a_text_points_at(text, how):
    assert wanted_of_text(text, "media") == Wanted("media", how, text)


@pytest.mark.parametrize(
    "text", ["", "a.png", "/etc/passwd", "file:///etc/passwd", "../video_1/x", "file-a/b", "asset:1", "video_a b"]
)
def test_what_points_nowhere(text):
    assert wanted_of_text(text, "media") is None
