"""The application: its routes, in order, around one context, and the gate in front of them."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from daybreak import __version__
from daybreak.server import studio
from daybreak.server.azure import AzurePaths
from daybreak.server.background import run_background
from daybreak.server.context import ServerContext
from daybreak.server.errors import ApiError, add_error_handlers, error_response
from daybreak.server.gate import Gate, root_of
from daybreak.server.openapi import add_openapi
from daybreak.server.videos import poll

# In order: a path that a later module's pattern would match as well must come first.
ROUTERS = (
    "characters", "create", "remix", "edits", "extensions", "sync",
    "files", "batches", "webhooks", "azure",
    "library", "exports",
    "videos", "content", "events", "queue", "models", "catalogue", "health", "studio",
)  # fmt: skip


def make_app(context: ServerContext) -> FastAPI:
    """The ASGI application that answers for a context. Closing it is the caller's: the context outlives it."""
    app = FastAPI(
        title="Daybreak",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(context),
    )
    app.state.context = context
    add_error_handlers(app)
    app.add_exception_handler(404, _on_no_route)
    app.add_exception_handler(405, _on_no_method)
    for name in ROUTERS:
        module = importlib.import_module(f"daybreak.server.{name}")
        app.router.routes.extend(module.router.routes)  # not include_router: it would match every path twice
    add_openapi(app, root_of(context.settings))
    app.add_middleware(AzurePaths)
    inner = app.build_middleware_stack
    # Around everything, so that a bug's answer passes it as well.
    app.build_middleware_stack = lambda: Gate(inner(), context, poll)  # type: ignore[method-assign]
    return app


def _lifespan(context: ServerContext) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await context.run(context.clear_incoming)
        context.start(run_background(context, context.draining))
        yield
        context.draining.set()
        await context.stop_tasks()

    return lifespan


async def _on_no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if page := studio.lost(request):
        return page
    message = f"Invalid URL ({request.method} {request.url.path[:200]})"
    return error_response(ApiError(404, message, code="unknown_url"))


async def _on_no_method(request: Request, error: Exception) -> Response:
    """405 with every method that some route has for this path."""
    assert isinstance(error, HTTPException)
    allowed = sorted(_methods_of(request, request.app.routes))
    message = f"Not allowed to {request.method} on {request.url.path[:200]}: use {' or '.join(allowed)}"
    return error_response(ApiError(405, message, code="method_not_supported", headers={"allow": ", ".join(allowed)}))


def _methods_of(request: Request, routes: list[BaseRoute]) -> set[str]:
    methods: set[str] = set()
    for route in routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            methods |= set(getattr(route, "methods", None) or ())
    return methods | ({"HEAD"} if "GET" in methods else set())
