"""POST /v1/videos/sync: a create that answers with the finished mp4, as other servers' clients and load testers ask."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from daybreak.database.assets import job_assets
from daybreak.jobs.job import Job
from daybreak.jobs.queue import get_job, request_cancel
from daybreak.server.auth import Principal, requires
from daybreak.server.bodies import CreateVideo
from daybreak.server.body import read_body, video_limits
from daybreak.server.content import send_stored
from daybreak.server.context import ServerContext, context_of
from daybreak.server.create import prepare_body
from daybreak.server.errors import ApiError, not_found
from daybreak.server.openapi import describe
from daybreak.server.submit import put_in_queue

router = APIRouter(tags=["Videos"])
Writer = Annotated[Principal, Depends(requires("videos.write"))]

_LOOK_SECONDS = 0.1  # between two looks at whether the video is done, or the client gone
_GONE = 499  # what logs say of a client that did not wait; nobody receives it


@router.post(
    "/v1/videos/sync",
    operation_id="createVideoSync",
    summary="Create a video and wait for it",
    response_class=Response,
    responses={
        200: {"description": "The mp4.", "content": {"video/mp4": {"schema": {"type": "string", "format": "binary"}}}},
        422: {"description": "The video failed; the error says why."},
    },
    openapi_extra=describe(CreateVideo, files=("input_reference",)),
)
async def create_and_wait(request: Request, principal: Writer) -> Response:
    """Waits in the queue like any other video, however long; who hangs up cancels it."""
    context = context_of(request)
    body = await read_body(request, video_limits(context))
    new = await prepare_body(context, principal.project_id, body)
    # Whoever hung up has cancelled the video: sending it again asks for another one.
    done = await put_in_queue(request, context, new, know_retries=False)
    job = await _wait(request, context, done.job)
    if job is None:
        if done.created:
            await context.run(request_cancel, context.db, principal.project_id, done.job.id, context.clock())
        return Response(status_code=_GONE)
    return await _finished(request, context, job)


async def _wait(request: Request, context: ServerContext, job: Job) -> Job | None:
    """The job when it has ended; None when the client has gone. Raises ApiError when either cannot be waited for."""
    seen = None
    while True:
        version = await context.version()
        if version != seen:
            seen = version
            now = await context.run(get_job, context.db, job.project_id, job.id)
            if now is None:
                raise not_found("video", job.id)
            if now.ended:
                return now
        if await request.is_disconnected():
            return None
        if context.draining.is_set():
            raise ApiError(
                503,
                f"The server is shutting down. The video '{job.id}' is kept and will be made: retrieve it later.",
                code="unavailable",
                headers={"x-should-retry": "false", "x-video-id": job.id},
            )
        await asyncio.sleep(_LOOK_SECONDS)


async def _finished(request: Request, context: ServerContext, job: Job) -> Response:
    """The answer with the mp4. Raises ApiError 422 with the reason when there is none."""
    if job.error is not None:
        raise ApiError(
            422,
            job.error.message,
            type="video_generation_error",
            code=job.error.code,
            headers={"x-should-retry": "false", "x-video-id": job.id},
        )
    asset = (await context.run(job_assets, context.db, job.project_id, job.id)).get("video")
    if asset is None:
        raise not_found("video", job.id)
    response = await send_stored(
        request,
        context,
        key=asset.key,
        content_type=asset.content_type,
        sha256=asset.sha256,
        size=asset.bytes,
        filename=f"{job.id}.mp4",
    )
    response.headers["x-video-id"] = job.id
    response.headers["x-inference-time-s"] = f"{job.duration or 0.0:.3f}"
    return response
