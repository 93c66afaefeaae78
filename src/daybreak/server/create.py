"""POST /v1/videos: text to video, image to video, characters, and everything that a timeline can say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from daybreak.jobs.job import NewJob
from daybreak.jobs.operations import InvalidRequest, create_timeline, missing_names
from daybreak.server.auth import Principal, requires
from daybreak.server.bodies import CreateVideo
from daybreak.server.body import Body, Upload, read_body, video_limits
from daybreak.server.context import ServerContext, context_of
from daybreak.server.errors import ApiError, invalid, invalid_type, missing, unknown_parameter
from daybreak.server.models import resolve_model
from daybreak.server.openapi import describe
from daybreak.server.options import DEFAULT_MODEL, Options, Shape, read_options, read_shape
from daybreak.server.parameters import Parameters
from daybreak.server.references import Finder, Found, Wanted, finding, read_wanted
from daybreak.server.schemas import VideoResource
from daybreak.server.storyboard import Storyboard, check_spans, find_pins, read_storyboard, shots_of
from daybreak.server.submit import Draft, as_api_error, files_of, fingerprint, finish, submit
from daybreak.timeline import MAX_PROMPT

if TYPE_CHECKING:
    from daybreak.media.fit import Fit

router = APIRouter(tags=["Videos"])
Writer = Annotated[Principal, Depends(requires("videos.write"))]

MAX_CHARACTERS = 2  # in one video, as Sora had it
_REFERENCES = ("input_reference", "image_reference")  # the second is what other servers call it


@dataclass(frozen=True, slots=True)
class Asked:
    """A create as it was sent. `prompt` is None only where the shots say everything."""

    prompt: str | None
    shape: Shape
    options: Options
    board: Storyboard
    reference: Wanted | None
    fit: Fit
    characters: tuple[Wanted, ...]


@router.post(
    "/v1/videos",
    operation_id="createVideo",
    summary="Create a video",
    response_model=VideoResource,
    openapi_extra=describe(CreateVideo, files=("input_reference",)),
)
@router.post(
    "/v1/videos/generations",
    operation_id="createVideoGeneration",
    summary="Create a video, at the path that some other servers use",
    response_model=VideoResource,
    openapi_extra=describe(CreateVideo, files=("input_reference",)),
)
async def create(request: Request, principal: Writer) -> Response:
    """Puts a video in the queue and answers at once. Follow it by retrieving it, or at its `/events`."""
    context = context_of(request)
    body = await read_body(request, video_limits(context))
    new = await prepare_body(context, principal.project_id, body)
    return await submit(request, context, principal, new)


async def prepare_body(context: ServerContext, project_id: str, body: Body) -> NewJob:
    """The job that a create's body asks for. Raises ApiError."""
    form = body.encoding in ("multipart", "form")
    return await prepare_create(context, project_id, body.fields, files_of(body), form=form)


async def prepare_create(
    context: ServerContext,
    project_id: str,
    fields: Mapping[str, Any],
    files: Mapping[str, Upload],
    *,
    form: bool = False,
) -> NewJob:
    """The job that a create asks for, its media stored. Raises ApiError, and then nothing is stored.

    `fields` are as JSON says them; `form` says that they came as a form, where a reference is expected to be a file.
    """
    asked = read_create(fields, files, form=form)
    name = asked.options.model or DEFAULT_MODEL
    card = await context.run(resolve_model, context, name)
    async with finding(context, project_id, files) as finder:
        reference = await _find_reference(asked, finder)
        characters = [await finder.find(wanted, "video") for wanted in asked.characters]
        pinned = await find_pins(asked.board, finder)
        shots = shots_of(asked.board, asked.prompt)
        _check_names(characters, [asked.prompt or "", *(shot.prompt for shot in shots)])
        try:
            timeline = create_timeline(
                shots,
                asked.shape.spec,
                pins=tuple(pin for pin, _ in pinned),
                reference=reference.media if reference else None,
                characters=[found.media for found in characters],
                negative_prompt=asked.options.negative_prompt or asked.board.negative_prompt,
                loop=asked.board.loop,
            )
        except InvalidRequest as error:
            raise as_api_error(error) from error
        found = [*([reference] if reference else []), *characters, *(media for _, media in pinned)]
        draft = Draft(
            kind="create",
            model=name,
            card=card,
            prompt=asked.prompt or "\n".join(shot.prompt for shot in shots)[:MAX_PROMPT],
            timeline=timeline,
            shape=asked.shape,
            options=asked.options,
            fingerprint=await context.run(fingerprint, "create", None, fields, files),
            found=found,
            source_id=next((media.video.id for media in found if media.video), None),
        )
        return await finish(context, project_id, draft)


