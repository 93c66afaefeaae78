"""Azure OpenAI's two ways to the same videos: the API under /openai/v1, and the older jobs with their generations."""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from daybreak.database.assets import Asset, job_assets
from daybreak.database.groups import PREFIX, Group, get_group, list_groups
from daybreak.database.pages import UnknownCursor
from daybreak.jobs.job import Job
from daybreak.jobs.queue import delete_job, enqueue_many, get_job, queue_length
from daybreak.server.auth import Principal, requires
from daybreak.server.azure_jobs import (
    Generation,
    GenerationJob,
    GenerationJobCreate,
    GenerationJobList,
    generation_object,
    job_object,
    read_job,
    statuses_of,
    wanted_statuses,
)
from daybreak.server.body import read_body, video_limits
from daybreak.server.content import send_stored
from daybreak.server.context import ServerContext, context_of
from daybreak.server.create import prepare_create
from daybreak.server.errors import ApiError, not_found, too_many
from daybreak.server.files import BYTES, CURSOR, unknown_cursor
from daybreak.server.openapi import describe
from daybreak.server.schemas import list_object
from daybreak.storage import Damaged, Missing

router = APIRouter(prefix="/openai/v1/video/generations", tags=["Azure"])
Reader = Annotated[Principal, Depends(requires("videos.read"))]
Writer = Annotated[Principal, Depends(requires("videos.write"))]

# With and without the version and the deployment, which clients put there; the model is named in the body.
_PATH = re.compile(
    r"/openai(?:/v1|/deployments/[^/]+)?"
    r"(/(?:videos|files|batches|models|webhook_endpoints|webhook_event_types)(?:/.*)?)",
    re.DOTALL,
)
PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The picture.", "content": {"image/jpg": {"schema": {"type": "string", "format": "binary"}}}},
    410: {"description": "The stored bytes are damaged or lost, and are not sent."},
}
_JOB_ID = re.compile(r"task_[0-9a-f]{32}")
_GENERATION_ID = re.compile(r"gen_[0-9a-f]{32}")
_RETRY_AFTER = 30.0  # seconds
_JPEG = 90  # quality


class AzurePaths:
    """ASGI: `/openai/v1/videos…` is answered as `/v1/videos…` is. Nothing else depends on the path that was asked."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            root = scope.get("root_path", "")
            path = scope["path"].removeprefix(root)
            match = _PATH.fullmatch(path)
            if match is not None:
                path = f"{root}/v1{match[1]}"
                scope = {**scope, "path": path, "raw_path": path.encode()}
        await self.app(scope, receive, send)


@router.post(
    "/jobs",
    status_code=201,
    summary="Create a video generation job",
    response_model=GenerationJob,
    openapi_extra=describe(GenerationJobCreate, files=["files"]),
)
async def create(request: Request, principal: Writer) -> dict[str, Any]:
    """Puts `n_variants` videos of one prompt in the queue."""
    context = context_of(request)
    body = await read_body(request, video_limits(context))
    asked = await context.run(read_job, body)
    waiting = await context.run(queue_length, context.db, principal.project_id)
    if waiting + asked.variants > context.settings.queue_limit:
        raise too_many(f"{waiting} jobs are waiting already.", _RETRY_AFTER, "queue_full")
    group_id = f"{PREFIX}{secrets.token_hex(16)}"
    new = [await prepare_create(context, principal.project_id, asked.fields, {}) for _ in range(asked.variants)]
    named = [replace(job, batch_id=group_id, model=asked.model or job.model) for job in new]
    jobs = await context.run(enqueue_many, context.db, named, context.clock())
    return job_object(Group(group_id, tuple(job.id for job in jobs)), jobs)


@router.get("/jobs", summary="List video generation jobs", response_model=GenerationJobList)
async def list_all(
    request: Request,
    principal: Reader,
    statuses: Annotated[list[str], Query(default_factory=list, max_length=20)],
    before: str | None = Query(None, max_length=64, pattern=CURSOR),
    after: str | None = Query(None, max_length=64, pattern=CURSOR),
    limit: int = Query(10, ge=1, le=100),
) -> dict[str, Any]:
    """Jobs, newest first."""
    context = context_of(request)
    ours, wanted = statuses_of(statuses), wanted_statuses(statuses)
    try:
        groups, more = await context.run(
            list_groups,
            context.db,
            principal.project_id,
            before=before,
            after=after,
            limit=limit,
            statuses=ours,
        )
    except UnknownCursor as error:
        raise unknown_cursor(str(error)) from error
    shown = [await _shown(context, principal, group) for group in groups]
    return list_object([job for job in shown if job is not None and wanted[job["status"]]], more)


@router.get("/jobs/{job_id}", summary="Retrieve a video generation job", response_model=GenerationJob)
async def retrieve(request: Request, job_id: str, principal: Reader) -> dict[str, Any]:
    """How far a job is; its generations once it has succeeded."""
    context = context_of(request)
    shown = await _shown(context, principal, await _group_of(context, principal, job_id))
    if shown is None:
        raise not_found("job", job_id)
    return shown


@router.delete("/jobs/{job_id}", status_code=204, summary="Delete a video generation job")
async def delete(request: Request, job_id: str, principal: Writer) -> Response:
    """Deletes a job and its videos; one that runs is stopped."""
    context = context_of(request)
    group = await _group_of(context, principal, job_id)
    for video_id in group.job_ids:
        gone = await context.run(delete_job, context.db, principal.project_id, video_id, context.clock())
        for key in gone.keys if gone is not None else ():
            await context.run(context.storage.delete, key)
    return Response(status_code=204)


@router.get("/{generation_id}", summary="Retrieve a generation", response_model=Generation)
async def generation(request: Request, generation_id: str, principal: Reader) -> dict[str, Any]:
    """One finished video."""
    return generation_object((await _finished(context_of(request), principal, generation_id))[0])


@router.get("/{generation_id}/content/video", summary="Download a generation", response_class=Response, responses=BYTES)
async def video(
    request: Request,
    generation_id: str,
    principal: Reader,
    quality: Annotated[str | None, Query(pattern="^(high|low)$", description="There is one quality, the best.")] = None,  # noqa: ARG001
) -> Response:
    """The video's file."""
    context = context_of(request)
    job, assets = await _finished(context, principal, generation_id)
    asset = _asset(assets, "video", generation_id)
    return await send_stored(
        request,
        context,
        key=asset.key,
        content_type=asset.content_type,
        sha256=asset.sha256,
        size=asset.bytes,
        filename=f"{job.id}.mp4",
        modified=asset.created_at,
    )


