"""POST /v1/videos/extensions: a finished or an uploaded video made longer, after its end or before its beginning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from daybreak.jobs.job import NewJob
from daybreak.jobs.operations import InvalidRequest, extend_timeline
from daybreak.server.auth import Principal, requires
from daybreak.server.bodies import ExtendVideo
from daybreak.server.body import Upload, read_body, video_limits
from daybreak.server.context import ServerContext, context_of
from daybreak.server.create import required_prompt
from daybreak.server.openapi import describe
from daybreak.server.options import DEFAULT_SECONDS, parse_seconds, read_options
from daybreak.server.parameters import Parameters
from daybreak.server.references import finding
from daybreak.server.remix import read_source, refuse_other_files, source_model, source_shape
from daybreak.server.schemas import VideoResource
from daybreak.server.submit import Draft, as_api_error, files_of, fingerprint, finish, submit

router = APIRouter(tags=["Videos"])
Writer = Annotated[Principal, Depends(requires("videos.write"))]


@router.post(
    "/v1/videos/extensions",
    operation_id="extendVideo",
    summary="Extend a video",
    response_model=VideoResource,
    openapi_extra=describe(ExtendVideo, files=("video",)),
)
async def extend(request: Request, principal: Writer) -> Response:
    """Makes a video that holds the source as it is and `seconds` more; its own `seconds` are those of the whole."""
    context = context_of(request)
    body = await read_body(request, video_limits(context))
    new = await prepare_extension(context, principal.project_id, body.fields, files_of(body))
    return await submit(request, context, principal, new)


async def prepare_extension(
    context: ServerContext, project_id: str, fields: Mapping[str, Any], files: Mapping[str, Upload]
) -> NewJob:
    """The job of an extension, its media stored. Raises ApiError, and then nothing is stored."""
    parameters = Parameters(fields)
    wanted = read_source(parameters, files)
    prompt = required_prompt(parameters)
    seconds = parse_seconds(parameters.take("seconds")) or DEFAULT_SECONDS
    direction = parameters.choice("direction", ("forward", "backward"))
    options = read_options(parameters)
    parameters.finish()
    refuse_other_files(files, wanted)
    async with finding(context, project_id, files) as finder:
        found = await finder.find(wanted, "video")
        name, card = await source_model(context, options, found)
        try:
            timeline = extend_timeline(
                prompt,
                found.media,
                seconds,
                "backward" if direction == "backward" else "forward",
                options.negative_prompt,
            )
        except InvalidRequest as error:
            raise as_api_error(error) from error
        draft = Draft(
            kind="extend",
            model=name,
            card=card,
            prompt=prompt,
            timeline=timeline,
            shape=source_shape(timeline),
            options=options,
            fingerprint=await context.run(fingerprint, "extend", None, fields, files),
            found=[found],
            source_id=found.video.id if found.video else None,
        )
        return await finish(context, project_id, draft)
