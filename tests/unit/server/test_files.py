"""The Files API, through the official SDK."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from daybreak.database.assets import get_asset
from daybreak.server import files
from daybreak.server.auth import DEFAULT_PROJECT
from daybreak.server.background import expire
from serving import Served, png


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.client.close()
    served.db.close()


@pytest.fixture
def sdk(served: Served) -> openai.OpenAI:
    return openai.OpenAI(api_key="none", base_url="http://localhost/v1", http_client=served.client, max_retries=0)


def test_a_file_comes_back_as_it_was(served: Served, sdk: openai.OpenAI) -> None:
    made = sdk.files.create(file=("cat.png", png()), purpose="vision")
    assert made.model_dump(exclude={"id"}) == {
        "object": "file",
        "bytes": len(png()),
        "created_at": int(served.now),
        "expires_at": None,
        "filename": "cat.png",
        "purpose": "vision",
        "status": "processed",
        "status_details": None,
    }
    assert made.id.startswith("file-")
    assert sdk.files.retrieve(made.id) == made
    assert sdk.files.content(made.id).content == png()
    part = served.client.get(f"/v1/files/{made.id}/content", headers={"range": "bytes=1-3"})
    assert (part.status_code, part.content) == (206, b"PNG")
    head = served.client.head(f"/v1/files/{made.id}/content")
    assert (head.headers["content-type"], head.headers["content-length"]) == ("image/png", str(len(png())))


def test_bytes_decide_what_a_file_is_and_its_name_is_never_a_path(served: Served, sdk: openai.OpenAI) -> None:
    made = sdk.files.create(file=("..\\..\\etc/passwd", b"<script>", "text/html"), purpose="user_data")
    assert made.filename == "passwd"
    answer = served.client.get(f"/v1/files/{made.id}/content")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert all(key.startswith("files/") for key in served.stored())


def test_a_picture_can_be_the_first_frame_and_outlives_its_file(served: Served, sdk: openai.OpenAI) -> None:
    made = sdk.files.create(file=("cat.png", png()), purpose="user_data")
    body = {"prompt": "it moves", "input_reference": {"file_id": made.id}, "seconds": 1, "size": "64x64"}
    video = served.post("/v1/videos", body)
    assert sdk.files.delete(made.id).model_dump() == {"id": made.id, "object": "file", "deleted": True}
    served.now += 7200
    expire(served.context)
    [pin] = served.job(video["id"]).timeline["pins"]
    asset = get_asset(served.db, DEFAULT_PROJECT, pin["media"].removeprefix("asset:"))
    assert asset is not None
    assert b"".join(served.storage.read(asset.key)) == png()


def test_a_deleted_file_is_gone_with_its_bytes(served: Served, sdk: openai.OpenAI) -> None:
    made = sdk.files.create(file=("notes.txt", b"hello"), purpose="assistants")
    sdk.files.delete(made.id)
    for ask in (sdk.files.retrieve, sdk.files.content, sdk.files.delete):
        with pytest.raises(openai.NotFoundError):
            ask(made.id)
    assert sdk.files.list().data == []
    expire(served.context)
    assert served.stored() == []


def test_a_file_goes_when_its_time_has_come(served: Served, sdk: openai.OpenAI) -> None:
    made = sdk.files.create(
        file=("a.jsonl", b"{}"), purpose="batch", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    kept = sdk.files.create(file=("b.jsonl", b"{}"), purpose="batch")
    assert made.expires_at == int(served.now) + 3600
    served.now += 3599
    sdk.files.retrieve(made.id)
    served.now += 1
    with pytest.raises(openai.NotFoundError):
        sdk.files.retrieve(made.id)
    expire(served.context)
    assert [file.id for file in sdk.files.list()] == [kept.id]
    assert len(served.stored()) == 1


def test_files_are_listed_in_pages_by_purpose_and_order(served: Served, sdk: openai.OpenAI) -> None:
    ids = [
        sdk.files.create(file=("f", b"x"), purpose=purpose).id  # type: ignore[arg-type]
        for purpose in ("vision", "batch", "vision", "user_data", "vision")
    ]
    assert [file.id for file in sdk.files.list(limit=2)] == ids[::-1]
    assert [file.id for file in sdk.files.list(order="asc", limit=2)] == ids
    assert [file.id for file in sdk.files.list(purpose="vision", limit=1)] == [ids[4], ids[2], ids[0]]
    first = served.client.get("/v1/files?limit=2").json()
    assert (first["first_id"], first["last_id"], first["has_more"]) == (ids[4], ids[3], True)
    sdk.files.delete(ids[3])
    assert [file.id for file in sdk.files.list(after=ids[3])] == [ids[2], ids[1], ids[0]]


@pytest.mark.parametrize(
    ("fields", "param", "status"),
    [
        ({"purpose": "vision"}, "file", 400),
        ({"file": ("f", b"x", "")}, "purpose", 400),
        ({"file": ("f", b"x", ""), "purpose": "secrets"}, "purpose", 400),
        ({"file": ("f", b"", ""), "purpose": "vision"}, "file", 400),
        ({"file": "text", "purpose": "vision"}, "file", 400),
        (
            {"file": ("f", b"x", ""), "purpose": "vision", "expires_after[anchor]": "created_at"},
            "expires_after.seconds",
            400,
        ),
        (
            {
                "file": ("f", b"x", ""),
                "purpose": "vision",
                "expires_after[anchor]": "now",
                "expires_after[seconds]": 3600,
            },
            "expires_after.anchor",
            400,
        ),
        ({"file": ("f", b"x", ""), "purpose": "vision", "colour": "red"}, "colour", 400),
    ],
)
def test_what_an_upload_refuses(served: Served, fields: dict[str, object], param: str, status: int) -> None:
    assert served.error(served.form("/v1/files", fields), status)["param"] == param
    assert served.stored() == []


def test_a_batch_file_has_its_own_limit(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BATCH_BYTES", 10)
    answer = served.form("/v1/files", {"purpose": "batch", "file": ("f", b"x" * 11, "")})
    assert served.error(answer, 413)["code"] == "too_large"
    assert served.form("/v1/files", {"purpose": "vision", "file": ("f", b"x" * 11, "")}).status_code == 200


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=10001", "order=up", "purpose=mine", "after=file-none", "after=%00"]
)
def test_what_a_list_refuses(served: Served, query: str) -> None:
    assert served.error(served.client.get(f"/v1/files?{query}"))["param"] == query.partition("=")[0]
