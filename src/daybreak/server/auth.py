"""Who is asking: a key's project and scopes. Each route declares the scope it needs; nothing is decided by path."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import structlog
from fastapi import Request
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from starlette.routing import BaseRoute

from daybreak.database.keys import KEY_PREFIX, SCOPES, find_key
from daybreak.database.projects import DEFAULT_PROJECT
from daybreak.server.context import ServerContext, context_of
from daybreak.server.errors import ApiError, too_many

Scope = Literal["videos.read", "videos.write", "files.read", "files.write", "webhooks.read", "webhooks.write", "admin"]
COOKIE = "daybreak_key"  # of the studio: a <video> element can't send headers
_CACHED_SECONDS = 0.5  # how long a revoked key may still work
_CACHED_KEYS = 1000
_MAX_KEY = 512  # characters
# A proxy in front: whoever sent the request is not the owner of this machine, although the connection is local.
_PROXY_HEADERS = frozenset({"forwarded", "x-forwarded-for", "x-real-ip"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Principal:
    """Whoever sent a request. `key_id` None: the owner of this machine, who needs no key."""

    project_id: str
    key_id: str | None
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        return "admin" in self.scopes or scope in self.scopes


OWNER = Principal(DEFAULT_PROJECT, None, frozenset(SCOPES))


class Requires:
    """A dependency that gives the request's principal, after checking its scope and its rate."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    async def __call__(self, request: Request) -> Principal:
        """Raises ApiError 401 without a good key, 403 without the scope, 429 over the rate limit."""
        context = context_of(request)
        principal = await identify(request, context)
        if principal is not OWNER:
            structlog.contextvars.bind_contextvars(project=principal.project_id, key=principal.key_id)
        if not principal.may(self.scope):
            raise ApiError(
                403, f"This key lacks the scope '{self.scope}' that this request needs.", code="missing_scope"
            )
        if request.method not in _SAFE_METHODS:
            _take_token(request, context, principal)
        return principal


class Public:
    """A dependency that says that a route needs no key."""

    scope = None

    async def __call__(self) -> None:
        return None


public = Public()


def requires(scope: Scope) -> Callable[[Request], Awaitable[Principal]]:
    """The dependency of a route that needs this scope: `principal: Principal = Depends(requires("videos.read"))`."""
    return Requires(scope)


def api_routes(routes: Sequence[BaseRoute]) -> list[RouteContext]:
    """Every route of the API, those of routers within routers too, with all of its dependencies."""
    return [each for each in iter_route_contexts(routes) if isinstance(each.original_route, APIRoute)]


def declared_scopes(route: RouteContext) -> list[str | None]:
    """The scopes that a route's dependencies ask for, None for public; empty when it declares nothing."""
    calls = [dependency.call for dependency in route.dependant.dependencies]
    return [call.scope for call in calls if isinstance(call, Requires | Public)]


async def identify(request: Request, context: ServerContext) -> Principal:
    """The principal of a request's key. Raises ApiError 401."""
    secret = _secret(request)
    is_open = context.open_access and not (_PROXY_HEADERS & set(request.headers.keys()))
    if secret is None:
        if is_open:
            return OWNER
        raise _unauthorized(
            "You didn't provide an API key. Send it as a header: Authorization: Bearer YOUR_KEY.", "missing_api_key"
        )
    if not secret.startswith(KEY_PREFIX):
        if is_open:  # SDKs insist on sending some key: any word will do
            return OWNER
        raise _unauthorized("Incorrect API key provided.", "invalid_api_key")
    principal = await principal_of(secret, context)
    if principal is None:  # where none is needed as well: it was revoked, or has expired
        raise _unauthorized("Incorrect API key provided.", "invalid_api_key")
    return principal


async def principal_of(secret: str, context: ServerContext) -> Principal | None:
    """The principal of a key, looked up twice a second at most. A revoked or expired key has none."""
    digest = hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
    now = time.monotonic()
    cached = context.known_keys.get(digest)
    if cached is None or now - cached[1] > _CACHED_SECONDS:
        if len(context.known_keys) >= _CACHED_KEYS:
            context.known_keys.clear()
        # The lookup itself is kept, so that of many requests at the same moment one asks the database.
        cached = context.known_keys[digest] = (asyncio.ensure_future(_look_up(secret, context)), now)
    return await asyncio.shield(cached[0])


async def _look_up(secret: str, context: ServerContext) -> Principal | None:
    key = await context.run(find_key, context.db, secret, context.clock())
    return None if key is None else Principal(key.project_id, key.id, frozenset(key.scopes))


def _secret(request: Request) -> str | None:
    """The key of a request: Authorization first, then Azure's header, then the studio's cookie from its own pages."""
    authorization = request.headers.get("authorization")
    if authorization is not None:
        scheme, _, secret = authorization.partition(" ")
        secret = secret.strip()
        return secret if scheme.lower() == "bearer" and 0 < len(secret) <= _MAX_KEY else ""
    key = request.headers.get("api-key")
    if key is None and request.headers.get("sec-fetch-site", "none") in {"same-origin", "none"}:
        key = request.cookies.get(COOKIE)
    return key[:_MAX_KEY] if key is not None else None


def _take_token(request: Request, context: ServerContext, principal: Principal) -> None:
    allowance = context.limiter.take(principal.project_id, time.monotonic())
    if allowance is None:
        return
    request.state.extra_headers = allowance.headers()
    if not allowance.allowed:
        raise too_many(
            f"Rate limit reached: {allowance.limit} requests a minute. Try again in {allowance.retry_after:.1f} s.",
            allowance.retry_after,
        )


def _unauthorized(message: str, code: str) -> ApiError:
    return ApiError(401, message, code=code, headers={"www-authenticate": "Bearer"})
