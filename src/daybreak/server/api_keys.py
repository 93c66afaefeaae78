"""The project's API keys, for whoever may administer it: the same as `daybreak keys`, in the studio's settings."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from daybreak.database.keys import SCOPES, ApiKey, create_key, list_keys, revoke_key
from daybreak.server.auth import Principal, requires
from daybreak.server.body import read_body, small_limits
from daybreak.server.context import context_of
from daybreak.server.errors import invalid, invalid_choice, invalid_type, not_found
from daybreak.server.library_schemas import ApiKeyList, ApiKeyResource
from daybreak.server.parameters import Parameters
from daybreak.server.schemas import to_json

router = APIRouter(tags=["Studio"])
Admin = Annotated[Principal, Depends(requires("admin"))]

MAX_NAME = 200  # characters


@router.get("/v1/library/keys", response_model=ApiKeyList)
async def list_api_keys(request: Request, principal: Admin) -> Response:
    """The project's keys without their secrets, the newest first."""
    context = context_of(request)
    found = await context.run(list_keys, context.db, principal.project_id)
    return _json({"object": "list", "data": [_key_object(key) for key in reversed(found)]})


@router.post("/v1/library/keys", response_model=ApiKeyResource)
async def create_api_key(request: Request, principal: Admin) -> Response:
    """A new key: `name`, `scopes`, `expires_in` seconds. Its `secret` is shown this once."""
    context = context_of(request)
    parameters = Parameters((await read_body(request, small_limits())).fields)
    name = parameters.text("name", MAX_NAME, required=True)
    scopes = parameters.take("scopes")
    lasts = parameters.whole("expires_in", 60, 10 * 366 * 86400)
    parameters.finish()
    if not isinstance(scopes, list) or not scopes:
        raise invalid_type("scopes", "an array of scopes", scopes)
    for scope in scopes:
        if scope not in SCOPES:
            raise invalid_choice("scopes", scope, SCOPES)
        if not principal.may(scope):
            raise invalid("scopes", f"A key can't give what it doesn't have: '{scope}'.", "missing_scope")
    assert name is not None
    now = context.clock()
    expires = None if lasts is None else now + lasts
    key, secret = await context.run(create_key, context.db, principal.project_id, name.strip(), scopes, now, expires)
    return _json({**_key_object(key), "secret": secret})


@router.delete("/v1/library/keys/{key_id}")
async def revoke_api_key(request: Request, key_id: str, principal: Admin) -> Response:
    """Revokes a key: it opens nothing from now on."""
    context = context_of(request)
    mine = await context.run(list_keys, context.db, principal.project_id)
    if not any(key.id == key_id for key in mine):
        raise not_found("key", key_id)
    await context.run(revoke_key, context.db, key_id, context.clock())
    return _json({"id": key_id, "object": "key.revoked", "revoked": True})


def _key_object(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "object": "key",
        "name": key.name,
        "hint": key.hint,
        "scopes": sorted(key.scopes),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }


def _json(value: Any) -> Response:
    return Response(to_json(value), media_type="application/json")
