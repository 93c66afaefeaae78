"""A clip in memory to stored objects that were read back and play."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import av

from daybreak.database.assets import NewAsset, free_keys
from daybreak.database.connect import Database, DatabaseUnavailable
from daybreak.generation import InvalidOutput, Video
from daybreak.jobs.job import Claim
from daybreak.media.encode import encode_video
from daybreak.media.variants import spritesheet, thumbnail
from daybreak.storage import Damaged, Missing, Storage, StorageUnavailable

TRIES = 5
# What storing may raise for a while only; a full disk is not among them.
PASSING = (StorageUnavailable, Missing, Damaged, OSError)


def output_key(claim: Claim, name: str) -> str:
    """Where an attempt's file goes: under its own fence, where no other attempt writes."""
    return f"videos/{claim.job.id}/{claim.fence}/{name}"


def write_files(video: Video, folder: Path) -> list[tuple[str, str, Path]]:
    """The variant, the content type and the file of everything that a job gives. Raises OutOfSpace, InvalidOutput."""
    path = folder / "video.mp4"
    encode_video(video, path)
    check_plays(path, video)
    files = [("video", "video/mp4", path)]
    for variant, kind, name, make in (
        ("thumbnail", "image/webp", "thumbnail.webp", thumbnail),
        ("spritesheet", "image/jpeg", "spritesheet.jpg", spritesheet),
    ):
        (folder / name).write_bytes(make(path))
        files.append((variant, kind, folder / name))
    return files


def store_files(
    storage: Storage,
    claim: Claim,
    files: Sequence[tuple[str, str, Path]],
    video: Video,
    check: Callable[[], None],
    retry: float,
) -> list[NewAsset]:
    """The stored files, each read back and found whole. `check` is asked before each and may raise.

    A storage that fails is tried again, a little later each time. Raises its last exception, or OutOfSpace at once.
    """
    assets = []
    for variant, kind, path in files:
        for again in range(TRIES):
            check()
            try:
                assets.append(_store(storage, claim, variant, kind, path, video))
                break
            except PASSING:
                if again == TRIES - 1:
                    raise
                time.sleep(retry * 2**again)
    return assets


def check_plays(path: Path, video: Video) -> None:
    """Raises InvalidOutput unless every frame of the file decodes, and is of the clip's size."""
    count = 0
    try:
        with av.open(str(path)) as container:
            container.streams.video[0].thread_type = "AUTO"
            for frame in container.decode(video=0):
                if (frame.width, frame.height) != (video.width, video.height):
                    raise InvalidOutput(f"a frame of the file has {frame.width}x{frame.height} pixels")
                count += 1
    except av.error.FFmpegError as error:
        raise InvalidOutput(f"the file does not play: {error.strerror}") from error
    if count != video.num_frames:
        raise InvalidOutput(f"{count} of {video.num_frames} frames of the file play")


def discard(db: Database, storage: Storage, keys: Sequence[str]) -> None:
    """Removes those objects that no asset has. What cannot be removed, or asked about, now a sweep finds later."""
    try:
        with db.read() as connection:
            free = free_keys(connection, keys)
        for key in free:
            storage.delete(key)
    except (DatabaseUnavailable, StorageUnavailable, OSError):
        return


def _store(storage: Storage, claim: Claim, variant: str, kind: str, path: Path, video: Video) -> NewAsset:
    stored = storage.put_file(output_key(claim, path.name), path, kind)
    read = hashlib.sha256()
    size = 0
    for piece in storage.read(stored.key, 0, stored.bytes):
        read.update(piece)
        size += len(piece)
    if (size, read.hexdigest()) != (path.stat().st_size, stored.sha256):
        raise Damaged(f"{stored.key} reads back otherwise than it was written")
    is_video = variant == "video"
    return NewAsset(
        project_id=claim.job.project_id,
        variant=variant,
        key=stored.key,
        content_type=kind,
        bytes=stored.bytes,
        sha256=stored.sha256,
        job_id=claim.job.id,
        width=video.width if is_video else None,
        height=video.height if is_video else None,
        num_frames=video.num_frames if is_video else None,
        fps=video.fps if is_video else None,
    )
