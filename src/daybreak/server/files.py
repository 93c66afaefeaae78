"""The Files API: bytes that later requests name by id, such as reference images and the requests of a batch."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from daybreak.database.files import File, NewFile, add_file, delete_file, get_file, list_files, repeated_file
from daybreak.database.ids import is_id
from daybreak.database.pages import UnknownCursor
from daybreak.jobs.enqueue import RETRY_WINDOW
from daybreak.media.inspect import sniff
from daybreak.server.auth import Principal, requires
from daybreak.server.body import BodyLimits, Upload, read_body
from daybreak.server.content import send_stored
from daybreak.server.context import ServerContext, context_of
from daybreak.server.errors import ApiError, invalid, invalid_choice, invalid_type, missing, not_found
from daybreak.server.openapi import describe
from daybreak.server.parameters import Parameters
from daybreak.server.schemas import Wire, list_object

router = APIRouter(tags=["Files"])
Reader = Annotated[Principal, Depends(requires("files.read"))]
Writer = Annotated[Principal, Depends(requires("files.write"))]

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")  # the SDK's list
BATCH_BYTES = 200 * 10**6
EXPIRY = (3600, 2_592_000)  # seconds: an hour to 30 days, as the API says
BYTES: dict[int | str, dict[str, Any]] = {  # what a route that sends stored bytes may answer
    200: {
        "description": "The bytes. HEAD, Range and the If- headers work as RFC 9110 says.",
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    },
    206: {"description": "The bytes of the ranges that were asked for."},
    304: {"description": "The client has these bytes already."},
    410: {"description": "The stored bytes are damaged or lost, and are not sent."},
    412: {"description": "A precondition failed."},
    416: {"description": "The object has no such bytes."},
}
CURSOR = r"^[A-Za-z0-9_-]+$"
_NAME = 255  # characters


class FileObject(Wire):
    """A file."""

    id: str
    object: Literal["file"]
    bytes: int
    created_at: int
    expires_at: int | None
    filename: str
    purpose: str
    status: Literal["processed"]
    status_details: str | None


class FileList(Wire):
    """A page of files."""

    object: Literal["list"]
    data: list[FileObject]
    first_id: str | None
    last_id: str | None
    has_more: bool


class FileDeleted(Wire):
    """What deleting a file answers."""

    id: str
    object: Literal["file"]
    deleted: bool


class ExpiresAfter(BaseModel):
    """When a file goes."""

    anchor: Literal["created_at"]
    seconds: int = Field(ge=EXPIRY[0], le=EXPIRY[1])


class FileCreate(BaseModel):
    """An upload."""

    purpose: Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]
    expires_after: ExpiresAfter | None = None


def file_object(file: File) -> dict[str, Any]:
    """The File as the SDK knows it."""
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": file.created_at,
        "expires_at": file.expires_at,
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
        "status_details": None,
    }


def expiry_seconds(parameters: Parameters, name: str) -> int | None:
    """The seconds of an `{anchor, seconds}` object; None without one. Raises ApiError."""
    said = parameters.child(name)
    if said is None:
        return None
    if said.choice("anchor", ["created_at"]) is None:
        raise missing(said.name("anchor"))
    seconds = said.whole("seconds", *EXPIRY)
    if seconds is None:
        raise missing(said.name("seconds"))
    said.finish()
    return seconds


@router.post(
    "/v1/files",
    summary="Upload a file",
    response_model=FileObject,
    openapi_extra=describe(FileCreate, files=["file"]),
)
async def create_file(request: Request, principal: Writer) -> dict[str, Any]:
    """Keeps a file: an image or clip for later requests, or a batch's requests as JSON lines. Nothing expires unless
    `expires_after` says so."""
    context = context_of(request)
    largest = max(BATCH_BYTES, context.settings.max_upload_mb * 10**6)
    body = await read_body(request, BodyLimits(file=largest, files=1))
    parameters = Parameters(body.fields)
    purpose = parameters.choice("purpose", PURPOSES)
    seconds = expiry_seconds(parameters, "expires_after")
    if parameters.take("file") is not None:
        raise invalid_type("file", "a file", body.fields["file"])
    parameters.finish()
    if purpose is None:
        raise missing("purpose")
    upload = body.files.get("file")
    if upload is None:
        raise missing("file")
    _check_size(upload, purpose)
    file = await context.run(
        _keep, context, principal.project_id, upload, purpose, seconds, repeated_since(request, context)
    )
    return file_object(file)


@router.get("/v1/files", summary="List files", response_model=FileList)
async def list_all(
    request: Request,
    principal: Reader,
    after: str | None = Query(None, max_length=64, pattern=CURSOR),
    limit: int = Query(10_000, ge=1, le=10_000),
    order: Literal["asc", "desc"] = "desc",
    purpose: str | None = Query(None, max_length=64, pattern=CURSOR),
) -> dict[str, Any]:
    """Files, newest first unless `order` says otherwise."""
    context = context_of(request)
    if purpose is not None and purpose not in (*PURPOSES, "batch_output"):
        raise invalid_choice("purpose", purpose, (*PURPOSES, "batch_output"))
    try:
        found, more = await context.run(
            list_files,
            context.db,
            principal.project_id,
            context.clock(),
            after=after,
            limit=limit,
            order=order,
            purpose=purpose,
        )
    except UnknownCursor as error:
        raise unknown_cursor(str(after)) from error
    return list_object([file_object(file) for file in found], more)


@router.get("/v1/files/{file_id}", summary="Retrieve a file", response_model=FileObject)
async def retrieve(request: Request, file_id: str, principal: Reader) -> dict[str, Any]:
    """What is known of a file."""
    return file_object(await file_of(context_of(request), principal, file_id))


@router.get("/v1/files/{file_id}/content", summary="Download a file", response_class=Response, responses=BYTES)
async def content(request: Request, file_id: str, principal: Reader) -> Response:
    """The bytes; ranges are answered."""
    context = context_of(request)
    file = await file_of(context, principal, file_id)
    return await send_stored(
        request,
        context,
        key=file.key,
        content_type=file.content_type,
        sha256=file.sha256,
        size=file.bytes,
        filename=file.filename,
    )


@router.delete("/v1/files/{file_id}", summary="Delete a file", response_model=FileDeleted)
async def delete(request: Request, file_id: str, principal: Writer) -> dict[str, Any]:
    """Deletes a file. Videos that were made from it keep what they need of it."""
    context = context_of(request)
    if not is_id(file_id, "file-"):
        raise not_found("file", file_id)
    if not await context.run(delete_file, context.db, principal.project_id, file_id, context.clock()):
        raise not_found("file", file_id)
    return {"id": file_id, "object": "file", "deleted": True}


async def file_of(context: ServerContext, principal: Principal, file_id: str) -> File:
    """The project's file with this id. Raises ApiError 404."""
    if is_id(file_id, "file-"):
        file = await context.run(get_file, context.db, principal.project_id, file_id, context.clock())
        if file is not None:
            return file
    raise not_found("file", file_id)


