"""Bodies of every encoding, and what is refused of them, through a route that says what it read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Request

from daybreak.server.auth import Principal, requires
from daybreak.server.body import BodyLimits, read_body
from daybreak.server.context import ServerContext
from daybreak.settings import Settings
from serving import Served

LIMITS = BodyLimits(text=2**20, file=3 * 2**20, files=2)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    app = served.client.app
    assert isinstance(app, FastAPI)

    @app.post("/echo")
    async def echo(request: Request, _who: Annotated[Principal, Depends(requires("videos.write"))]) -> dict[str, Any]:
        body = await read_body(request, LIMITS)
        uploads = [
            [name, upload.filename, upload.content_type, upload.bytes, upload.path.read_bytes() == b"x" * upload.bytes]
            for name, upload in body.uploads
        ]
        digests = {name: upload.sha256 for name, upload in body.files.items()}
        return {"encoding": body.encoding, "fields": body.fields, "uploads": uploads, "digests": digests}

    yield served
    served.client.close()
    served.db.close()


def multipart(*parts: tuple[str, bytes], end: bytes = b"--B--\r\n") -> dict[str, Any]:
    """A request of parts, each with its headers after the name."""
    raw = b"".join(
        b"--B\r\nContent-Disposition: form-data; " + head.encode("latin-1") + b"\r\n\r\n" + content + b"\r\n"
        for head, content in parts
    )
    return {"content": raw + end, "headers": {"content-type": "multipart/form-data; boundary=B"}}


def test_json_forms_and_multipart_say_the_same(served: Served) -> None:
    value = {"prompt": "ein Hund läuft", "characters": [{"id": "a"}, {"id": "b"}], "video": {"id": "v"}}
    pairs = {"prompt": value["prompt"], "characters[][id]": ["a", "b"], "video[id]": "v"}
    as_json = served.client.post("/echo", json=value).json()
    as_form = served.client.post("/echo", data=pairs).json()
    parts = [("prompt", value["prompt"]), ("characters[][id]", "a"), ("characters[][id]", "b"), ("video[id]", "v")]
    as_multipart = served.form("/echo", parts).json()
    assert (as_json["encoding"], as_form["encoding"], as_multipart["encoding"]) == ("json", "form", "multipart")
    assert as_json["fields"] == as_form["fields"] == as_multipart["fields"] == value


def test_files_are_spooled_hashed_and_removed(served: Served) -> None:
    large = b"x" * (2 * 2**20 + 17)
    parts = [("video", ("ü.mp4", large, "video/mp4")), ("prompt", "p"), ("video", ("b", b"", "text/plain; x=y"))]
    answer = served.form("/echo", parts).json()
    assert answer["uploads"] == [
        ["video", "ü.mp4", "video/mp4", len(large), True],
        ["video", "b", "text/plain", 0, True],
    ]
    assert answer["digests"] == {"video": hashlib.sha256(large).hexdigest()}
    assert answer["fields"] == {"prompt": "p"}
    assert list(served.settings.incoming_dir.iterdir()) == []


def test_a_json_part_of_a_multipart_is_json(served: Served) -> None:
    answer = served.client.post("/echo", **multipart(('name="a"\r\nContent-Type: application/json', b'{"b": [1]}')))
    assert answer.json()["fields"] == {"a": {"b": [1]}}


def test_an_empty_body_and_curls_default_type(served: Served) -> None:
    assert served.client.post("/echo").json()["encoding"] == "none"
    assert served.client.post("/echo", headers={"content-type": "application/json"}).json()["encoding"] == "none"
    curl = served.client.post(
        "/echo", content=b'{"a": 1}', headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert curl.json() == {"encoding": "json", "fields": {"a": 1}, "uploads": [], "digests": {}}


JSON, FORM = {"content-type": "application/json"}, {"content-type": "application/x-www-form-urlencoded"}
FILE = 'name="f"; filename="f"'
BAD: dict[str, tuple[int, dict[str, Any]]] = {
    "json that is a list": (400, {"content": b"[]", "headers": JSON}),
    "json that is not UTF-8": (400, {"content": b'{"a": "\xff"}', "headers": JSON}),
    "plain text": (415, {"content": b"\xff\xfe\x80", "headers": {"content-type": "text/plain"}}),
    "an unknown encoding": (400, {"content": b"a", "headers": {"content-type": "application/json; charset*=x''%ff"}}),
    "gzip": (415, {"content": b"{}", "headers": {**JSON, "content-encoding": "gzip"}}),
    "a form that is not ASCII": (400, {"content": b"a=\xff", "headers": FORM}),
    "a form that is not UTF-8": (400, {"content": b"a=%ff", "headers": FORM}),
    "a form with NUL": (400, {"content": b"a=%00", "headers": FORM}),
    "a form of many fields": (400, {"content": b"&".join([b"a=1"] * 300), "headers": FORM}),
    "no boundary": (400, {"content": b"--B--", "headers": {"content-type": "multipart/form-data"}}),
    "a long boundary": (
        400,
        {"content": b"x", "headers": {"content-type": f"multipart/form-data; boundary={'B' * 99}"}},
    ),
    "garbage": (400, {"content": b"\xff" * 50, "headers": {"content-type": "multipart/form-data; boundary=B"}}),
    "no end": (400, multipart(('name="a"', b"1"), end=b"")),
    "a part without a name": (400, multipart(("x=y", b"1"))),
    "a name that is not UTF-8": (400, multipart(('name="\xff"', b"1"))),
    "a field that is not UTF-8": (400, multipart(('name="a"', b"\xff\xfe"))),
    "a field with NUL": (400, multipart(('name="a"', b"\0"))),
    "a field that comes twice": (400, multipart(('name="a"', b"1"), ('name="a"', b"2"))),
    "a part of bad json": (400, multipart(('name="a"\r\nContent-Type: application/json', b"NaN"))),
    "a long header": (400, multipart((f'name="a"\r\nX-Y: {"z" * 9000}', b"1"))),
    "a name in a strange encoding": (400, multipart(("name*=nonsense''%ff%fe", b"1"))),
    "many parts": (413, multipart(*[(f'name="a{number}"', b"1") for number in range(300)])),
    "many files": (413, multipart(*[(f'name="f"; filename="{number}"', b"1") for number in range(3)])),
    "a large file": (413, multipart((FILE, b"x" * (3 * 2**20 + 1)))),
    "large text": (413, multipart(*[(f'name="a{number}"', b"x" * 2**19) for number in range(3)])),
    "large json": (413, {"content": b'{"a": "' + b"x" * 2**20 + b'"}', "headers": JSON}),
}


@pytest.mark.parametrize("case", BAD, ids=list(BAD))
def test_a_bad_body_is_refused_in_the_envelope_and_leaves_nothing(served: Served, case: str) -> None:
    status, request = BAD[case]
    served.error(served.client.post("/echo", **request), status)
    incoming = served.settings.incoming_dir
    assert not incoming.is_dir() or list(incoming.iterdir()) == []


def test_what_says_it_is_too_large_is_refused_by_its_length_alone(served: Served) -> None:
    headers = {**JSON, "content-length": str(300 * 2**20)}
    served.error(served.client.post("/echo", content=iter([b"{}"]), headers=headers), 413)


def test_leftovers_of_dead_servers_are_removed(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    context = ServerContext(settings, None, None, None)  # type: ignore[arg-type]
    for name in ("999999999-abc", "nonsense", "1-alive"):
        (settings.incoming_dir / name).mkdir(parents=True)
    mine = context.incoming_folder()
    context.clear_incoming()
    assert {path.name for path in settings.incoming_dir.iterdir()} == {"1-alive"}
    assert not mine.exists()
    context.pool.shutdown()
