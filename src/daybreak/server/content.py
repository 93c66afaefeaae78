"""The bytes of a finished video, and of every other stored object: streamed, resumable, checked beforehand."""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any
from urllib.parse import quote

import structlog
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from daybreak.database.assets import Asset, job_assets
from daybreak.database.ids import is_id
from daybreak.jobs.job import Job
from daybreak.jobs.queue import get_job
from daybreak.server.auth import Principal, requires
from daybreak.server.context import ServerContext, context_of
from daybreak.server.errors import ApiError, invalid_choice, not_found
from daybreak.server.ranges import Plan, Span, http_date, plan_answer
from daybreak.storage import Damaged, Missing

log = structlog.get_logger()
router = APIRouter()

VARIANTS = {"video": ("mp4", "video/mp4"), "thumbnail": ("webp", "image/webp"), "spritesheet": ("jpg", "image/jpeg")}
_PIECE = 256 * 2**10  # bytes that one trip to a thread fetches
_KNOWN_GOOD = 4096  # objects whose bytes this process has checked
_SHOWN_TYPES = ("video/", "image/png", "image/jpeg", "image/webp", "image/gif", "audio/")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The bytes. HEAD, Range and the If- headers work as RFC 9110 says.",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for _, kind in VARIANTS.values()},
    },
    206: {"description": "The bytes of the ranges that were asked for."},
    304: {"description": "The client has these bytes already."},
    410: {"description": "The stored bytes are damaged or lost, and are not sent."},
    412: {"description": "A precondition failed."},
    416: {"description": "The object has no such bytes."},
}


@router.get("/v1/videos/{video_id}/content", response_class=Response, responses=_RESPONSES, tags=["Videos"])
async def content(
    request: Request,
    video_id: str,
    principal: Annotated[Principal, Depends(requires("videos.read"))],
    variant: Annotated[str, Query(description="video (MP4), thumbnail (WebP) or spritesheet (JPEG).")] = "video",
) -> Response:
    """The video's file, its thumbnail or its spritesheet."""
    context = context_of(request)
    if variant not in VARIANTS:
        raise invalid_choice("variant", variant, VARIANTS)
    job, assets = await context.run(_find, context, principal.project_id, video_id)
    if job is None:
        raise not_found("video", video_id)
    if job.status != "completed":
        raise _not_ready(job.status)
    asset = assets.get(variant)
    if asset is None:
        raise ApiError(404, "The content of this video has expired or was deleted.", code="not_found")
    suffix, _ = VARIANTS[variant]
    return await send_stored(
        request,
        context,
        key=asset.key,
        content_type=asset.content_type,
        sha256=asset.sha256,
        size=asset.bytes,
        filename=f"{video_id}.{suffix}",
        modified=asset.created_at,
    )


def _find(context: ServerContext, project_id: str, video_id: str) -> tuple[Job | None, dict[str, Asset]]:
    """A video and what is kept of it, in one trip to a thread: a library's page asks for dozens of thumbnails."""
    job = get_job(context.db, project_id, video_id) if is_id(video_id, "video_") else None
    return job, job_assets(context.db, project_id, video_id) if job else {}


def _not_ready(status: str) -> ApiError:
    message = (
        "This video failed; it has no content."
        if status == "failed"
        else "Video is not ready yet, use GET /v1/videos/{video_id} to check status."
    )
    code = "video_failed" if status == "failed" else "video_not_ready"
    return ApiError(400, message, code=code, headers={"x-should-retry": "false"})


async def send_stored(  # noqa: PLR0913 - the object's own facts
    request: Request,
    context: ServerContext,
    *,
    key: str,
    content_type: str,
    sha256: str,
    size: int,
    filename: str,
    modified: int | None = None,
) -> Response:
    """The answer to GET or HEAD of a stored object, whose facts the database has. Never holds more than two pieces.

    Raises ApiError 410 when the bytes are not those that were stored.
    """
    plan = plan_answer(
        _first_values(request), size=size, etag=f'"{sha256}"', modified=modified, is_head=_is_head(request)
    )
    headers = _headers(content_type, sha256, filename, modified)
    if plan.status in {304, 412}:
        return Response(status_code=plan.status, headers=headers)
    if plan.status == 416:
        message = f"The requested range lies outside the {size} bytes."
        raise ApiError(416, message, code="range_not_satisfiable", headers={"content-range": f"bytes */{size}"})
    small = size <= _PIECE and len(plan.spans or ()) <= 1
    try:
        if small and not _is_head(request):
            span = plan.spans[0] if plan.spans else Span(0, size)
            if plan.status == 206:
                headers["content-range"] = _content_range(span, size)
            body, seen = await context.run(_checked_piece, context, key, sha256, size, span)
            _remember(context, key, seen)
            return Response(body, plan.status, headers, content_type)
        _remember(context, key, await context.run(_verify, context, key, sha256, size))
        if _is_head(request):
            return Response(headers={**headers, "content-length": str(size)}, media_type=content_type)
        return await _stream(context, key, plan, size, content_type, headers)
    except (Missing, Damaged) as error:
        log.error("stored bytes are lost", key=key, error=str(error))
        raise ApiError(410, "The stored bytes are damaged or lost; they are not sent.", code="content_lost") from error


