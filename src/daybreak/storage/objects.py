"""What every storage offers, and what can go wrong with it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from daybreak.durable import full_disk_told, part_name

PIECE = 128 * 2**10  # bytes that are read or written at a time
KEY = re.compile(r"[a-z0-9_-][a-z0-9_.-]*(/[a-z0-9_-][a-z0-9_.-]*)*")
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


def check_key(key: str) -> str:
    """The key. Raises ValueError unless it is one that Daybreak makes."""
    if len(key) > _KEY_LENGTH or not KEY.fullmatch(key) or ".." in key:
        raise ValueError(f"not a storage key: {key[:80]!r}")
    return key


def collect(pieces: Iterator[bytes], key: str, path: Path, sha256: str | None) -> None:
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
