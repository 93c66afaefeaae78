"""What a folder promises beyond what every storage does: order of writes, faults at each of them, kills, races."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from daybreak import durable
from daybreak.durable import OutOfSpace
from daybreak.storage import FileStorage, Missing, open_storage

KEY = "videos/video_0a/1/video.mp4"


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


class Tape:
    """The system calls that matter for durability, in order, each able to fail.

    `fail` is the number of the call that fails (from 0) with `error`.
    """

    def __init__(self, patch: pytest.MonkeyPatch, fail: int | None = None, error: int = errno.EIO) -> None:
        self.calls: list[tuple[str, str]] = []
        self.failed: tuple[str, str] | None = None
        self._fail, self._error = fail, error
        for name in ("fsync", "replace", "link"):
            patch.setattr(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name: str, real: Any) -> Any:
        def call(*arguments: Any, **keywords: Any) -> Any:
            first = arguments[0]
            path = Path(f"/proc/self/fd/{first}").readlink() if isinstance(first, int) else Path(first)
            self.calls.append((name, path.name))
            if len(self.calls) - 1 == self._fail:
                self.failed = self.calls[-1]
                raise OSError(self._error, os.strerror(self._error))
            return real(*arguments, **keywords)

        return call


@pytest.mark.parametrize("replace", [True, False])
def test_the_bytes_are_on_disk_before_the_name_and_the_name_before_the_answer(
    replace: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = FileStorage(tmp_path / "stored")
    tape = Tape(monkeypatch)
    storage.put_bytes("a/b/clip.mp4", b"content", "video/mp4", replace=replace)
    (written, part), (named, renamed), *folders = tape.calls
    assert (written, named) == ("fsync", "replace" if replace else "link")
    assert folders == [("fsync", "b"), ("fsync", "a"), ("fsync", "stored")]  # new folders are on disk too
    assert part == renamed
    assert part.startswith(".clip.mp4.")
    assert part.endswith(".part")


def outcome(storage: FileStorage) -> type[Exception] | None:
    """What a put raised."""
    try:
        storage.put_bytes(KEY, b"new", "video/mp4")
    except (OSError, OutOfSpace) as error:
        return type(error)
    return None


@pytest.mark.parametrize("replaced", [None, b"old"])
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_fault_at_any_point_leaves_the_old_or_the_new_and_is_told(
    replaced: bytes | None, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = FileStorage(tmp_path / "stored")
    if replaced is not None:
        storage.put_bytes(KEY, replaced, "video/mp4")
    survived = 0
    for fault in range(20):
        with monkeypatch.context() as patch:
            tape = Tape(patch, fault, code)
            told = outcome(storage)
        if tape.failed is None:
            break
        assert told is (OSError if code == errno.EIO else OutOfSpace)
        # A file whose fsync failed is never synced again: the system may have dropped its bytes meanwhile.
        parts = [name for call, name in tape.calls if call == "fsync" and name.endswith(".part")]
        assert len(parts) == len(set(parts)) == 1
        assert files(storage.root) in ([], [KEY])
        if files(storage.root):
            assert b"".join(storage.read(KEY)) in (replaced, b"new")
            survived += 1
    assert told is None
    assert b"".join(storage.read(KEY)) == b"new"
    assert fault >= 3
    assert survived >= 1


FILL = """
import resource, sys
from pathlib import Path
from daybreak.durable import OutOfSpace
from daybreak.storage import open_storage
storage, source, limit = open_storage(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
put = lambda: storage.put_file("a/b", source, "video/mp4")
get = lambda: storage.get_file("kept", source.with_name("c"))
for use in (put, get):
    try:
        use()
    except OutOfSpace as error:
        print(error)
"""


@pytest.mark.parametrize("limit", [0, 70_000, 200_000])
def test_a_disk_that_fills_up_is_told_and_nothing_is_left(limit: int, tmp_path: Path) -> None:
    """A limit on the file's size makes the write itself fail, as a full disk does, at different points."""
    (tmp_path / "source").write_bytes(bytes(300_000))
    storage = FileStorage(tmp_path / "stored")
    storage.put_file("kept", tmp_path / "source", "video/mp4")
    command = [sys.executable, "-c", FILL, str(tmp_path / "stored"), str(tmp_path / "source"), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.count("the disk is full: ") == 2
    assert files(tmp_path) == ["source", "stored/kept"]


WRITE = """
import hashlib, os, sys
from daybreak.storage import open_storage
storage = open_storage(sys.argv[1])
print("ready", flush=True)
for number in range(10**9):
    content = os.urandom(200_000 + number % 7)
    storage.put_bytes(f"a/{number % 3}/{hashlib.sha256(content).hexdigest()}", content, "video/mp4")
    print(hashlib.sha256(content).hexdigest(), flush=True)
"""


def test_a_writer_that_is_killed_leaves_whole_objects_and_what_it_acknowledged(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path / "stored")
    acknowledged: list[str] = []
    for round_number in range(4):
        command = [sys.executable, "-c", WRITE, str(storage.root)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(0.02 + 0.013 * round_number)
        writer.send_signal(signal.SIGKILL)
        acknowledged += [line.strip() for line in writer.stdout if line.endswith("\n")]
        writer.wait()
        writer.stdout.close()
    stored = {key.rpartition("/")[2]: key for key in storage.keys("a/")}
    assert set(acknowledged) <= set(stored)
    for digest, key in stored.items():
        assert hashlib.sha256(b"".join(storage.read(key))).hexdigest() == digest
    storage.sweep(time.time() + 1)
    assert files(storage.root) == sorted(stored.values())


def test_sweeping_takes_old_unfinished_files_only(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path / "stored")
    storage.put_bytes(KEY, b"x", "video/mp4")
    folder = storage.root / "videos"
    for name, age in ((".a.mp4.00.part", 7200), (".b.mp4.00.part", 60), ("c.part", 7200)):
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (time.time() - age,) * 2)
    assert storage.sweep(time.time() - 3600) == 1
    assert files(storage.root) == ["videos/.b.mp4.00.part", "videos/c.part", KEY]
    assert set(storage.keys("")) == {"videos/c.part", KEY}


def test_a_reader_gets_all_of_an_object_that_is_deleted_meanwhile(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path / "stored")
    content = os.urandom(500_000)
    storage.put_bytes(KEY, content, "video/mp4")
    pieces = storage.read(KEY, 0, len(content))
    first = next(pieces)
    storage.delete(KEY)
    assert first + b"".join(pieces) == content
    with pytest.raises(Missing):
        storage.read(KEY)


def test_deleting_takes_empty_folders_and_no_others(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path / "stored")
    for key in ("a/b/c/d", "a/e"):
        storage.put_bytes(key, b"x", "video/mp4")
    storage.delete("a/b/c/d")
    assert sorted(path.name for path in storage.root.rglob("*")) == ["a", "e"]
    storage.delete("a/e")
    assert list(storage.root.iterdir()) == []


def test_folders_may_vanish_while_an_object_is_being_put(tmp_path: Path) -> None:
    """One thread deletes what makes the folder empty, while others put objects into the same folder."""
    storage = open_storage(str(tmp_path / "stored"))
    errors: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for _ in range(100):
                storage.put_bytes(f"a/b/{name}", name.encode(), "video/mp4")
                assert b"".join(storage.read(f"a/b/{name}")) == name.encode()
                storage.delete(f"a/b/{name}")
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "xyz"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert files(tmp_path) == []


def test_an_objects_file_is_found_for_sending(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path / "stored")
    storage.put_bytes(KEY, b"x", "video/mp4")
    path = storage.local_path(KEY)
    assert path is not None
    assert path.read_bytes() == b"x"


def test_what_is_not_a_full_disk_keeps_its_own_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="broken"), durable.full_disk_told(tmp_path):
        raise OSError(errno.EIO, "broken")
