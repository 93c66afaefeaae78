"""Webhook endpoints as the SDK manages them, and, ours, the log of deliveries with replay."""

from __future__ import annotations

import ipaddress
import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from daybreak.database.ids import new_id
from daybreak.database.pages import UnknownCursor
from daybreak.database.webhooks import (
    Endpoint,
    add_endpoint,
    delete_endpoint,
    list_endpoints,
    repeated_endpoint,
    rotate_secret,
    update_endpoint,
)
from daybreak.fetch import FetchRefused, check_url, is_public
from daybreak.server.auth import Principal, requires
from daybreak.server.body import read_body, small_limits
from daybreak.server.context import ServerContext, context_of
from daybreak.server.deliveries import attempt, policy_of, poster
from daybreak.server.errors import invalid, invalid_choice, invalid_type, missing
from daybreak.server.files import CURSOR, repeated_since, unknown_cursor
from daybreak.server.openapi import describe
from daybreak.server.parameters import Parameters
from daybreak.server.schemas import Wire, list_object
from daybreak.server.webhook_log import endpoint_of, found_endpoint
from daybreak.server.webhook_log import router as log_router

router = APIRouter(tags=["Webhooks"])
router.include_router(log_router)
Reader = Annotated[Principal, Depends(requires("webhooks.read"))]
Writer = Annotated[Principal, Depends(requires("webhooks.write"))]

EVENT_TYPES = (
    "batch.cancelled",
    "batch.completed",
    "batch.expired",
    "batch.failed",
    "video.completed",
    "video.failed",
)
EventType = Literal[
    "batch.cancelled", "batch.completed", "batch.expired", "batch.failed", "video.completed", "video.failed"
]
_MOST_ENDPOINTS = 100  # of a project: each ended job writes a row for every one of them
_NAME, _URL = 200, 2000  # characters


class WebhookEndpoint(Wire):
    """Where events go."""

    id: str
    object: Literal["webhook_endpoint"]
    name: str
    url: str
    event_types: list[str]
    created_at: int
    updated_at: int
    signing_secret_hint: str
    disabled_at: int | None = Field(description="Ours: since when nothing is sent, because it answered 410 Gone.")


class WebhookEndpointWithSecret(WebhookEndpoint):
    """The endpoint with its secret, which is shown only when it is made."""

    signing_secret: str


class WebhookEndpointList(Wire):
    """A page of endpoints."""

    object: Literal["list"]
    data: list[WebhookEndpoint]
    first_id: str | None
    last_id: str | None
    has_more: bool


class WebhookEndpointDeleted(Wire):
    """What deleting an endpoint answers."""

    id: str
    object: Literal["webhook_endpoint.deleted"]
    deleted: bool


class WebhookTest(Wire):
    """What the receiver answered to a sample."""

    object: Literal["webhook_endpoint.test"]
    event_type: str
    status_code: int
    success: Literal[True]
    webhook_endpoint_id: str


class WebhookEventTypes(Wire):
    """The events that there are."""

    object: Literal["list"]
    data: list[str]


class WebhookCreate(BaseModel):
    """A new endpoint."""

    name: str = Field(min_length=1, max_length=_NAME)
    url: str = Field(max_length=_URL)
    event_types: list[EventType] = Field(min_length=1)


class WebhookUpdate(BaseModel):
    """What changes; `event_types` is the complete set."""

    name: str | None = Field(None, min_length=1, max_length=_NAME)
    url: str | None = Field(None, max_length=_URL)
    event_types: list[EventType] | None = Field(None, min_length=1)


class WebhookRotate(BaseModel):
    """How the secret is changed."""

    keep_old_secret_active_for_24_hours: bool = False


class WebhookTestRequest(BaseModel):
    """Which sample is sent."""

    event_type: EventType


def endpoint_object(endpoint: Endpoint, *, secret: bool = False) -> dict[str, Any]:
    """The WebhookEndpoint as the SDK knows it, with its secret where it was just made."""
    plain = {
        "id": endpoint.id,
        "object": "webhook_endpoint",
        "name": endpoint.name,
        "url": endpoint.url,
        "event_types": list(endpoint.event_types),
        "created_at": endpoint.created_at,
        "updated_at": endpoint.updated_at,
        "signing_secret_hint": f"whsec_...{endpoint.secret[-4:]}",
        "disabled_at": endpoint.disabled_at,
    }
    return {**plain, "signing_secret": endpoint.secret} if secret else plain


