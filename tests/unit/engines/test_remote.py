"""The remote engine against a small Videos API in a thread: real sockets, real files."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from daybreak.catalog import find_model
from daybreak.engines.abilities import abilities_of
from daybreak.engines.remote import Place, RemoteEngine, Unreachable, open_remote
from daybreak.generation import Cancelled, EngineFailed, Unsupported, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.media.encode import encode_video
from daybreak.shapes import VideoSpec
from daybreak.testing import make_clip, make_tone
from daybreak.timeline import Pin, text_to_video

TIMELINE = text_to_video("a dog", VideoSpec(36, 128, 192))  # 1.5 s


class Server(ThreadingHTTPServer):
    """Answers of a Videos API, taken from lists; `seen` has every request."""

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = content
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.creates: list[tuple[int, dict[str, Any]]] = [(200, {"id": "video_1", "status": "queued"})]
        self.polls: list[dict[str, Any]] = [
            {"status": "queued", "progress": 0},
            {"status": "in_progress", "progress": 40},
            {"status": "completed", "progress": 100},
        ]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def asked(self) -> list[str]:
        return [f"{method} {path}" for method, path, _, _ in self.seen]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.seen.append((self.command, self.path, dict(self.headers), body))
        if self.path.endswith("/content"):
            self.answer(200, self.server.content)
        elif self.command == "DELETE":
            self.answer(200, b"{}")
        elif self.command == "POST":
            creates = self.server.creates
            status, plain = creates.pop(0) if len(creates) > 1 else creates[0]
            self.answer(status, json.dumps(plain).encode())
        else:
            polls = self.server.polls
            plain = polls.pop(0) if len(polls) > 1 else polls[0]
            self.answer(plain.get("http", 200), json.dumps(plain).encode())

    do_GET = do_POST = do_DELETE = handle_any  # noqa: N815

    def answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("made") / "video.mp4"
    encode_video(Video(make_clip(48, 128, 192), 24.0, make_tone(2.0)), path)
    return path.read_bytes()


@pytest.fixture
def server(content: bytes) -> Iterator[Server]:
    with Server(content) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def engine(server: Server, **more: Any) -> RemoteEngine:
    place = Place(server.url, "sora-2", **more)
    return RemoteEngine("far", place, frozenset({"image_pin"}), sleep=lambda _seconds: None)


def ignore(done: int, total: int, preview: object = None, state: object = None) -> None:
    """An on_step for who does not watch."""


def test_the_clip_is_asked_for_waited_for_fetched_and_deleted_there(server: Server) -> None:
    steps: list[tuple[int, int]] = []
    video = engine(server, key="sk-there").generate(
        TIMELINE, GenerationSettings(), lambda done, total, *_, **__: steps.append((done, total))
    )
    assert (video.num_frames, video.height, video.width, video.fps) == (48, 128, 192, 24.0)
    assert video.audio is not None
    assert steps == [(0, 100), (40, 100), (100, 100)]
    assert server.asked() == [
        "POST /v1/videos", *["GET /v1/videos/video_1"] * 3,
        "GET /v1/videos/video_1/content", "DELETE /v1/videos/video_1",
    ]  # fmt: skip
    _, _, headers, body = server.seen[0]
    assert headers["Authorization"] == "Bearer sk-there"
    assert json.loads(body) == {"model": "sora-2", "prompt": "a dog", "size": "192x128", "seconds": "2"}


def test_an_image_is_sent_at_exactly_the_size_that_is_asked_for(server: Server, tmp_path: Path) -> None:
    Image.new("RGB", (50, 50), (1, 2, 3)).save(tmp_path / "a.png")
    timeline = text_to_video("a dog", VideoSpec(36, 128, 192), pins=(Pin(str(tmp_path / "a.png")),))
    engine(server, sizes=("720x1280", "1280x720"), seconds=(4, 8)).generate(timeline, GenerationSettings(), ignore)
    _, _, headers, body = server.seen[0]
    assert headers["Content-Type"].startswith("multipart/form-data")
    assert b"1280x720" in body
    width, height = (
        int.from_bytes(body[start : start + 4]) for start in (body.index(b"IHDR") + 4, body.index(b"IHDR") + 8)
    )
    assert (width, height) == (1280, 720)


def test_what_the_other_server_cannot_do_is_refused(server: Server, tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match=r"makes at most 1 s, not 1\.5 s"):
        engine(server, seconds=(1,)).generate(TIMELINE, GenerationSettings(), ignore)
    late = text_to_video("a dog", TIMELINE.spec, pins=(Pin(str(tmp_path / "a.png"), start=1.0),))
    with pytest.raises(Unsupported, match="one image, as the first frame"):
        engine(server).generate(late, GenerationSettings(), ignore)
    assert server.seen == []


def test_a_daybreak_is_told_seed_and_settings(server: Server) -> None:
    engine(server, daybreak=True).generate(TIMELINE, GenerationSettings(7, 12), ignore)
    fields = json.loads(server.seen[0][3])
    assert (fields["seed"], fields["num_inference_steps"]) == (7, 12)
    assert "guidance_scale" not in fields


def test_cancelling_here_cancels_there_and_any_other_end_does_not(server: Server) -> None:
    for failure, deleted in ((Cancelled, True), (KeyboardInterrupt, False)):
        server.seen.clear()

        def stop(done: int, total: int, preview: object = None, state: object = None, *, how: Any = failure) -> None:
            raise how

        with pytest.raises(failure):
            engine(server).generate(TIMELINE, GenerationSettings(), stop)
        assert ("DELETE /v1/videos/video_1" in server.asked()) == deleted


def test_a_state_waits_for_the_same_video(server: Server) -> None:
    states: list[Any] = []
    engine(server).generate(TIMELINE, GenerationSettings(), lambda *_, state, **__: states.append(state()))
    server.seen.clear()
    engine(server).generate(TIMELINE, GenerationSettings(), ignore, states[0])
    assert "POST /v1/videos" not in server.asked()
    # One that is no longer there is asked for again.
    server.polls = [{"http": 404}, {"status": "completed"}]
    engine(server).generate(TIMELINE, GenerationSettings(), ignore, {"video_id": np.frombuffer(b"video_9", np.uint8)})
    assert server.asked()[-5:-3] == ["GET /v1/videos/video_9", "POST /v1/videos"]


def test_a_passing_failure_is_tried_again_with_the_same_key(server: Server) -> None:
    server.creates = [(503, {}), (429, {}), (200, {"id": "video_1"})]
    server.polls = [{"http": 502}, {"status": "completed"}]
    engine(server).generate(TIMELINE, GenerationSettings(), ignore)
    keys = [headers["Idempotency-Key"] for method, _, headers, _ in server.seen if method == "POST"]
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_what_went_wrong_there_is_told_here(server: Server) -> None:
    server.polls = [{"status": "failed", "error": {"code": "moderation_blocked", "message": "No."}}]
    with pytest.raises(EngineFailed, match=r"^No\.$") as failure:
        engine(server).generate(TIMELINE, GenerationSettings(), ignore)
    assert failure.value.code == "moderation_blocked"
    server.creates = [(401, {"error": {"message": "wrong key", "code": "invalid_api_key"}})]
    with pytest.raises(EngineFailed, match=r"127\.0\.0\.1 answered 401: wrong key") as failure:
        engine(server).generate(TIMELINE, GenerationSettings(), ignore)
    assert failure.value.code == "model_unavailable"


def test_a_file_that_is_no_video_is_no_result(server: Server) -> None:
    server.content = b"not a video"
    with pytest.raises(EngineFailed, match="could not be fetched"):
        engine(server).generate(TIMELINE, GenerationSettings(), ignore)


def test_a_server_that_is_not_there_is_unavailable() -> None:
    place = Place("http://127.0.0.1:9/v1", "m")
    with pytest.raises(Unreachable, match="cannot be reached"):
        RemoteEngine("far", place, frozenset(), sleep=lambda _: None).generate(TIMELINE, GenerationSettings(), ignore)


def test_a_card_says_where_a_model_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "far"
    folder.mkdir()
    card = {"engine": "remote", "base_url": "https://elsewhere.test/v1/", "model": "sora-2", "key_env": "FAR_KEY"}
    (folder / "model.json").write_text(json.dumps(card))
    found = find_model("far", tmp_path)
    with pytest.raises(EngineFailed, match="FAR_KEY, the key for 'far', is not set"):
        open_remote(found)
    monkeypatch.setenv("FAR_KEY", "sk-there")
    assert open_remote(found)._place == Place("https://elsewhere.test/v1", "sora-2", "sk-there")
    assert abilities_of(found) == {"image_pin"}
    (folder / "model.json").write_text(json.dumps({**card, "dialect": "daybreak", "abilities": ["steps", "loop"]}))
    assert abilities_of(find_model("far", tmp_path)) == {"steps"}
    (folder / "model.json").write_text(json.dumps({"engine": "remote", "base_url": "file:///etc"}))
    with pytest.raises(EngineFailed, match="no base_url"):
        open_remote(find_model("far", tmp_path))