def _is_head(request: Request) -> bool:
    return bool(request.scope.get("daybreak.head")) or request.method == "HEAD"


def _first_values(request: Request) -> dict[str, str]:
    """The request's headers by lower-case name; lines of one name are one list, as HTTP has it."""
    values: dict[str, str] = {}
    for name, value in request.headers.items():
        values[name] = f"{values[name]}, {value}" if name in values else value
    return values


def _headers(content_type: str, sha256: str, filename: str, modified: int | None) -> dict[str, str]:
    shown = "inline" if content_type.startswith(_SHOWN_TYPES) else "attachment"
    plain = _UNSAFE.sub("_", filename)[-100:] or "download"
    extended = "" if plain == filename else f"; filename*=UTF-8''{quote(filename, safe='')}"
    headers = {
        "accept-ranges": "bytes",
        "etag": f'"{sha256}"',
        "cache-control": "private, no-cache",  # kept, but asked for again: it may have been deleted
        "content-disposition": f'{shown}; filename="{plain}"{extended}',
        "content-security-policy": "default-src 'none'; media-src 'self'; sandbox",
    }
    if modified is not None:
        headers["last-modified"] = http_date(modified)
    return headers


def _remember(context: ServerContext, key: str, seen: tuple[int, ...] | None) -> None:
    """Keeps which file `_verify` found whole: a file is hashed once while it stays the same file."""
    if seen is not None:
        if len(context.known_good) >= _KNOWN_GOOD:
            context.known_good.clear()
        context.known_good[key] = seen


def _checked_piece(
    context: ServerContext, key: str, sha256: str, size: int, span: Span
) -> tuple[bytes, tuple[int, ...] | None]:
    """The bytes of a span, checked, in one trip to a thread; and what `_verify` found."""
    seen = _verify(context, key, sha256, size)
    return b"".join(_open(context, key, span)), seen


def _verify(context: ServerContext, key: str, sha256: str, size: int) -> tuple[int, ...] | None:
    """What the file is that holds the object; None when it is known already, or is none.

    Raises Missing or Damaged unless it has its length and, as a file, its digest; a bucket keeps checksums of its own.
    """
    path = context.storage.local_path(key)
    if path is None:
        found = context.storage.size(key)
        if found is None:
            raise Missing(key)
        if found != size:
            raise Damaged(f"{key} has {found} bytes instead of {size}")
        return None
    with path.open("rb") as file:
        facts = path.stat()
        identity = (facts.st_ino, facts.st_mtime_ns, facts.st_size)
        if context.known_good.get(key) == identity:
            return None
        if facts.st_size != size or hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise Damaged(f"{key} is not what was stored")
    return identity


async def _stream(
    context: ServerContext, key: str, plan: Plan, size: int, content_type: str, headers: dict[str, str]
) -> Response:
    spans = plan.spans or (Span(0, size),)
    first = await context.run(
        _open, context, key, spans[0]
    )  # before the status line: a missing object can still be told
    if len(spans) == 1:
        if plan.status == 206:
            headers["content-range"] = _content_range(spans[0], size)
        headers["content-length"] = str(spans[0].length)
        return StreamingResponse(_pieces(context, first), plan.status, headers, content_type)
    boundary = secrets.token_hex(16)
    heads = [
        f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\n"
        f"Content-Range: {_content_range(span, size)}\r\n\r\n".encode()
        for span in spans
    ]
    tail = f"\r\n--{boundary}--\r\n".encode()
    total = sum(span.length for span in spans) + sum(map(len, heads)) + len(tail)
    headers["content-length"] = str(total)

    async def parts() -> AsyncIterator[bytes]:
        for number, (span, head) in enumerate(zip(spans, heads, strict=True)):
            yield head
            source = first if number == 0 else await context.run(_open, context, key, span)
            async for piece in _pieces(context, source):
                yield piece
        yield tail

    return StreamingResponse(parts(), 206, headers, f"multipart/byteranges; boundary={boundary}")


def _content_range(span: Span, size: int) -> str:
    return f"bytes {span.start}-{span.end - 1}/{size}"


def _open(context: ServerContext, key: str, span: Span) -> Iterator[bytes]:
    return context.storage.read(key, span.start, span.end)


async def _pieces(context: ServerContext, source: Iterator[bytes]) -> AsyncIterator[bytes]:
    try:
        while piece := await context.run(_some, source):
            yield piece
    finally:
        close = getattr(source, "close", None)
        if close is not None:
            with contextlib.suppress(ValueError):  # a thread is still in it: it ends by itself
                close()


def _some(source: Iterator[bytes]) -> bytes:
    """The next pieces of a source, joined up to a good size; empty at its end."""
    pieces: list[bytes] = []
    size = 0
    for piece in source:
        pieces.append(piece)
        size += len(piece)
        if size >= _PIECE:
            break
    return b"".join(pieces)
