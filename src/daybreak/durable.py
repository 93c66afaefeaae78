"""A file that appears under its name whole and safely on disk, or not at all.

The order is what makes it so: a temporary name in the same folder, the bytes, fsync of the file, rename, fsync of the
folder. When an fsync fails, what was written is thrown away: after a failed fsync the system may call the same pages
clean, so asking again would say yes to bytes that are lost.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

PART = ".part"  # what the name of an unfinished file ends with; it starts with a dot
_FULL_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class OutOfSpace(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """The disk, or the user's share of it, is full; nothing was left behind."""


@contextlib.contextmanager
def finished_file(path: Path, *, replace: bool = True) -> Iterator[Path]:
    """A temporary name beside `path` that becomes `path` when the block ends well, and vanishes otherwise.

    The block may create the file under the temporary name however it likes. Raises OutOfSpace when the disk is full,
    FileExistsError when `path` exists and `replace` is False, OSError for other failures.
    """
    part = part_name(path)
    with full_disk_told(path):
        try:
            yield part
            sync_file(part)
            finish(part, path, replace=replace)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                part.unlink()
            raise


def part_name(path: Path) -> Path:
    """A new temporary name in the folder of `path`."""
    return path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}{PART}")


def finish(part: Path, path: Path, *, replace: bool = True, top: Path | None = None) -> None:
    """Gives a synced file its name, on disk too. Raises FileExistsError when it is taken and `replace` is False.

    With `top`, the names of the folders between it and the file are on disk as well, whoever made them.
    """
    if replace:
        part.replace(path)
    else:
        os.link(part, path)  # unlike rename, this fails when the name is taken
        part.unlink()
    for folder in path.parents:
        sync_folder(folder)
        if top is None or folder == top:
            break


def sync_file(path: Path) -> None:
    """Returns when the file's bytes are on disk. Raises OSError: the bytes are then to be thrown away."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Returns when the folder's names are on disk. Raises OSError."""
    sync_file(path)


def make_folders(folder: Path) -> None:
    """Returns when the folder exists, on disk too."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.is_dir()]
    for parent in reversed(missing):
        parent.mkdir(exist_ok=True)
        sync_folder(parent.parent)


@contextlib.contextmanager
def full_disk_told(path: Path) -> Iterator[None]:
    """A full disk within the block becomes OutOfSpace, with what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL_DISK:
            raise OutOfSpace(
                f"the disk is full: {path} was not written: free some space or choose another output file"
            ) from error
        raise
