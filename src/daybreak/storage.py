"""Where the bytes are: whole objects under keys that Daybreak makes, in a folder, in memory or in an S3 bucket.

An object that was put is on disk (or in the bucket) when `put_…` returns, whole, or is not there at all. Nothing that a
client sends ever becomes a key.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from daybreak.durable import PART, finish, full_disk_told, make_folders, part_name, sync_folder

PIECE = 128 * 2**10  # bytes that are read or written at a time
_KEY = re.compile(r"[a-z0-9_-][a-z0-9_.-]*(/[a-z0-9_-][a-z0-9_.-]*)*")
_KEY_LENGTH = 255  # characters: the width of the database's column


class Missing(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """There is no object under a key."""


class Damaged(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """An object's bytes are not those that were put."""


class StorageUnavailable(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """The place where bytes are kept cannot be used at the moment; its message says why."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object that is safely stored: its size in bytes, and the SHA-256 of what was put, hex."""

    key: str
    bytes: int
    sha256: str


class Storage(Protocol):
    """Objects under keys. Every method raises ValueError for a key that Daybreak would not make."""

    def put_file(self, key: str, path: Path, content_type: str, *, replace: bool = True) -> Stored:
        """The object, made of a file's bytes. Raises OutOfSpace, FileExistsError when it may not replace another."""
        ...

    def put_bytes(self, key: str, content: bytes, content_type: str, *, replace: bool = True) -> Stored:
        """The object, made of bytes. Raises as `put_file` does."""
        ...

    def get_file(self, key: str, path: Path, sha256: str | None = None) -> None:
        """Leaves the object in a file, replacing it in one step. Raises Missing, Damaged, OutOfSpace."""
        ...

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Pieces of the bytes from `start` to `end`. Raises Missing at once, Damaged when it ends before `end`."""
        ...

    def size(self, key: str) -> int | None:
        """Its size in bytes; None when there is none."""
        ...

    def local_path(self, key: str) -> Path | None:
        """The file that holds the object, where it is one; it is read only."""
        ...

    def delete(self, key: str) -> None:
        """Returns when there is no object under the key, on disk too."""
        ...

    def keys(self, prefix: str = "") -> Iterator[str]:
        """The keys that start with `prefix`, in no order."""
        ...

    def sweep(self, before: float) -> int:
        """The number of unfinished files, last written before a Unix time, that were removed."""
        ...


def open_storage(url: str) -> Storage:
    """The storage at a folder's path, `file:///…`, `memory://` or `s3://bucket/prefix?endpoint=…`.

    Raises ValueError for another kind of URL.
    """
    if "://" not in url:
        return FileStorage(Path(url))
    scheme, _, rest = url.partition("://")
    if scheme == "file" and rest.startswith("/"):
        return FileStorage(Path(rest))
    raise ValueError(f"no storage is at {scheme}://: use a folder, file:///FOLDER, s3://BUCKET/PREFIX or memory://")


def check_key(key: str) -> str:
    """The key. Raises ValueError unless it is one that Daybreak makes."""
    if len(key) > _KEY_LENGTH or not _KEY.fullmatch(key) or ".." in key:
        raise ValueError(f"not a storage key: {key[:80]!r}")
    return key


class FileStorage:
    """Objects as files below a folder, each written by the durable protocol of `daybreak.durable`."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        make_folders(self.root)

    # A folder has no place for the content type: the database keeps it.
    def put_file(self, key: str, path: Path, content_type: str, *, replace: bool = True) -> Stored:  # noqa: ARG002
        with path.open("rb") as source:
            return self._put(key, iter(lambda: source.read(PIECE), b""), replace)

    def put_bytes(self, key: str, content: bytes, content_type: str, *, replace: bool = True) -> Stored:  # noqa: ARG002
        return self._put(key, iter((content,)), replace)

    def get_file(self, key: str, path: Path, sha256: str | None = None) -> None:
        _collect(self.read(key), key, path, sha256)

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        try:
            source = self._path(key).open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise Missing(key) from error
        return _pieces(source, key, start, end)

    def size(self, key: str) -> int | None:
        path = self._path(key)
        return path.stat().st_size if path.is_file() else None

    def local_path(self, key: str) -> Path | None:
        path = self._path(key)
        return path if path.is_file() else None

    def delete(self, key: str) -> None:
        path = self._path(key)
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
            sync_folder(path.parent)
        for folder in path.parents:
            if folder == self.root:
                break
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:
                break  # something is in it

    def keys(self, prefix: str = "") -> Iterator[str]:
        for path in self._files():
            key = path.relative_to(self.root).as_posix()
            if key.startswith(prefix) and _KEY.fullmatch(key):
                yield key

    def sweep(self, before: float) -> int:
        removed = 0
        for path in self._files():
            if not (path.name.startswith(".") and path.name.endswith(PART)):
                continue
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()
                    removed += 1
        return removed

    def _path(self, key: str) -> Path:
        return self.root / check_key(key)

    def _files(self) -> Iterator[Path]:
        for folder, _, names in os.walk(self.root):
            yield from (Path(folder, name) for name in names)

    def _put(self, key: str, pieces: Iterator[bytes], replace: bool) -> Stored:
        path = self._path(key)
        with full_disk_told(path):
            part, descriptor = self._create_part(path)
            try:
                digest, size = hashlib.sha256(), 0
                with os.fdopen(descriptor, "wb") as target:
                    for piece in pieces:
                        digest.update(piece)
                        size += len(piece)
                        target.write(piece)
                    target.flush()
                    os.fsync(target.fileno())
                finish(part, path, replace=replace)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        return Stored(key, size, digest.hexdigest())

    def _create_part(self, path: Path) -> tuple[Path, int]:
        """A new unfinished file beside `path`, open for writing."""
        while True:
            make_folders(path.parent)
            part = part_name(path)
            try:
                return part, os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            except FileNotFoundError:
                continue  # `delete` has just removed the folder because it was empty


def _pieces(source: BinaryIO, key: str, start: int, end: int | None) -> Iterator[bytes]:
    """The bytes of an open file from `start` to `end`; closes it."""
    with source:
        source.seek(start)
        left = None if end is None else end - start
        while left is None or left > 0:
            piece = source.read(PIECE if left is None else min(PIECE, left))
            if not piece:
                if left:
                    raise Damaged(f"{key} ends {left} bytes too early")
                return
            if left is not None:
                left -= len(piece)
            yield piece


def _collect(pieces: Iterator[bytes], key: str, path: Path, sha256: str | None) -> None:
    """Leaves the pieces in a file, in one step. Raises Damaged unless they have the digest."""
    part = part_name(path)
    digest = hashlib.sha256()
    with full_disk_told(path):
        try:
            with part.open("wb") as target:
                for piece in pieces:
                    digest.update(piece)
                    target.write(piece)
            if sha256 is not None and digest.hexdigest() != sha256:
                raise Damaged(f"{key} is not what was stored: its SHA-256 is {digest.hexdigest()}, not {sha256}")
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
