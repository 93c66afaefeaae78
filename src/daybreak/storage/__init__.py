"""Where the bytes are: whole objects under keys that Daybreak makes, in a folder, in memory or in an S3 bucket.

An object that was put is on disk (or in the bucket) when `put_…` returns, whole, or is not there at all. Nothing that a
client sends ever becomes a key.
"""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from daybreak.durable import OutOfSpace
from daybreak.storage.bucket import open_memory, open_s3
from daybreak.storage.folder import FileStorage
from daybreak.storage.objects import Damaged, Missing, Storage, StorageUnavailable, Stored

__all__ = [
    "Damaged",
    "FileStorage",
    "Missing",
    "Storage",
    "StorageUnavailable",
    "Stored",
    "check_object",
    "check_storage",
    "open_storage",
]


def open_storage(url: str) -> Storage:
    """The storage at a folder's path, `file:///…`, `memory://` or `s3://BUCKET/PREFIX?endpoint=…&region=…`.

    An S3 endpoint and its region may also come from the usual `AWS_…` variables, the credentials from nowhere else.
    Raises ValueError for another kind of URL, StorageUnavailable for a folder that cannot be made.
    """
    if "://" not in url:
        return FileStorage(Path(url))
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and not parts.query:
        return FileStorage(Path(unquote(parts.path)))
    if parts.scheme == "memory":
        return open_memory()
    if parts.scheme == "s3" and parts.netloc and "@" not in parts.netloc:
        return open_s3(parts.netloc, unquote(parts.path).strip("/"), dict(parse_qsl(parts.query)))
    raise ValueError(
        "no storage is at that URL: use a folder, file:///FOLDER, s3://BUCKET/PREFIX?endpoint=URL (with credentials in "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) or memory://"
    )


def check_object(storage: Storage, key: str, sha256: str) -> None:
    """Returns when an object's bytes are those that were put. Raises Missing, Damaged."""
    digest = hashlib.sha256()
    for piece in storage.read(key):
        digest.update(piece)
    if digest.hexdigest() != sha256:
        raise Damaged(f"{key} is not what was stored: its SHA-256 is {digest.hexdigest()}, not {sha256}")


def check_storage(storage: Storage) -> None:
    """Returns when an object could be put, read and deleted. Raises StorageUnavailable, with why in one line."""
    key, content = f"checks/{secrets.token_hex(16)}", b"daybreak"
    try:
        storage.put_bytes(key, content, "text/plain")
        if b"".join(storage.read(key)) != content:
            raise StorageUnavailable("what was stored came back changed")
        storage.delete(key)
    except (OSError, OutOfSpace, Missing) as error:
        raise StorageUnavailable(str(error) or type(error).__name__) from error
