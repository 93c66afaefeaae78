"""Objects as files below a folder."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from daybreak.durable import PART, finish, full_disk_told, make_folders, part_name, sync_folder
from daybreak.storage.objects import KEY, PIECE, Damaged, Missing, StorageUnavailable, Stored, check_key, collect


class FileStorage:
    """Objects as files, each written by the durable protocol of `daybreak.durable`."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().resolve()
        try:
            make_folders(self.root)
        except OSError as error:
            raise StorageUnavailable(f"the folder {self.root} cannot be used: {error.strerror}") from error

    # A folder has no place for the content type: the database keeps it.
    def put_file(self, key: str, path: Path, content_type: str, *, replace: bool = True) -> Stored:  # noqa: ARG002
        with path.open("rb") as source:
            return self._put(key, iter(lambda: source.read(PIECE), b""), replace)

    def put_bytes(self, key: str, content: bytes, content_type: str, *, replace: bool = True) -> Stored:  # noqa: ARG002
        return self._put(key, iter((content,)), replace)

    def get_file(self, key: str, path: Path, sha256: str | None = None) -> None:
        collect(self.read(key), key, path, sha256)

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
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
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
        for path in self._files(prefix.rpartition("/")[0]):
            key = path.relative_to(self.root).as_posix()
            if key.startswith(prefix) and KEY.fullmatch(key):
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

    def _files(self, below: str = "") -> Iterator[Path]:
        for folder, _, names in os.walk(self.root / below):
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
                finish(part, path, replace=replace, top=self.root)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        return Stored(key, size, digest.hexdigest())

    def _create_part(self, path: Path) -> tuple[Path, int]:
        """A new unfinished file beside `path`, open for writing."""
        while True:
            part = part_name(path)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)  # `finish` sees to it that they stay
                return part, os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            except FileNotFoundError:
                continue  # `delete` has just removed a folder because it was empty


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
