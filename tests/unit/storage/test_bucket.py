from __future__ import annotations

from pathlib import Path

import obstore
import pytest

from daybreak.storage import StorageUnavailable, check_storage, open_storage
from daybreak.storage.bucket import ObjectStorage


def test_a_bucket_keeps_the_content_type(s3_url: str) -> None:
    storage = open_storage(s3_url)
    assert isinstance(storage, ObjectStorage)
    storage.put_bytes("a/clip.mp4", b"x", "video/mp4")
    assert obstore.get(storage._store, "a/clip.mp4").attributes["Content-Type"] == "video/mp4"


def test_two_prefixes_of_a_bucket_do_not_see_one_another(s3_url: str) -> None:
    one, other = open_storage(s3_url), open_storage(s3_url.replace("?", "/other?"))
    other.put_bytes("a", b"x", "video/mp4")
    assert one.size("a") is None
    assert list(one.keys("other/")) == ["other/a"]


def test_the_endpoint_may_come_from_the_environment(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url, _, options = s3_url.partition("?")
    monkeypatch.setenv("AWS_ENDPOINT_URL", options.removeprefix("endpoint=").partition("&")[0])
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    check_storage(open_storage(url))


def test_wrong_credentials_are_told_in_one_line(s3_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(StorageUnavailable, match="the object store does not answer as it should") as caught:
        check_storage(open_storage(s3_url))
    assert "\n" not in str(caught.value)


def test_a_server_that_is_away_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setattr("daybreak.storage.bucket.RETRIES", 0)
    storage = open_storage("s3://bucket?endpoint=http://127.0.0.1:1&region=us-east-1")
    (tmp_path / "source").write_bytes(b"x")
    for use in (
        lambda: storage.put_file("a", tmp_path / "source", "video/mp4"),
        lambda: storage.get_file("a", tmp_path / "target"),
        lambda: storage.size("a"),
        lambda: storage.delete("a"),
        lambda: list(storage.keys()),
    ):
        with pytest.raises(StorageUnavailable):
            use()  # type: ignore[no-untyped-call]
