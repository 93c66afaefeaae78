"""Clips on their way out: other file formats, many at once as a zip, and the settings that a file of ours carries."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from daybreak.database import library
from daybreak.database.assets import Asset, job_assets
from daybreak.jobs.job import Job
from daybreak.jobs.queue import get_job
from daybreak.media.export_options import CONTENT_TYPE, SUFFIX, ExportOptions, Format, command
from daybreak.media.provenance import NoProvenance, read_settings
from daybreak.server.auth import Principal, requires
from daybreak.server.body import read_body, video_limits
from daybreak.server.context import ServerContext, context_of
from daybreak.server.errors import ApiError, invalid, missing, not_found
from daybreak.server.schemas import to_json
from daybreak.storage import Damaged, Missing

log = structlog.get_logger()
router = APIRouter(tags=["Studio"])
Reader = Annotated[Principal, Depends(requires("videos.read"))]
Writer = Annotated[Principal, Depends(requires("videos.write"))]

MAX_ZIPPED = 500  # clips at once
_SECONDS = 900  # that an export may take
_PIECE = 256 * 2**10  # bytes
_busy = asyncio.Semaphore(2)  # exports at once: the machine is there for generating


@router.get("/v1/library/items/{video_id}/export", response_class=Response)
async def export(  # noqa: PLR0913 - an export has many sides
    request: Request,
    video_id: str,
    principal: Reader,
    format: Annotated[Format, Query(description="mp4, webm, gif, webp or png (a zip of frames).")] = "mp4",  # noqa: A002
    scale: Annotated[float, Query(ge=0.1, le=4)] = 1.0,
    start: Annotated[float, Query(ge=0)] = 0.0,
    end: Annotated[float | None, Query(gt=0)] = None,
    settings: Annotated[bool, Query(description="Whether the file says how it was made.")] = True,
    sound: bool = True,
) -> Response:
    """The clip as another file. It is made on the way: the answer begins when it is done."""
    context = context_of(request)
    try:
        options = ExportOptions(format, scale, start, end, settings, sound)
    except ValueError as error:
        raise invalid(None, f"{str(error).capitalize()}.") from error
    job, asset = await context.run(_finished, context, principal.project_id, video_id)
    title = await context.run(_title, context, principal.project_id, job)
    folder = context.incoming_folder()
    request.scope["daybreak.folders"].append(folder)
    target = folder / f"export.{SUFFIX[format]}"
    source = await context.run(_fetch, context, asset, folder / "source.mp4")
    async with _busy:
        await _make(command(source, target, options))
    # The folder goes with the request: the bytes have to be open before it ends, and stay readable until closed.
    file = target.open("rb")
    headers = {
        "content-length": str(target.stat().st_size),
        "content-disposition": f'attachment; filename="{title}.{SUFFIX[format]}"',
        "cache-control": "no-store",
    }

    def pieces() -> Iterator[bytes]:
        with file:
            while piece := file.read(_PIECE):
                yield piece

    return StreamingResponse(pieces(), media_type=CONTENT_TYPE[format], headers=headers)


@router.get("/v1/library/download", response_class=Response)
async def download(
    request: Request,
    principal: Reader,
    ids: Annotated[str, Query(description="Ids of clips, with commas.")] = "",
    folder: Annotated[str | None, Query(description="Instead of ids: a folder's id.")] = None,
) -> Response:
    """Many clips as one zip: each an mp4 and a JSON file of the same name that says all that is known about it."""
    context = context_of(request)
    wanted = [video for video in ids.split(",") if video]
    if folder is not None:
        filters = library.Filters(folder=folder, status="completed")
        clips, _ = await context.run(
            library.list_clips, context.db, principal.project_id, filters, limit=MAX_ZIPPED + 1
        )
        wanted = [clip.id for clip in clips]
    if not wanted:
        raise missing("ids")
    if len(wanted) > MAX_ZIPPED:
        raise invalid("ids", f"At most {MAX_ZIPPED} clips fit into one download; this asks for more.")
    found = [await context.run(_finished, context, principal.project_id, video) for video in dict.fromkeys(wanted)]
    headers = {"content-disposition": 'attachment; filename="daybreak.zip"', "cache-control": "no-store"}
    stream = _zip(context, principal.project_id, found)
    return StreamingResponse(stream, media_type="application/zip", headers=headers)


@router.post("/v1/library/read-settings")
async def read_record(request: Request, _principal: Writer) -> Response:
    """What an uploaded `file` of ours says about how it was made. Nothing of it is kept."""
    context = context_of(request)
    body = await read_body(request, video_limits(context))
    upload = body.files.get("file")
    if upload is None:
        raise missing("file")
    try:
        record = await context.run(read_settings, upload.path)
    except NoProvenance as error:
        message = "This file does not say how it was made: only clips that Daybreak wrote do."
        raise ApiError(400, message, param="file", code="no_settings") from error
    return Response(to_json(record), media_type="application/json")


def _finished(context: ServerContext, project_id: str, video_id: str) -> tuple[Job, Asset]:
    job = get_job(context.db, project_id, video_id)
    if job is None:
        raise not_found("video", video_id)
    asset = job_assets(context.db, project_id, video_id).get("video")
    if job.status != "completed" or asset is None:
        raise ApiError(400, "Only a finished clip can be exported.", code="video_not_ready")
    return job, asset


def _title(context: ServerContext, project_id: str, job: Job) -> str:
    clip = library.get_clips(context.db, project_id, [job.id]).get(job.id)
    return file_name((clip.title if clip else None) or job.prompt or job.id)


def file_name(text: str) -> str:
    """A name for a file that says what is in it: letters, digits and hyphens of ASCII, never empty, never a path."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60].strip("-")
    return plain or "clip"


