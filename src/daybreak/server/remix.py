"""POST /v1/videos/{video_id}/remix: a finished video made again as a prompt says; edits.py takes the same road."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from daybreak.catalog import ModelCard
from daybreak.jobs.job import NewJob
from daybreak.jobs.operations import DEFAULT_CHANGE, InvalidRequest, change_of, format_seconds, remix_timeline
from daybreak.server.auth import Principal, requires
from daybreak.server.bodies import RemixVideo
from daybreak.server.body import Upload, read_body, small_limits
from daybreak.server.context import ServerContext, context_of
from daybreak.server.create import required_prompt
from daybreak.server.errors import invalid, missing, unknown_parameter
from daybreak.server.models import resolve_model
from daybreak.server.openapi import describe
from daybreak.server.options import DEFAULT_MODEL, Options, Shape, read_options
from daybreak.server.parameters import Parameters
from daybreak.server.references import Found, Wanted, finding, read_wanted
from daybreak.server.schemas import VideoResource
from daybreak.server.submit import Draft, as_api_error, files_of, fingerprint, finish, submit
from daybreak.timeline import Timeline

router = APIRouter(tags=["Videos"])
Writer = Annotated[Principal, Depends(requires("videos.write"))]

VIDEO_KEYS = ("id", "file_id", "url")  # of an object that points at a source


@router.post(
    "/v1/videos/{video_id}/remix",
    operation_id="remixVideo",
    summary="Remix a video",
    response_model=VideoResource,
    openapi_extra=describe(RemixVideo),
)
async def remix(request: Request, video_id: str, principal: Writer) -> Response:
    """Makes a finished video again with its composition, as a new prompt says; `strength` is how much may change."""
    context = context_of(request)
    body = await read_body(request, small_limits())
    source = Wanted("video_id", "video", video_id)
    new = await prepare_remix(context, principal.project_id, "remix", source, body.fields, files_of(body))
    return await submit(request, context, principal, new)


async def prepare_remix(
    context: ServerContext,
    project_id: str,
    kind: Literal["remix", "edit"],
    source: Wanted | None,
    fields: Mapping[str, Any],
    files: Mapping[str, Upload],
) -> NewJob:
    """The job of a remix or an edit, its media stored; `source` None: the fields name it. Raises ApiError."""
    parameters = Parameters(fields)
    wanted = source or read_source(parameters, files)
    prompt = required_prompt(parameters)
    options = read_options(parameters)
    change = read_change(parameters)
    parameters.finish()
    refuse_other_files(files, wanted)
    async with finding(context, project_id, files) as finder:
        found = await finder.find(wanted, "video")
        name, card = await source_model(context, options, found)
        try:
            timeline = remix_timeline(prompt, found.media, change, options.negative_prompt)
        except InvalidRequest as error:
            raise as_api_error(error) from error
        draft = Draft(
            kind=kind,
            model=name,
            card=card,
            prompt=prompt,
            timeline=timeline,
            shape=source_shape(timeline, found.video.seconds if found.video else None),
            options=options,
            fingerprint=await context.run(fingerprint, kind, source.value if source else None, fields, files),
            found=[found],
            source_id=found.video.id if found.video else None,
            remixed_from_id=found.video.id if found.video and kind == "remix" else None,
        )
        return await finish(context, project_id, draft)


def read_source(parameters: Parameters, files: Mapping[str, Upload]) -> Wanted:
    """The video that an edit, an extension or a character starts from. Raises ApiError."""
    pointed = read_wanted(parameters, "video", VIDEO_KEYS)
    if "video" in files:
        if pointed is not None:
            raise invalid("video", "Invalid 'video': expected one video, but got two.")
        return Wanted("video", "upload", "video")
    if pointed is None:
        raise missing("video")
    return pointed


def refuse_other_files(files: Mapping[str, Upload], wanted: Wanted) -> None:
    """Raises ApiError for a file part that nothing asked for."""
    for name in files:
        if wanted.how != "upload" or name != wanted.value:
            raise unknown_parameter(name)


def read_change(parameters: Parameters) -> float:
    """How much a remix may change, from `strength`. Raises ApiError."""
    value = parameters.take("strength")
    if value is None:
        value = DEFAULT_CHANGE
    try:
        named = isinstance(value, str) and not value[:1].isdigit() and value[:1] != "."
        number = None if named else parameters.number("strength", 0, 1)
        return change_of(str(value) if number is None else number)
    except InvalidRequest as error:
        raise as_api_error(error) from error


async def source_model(context: ServerContext, options: Options, found: Found) -> tuple[str, ModelCard]:
    """The model's name for the wire, and its card: as asked for, or what made the source. Raises ApiError."""
    if options.model is None and found.video is not None:
        return found.video.model, await context.run(resolve_model, context, found.video.engine_model)
    name = options.model or DEFAULT_MODEL
    return name, await context.run(resolve_model, context, name)


def source_shape(timeline: Timeline, seconds: str | None = None) -> Shape:
    """The shape of a clip that takes its source's; `seconds` as the source's Video has it."""
    spec = timeline.spec
    return Shape(spec, f"{spec.width}x{spec.height}", seconds or format_seconds(spec.seconds))
