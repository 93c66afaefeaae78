"""What every request passes before it meets a route: its id, its host and origin, its clean-up, its line in the log."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from daybreak.server.body import remove_folders
from daybreak.server.context import ServerContext
from daybreak.server.errors import ApiError, bug, error_response
from daybreak.settings import Settings

log = structlog.get_logger()
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_POLLED = re.compile(r"/v1/videos/(video_[^/]*)")
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"})  # others are one label
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
# Against pages that guess content types, frame us, or learn addresses from links.
_SAFETY_HEADERS = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "x-frame-options": "DENY"}


def root_of(settings: Settings) -> str:
    """The path in front of every route: empty, or with a slash at its start and none at its end."""
    root = settings.root_path.strip("/")
    return f"/{root}" if root else ""


Poll = Callable[[Request, str], Awaitable[Response]]


class Gate:
    """Middleware around the whole application.

    HEAD is answered as GET without its body (`scope["daybreak.head"]` tells a route that wants to know), a trailing
    slash is dropped, a foreign Host or Origin is refused, and whatever a request spooled is removed after it.
    """

    def __init__(self, app: ASGIApp, context: ServerContext, poll: Poll) -> None:
        self._app, self._context, self._poll = app, context, poll
        settings = context.settings
        self._root = root_of(settings)
        self._hosts = settings.hosts | (_LOOPBACK_NAMES if context.loopback else frozenset())
        self._origins = settings.origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = headers.get("x-request-id", "")
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = f"req_{secrets.token_hex(16)}"
        folders: list[Path] = []
        scope = {**scope, "state": scope.get("state", {}), "daybreak.folders": folders}
        self._tidy(scope)
        answer = _Answer(send, request_id, scope, self._context)
        began = time.perf_counter()
        self._context.metrics.in_flight.inc()
        try:
            refusal = self._refusal(scope, headers)
            polled = _POLLED.fullmatch(scope["path"]) if scope["method"] == "GET" else None
            if refusal is not None:
                await error_response(refusal)(scope, receive, answer.send)
            elif polled is not None:
                scope["daybreak.route"] = "/v1/videos/{video_id}"
                response = await self._poll(Request(scope, receive), polled[1])
                await response(scope, receive, answer.send)
            else:
                structlog.contextvars.clear_contextvars()
                structlog.contextvars.bind_contextvars(request_id=request_id)
                await self._app(scope, receive, answer.send)
        except Exception:
            # A bug. Inner layers have told the client already, if nothing else was sent before.
            log.exception("a bug", path=scope["path"][:200], request_id=request_id)
            if answer.status and not answer.finished:
                raise  # the answer has begun: all that is left is to break it off
            if not answer.status:
                await error_response(bug())(scope, receive, answer.send)
        finally:
            if scope["method"] not in _SAFE_METHODS:
                self._context.changed()
            if folders:
                await remove_folders(folders, self._context)
            self._context.metrics.in_flight.dec()
            self._note(scope, answer, time.perf_counter() - began)

    def _tidy(self, scope: Scope) -> None:
        path = str(scope["path"])
        if self._root and path.startswith(self._root + "/"):
            path = path[len(self._root) :]  # unless a proxy has cut it off already
        if len(path) > 1 and path.endswith("/"):
            path = path.rstrip("/") or "/"
        scope["path"] = path
        query: bytes = scope["query_string"]
        if not query.isascii():  # what a browser would have sent; URLs are ASCII
            scope["query_string"] = _NOT_ASCII.sub(lambda byte: b"%%%02X" % byte[0][0], query)
        if scope["method"] == "HEAD":
            scope["method"], scope["daybreak.head"] = "GET", True

    def _refusal(self, scope: Scope, headers: Headers) -> ApiError | None:
        """Why a request is refused before any route sees it."""
        hosts = headers.getlist("host")
        name = _host_name(hosts[0]) if len(hosts) == 1 else None
        if name is None and (hosts or self._hosts):
            return ApiError(400, "A request carries one Host header.", code="invalid_host")
        if self._hosts and name not in self._hosts:
            return ApiError(
                403,
                f"This server doesn't answer for the host '{str(name)[:100]}'; DAYBREAK_ALLOWED_HOSTS names others.",
                code="invalid_host",
            )
        if scope["method"] not in _SAFE_METHODS and "authorization" not in headers and "api-key" not in headers:
            return self._foreign_page(headers, hosts)
        return None

    def _foreign_page(self, headers: Headers, hosts: list[str]) -> ApiError | None:
        """A refusal of what another site's page made a browser send: browsers add Origin, nobody else must."""
        origin = headers.get("origin")
        if origin is None:
            foreign = headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}
        else:
            foreign = origin.rstrip("/").lower() not in self._origins and _origin_host(origin) not in hosts
        if not foreign:
            return None
        return ApiError(403, "Web pages of other origins may not change anything here.", code="foreign_origin")

    def _note(self, scope: Scope, answer: _Answer, seconds: float) -> None:
        """One line for a request, without its query: that may hold what a client would rather not see in a log."""
        status = answer.status or 499  # nothing was sent: the client had gone
        method = "HEAD" if "daybreak.head" in scope else scope["method"] if scope["method"] in _METHODS else "other"
        route = str(scope.get("daybreak.route") or getattr(scope.get("route"), "path_format", "none"))
        self._context.metrics.note(method, route, status, seconds)
        level = log.debug if status < 400 and scope["method"] in _SAFE_METHODS else log.info
        level(
            "request",
            method=method,
            path=scope["path"][:200],
            status=status,
            milliseconds=round(seconds * 1000, 1),
            request_id=answer.request_id,
        )


class _Answer:
    """The way out: adds the headers that every answer has, and keeps what the log wants to know."""

    def __init__(self, send: Send, request_id: str, scope: Scope, context: ServerContext) -> None:
        self._send, self.request_id, self._scope, self._context = send, request_id, scope, context
        self.status, self.finished = 0, False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self.request_id
            for name, value in {**_SAFETY_HEADERS, **self._scope["state"].get("extra_headers", {})}.items():
                headers.setdefault(name, value)
            if self._scope["method"] not in _SAFE_METHODS:
                self._context.changed()  # before the client can ask again
        elif not message.get("more_body", False):
            self.finished = True
        if "daybreak.head" in self._scope and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)


def _host_name(host: str) -> str | None:
    """The name of a Host header, without its port; None when it is not one."""
    match = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|([A-Za-z0-9._-]+)(?::\d{1,5})?", host)
    return (match[1] or match[2]).lower() if match else None


def _origin_host(origin: str) -> str | None:
    """host:port of an Origin header, as a Host header would say it; None for `null` and nonsense."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
