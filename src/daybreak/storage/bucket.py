"""Objects in an S3 bucket, or in memory, through the obstore package."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obstore import exceptions
from obstore.store import MemoryStore, S3Store

from daybreak.storage.objects import PIECE, Damaged, Missing, StorageUnavailable, Stored, check_key, collect

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

MOST_AT_ONCE = 16 * 2**20  # bytes: an object up to this size is put with one request
PART_SIZE = 8 * 2**20  # bytes of a larger one's parts
RETRIES = 4  # of a request that failed for a reason that may pass


class ObjectStorage:
    """Objects in a store of the obstore package: an S3 bucket, or memory. A put is atomic and checked by its hash."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def put_file(self, key: str, path: Path, content_type: str, *, replace: bool = True) -> Stored:
        size = path.stat().st_size
        if size <= MOST_AT_ONCE:
            return self.put_bytes(key, path.read_bytes(), content_type, replace=replace)
        if not replace and self.size(key) is not None:  # only a put in one piece can be conditional in the store itself
            raise FileExistsError(key)
        digest = hashlib.sha256()

        def pieces() -> Iterator[bytes]:
            with path.open("rb") as source:
                while piece := source.read(PART_SIZE):
                    digest.update(piece)
                    yield piece

        self._put(key, pieces(), content_type, use_multipart=True, chunk_size=PART_SIZE, max_concurrency=4)
        return Stored(key, size, digest.hexdigest())

    def put_bytes(self, key: str, content: bytes, content_type: str, *, replace: bool = True) -> Stored:
        mode = "overwrite" if replace else "create"
        self._put(key, content, content_type, use_multipart=False, mode=mode)
        return Stored(key, len(content), hashlib.sha256(content).hexdigest())

    def get_file(self, key: str, path: Path, sha256: str | None = None) -> None:
        collect(self.read(key), key, path, sha256)

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        size = self.size(key)
        if size is None:
            raise Missing(key)
        stop = size if end is None else end
        if start >= min(size, stop):  # stores refuse an empty range
            return _checked(iter(()), key, 0 if end is None else max(0, end - start))
        with _told(key):
            answer = self._store.get(check_key(key), options={"range": (start, min(size, stop))})
        return _checked(map(bytes, answer.stream(min_chunk_size=PIECE)), key, stop - start)

    def size(self, key: str) -> int | None:
        try:
            with _told(key):
                return int(self._store.head(check_key(key))["size"])
        except Missing:
            return None

    def local_path(self, key: str) -> Path | None:
        check_key(key)
        return None

    def delete(self, key: str) -> None:
        with contextlib.suppress(Missing), _told(key):
            self._store.delete(check_key(key))

    def keys(self, prefix: str = "") -> Iterator[str]:
        with _told(prefix):
            for found in self._store.list(prefix.rpartition("/")[0] or None):
                yield from (entry["path"] for entry in found if entry["path"].startswith(prefix))

    def sweep(self, before: float) -> int:  # noqa: ARG002 - a bucket's own rules remove uploads that were not finished
        return 0

    def _put(self, key: str, content: Any, content_type: str, **how: Any) -> None:
        try:
            with _told(key):
                self._store.put(check_key(key), content, attributes={"Content-Type": content_type}, **how)
        except Missing as error:
            raise StorageUnavailable("the bucket does not exist") from error


def open_memory() -> ObjectStorage:
    return ObjectStorage(MemoryStore())


def open_s3(bucket: str, prefix: str, options: dict[str, str]) -> ObjectStorage:
    unknown = sorted(set(options) - {"endpoint", "region"})
    if unknown:
        raise ValueError(f"a storage URL has no option {', '.join(unknown)}: only endpoint and region")
    endpoint = (
        options.get("endpoint") or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL", "")
    )
    client: ClientConfig = {
        "allow_http": endpoint.startswith("http://"),
        "connect_timeout": "5s",
        "read_timeout": "30s",  # between two pieces
        "timeout": "1h",  # of a whole object
    }
    retries: RetryConfig = {"max_retries": RETRIES, "retry_timeout": timedelta(seconds=30)}
    config: S3Config = {"disable_bulk_delete": True}  # not every store that calls itself S3 has it
    if endpoint:
        config["endpoint"] = endpoint
    if "region" in options:
        config["region"] = options["region"]
    store = S3Store(bucket, prefix=prefix or None, config=config, client_options=client, retry_config=retries)
    return ObjectStorage(store)


@contextlib.contextmanager
def _told(key: str) -> Iterator[None]:
    """What a store answers, in the words of this module."""
    try:
        yield
    except FileNotFoundError as error:
        raise Missing(key) from error
    except exceptions.AlreadyExistsError as error:
        raise FileExistsError(key) from error
    except (exceptions.BaseError, OSError) as error:
        raise StorageUnavailable(f"the object store does not answer as it should: {_one_line(error)}") from error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]


def _checked(pieces: Iterator[bytes], key: str, wanted: int) -> Iterator[bytes]:
    """The pieces. Raises Damaged when there are fewer bytes in them than wanted."""
    with _told(key):
        for piece in pieces:
            wanted -= len(piece)
            yield piece
    if wanted > 0:
        raise Damaged(f"{key} ends {wanted} bytes too early")