def read_create(fields: Mapping[str, Any], files: Mapping[str, Upload], *, form: bool) -> Asked:
    """A create's fields, each one read or refused. Raises ApiError."""
    parameters = Parameters(fields)
    board = read_storyboard(parameters)
    prompt = parameters.text("prompt", MAX_PROMPT, required=not board.shots)
    shape = read_shape(parameters, board.spec)
    check_spans(board, shape.spec.seconds)
    options = read_options(parameters)
    if options.negative_prompt and board.negative_prompt not in ("", options.negative_prompt):
        raise invalid("negative_prompt", "Invalid 'negative_prompt': the timeline has another one.")
    asked = Asked(
        prompt,
        shape,
        options,
        board,
        _read_reference(parameters, files, form=form),
        _read_fit(parameters),
        _read_characters(parameters),
    )
    parameters.finish()
    for name in files:
        if name.removesuffix("[]") not in _REFERENCES:
            raise unknown_parameter(name)
    return asked


def _read_fit(parameters: Parameters) -> Fit:
    fit = parameters.choice("input_reference_fit", ("cover", "contain", "exact"))
    return "exact" if fit == "exact" else "contain" if fit == "contain" else "cover"


def _read_reference(parameters: Parameters, files: Mapping[str, Upload], *, form: bool) -> Wanted | None:
    """The picture that the video begins with: a file part, or what a field points at."""
    uploads = [name for name in files if name.removesuffix("[]") in _REFERENCES]
    wanted = [Wanted(name.removesuffix("[]"), "upload", name) for name in uploads]
    for name in _REFERENCES:
        value = parameters.take(name)
        if isinstance(value, list) and len(value) > 1:
            raise invalid(name, f"Invalid '{name}': expected one image. Hold more of them by timeline.pins.")
        try:
            pointed = read_wanted(parameters, name, ("image_url", "file_id"))
        except ApiError as error:
            if form and error.code == "invalid_type":
                raise invalid_type(name, "a file", value) from error
            raise
        if pointed is not None:
            wanted.append(pointed)
    if len(wanted) > 1:
        raise invalid(wanted[1].param, f"Invalid '{wanted[1].param}': expected one image, but got {len(wanted)}.")
    return wanted[0] if wanted else None


def _read_characters(parameters: Parameters) -> tuple[Wanted, ...]:
    value = parameters.take("characters")
    if isinstance(value, list) and value and all(isinstance(entry, str) for entry in value):
        parameters = Parameters({"characters": [{"id": entry} for entry in value]})
    characters = []
    for asked in parameters.children("characters", MAX_CHARACTERS):
        character_id = asked.text("id", 64, required=True)
        asked.finish()
        assert character_id is not None
        characters.append(Wanted(asked.name("id"), "character", character_id))
    return tuple(characters)


async def _find_reference(asked: Asked, finder: Finder) -> Found | None:
    if asked.reference is None:
        return None
    found = await finder.find(asked.reference, "image")
    return await finder.fitted(found, asked.shape.spec.width, asked.shape.spec.height, asked.fit)


def _check_names(characters: list[Found], prompts: list[str]) -> None:
    """Raises ApiError unless the prompts name every character, as Sora demanded: the picture alone says too little."""
    for name in missing_names([found.character or "" for found in characters], prompts):
        raise invalid(
            "characters",
            f"The prompt doesn't mention the character '{name}': write its name where it appears.",
            "character_not_in_prompt",
        )


def required_prompt(parameters: Parameters) -> str:
    """The prompt of an operation that can't go without. Raises ApiError."""
    prompt = parameters.text("prompt", MAX_PROMPT, required=True)
    if prompt is None:
        raise missing("prompt")
    return prompt
