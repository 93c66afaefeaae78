"""POST /v1/videos/edits: a finished or an uploaded video edited as a prompt says."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from daybreak.server.auth import Principal, requires
from daybreak.server.bodies import EditVideo, RemixVideo
from daybreak.server.body import read_body, small_limits, video_limits
from daybreak.server.context import context_of
from daybreak.server.openapi import describe
from daybreak.server.references import Wanted
from daybreak.server.remix import prepare_remix
from daybreak.server.schemas import VideoResource
from daybreak.server.submit import files_of, submit

router = APIRouter(tags=["Videos"])
Writer = Annotated[Principal, Depends(requires("videos.write"))]


@router.post(
    "/v1/videos/edits",
    operation_id="editVideo",
    summary="Edit a video",
    response_model=VideoResource,
    openapi_extra=describe(EditVideo, files=("video",)),
)
async def edit(request: Request, principal: Writer) -> Response:
    """Makes a video again with its composition, as a prompt says; the video is a finished one, a file or a URL."""
    context = context_of(request)
    body = await read_body(request, video_limits(context))
    new = await prepare_remix(context, principal.project_id, "edit", None, body.fields, files_of(body))
    return await submit(request, context, principal, new)


@router.post(
    "/v1/videos/{video_id}/edits",
    operation_id="editVideoById",
    summary="Edit a video, at the path that some clients use",
    response_model=VideoResource,
    openapi_extra=describe(RemixVideo),
)
async def edit_by_id(request: Request, video_id: str, principal: Writer) -> Response:
    """The same as an edit whose `video` is this one."""
    context = context_of(request)
    body = await read_body(request, small_limits())
    source = Wanted("video_id", "video", video_id)
    new = await prepare_remix(context, principal.project_id, "edit", source, body.fields, files_of(body))
    return await submit(request, context, principal, new)