def _fetch(context: ServerContext, asset: Asset, target: Path) -> Path:
    """A file that holds the asset: the stored one where storage is a folder, else a copy at `target`."""
    local = context.storage.local_path(asset.key)
    if local is not None:
        return local
    try:
        context.storage.get_file(asset.key, target, asset.sha256)
    except (Missing, Damaged) as error:
        raise ApiError(410, "The stored bytes are damaged or lost; they are not sent.", code="content_lost") from error
    return target


async def _make(arguments: list[str]) -> None:
    """Runs an export. Raises ApiError when it fails or takes too long; ends it when the client goes away."""
    quiet = ["nice", "-n", "5", *arguments] if sys.platform == "linux" else arguments
    process = await asyncio.create_subprocess_exec(
        *quiet, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, env={**os.environ}
    )
    try:
        _, errors = await asyncio.wait_for(process.communicate(), _SECONDS)
    except BaseException as error:
        if process.returncode is None:
            process.kill()
            await process.wait()
        if isinstance(error, TimeoutError):
            raise ApiError(503, "The export took too long: choose a smaller size or a shorter part.") from error
        raise
    if process.returncode:
        last = errors.decode(errors="replace").strip().rpartition("\n")[2]
        log.warning("an export failed", error=last)
        if last.startswith("ValueError: "):
            raise invalid(None, f"{last.removeprefix('ValueError: ').capitalize()}.")
        raise ApiError(500, "The clip could not be turned into this format.", code="export_failed")


async def _zip(context: ServerContext, project_id: str, found: list[tuple[Job, Asset]]) -> AsyncIterator[bytes]:
    """The zip, piece by piece: a clip at a time lies in a temporary file, however many there are."""
    used: dict[str, int] = {}
    with tempfile.TemporaryFile() as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        sent = 0
        for job, asset in found:
            title = await context.run(_title, context, project_id, job)
            used[title] = used.get(title, 0) + 1
            name = title if used[title] == 1 else f"{title}-{used[title]}"
            await context.run(_add, context, archive, name, job, asset)
            while piece := await context.run(_read, file, sent):
                sent += len(piece)
                yield piece
            file.seek(0, 2)
        archive.close()
        while piece := await context.run(_read, file, sent):
            sent += len(piece)
            yield piece


def _read(file: Any, at: int) -> bytes:
    file.seek(at)
    piece: bytes = file.read(_PIECE)
    return piece


def _add(context: ServerContext, archive: zipfile.ZipFile, name: str, job: Job, asset: Asset) -> None:
    with archive.open(zipfile.ZipInfo(f"{name}.mp4"), "w", force_zip64=True) as entry:
        for piece in context.storage.read(asset.key):
            entry.write(piece)
    shown = ("id", "kind", "model", "engine_model", "prompt", "size", "seconds", "created_at", "completed_at")
    facts = {name: getattr(job, name) for name in shown}
    record = {**facts, "source_id": job.source_id, "settings": job.settings, "timeline": job.timeline}
    archive.writestr(f"{name}.json", json.dumps({**record, "sha256": asset.sha256}, ensure_ascii=False, indent=2))
