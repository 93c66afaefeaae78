"""What strangers send: a clear 4xx whatever it is, in bounded memory, and nothing of it is stored."""

from __future__ import annotations

import base64
import socket
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from live_server import LiveServer, until
from official import DRAWN, PROMPT, png
from receiver import Receiver

MB = 2**20
JSON = {"content-type": "application/json"}
FORM = {"content-type": "multipart/form-data; boundary=b"}
PART = b'--b\r\ncontent-disposition: form-data; name="prompt"\r\n\r\n'
BODIES: dict[str, tuple[dict[str, str], bytes]] = {
    "JSON that is not UTF-8": (JSON, b'{"prompt": "\xff\xfe\x80"}'),
    "JSON in UTF-16": (JSON, '{"prompt": "a"}'.encode("utf-16")),
    "JSON cut off": (JSON, b'{"prompt": "a'),
    "not JSON at all": (JSON, b"\x00\x01\x02"),
    "a list": (JSON, b"[1, 2]"),
    "NaN": (JSON, b'{"prompt": "a", "seconds": NaN}'),
    "Infinity": (JSON, b'{"prompt": "a", "guidance_scale": -Infinity}'),
    "a number beyond all numbers": (JSON, b'{"prompt": "a", "seconds": 1e999}'),
    "a number with 5,000 digits": (JSON, b'{"prompt": "a", "seed": ' + b"9" * 5000 + b"}"),
    "half of a surrogate pair": (JSON, b'{"prompt": "\\ud800"}'),
    "a surrogate as a name": (JSON, b'{"prompt": "a", "\\udfff": 1}'),
    "a NUL character": (JSON, b'{"prompt": "\\u0000"}'),
    "200,000 nested lists": (JSON, b'{"prompt": ' + b"[" * 200_000 + b"]" * 200_000 + b"}"),
    "a hundred thousand fields": (JSON, b"{" + b",".join(b'"f%d":1' % i for i in range(100_000)) + b"}"),
    "a form without a boundary": ({"content-type": "multipart/form-data"}, PART + b"a\r\n--b--\r\n"),
    "a form without an end": (FORM, PART + b"a"),
    "a form of noise": (FORM, bytes(range(256)) * 40),
    "a form that is empty": (FORM, b""),
    "a part without a name": (FORM, b"--b\r\ncontent-type: text/plain\r\n\r\na\r\n--b--\r\n"),
    "a part that is not UTF-8": (FORM, PART + b"\xff\xfe\x80\r\n--b--\r\n"),
    "a name that is not UTF-8": (FORM, PART.replace(b"prompt", b"\xff\xfe") + b"a\r\n--b--\r\n"),
    "10,000 parts": (FORM, (PART + b"a\r\n") * 10_000 + b"--b--\r\n"),
    "a field twice": (FORM, (PART + b"a\r\n") * 2 + b"--b--\r\n"),
    "brackets that make no sense": (FORM, PART.replace(b"prompt", b"a[[b]c") + b"a\r\n--b--\r\n"),
    "urlencoded that is not UTF-8": ({"content-type": "application/x-www-form-urlencoded"}, b"prompt=%ff%fe"),
    "plain text": ({"content-type": "text/plain"}, b"\xff\xfe\x80"),
    "a compressed body": ({**JSON, "content-encoding": "gzip"}, b"\x1f\x8b\x08\x00"),
    "nothing": ({}, b""),
}
URLS = (
    "http://127.0.0.1:1/a.png", "http://localhost/a.png", "http://[::1]/a.png", "http://0.0.0.0/a.png",
    "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/a.png", "http://192.168.1.1/a.png",
    "http://172.16.0.1/a.png", "http://100.64.0.1/a.png", "http://[fd00::1]/a.png", "http://[::ffff:127.0.0.1]/a.png",
    "http://[64:ff9b::7f00:1]/a.png", "http://2130706433/a.png", "http://0x7f000001/a.png", "http://127.1/a.png",
    "http://0177.0.0.1/a.png", "http://user:pass@127.0.0.1/a.png", "https://127.0.0.1:22/a.png",
    "http://example.com:22/a.png", "file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/a.png", "http://",
    "http://[", "http://a b/", "http://127.0.0.1%00.example.com/a.png", "data:text/html,hello", "data:;base64,!!!",
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def nothing_is_stored(server: LiveServer, http: httpx2.Client, video_id: str) -> Iterator[None]:
    """Afterwards there is no job and no byte more than before, and not much more memory was used."""
    ids = [video["id"] for video in http.get("/v1/videos?limit=100").json()["data"]]
    assert video_id in ids
    before, memory = stored(server), server.memory()
    yield
    assert [video["id"] for video in http.get("/v1/videos?limit=100").json()["data"]] == ids
    assert stored(server) - before == set()
    incoming = server.folder / "data" / "incoming"
    until(lambda: not incoming.exists() or not [path for path in incoming.rglob("*") if path.is_file()], 20)
    assert server.peak_memory() - memory < 100, "MB more at the worst moment"


def stored(server: LiveServer) -> set[Path]:
    media = server.folder / "data" / "media"
    return {path for path in media.rglob("*") if path.is_file() and "health" not in path.parts}


def refused(answer: httpx2.Response) -> dict[str, Any]:
    """The error of a 4xx whose envelope is whole."""
    assert 400 <= answer.status_code < 500, answer.text
    error: dict[str, Any] = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    return error


@pytest.mark.parametrize("case", BODIES)
@pytest.mark.parametrize("path", ["/v1/videos", "/v1/videos/edits", "/v1/batches"])
def test_a_body_that_makes_no_sense(http: httpx2.Client, case: str, path: str) -> None:
    headers, body = BODIES[case]
    refused(http.post(path, content=body, headers=headers))


def test_a_body_of_300_mb_is_refused_before_it_is_read(server: LiveServer) -> None:
    before = server.memory()
    head = "POST /v1/videos HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    head += f"content-length: {300 * MB}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
        connection.sendall(head.encode())
        answer = b""
        while b"too_large" not in answer and (piece := connection.recv(65_536)):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"too_large" in answer
    assert server.peak_memory() - before < 64


def test_a_body_that_does_not_say_how_long_it_is_stops_at_the_limit(server: LiveServer) -> None:
    before = server.memory()

    def endless() -> Iterator[bytes]:
        yield b'{"prompt": "'
        for _ in range(300):
            yield b"a" * MB
        yield b'"}'

    with httpx2.Client(base_url=server.root, timeout=60) as client:
        try:
            answer = client.post("/v1/videos", content=endless(), headers=JSON)
        except httpx2.TransportError:
            pass  # it stopped listening while we were still talking
        else:
            assert answer.status_code == 413
    assert server.peak_memory() - before < 100


@pytest.mark.parametrize("url", URLS)
def test_urls_that_lead_inside_are_refused(http: httpx2.Client, receiver: Receiver, url: str) -> None:
    error = refused(http.post("/v1/videos", json={"prompt": PROMPT, "input_reference": {"image_url": url}, **DRAWN}))
    assert error["param"].startswith("input_reference")
    refuse_hook(http, url)


def refuse_hook(http: httpx2.Client, url: str) -> None:
    """Webhooks may go to this machine while the server is alone on it, but nowhere else inside."""
    if not any(own in url for own in ("127.0.0.1", "localhost", "[::1]")):
        hook = {"name": "a", "url": url, "event_types": ["video.failed"]}
        assert refused(http.post("/v1/webhook_endpoints", json=hook))["param"] == "url"


def bomb(side: int) -> bytes:
    """A PNG of `side` squared black pixels, which take next to nothing."""
    packed = zlib.compressobj(9)
    row = bytes(1 + 3 * side)
    data = b"".join([*(packed.compress(row) for _ in range(side)), packed.flush()])

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


IMAGES = {
    "a bomb of 9,000 pixels a side": bomb(9000),
    "cut off": png(96, 64)[: len(png(96, 64)) // 2],
    "a head alone": png(96, 64)[:30],
    "noise": bytes(range(256)) * 20,
    "empty": b"",
    "a text": b"#!/bin/sh\nexit 1\n",
    "a page": b"<html><script>alert(1)</script></html>",
    "an SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
}


@pytest.mark.parametrize("case", IMAGES)
def test_images_that_are_none(http: httpx2.Client, case: str) -> None:
    file = {"input_reference": ("dog.png", IMAGES[case], "image/png")}
    error = refused(http.post("/v1/videos", data={"prompt": PROMPT, **DRAWN}, files=file))
    assert error["param"] == "input_reference"
    url = "data:image/png;base64," + base64.b64encode(IMAGES[case]).decode()
    refused(http.post("/v1/videos", json={"prompt": PROMPT, "input_reference": {"image_url": url}, **DRAWN}))


@pytest.mark.parametrize("case", ["cut off", "a head alone", "noise", "empty", "a playlist", "an image"])
def test_videos_that_are_none(http: httpx2.Client, clip: Path, case: str) -> None:
    whole = clip.read_bytes()
    content = {
        "cut off": whole[: len(whole) // 2],
        "a head alone": whole[:40],
        "noise": bytes(range(256)) * 200,
        "empty": b"",
        "a playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        "an image": png(96, 64),
    }[case]
    for path, fields in (
        ("/v1/videos/edits", {"prompt": PROMPT, "model": "tiny"}),
        ("/v1/videos/extensions", {"prompt": PROMPT, "model": "tiny", "seconds": "0.5"}),
        ("/v1/videos/characters", {"name": "Mossy"}),
    ):
        error = refused(http.post(path, data=fields, files={"video": ("clip.mp4", content, "video/mp4")}))
        assert error["param"] == "video"


@pytest.mark.parametrize(
    "name", ["..%2f..%2f..%2fetc%2fpasswd", "video_..%2f..", "%2e%2e", "%00", "%ff%fe", "a" * 5000, "<script>"]
)
@pytest.mark.parametrize("path", ["/v1/videos/{}", "/v1/videos/{}/content", "/v1/files/{}/content", "/v1/models/{}"])
def test_ids_are_never_paths(http: httpx2.Client, path: str, name: str) -> None:
    answer = http.get(path.format(name))
    assert answer.status_code in (400, 404)
    assert "root:" not in answer.text
