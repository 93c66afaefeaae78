"""Characters: a name and a short clip that shows whose it is, to be named in prompts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import Response

from daybreak.database.characters import (
    Character,
    add_character,
    delete_character,
    get_character,
    list_characters,
)
from daybreak.database.ids import is_id
from daybreak.database.pages import UnknownCursor
from daybreak.server.auth import Principal, requires
from daybreak.server.bodies import CreateCharacter
from daybreak.server.body import Upload, read_body, video_limits
from daybreak.server.context import ServerContext, context_of
from daybreak.server.errors import not_found
from daybreak.server.openapi import describe
from daybreak.server.parameters import Parameters
from daybreak.server.references import finding, store
from daybreak.server.remix import read_source, refuse_other_files
from daybreak.server.schemas import Wire, list_object, to_json
from daybreak.server.submit import files_of

router = APIRouter(tags=["Characters"])
Reader = Annotated[Principal, Depends(requires("videos.read"))]
Writer = Annotated[Principal, Depends(requires("videos.write"))]

MAX_NAME = 80  # characters


class CharacterResource(Wire):
    """A character."""

    id: str | None
    name: str | None
    created_at: int


class CharacterList(Wire):
    """A page of characters."""

    object: Literal["list"]
    data: list[CharacterResource]
    first_id: str | None
    last_id: str | None
    has_more: bool


class CharacterDeleted(Wire):
    """What deleting a character answers."""

    id: str
    object: Literal["character.deleted"]
    deleted: bool = Field(description="Always true.")


def character_object(character: Character) -> dict[str, Any]:
    """A character on the wire: three keys and no `object`, as Sora's API had it."""
    return {"id": character.id, "name": character.name, "created_at": character.created_at}


@router.post(
    "/v1/videos/characters",
    operation_id="createCharacter",
    summary="Create a character",
    response_model=CharacterResource,
    openapi_extra=describe(CreateCharacter, files=("video",)),
)
async def create(request: Request, principal: Writer) -> Response:
    """Makes a character of a short clip, which is a file or a finished video. Name it in prompts to use it."""
    context = context_of(request)
    body = await read_body(request, video_limits(context))
    return _answer(character_object(await create_character(context, principal.project_id, body.fields, files_of(body))))


async def create_character(
    context: ServerContext, project_id: str, fields: Mapping[str, Any], files: Mapping[str, Upload]
) -> Character:
    """The new character. Raises ApiError, and then nothing is stored."""
    parameters = Parameters(fields)
    name = parameters.text("name", MAX_NAME, required=True)
    wanted = read_source(parameters, files)
    parameters.finish()
    refuse_other_files(files, wanted)
    assert name is not None
    async with finding(context, project_id, files) as finder:
        found = await finder.find(wanted, "video")
        asset_id = await store(context, project_id, found)
    return await context.run(add_character, context.db, project_id, name.strip(), asset_id, context.clock())


@router.get(
    "/v1/videos/characters",
    operation_id="listCharacters",
    summary="List characters",
    response_model=CharacterList,
)
async def list_all(
    request: Request,
    principal: Reader,
    after: Annotated[str | None, Query(description="The id after which the page begins.")] = None,
    limit: Annotated[int, Query(ge=0, le=100)] = 20,
    order: Annotated[Literal["asc", "desc"], Query(description="By age: desc is the newest first.")] = "desc",
) -> Response:
    """The project's characters, the newest first."""
    context = context_of(request)
    if after is not None and not is_id(after, "char_"):
        raise not_found("character", after)
    try:
        found = await context.run(list_characters, context.db, principal.project_id, after, max(limit, 1), order)
    except UnknownCursor as error:
        raise not_found("character", after or "") from error
    shown = found.characters[:limit]
    more = found.has_more or len(shown) < len(found.characters)
    return _answer(list_object([character_object(each) for each in shown], more))


@router.get(
    "/v1/videos/characters/{character_id}",
    operation_id="retrieveCharacter",
    summary="Retrieve a character",
    response_model=CharacterResource,
)
async def retrieve(request: Request, character_id: str, principal: Reader) -> Response:
    """One character."""
    context = context_of(request)
    found = None
    if is_id(character_id, "char_"):
        found = await context.run(get_character, context.db, principal.project_id, character_id)
    if found is None:
        raise not_found("character", character_id)
    return _answer(character_object(found))


@router.delete(
    "/v1/videos/characters/{character_id}",
    operation_id="deleteCharacter",
    summary="Delete a character",
    response_model=CharacterDeleted,
)
async def delete(request: Request, character_id: str, principal: Writer) -> Response:
    """Deletes a character. Videos that it appears in, queued ones too, stay."""
    context = context_of(request)
    keys = None
    if is_id(character_id, "char_"):
        keys = await context.run(delete_character, context.db, principal.project_id, character_id, context.clock())
    if keys is None:
        raise not_found("character", character_id)
    for key in keys:
        await context.run(context.storage.delete, key)
    return _answer({"id": character_id, "object": "character.deleted", "deleted": True})


def _answer(value: dict[str, Any]) -> Response:
    return Response(to_json(value), media_type="application/json")