def unknown_cursor(after: str) -> ApiError:
    """A 400: the list has no such id."""
    return invalid("after", f"Invalid value: '{after[:100]}'. There is no such id in this list.")


def _check_size(upload: Upload, purpose: str) -> None:
    if not upload.bytes:
        raise invalid("file", "The file is empty.", "empty_file")
    if purpose == "batch" and upload.bytes > BATCH_BYTES:
        raise ApiError(413, f"The file is larger than {BATCH_BYTES} bytes.", param="file", code="too_large")


def repeated_since(request: Request, context: ServerContext) -> float | None:
    """Since when the first sending of this request may have been answered; None when it is no retry of an SDK."""
    said = request.headers.get("x-stainless-retry-count", "")
    is_retry = said.isascii() and said.isdecimal() and said.strip("0") != ""
    return context.clock() - RETRY_WINDOW if is_retry else None


def _keep(
    context: ServerContext, project_id: str, upload: Upload, purpose: str, seconds: int | None, since: float | None
) -> File:
    """The file, its bytes stored before the row that names them; of a retry, the one that is there already."""
    now = context.clock()
    # What the client says about the type decides nothing: bytes are served back as what they are.
    content_type = "application/jsonl" if purpose == "batch" else sniff(upload.path) or "application/octet-stream"
    kind = content_type.partition("/")[0]
    key = f"files/{secrets.token_hex(16)}/content"
    new = NewFile(
        project_id=project_id,
        filename=_shown_name(upload.filename),
        purpose=purpose,
        key=key,
        content_type=content_type,
        bytes=upload.bytes,
        sha256=upload.sha256,
        variant=kind if kind in ("image", "video") else "data",
        expires_at=None if seconds is None else int(now) + seconds,
    )
    earlier = None if since is None else repeated_file(context.db, new, now, since)
    if earlier is not None:
        return earlier
    context.storage.put_file(key, upload.path, content_type)
    return add_file(context.db, new, now)


def _shown_name(filename: str) -> str:
    """The last part of a client's file name: shown in lists and downloads, never a path here."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in name if character.isprintable())[:_NAME].strip() or "upload"
