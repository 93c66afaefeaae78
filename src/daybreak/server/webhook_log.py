"""The log of what was sent to a webhook endpoint, with replay. Ours: OpenAI has no such routes."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from daybreak.database.ids import is_id
from daybreak.database.pages import UnknownCursor
from daybreak.database.webhooks import Delivery, Endpoint, get_endpoint, list_deliveries, replay
from daybreak.server.auth import Principal, requires
from daybreak.server.context import ServerContext, context_of
from daybreak.server.errors import not_found
from daybreak.server.files import CURSOR, unknown_cursor
from daybreak.server.schemas import Wire, list_object

router = APIRouter()
Reader = Annotated[Principal, Depends(requires("webhooks.read"))]
Writer = Annotated[Principal, Depends(requires("webhooks.write"))]


class WebhookDelivery(Wire):
    """An event on its way to an endpoint."""

    id: str = Field(description="The webhook-id header, the same on every attempt.")
    object: Literal["webhook_delivery"]
    webhook_endpoint_id: str
    event_type: str
    event: dict[str, Any] = Field(description="The body that is sent.")
    status: Literal["pending", "delivered", "exhausted"]
    attempts: int
    created_at: int
    next_attempt_at: int | None
    delivered_at: int | None
    exhausted_at: int | None
    last_status_code: int | None
    last_error: str | None


class WebhookDeliveryList(Wire):
    """A page of deliveries."""

    object: Literal["list"]
    data: list[WebhookDelivery]
    first_id: str | None
    last_id: str | None
    has_more: bool


def delivery_object(delivery: Delivery) -> dict[str, Any]:
    """A delivery for its owner to look at."""
    status = (
        "pending" if delivery.next_attempt_at is not None else "delivered" if delivery.delivered_at else "exhausted"
    )
    return {
        "id": delivery.id,
        "object": "webhook_delivery",
        "webhook_endpoint_id": delivery.endpoint_id,
        "event_type": delivery.event_type,
        "event": json.loads(delivery.body),
        "status": status,
        "attempts": delivery.attempts,
        "created_at": delivery.created_at,
        "next_attempt_at": None if delivery.next_attempt_at is None else int(delivery.next_attempt_at),
        "delivered_at": delivery.delivered_at,
        "exhausted_at": delivery.exhausted_at,
        "last_status_code": delivery.last_status,
        "last_error": delivery.last_error,
    }


@router.get(
    "/v1/webhook_endpoints/{endpoint_id}/deliveries", summary="List deliveries", response_model=WebhookDeliveryList
)
async def deliveries(
    request: Request,
    endpoint_id: str,
    principal: Reader,
    after: str | None = Query(None, max_length=64, pattern=CURSOR),
    limit: int = Query(20, ge=1, le=100),
) -> dict[str, Any]:
    """What was sent to an endpoint, or is still to be: newest first."""
    context = context_of(request)
    await endpoint_of(context, principal, endpoint_id)
    try:
        found, more = await context.run(list_deliveries, context.db, principal.project_id, endpoint_id, after, limit)
    except UnknownCursor as error:
        raise unknown_cursor(str(after)) from error
    return list_object([delivery_object(delivery) for delivery in found], more)


@router.post(
    "/v1/webhook_endpoints/{endpoint_id}/deliveries/{delivery_id}/replay",
    summary="Deliver once more",
    response_model=WebhookDelivery,
)
async def replay_delivery(request: Request, endpoint_id: str, delivery_id: str, principal: Writer) -> dict[str, Any]:
    """Makes a delivery due again, under its own webhook-id, with the whole schedule of attempts before it."""
    context = context_of(request)
    await endpoint_of(context, principal, endpoint_id)
    if not is_id(delivery_id, "wh_"):
        raise not_found("delivery", delivery_id)
    delivery = await context.run(replay, context.db, principal.project_id, endpoint_id, delivery_id, context.clock())
    if delivery is None:
        raise not_found("delivery", delivery_id)
    return delivery_object(delivery)


async def endpoint_of(context: ServerContext, principal: Principal, endpoint_id: str) -> Endpoint:
    if not is_id(endpoint_id, "we_"):
        raise not_found("webhook endpoint", endpoint_id)
    return found_endpoint(await context.run(get_endpoint, context.db, principal.project_id, endpoint_id), endpoint_id)


def found_endpoint(endpoint: Endpoint | None, endpoint_id: str) -> Endpoint:
    if endpoint is None:
        raise not_found("webhook endpoint", endpoint_id)
    return endpoint
