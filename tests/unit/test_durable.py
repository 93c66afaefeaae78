from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from daybreak.durable import OutOfSpace, finished_file, make_folders


def test_a_file_has_its_name_when_it_is_finished(tmp_path: Path) -> None:
    with finished_file(tmp_path / "a.mp4") as part:
        part.write_bytes(b"content")
        assert part.parent == tmp_path
        assert not (tmp_path / "a.mp4").exists()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.mp4", b"content")]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), OSError(errno.EIO, "x")])
def test_a_file_that_is_not_finished_leaves_what_was_there(error: BaseException, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"old")

    def write() -> None:
        with finished_file(tmp_path / "a.mp4") as part:
            part.write_bytes(b"half")
            raise error

    with pytest.raises(type(error)):
        write()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.mp4", b"old")]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told(code: int, tmp_path: Path) -> None:
    with pytest.raises(OutOfSpace, match="the disk is full"), finished_file(tmp_path / "a.mp4"):
        raise OSError(code, os.strerror(code))
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_taken_is_kept_when_asked(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(FileExistsError), finished_file(tmp_path / "a", replace=False) as part:
        part.write_bytes(b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]
    with finished_file(tmp_path / "b", replace=False) as part:
        part.write_bytes(b"new")
    assert (tmp_path / "b").read_bytes() == b"new"


def test_a_long_name_is_no_trouble(tmp_path: Path) -> None:
    with finished_file(tmp_path / ("a" * 255)) as part:
        part.write_bytes(b"content")
    assert len(next(tmp_path.iterdir()).name) == 255


def test_folders_are_made_once(tmp_path: Path) -> None:
    make_folders(tmp_path / "a" / "b")
    make_folders(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileExistsError):
        make_folders(tmp_path / "file" / "a")
