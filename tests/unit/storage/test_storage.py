"""What holds for every storage: a folder, memory, and a real S3 server."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from daybreak.storage import (
    Damaged,
    FileStorage,
    Missing,
    Storage,
    StorageUnavailable,
    Stored,
    check_object,
    check_storage,
    open_storage,
)
from daybreak.storage.bucket import MOST_AT_ONCE

KEY = "videos/video_0a/1/video.mp4"
CONTENT = bytes(range(256)) * 2000


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def collected(storage: Storage, start: int = 0, end: int | None = None) -> bytes:
    return b"".join(storage.read(KEY, start, end))


@pytest.mark.parametrize("content", [b"", b"x", CONTENT], ids=len)
def test_what_is_put_comes_back(storage: Storage, content: bytes, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(content)
    target.write_bytes(b"something else, and longer than what replaces it")
    stored = storage.put_file(KEY, source, "video/mp4")
    assert stored == storage.put_bytes(KEY, content, "video/mp4") == Stored(KEY, len(content), sha256(content))
    assert storage.size(KEY) == len(content)
    assert collected(storage) == content
    storage.get_file(KEY, target, stored.sha256)
    assert target.read_bytes() == content
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["source", "target"]


def test_a_large_file_goes_in_parts_and_comes_back_whole(storage: Storage, tmp_path: Path) -> None:
    content = np.random.default_rng(0).bytes(MOST_AT_ONCE + 12_345)
    (tmp_path / "source").write_bytes(content)
    stored = storage.put_file(KEY, tmp_path / "source", "video/mp4")
    assert stored == Stored(KEY, len(content), sha256(content))
    storage.get_file(KEY, tmp_path / "target", stored.sha256)
    assert (tmp_path / "target").read_bytes() == content
    with pytest.raises(FileExistsError):
        storage.put_file(KEY, tmp_path / "source", "video/mp4", replace=False)


@pytest.mark.parametrize(
    ("start", "end"), [(0, None), (0, 1), (1, 2), (5, 300_000), (511_999, None), (511_999, 512_000), (7, 7), (0, 0)]
)
def test_a_piece_is_exactly_what_was_asked_for(storage: Storage, start: int, end: int | None) -> None:
    storage.put_bytes(KEY, CONTENT, "video/mp4")
    assert collected(storage, start, end) == CONTENT[start:end]


@pytest.mark.parametrize(("start", "end"), [(0, 512_001), (511_999, 512_001), (512_000, 512_001), (600_000, 600_001)])
def test_an_object_that_is_too_short_is_damaged_not_quietly_shorter(storage: Storage, start: int, end: int) -> None:
    storage.put_bytes(KEY, CONTENT, "video/mp4")
    with pytest.raises(Damaged, match="too early"):
        collected(storage, start, end)


def test_another_objects_bytes_are_not_taken_for_this_ones(storage: Storage, tmp_path: Path) -> None:
    storage.put_bytes(KEY, CONTENT, "video/mp4")
    for index in (0, 1000, len(CONTENT) - 1):
        flipped = bytearray(CONTENT)
        flipped[index] ^= 1
        storage.put_bytes(KEY, bytes(flipped), "video/mp4")
        with pytest.raises(Damaged, match="is not what was stored"):
            storage.get_file(KEY, tmp_path / "target", sha256(CONTENT))
        with pytest.raises(Damaged, match="is not what was stored"):
            check_object(storage, KEY, sha256(CONTENT))
        check_object(storage, KEY, sha256(bytes(flipped)))
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def test_what_is_not_there_is_missing(storage: Storage, tmp_path: Path) -> None:
    storage.put_bytes(KEY, b"x", "video/mp4")
    for key in ("nothing", "videos", "videos/video_0a", f"{KEY}/more"):
        assert storage.size(key) is None
        assert storage.local_path(key) is None
        with pytest.raises(Missing):
            storage.read(key)  # at once, not when the first piece is taken
        with pytest.raises(Missing):
            storage.get_file(key, tmp_path / "target")
        storage.delete(key)
    assert storage.size(KEY) == 1
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def test_what_is_deleted_is_gone(storage: Storage) -> None:
    storage.put_bytes(KEY, b"x", "video/mp4")
    storage.delete(KEY)
    assert storage.size(KEY) is None
    assert list(storage.keys()) == []
    storage.put_bytes(KEY, b"again", "video/mp4")
    assert collected(storage) == b"again"


def test_an_object_is_replaced_only_when_it_may_be(storage: Storage) -> None:
    storage.put_bytes(KEY, b"first", "video/mp4", replace=False)
    with pytest.raises(FileExistsError):
        storage.put_bytes(KEY, b"second", "video/mp4", replace=False)
    assert collected(storage) == b"first"
    storage.put_bytes(KEY, b"third", "video/mp4")
    assert collected(storage) == b"third"


def test_keys_are_found_by_how_they_start(storage: Storage) -> None:
    keys = {"videos/a/1/v.mp4", "videos/a/2/v.mp4", "videos/ab/1/v.mp4", "files/a", "video"}
    for key in keys:
        storage.put_bytes(key, b"x", "video/mp4")
    for prefix in ("", "v", "video", "videos/", "videos/a", "videos/a/", "videos/a/2", "files/", "none/", "nothing"):
        found = list(storage.keys(prefix))
        assert set(found) == {key for key in keys if key.startswith(prefix)}, prefix
        assert len(found) == len(set(found))


HOSTILE = ["", "/", "/etc/passwd", "../a", "a/../b", "a/..", "a//b", "a/", "./a", "a/./b", ".a", "a/.b", "a\\b", "a b"]
HOSTILE += ["A", "ä", "a\0b", "a\n", "\na", "a%2fb", "a:b", "a?b", "*", "~", "a..b", "a/" * 128 + "a", "con\u202e"]


@pytest.mark.parametrize("key", HOSTILE)
def test_a_key_that_daybreak_would_not_make_is_refused(key: str, tmp_path: Path) -> None:
    for storage in (FileStorage(tmp_path / "stored"), open_storage("memory://")):
        for use in (storage.read, storage.size, storage.local_path, storage.delete):
            with pytest.raises(ValueError, match="not a storage key"):
                use(key)  # type: ignore[operator]
        with pytest.raises(ValueError, match="not a storage key"):
            storage.put_bytes(key, b"x", "video/mp4")
    assert not list((tmp_path / "stored").iterdir())


def test_a_storage_that_works_is_told_from_one_that_does_not(storage: Storage) -> None:
    check_storage(storage)
    assert list(storage.keys()) == []


@pytest.mark.parametrize("url", ["ftp://a/b", "file://host/a", "s3://", "s3://key:secret@bucket", "http://a", "x://"])
def test_a_url_of_no_storage_is_refused_with_what_to_use(url: str) -> None:
    with pytest.raises(ValueError, match="no storage is at that URL: use a folder") as caught:
        open_storage(url)
    assert "secret@" not in str(caught.value)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(ValueError, match="no option access_key, secret"):
        open_storage("s3://bucket?secret=x&access_key=y&endpoint=http://127.0.0.1:1")


def test_a_folder_is_named_by_its_path_or_its_url(tmp_path: Path) -> None:
    for url in (str(tmp_path / "a b"), f"file://{tmp_path}/a%20b"):
        storage = open_storage(url)
        assert isinstance(storage, FileStorage)
        assert storage.root == tmp_path / "a b"


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageUnavailable, match=r"file/below cannot be used: "):
        open_storage(str(tmp_path / "file" / "below"))
