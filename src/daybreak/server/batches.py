"""The Batch API for videos: many creates in one file, worked off when nobody waits for an answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from daybreak.database.batches import (
    Batch,
    Counts,
    NewBatch,
    add_batch,
    count_lines,
    get_batch,
    list_batches,
    repeated_batch,
    request_cancel,
)
from daybreak.database.files import get_file
from daybreak.database.ids import is_id
from daybreak.database.pages import UnknownCursor
from daybreak.server.auth import Principal, requires
from daybreak.server.body import read_body, small_limits
from daybreak.server.context import ServerContext, context_of
from daybreak.server.errors import ApiError, invalid, invalid_type, missing, not_found
from daybreak.server.files import CURSOR, ExpiresAfter, expiry_seconds, repeated_since, unknown_cursor
from daybreak.server.openapi import describe
from daybreak.server.parameters import Parameters
from daybreak.server.schemas import Wire, list_object

router = APIRouter(tags=["Batches"])
Reader = Annotated[Principal, Depends(requires("videos.read"))]
Writer = Annotated[Principal, Depends(requires("videos.write"))]

ENDPOINT = "/v1/videos"
WINDOWS = {"24h": 24 * 3600}  # seconds
_METADATA = (16, 64, 512)  # pairs, characters of a name, characters of a value


class BatchError(Wire):
    """What is wrong with the input file, and where."""

    code: str
    message: str
    param: str | None
    line: int | None


class BatchErrors(Wire):
    """Why a batch failed as a whole."""

    object: Literal["list"]
    data: list[BatchError]


class BatchCounts(Wire):
    """How far it is."""

    total: int
    completed: int
    failed: int


class BatchObject(Wire):
    """A batch."""

    id: str
    object: Literal["batch"]
    endpoint: str
    model: str | None
    errors: BatchErrors | None
    input_file_id: str
    completion_window: str
    status: Literal[
        "validating", "failed", "in_progress", "finalizing", "completed", "expired", "cancelling", "cancelled"
    ]
    output_file_id: str | None
    error_file_id: str | None
    created_at: int
    in_progress_at: int | None
    expires_at: int | None
    finalizing_at: int | None
    completed_at: int | None
    failed_at: int | None
    expired_at: int | None
    cancelling_at: int | None
    cancelled_at: int | None
    request_counts: BatchCounts
    usage: None
    metadata: dict[str, str] | None


class BatchList(Wire):
    """A page of batches."""

    object: Literal["list"]
    data: list[BatchObject]
    first_id: str | None
    last_id: str | None
    has_more: bool


class BatchCreate(BaseModel):
    """A file of creates to work off."""

    input_file_id: str
    endpoint: Literal["/v1/videos"]
    completion_window: Literal["24h"]
    metadata: dict[str, Annotated[str, Field(max_length=_METADATA[2])]] | None = Field(None, max_length=_METADATA[0])
    output_expires_after: ExpiresAfter | None = None


def batch_object(batch: Batch, counts: Counts) -> dict[str, Any]:
    """The Batch as the SDK knows it."""
    moments = (
        "created_at",
        "in_progress_at",
        "expires_at",
        "finalizing_at",
        "completed_at",
        "failed_at",
        "cancelling_at",
        "cancelled_at",
    )
    return {
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.endpoint,
        "model": None,
        "errors": None if batch.errors is None else {"object": "list", "data": batch.errors},
        "input_file_id": batch.input_file_id,
        "completion_window": batch.completion_window,
        "status": batch.status,
        "output_file_id": batch.output_file_id,
        "error_file_id": batch.error_file_id,
        **{name: getattr(batch, name) for name in moments},
        "expired_at": batch.expired_at if batch.status == "expired" else None,
        "request_counts": {"total": counts.total, "completed": counts.completed, "failed": counts.failed},
        "usage": None,
        "metadata": batch.metadata,
    }


@router.post(
    "/v1/batches",
    summary="Create a batch",
    response_model=BatchObject,
    openapi_extra=describe(BatchCreate, multipart=False),
)
async def create(request: Request, principal: Writer) -> dict[str, Any]:
    """Works off a file of requests to `POST /v1/videos` within 24 hours, behind those that somebody waits for."""
    context = context_of(request)
    parameters = Parameters((await read_body(request, small_limits())).fields)
    file_id = parameters.text("input_file_id", 64, required=True)
    endpoint = parameters.choice("endpoint", [ENDPOINT])
    window = parameters.choice("completion_window", WINDOWS)
    metadata = _metadata(parameters)
    output_expires_after = expiry_seconds(parameters, "output_expires_after")
    parameters.finish()
    if endpoint is None:
        raise missing("endpoint")
    if window is None:
        raise missing("completion_window")
    await _check_input_file(context, principal, str(file_id))
    now = context.clock()
    new = NewBatch(
        project_id=principal.project_id,
        endpoint=endpoint,
        completion_window=window,
        input_file_id=str(file_id),
        metadata=metadata,
        output_expires_after=output_expires_after,
        expires_at=int(now) + WINDOWS[window],
    )
    since = repeated_since(request, context)
    batch = None if since is None else await context.run(repeated_batch, context.db, new, since)
    if batch is None:
        batch = await context.run(add_batch, context.db, new, now)
    return await _shown(context, batch)


@router.get("/v1/batches", summary="List batches", response_model=BatchList)
async def list_all(
    request: Request,
    principal: Reader,
    after: str | None = Query(None, max_length=64, pattern=CURSOR),
    limit: int = Query(20, ge=1, le=100),
) -> dict[str, Any]:
    """Batches, newest first."""
    context = context_of(request)
    try:
        found, more = await context.run(list_batches, context.db, principal.project_id, after, limit)
    except UnknownCursor as error:
        raise unknown_cursor(str(after)) from error
    return list_object([await _shown(context, batch) for batch in found], more)


@router.get("/v1/batches/{batch_id}", summary="Retrieve a batch", response_model=BatchObject)
async def retrieve(request: Request, batch_id: str, principal: Reader) -> dict[str, Any]:
    """How far a batch is."""
    context = context_of(request)
    return await _shown(context, await _batch_of(context, principal, batch_id))


@router.post(
    "/v1/batches/{batch_id}/cancel",
    summary="Cancel a batch",
    response_model=BatchObject,
    responses={409: {"description": "The batch has ended, or is about to."}},
)
async def cancel(request: Request, batch_id: str, principal: Writer) -> dict[str, Any]:
    """Stops a batch. What is finished until then is in the output file."""
    context = context_of(request)
    await _batch_of(context, principal, batch_id)
    batch = await context.run(request_cancel, context.db, principal.project_id, batch_id, context.clock())
    if batch is None:
        raise not_found("batch", batch_id)
    if batch.status not in ("cancelling", "cancelled"):
        message = f"The batch can't be cancelled: its status is '{batch.status}'."
        raise ApiError(409, message, code="batch_not_cancellable", headers={"x-should-retry": "false"})
    return await _shown(context, batch)


async def _shown(context: ServerContext, batch: Batch) -> dict[str, Any]:
    return batch_object(batch, await context.run(count_lines, context.db, batch))


async def _batch_of(context: ServerContext, principal: Principal, batch_id: str) -> Batch:
    if is_id(batch_id, "batch_"):
        batch = await context.run(get_batch, context.db, principal.project_id, batch_id)
        if batch is not None:
            return batch
    raise not_found("batch", batch_id)


async def _check_input_file(context: ServerContext, principal: Principal, file_id: str) -> None:
    file = None
    if is_id(file_id, "file-"):
        file = await context.run(get_file, context.db, principal.project_id, file_id, context.clock())
    if file is None:
        raise not_found("file", file_id)
    if file.purpose != "batch":
        message = f"Invalid file purpose: expected 'batch', but the file's purpose is '{file.purpose}'."
        raise invalid("input_file_id", message, "invalid_file_purpose")


def _metadata(parameters: Parameters) -> dict[str, str] | None:
    """Up to 16 pairs of texts. Raises ApiError."""
    value = parameters.take("metadata")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise invalid_type("metadata", "an object", value)
    pairs, longest_name, longest = _METADATA
    if len(value) > pairs:
        raise invalid("metadata", f"Invalid 'metadata': expected at most {pairs} properties, but got {len(value)}.")
    for name, text in value.items():
        if not isinstance(text, str):
            raise invalid_type(f"metadata.{name[:64]}", "a string", text)
        if len(name) > longest_name or len(text) > longest:
            message = f"Invalid 'metadata': a name has at most {longest_name} characters, a value at most {longest}."
            raise invalid("metadata", message, "string_above_max_length")
    return dict(value)