@router.post(
    "/v1/webhook_endpoints",
    summary="Create a webhook endpoint",
    response_model=WebhookEndpointWithSecret,
    openapi_extra=describe(WebhookCreate, multipart=False),
)
async def create(request: Request, principal: Writer) -> dict[str, Any]:
    """Sends the project's events to an https URL. The answer holds the signing secret, which is not shown again."""
    context = context_of(request)
    wanted = await _read(request, context, required=True)
    since = repeated_since(request, context)
    if since is not None:
        same = (wanted["name"], wanted["url"], wanted["event_types"])
        earlier = await context.run(repeated_endpoint, context.db, principal.project_id, *same, since)
        if earlier is not None:
            return endpoint_object(earlier, secret=True)
    existing, more = await context.run(list_endpoints, context.db, principal.project_id, None, _MOST_ENDPOINTS)
    if more or len(existing) >= _MOST_ENDPOINTS:
        raise invalid(None, f"A project has at most {_MOST_ENDPOINTS} webhook endpoints.", "too_many_endpoints")
    endpoint = await context.run(
        add_endpoint,
        context.db,
        principal.project_id,
        wanted["name"],
        wanted["url"],
        wanted["event_types"],
        context.clock(),
    )
    return endpoint_object(endpoint, secret=True)


@router.get("/v1/webhook_endpoints", summary="List webhook endpoints", response_model=WebhookEndpointList)
async def list_all(
    request: Request,
    principal: Reader,
    after: str | None = Query(None, max_length=64, pattern=CURSOR),
    limit: int = Query(20, ge=1, le=100),
) -> dict[str, Any]:
    """Endpoints, newest first."""
    context = context_of(request)
    try:
        found, more = await context.run(list_endpoints, context.db, principal.project_id, after, limit)
    except UnknownCursor as error:
        raise unknown_cursor(str(after)) from error
    return list_object([endpoint_object(endpoint) for endpoint in found], more)


@router.get(
    "/v1/webhook_endpoints/{endpoint_id}", summary="Retrieve a webhook endpoint", response_model=WebhookEndpoint
)
async def retrieve(request: Request, endpoint_id: str, principal: Reader) -> dict[str, Any]:
    """An endpoint, without its secret."""
    return endpoint_object(await endpoint_of(context_of(request), principal, endpoint_id))


@router.post(
    "/v1/webhook_endpoints/{endpoint_id}",
    summary="Update a webhook endpoint",
    response_model=WebhookEndpoint,
    openapi_extra=describe(WebhookUpdate, multipart=False),
)
async def change(request: Request, endpoint_id: str, principal: Writer) -> dict[str, Any]:
    """Changes what is given. An endpoint that was disabled because it answered 410 is in use again."""
    context = context_of(request)
    await endpoint_of(context, principal, endpoint_id)
    changes = await _read(request, context, required=False)
    endpoint = await context.run(
        update_endpoint, context.db, principal.project_id, endpoint_id, changes, context.clock()
    )
    return endpoint_object(found_endpoint(endpoint, endpoint_id))


@router.delete(
    "/v1/webhook_endpoints/{endpoint_id}", summary="Delete a webhook endpoint", response_model=WebhookEndpointDeleted
)
async def delete(request: Request, endpoint_id: str, principal: Writer) -> dict[str, Any]:
    """Deletes an endpoint; what was still to be delivered to it is given up."""
    context = context_of(request)
    await endpoint_of(context, principal, endpoint_id)
    await context.run(delete_endpoint, context.db, principal.project_id, endpoint_id, context.clock())
    return {"id": endpoint_id, "object": "webhook_endpoint.deleted", "deleted": True}


