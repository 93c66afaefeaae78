"""The bytes of videos: whole, in parts, under conditions, and never damaged ones."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import pytest

from daybreak.database.assets import job_assets
from daybreak.jobs.job import Job, JobError
from daybreak.server.auth import DEFAULT_PROJECT
from serving import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("content"))
    yield served
    served.client.close()
    served.db.close()


@pytest.fixture(scope="module")
def job(served: Served) -> Job:
    return served.finished()


@pytest.fixture(scope="module")
def whole(served: Served, job: Job) -> bytes:
    return b"".join(served.storage.read(asset_of(served, job).key))


def asset_of(served: Served, job: Job) -> Any:
    return job_assets(served.db, DEFAULT_PROJECT, job.id)["video"]


def get(served: Served, job: Job, method: str = "GET", **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return served.client.request(method, f"/v1/videos/{job.id}/content", headers=named)


def test_the_whole_file(served: Served, job: Job, whole: bytes) -> None:
    answer = get(served, job, accept="application/binary")
    assert (answer.status_code, answer.content) == (200, whole)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == str(len(whole))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["etag"] == f'"{hashlib.sha256(whole).hexdigest()}"'
    assert answer.headers["content-disposition"] == f'inline; filename="{job.id}.mp4"'


def test_head_has_the_headers_alone(served: Served, job: Job, whole: bytes) -> None:
    head, answer = get(served, job, "HEAD", range="bytes=0-1"), get(served, job)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-type", "content-length", "etag", "last-modified", "accept-ranges"):
        assert head.headers[name] == answer.headers[name]


def test_one_range(served: Served, job: Job, whole: bytes) -> None:
    size = len(whole)
    for header, start, end in (
        ("bytes=0-99", 0, 100), ("bytes=100-", 100, size), ("bytes=-7", size - 7, size), ("bytes=0-0,99999999-", 0, 1),
    ):  # fmt: skip
        part = get(served, job, range=header)
        assert (part.status_code, part.content) == (206, whole[start:end])
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        assert part.headers["content-length"] == str(end - start)


def test_several_ranges(served: Served, job: Job, whole: bytes) -> None:
    answer = get(served, job, range="bytes=0-9, 20-29")
    assert answer.status_code == 206
    kind, _, boundary = answer.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/byteranges"
    assert answer.headers["content-length"] == str(len(answer.content))
    parts = answer.content.split(b"\r\n--" + boundary.encode())
    assert (parts[0], parts[-1]) == (b"", b"--\r\n")
    found = [
        re.fullmatch(rb"\r\nContent-Type: video/mp4\r\nContent-Range: bytes (\S+)\r\n\r\n(.*)", p, re.S)
        for p in parts[1:-1]
    ]
    size = b"/%d" % len(whole)
    assert [match and match.groups() for match in found] == [
        (b"0-9" + size, whole[:10]),
        (b"20-29" + size, whole[20:30]),
    ]


def test_a_range_beyond_the_end_is_416_with_the_size(served: Served, job: Job, whole: bytes) -> None:
    answer = get(served, job, range="bytes=99999999-")
    assert served.error(answer, 416)["code"] == "range_not_satisfiable"
    assert answer.headers["content-range"] == f"bytes */{len(whole)}"


def test_a_client_that_has_it_gets_nothing(served: Served, job: Job) -> None:
    etag = get(served, job, "HEAD").headers["etag"]
    known = get(served, job, if_none_match=etag)
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", etag)
    assert get(served, job, range="bytes=0-1", if_range=etag).status_code == 206
    assert get(served, job, range="bytes=0-1", if_range='"old"').status_code == 200
    assert get(served, job, if_match='"old"').status_code == 412


def test_a_download_in_many_pieces_is_the_file(served: Served, job: Job, whole: bytes) -> None:
    got = b""
    while len(got) < len(whole):
        got += get(served, job, range=f"bytes={len(got)}-{len(got) + 4999}").content
    assert got == whole


def test_variants(served: Served, job: Job) -> None:
    wrong = served.error(served.client.get(f"/v1/videos/{job.id}/content?variant=gif"))
    assert wrong["param"] == "variant"
    assert wrong["message"] == "Invalid value: 'gif'. Supported values are: 'video', 'thumbnail', and 'spritesheet'."
    served.error(served.client.get(f"/v1/videos/{job.id}/content?variant=thumbnail"), 404)  # serving.py makes none


def test_before_the_end_there_is_no_content_and_no_reason_to_retry(served: Served) -> None:
    video = served.post("/v1/videos", {"prompt": "later", "seconds": 1, "size": "96x64"})
    answer = served.client.get(f"/v1/videos/{video['id']}/content")
    assert served.error(answer)["code"] == "video_not_ready"
    assert answer.headers["x-should-retry"] == "false"
    served.finish(error=JobError("internal_error", "no"))
    assert served.error(served.client.get(f"/v1/videos/{video['id']}/content"))["code"] == "video_failed"


@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_damaged_bytes_are_never_sent(served: Served, damage: str) -> None:
    job = served.finished(f"to be damaged: {damage}")
    path = served.storage.local_path(asset_of(served, job).key)
    assert path is not None
    content = bytearray(path.read_bytes())
    path.unlink()
    if damage == "flip":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif damage == "cut":
        path.write_bytes(content[:-1])
    for headers in ({}, {"range": "bytes=0-9"}):
        assert served.error(get(served, job, **headers), 410)["code"] == "content_lost"
