"""Videos once they are asked for: retrieve, list, delete, cancel, run next."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from daybreak.database.ids import is_id
from daybreak.jobs.queue import UnknownCursor, delete_job, list_jobs, request_cancel, rerank
from daybreak.server.auth import Principal, requires
from daybreak.server.context import context_of
from daybreak.server.errors import OUTAGES, ApiError, error_response, invalid, not_found, outage
from daybreak.server.schemas import VideoDeleted, VideoList, VideoResource, list_object, to_json, video_object

router = APIRouter(tags=["Videos"])
_may_read = requires("videos.read")
Reader = Annotated[Principal, Depends(_may_read)]
Writer = Annotated[Principal, Depends(requires("videos.write"))]
VideoId = Annotated[str, Path(description="video_ and 32 hex digits.")]


@router.get("/v1/videos/{video_id}", response_model=VideoResource)
async def retrieve(request: Request, video_id: VideoId, principal: Reader) -> Response:
    """A video as it stands. While it is not done, openai-poll-after-ms says when to ask again."""
    context = context_of(request)
    polled = await context.polls.get(context, principal.project_id, video_id)
    if polled is None:
        raise not_found("video", video_id)
    headers = {} if polled.poll_after is None else {"openai-poll-after-ms": polled.poll_after}
    return Response(polled.body, headers=headers, media_type="application/json")


async def poll(request: Request, video_id: str) -> Response:
    """What `retrieve` answers, for a request that has not come through the routes: pollers are nearly all traffic."""
    try:
        return await retrieve(request, video_id, await _may_read(request))
    except ApiError as error:
        return error_response(error)
    except OUTAGES as error:
        return error_response(outage(error))


@router.get("/v1/videos", response_model=VideoList)
async def list_videos(
    request: Request,
    principal: Reader,
    after: Annotated[str | None, Query(description="The id after which the page begins.")] = None,
    limit: Annotated[int, Query(ge=0, le=100)] = 20,
    order: Annotated[Literal["asc", "desc"], Query(description="By age: desc is the newest first.")] = "desc",
    status: Annotated[Literal["queued", "in_progress", "completed", "failed"] | None, Query()] = None,
) -> Response:
    """A page of the project's videos."""
    context = context_of(request)
    if after is not None and not is_id(after, "video_"):
        raise not_found("video", after)
    try:
        page = await context.run(
            list_jobs, context.db, principal.project_id, after=after, limit=max(limit, 1), order=order, status=status
        )
    except UnknownCursor as error:
        raise not_found("video", str(after)) from error
    jobs = page.jobs[:limit]
    body = list_object([video_object(job) for job in jobs], page.has_more or len(jobs) < len(page.jobs))
    return Response(to_json(body), media_type="application/json")


@router.delete("/v1/videos/{video_id}", response_model=VideoDeleted)
async def delete(request: Request, video_id: VideoId, principal: Writer) -> dict[str, Any]:
    """Deletes a video and its files, whatever its status; one that is running is stopped."""
    context = context_of(request)
    _check_id(video_id)
    deleted = await context.run(delete_job, context.db, principal.project_id, video_id, context.clock())
    if deleted is None:
        raise not_found("video", video_id)
    for key in deleted.keys:
        await context.run(context.storage.delete, key)
    return {"id": video_id, "object": "video.deleted", "deleted": True}


@router.post("/v1/videos/{video_id}/cancel", response_model=VideoResource)
async def cancel(request: Request, video_id: VideoId, principal: Writer) -> Response:
    """Stops a video. One that is queued fails with the code `cancelled` at once, a running one within one step."""
    context = context_of(request)
    _check_id(video_id)
    job = await context.run(request_cancel, context.db, principal.project_id, video_id, context.clock())
    if job is None:
        raise not_found("video", video_id)
    return Response(to_json(video_object(job)), media_type="application/json")


@router.post("/v1/videos/{video_id}/run_next", response_model=VideoResource)
async def run_next(
    request: Request,
    video_id: VideoId,
    principal: Writer,
    priority: Annotated[
        int | None, Query(ge=-1000, le=1000, description="Higher runs first, within the project; default: the next.")
    ] = None,
) -> Response:
    """Moves a queued video before the project's others."""
    context = context_of(request)
    _check_id(video_id)
    job = await context.run(rerank, context.db, principal.project_id, video_id, priority)
    if job is None:
        raise not_found("video", video_id)
    if job.status != "queued":
        raise invalid(None, "Only a queued video can be moved in the queue.", "not_queued")
    return Response(to_json(video_object(job)), media_type="application/json")


def _check_id(video_id: str) -> None:
    """Raises the same 404 as for a video that isn't there, without asking the database."""
    if not is_id(video_id, "video_"):
        raise not_found("video", video_id)