@router.post(
    "/v1/webhook_endpoints/{endpoint_id}/rotate_secret",
    summary="Rotate a signing secret",
    response_model=WebhookEndpointWithSecret,
    openapi_extra=describe(WebhookRotate, multipart=False, required=False),
)
async def rotate(request: Request, endpoint_id: str, principal: Writer) -> dict[str, Any]:
    """A new secret. If asked for, the old one signs as well for 24 hours."""
    context = context_of(request)
    await endpoint_of(context, principal, endpoint_id)
    parameters = Parameters((await read_body(request, small_limits())).fields)
    keep_old = parameters.flag("keep_old_secret_active_for_24_hours") or False
    parameters.finish()
    endpoint = await context.run(
        rotate_secret, context.db, principal.project_id, endpoint_id, keep_old, context.clock()
    )
    return endpoint_object(found_endpoint(endpoint, endpoint_id), secret=True)


@router.post(
    "/v1/webhook_endpoints/{endpoint_id}/test",
    summary="Send a sample event",
    response_model=WebhookTest,
    openapi_extra=describe(WebhookTestRequest, multipart=False),
)
async def send_sample(request: Request, endpoint_id: str, principal: Writer) -> dict[str, Any]:
    """Sends a signed sample once, and answers with the status that the receiver gave, whatever it was."""
    context = context_of(request)
    endpoint = await endpoint_of(context, principal, endpoint_id)
    parameters = Parameters((await read_body(request, small_limits())).fields)
    event_type = parameters.choice("event_type", EVENT_TYPES)
    parameters.finish()
    if event_type is None:
        raise missing("event_type")
    now = context.clock()
    subject = new_id("video_" if event_type.startswith("video.") else "batch_")
    event = {
        "id": new_id("evt_"),
        "object": "event",
        "created_at": int(now),
        "type": event_type,
        "data": {"id": subject},
    }
    outcome = await context.run(attempt, new_id("wh_"), json.dumps(event), endpoint, now, poster(context))
    if outcome.status is None:
        raise invalid("url", f"The endpoint could not be reached: {outcome.error}", "webhook_endpoint_unreachable")
    return {
        "object": "webhook_endpoint.test",
        "event_type": event_type,
        "status_code": outcome.status,
        "success": True,
        "webhook_endpoint_id": endpoint.id,
    }


@router.get("/v1/webhook_event_types", summary="List event types", response_model=WebhookEventTypes)
async def event_types(principal: Reader) -> dict[str, Any]:  # noqa: ARG001
    """The events that an endpoint can ask for."""
    return {"object": "list", "data": list(EVENT_TYPES)}


async def _read(request: Request, context: ServerContext, *, required: bool) -> dict[str, Any]:
    """The name, url and event_types of a body. Raises ApiError."""
    parameters = Parameters((await read_body(request, small_limits())).fields)
    read: dict[str, Any] = {
        "name": parameters.text("name", _NAME, required=required),
        "url": parameters.text("url", _URL, required=required),
        "event_types": _event_types(parameters.take("event_types"), required=required),
    }
    parameters.finish()
    if read["url"] is not None:
        _check_url(read["url"], context)
    return {name: value for name, value in read.items() if value is not None}


def _event_types(value: Any, *, required: bool) -> list[str] | None:
    if value is None:
        if required:
            raise missing("event_types")
        return None
    if not isinstance(value, list):
        raise invalid_type("event_types", "an array of strings", value)
    if not value:
        raise invalid("event_types", "Invalid 'event_types': expected at least one event type.", "empty_array")
    for name in value:
        if name not in EVENT_TYPES:
            raise invalid_choice("event_types", name, EVENT_TYPES)
    return list(dict.fromkeys(value))


def _check_url(url: str, context: ServerContext) -> None:
    """Raises ApiError 400 for a URL that events can't or mustn't be sent to. Names are resolved when they are sent."""
    policy = policy_of(context)
    try:
        target = check_url(url, policy)
    except FetchRefused as error:
        raise invalid("url", f"Invalid 'url': {error}.", "invalid_url") from error
    if policy.trusts(target.host, target.port):
        return
    if target.scheme != "https":
        raise invalid(
            "url",
            "Invalid 'url': expected an https URL. Plain http is for hosts that the server's owner has named in "
            "DAYBREAK_FETCH_ALLOW.",
            "invalid_url",
        )
    if _is_address(target.host) and not is_public(target.host):
        raise invalid("url", "Invalid 'url': the host is not at a public address.", "invalid_url")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