@router.get(
    "/{generation_id}/content/thumbnail", summary="Download a thumbnail", response_class=Response, responses=PICTURE
)
async def thumbnail(request: Request, generation_id: str, principal: Reader) -> Response:
    """A picture of the video, as JPEG."""
    context = context_of(request)
    _, assets = await _finished(context, principal, generation_id)
    asset = _asset(assets, "thumbnail", generation_id)
    return Response(await context.run(_as_jpeg, context, asset), media_type="image/jpg")


def _as_jpeg(context: ServerContext, asset: Asset) -> bytes:
    """A stored picture of ours as JPEG. Raises ApiError 410 when its bytes are lost."""
    from PIL import Image

    try:
        content = b"".join(context.storage.read(asset.key, 0, asset.bytes))
    except (Missing, Damaged) as error:
        raise ApiError(410, "The stored picture is damaged or lost.", code="content_lost") from error
    out = io.BytesIO()
    with Image.open(io.BytesIO(content)) as image:
        image.convert("RGB").save(out, "JPEG", quality=_JPEG)
    return out.getvalue()


async def _group_of(context: ServerContext, principal: Principal, job_id: str) -> Group:
    group = None
    if _JOB_ID.fullmatch(job_id):
        group = await context.run(get_group, context.db, principal.project_id, job_id)
    if group is None:
        raise not_found("job", job_id)
    return group


async def _shown(context: ServerContext, principal: Principal, group: Group) -> dict[str, Any] | None:
    """The job on the wire; None when its videos were deleted a moment ago."""
    found: Sequence[Job | None] = [
        await context.run(get_job, context.db, principal.project_id, video_id) for video_id in group.job_ids
    ]
    jobs = [job for job in found if job is not None]
    return job_object(group, jobs) if jobs else None


async def _finished(context: ServerContext, principal: Principal, generation_id: str) -> tuple[Job, dict[str, Asset]]:
    """A completed job and its assets by generation id. Raises ApiError 404."""
    if _GENERATION_ID.fullmatch(generation_id):
        video_id = "video_" + generation_id.removeprefix("gen_")
        job = await context.run(get_job, context.db, principal.project_id, video_id)
        if job is not None and job.status == "completed":
            return job, await context.run(job_assets, context.db, principal.project_id, video_id)
    raise not_found("generation", generation_id)


def _asset(assets: dict[str, Asset], variant: str, generation_id: str) -> Asset:
    asset = assets.get(variant)
    if asset is None:
        raise ApiError(404, f"The content of '{generation_id}' has expired or was deleted.", code="not_found")
    return asset
