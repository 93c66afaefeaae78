"""What goes wrong, as OpenAI's clients expect it: every failure is `{"error": {message, type, param, code}}`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from daybreak.database.connect import DatabaseUnavailable
from daybreak.durable import OutOfSpace
from daybreak.storage import StorageUnavailable

log = structlog.get_logger()

# What the server needs and can't have for the moment.
OUTAGES = (DatabaseUnavailable, StorageUnavailable, OutOfSpace)
# The `type` of OpenAI's envelope, by status.
_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class ApiError(Exception):
    """A refusal that the client can act on. `param` names the field it is about, `code` is for programs."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str | None = None,  # noqa: A002 - the wire's word
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type or _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
        self.param = param
        self.code = code
        self.headers = dict(headers or {})


def invalid(param: str | None, message: str, code: str | None = "invalid_value") -> ApiError:
    """A 400: the value of `param` can't be used."""
    return ApiError(400, message, param=param, code=code)


def invalid_choice(param: str, value: object, choices: Iterable[str]) -> ApiError:
    """A 400 in OpenAI's words: Invalid value: 'x'. Supported values are: 'a', 'b', and 'c'."""
    return invalid(param, f"Invalid value: {quoted(value)}. Supported values are: {listed(choices, 'and')}.")


def invalid_type(param: str, expected: str, value: object) -> ApiError:
    """A 400 in OpenAI's words: Invalid type for 'x': expected a, but got b instead."""
    message = f"Invalid type for '{param}': expected {expected}, but got {kind_of(value)} instead."
    return invalid(param, message, "invalid_type")


def missing(param: str) -> ApiError:
    """A 400: `param` is required."""
    return invalid(param, f"Missing required parameter: '{param}'.", "missing_required_parameter")


def unknown_parameter(param: str) -> ApiError:
    """A 400: no such field."""
    return invalid(param, f"Unknown parameter: '{param}'.", "unknown_parameter")


def not_found(kind: str, wanted: str) -> ApiError:
    """A 404 that reads the same whether the thing never existed, was deleted, or belongs to somebody else."""
    return ApiError(404, f"No {kind} found with id {quoted(wanted)}.", code="not_found")


def too_many(message: str, retry_after: float, code: str = "rate_limit_exceeded") -> ApiError:
    """A 429 with the seconds after which another try makes sense."""
    return ApiError(429, message, code=code, headers=retry_headers(retry_after))


def unavailable(message: str, retry_after: float = 5.0, code: str = "unavailable") -> ApiError:
    """A 503 with the seconds after which another try makes sense."""
    return ApiError(503, message, code=code, headers=retry_headers(retry_after))


def bug() -> ApiError:
    """A 500, which says no more than that it happened."""
    return ApiError(500, "Something went wrong in the server; its log says what.", code="server_error")


def outage(error: Exception) -> ApiError:
    """A 503 for one of OUTAGES; the log has the details."""
    log.error("unavailable", kind=type(error).__name__, error=str(error))
    if isinstance(error, OutOfSpace):
        return unavailable("There is no room left on the server's disk at the moment.", 60, "disk_full")
    what = "storage" if isinstance(error, StorageUnavailable) else "database"
    return unavailable(f"The {what} can't be reached at the moment.")


def retry_headers(seconds: float) -> dict[str, str]:
    """Retry-After in whole seconds, 1 to 120 because the SDKs stop retrying above, and the same in milliseconds."""
    milliseconds = round(min(max(seconds, 1.0), 120.0) * 1000)
    return {"retry-after": str(-(-milliseconds // 1000)), "retry-after-ms": str(milliseconds)}


def quoted(value: object) -> str:
    """A value inside an error message, in single quotes and cut short."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return f"'{text[:100]}…'" if len(text) > 100 else f"'{text}'"


def listed(choices: Iterable[str], conjunction: str) -> str:
    """'a', 'b', and 'c', as OpenAI's messages list them."""
    names = [f"'{choice}'" for choice in choices]
    if len(names) < 3:
        return f" {conjunction} ".join(names)
    return f"{', '.join(names[:-1])}, {conjunction} {names[-1]}"


def kind_of(value: object) -> str:
    """How OpenAI's messages name the JSON type of a value."""
    names: dict[type, str] = {bool: "a boolean", int: "an integer", float: "a decimal", str: "a string"}
    if value is None:
        return "null"
    return names.get(type(value), "an array" if isinstance(value, list) else "an object")


def error_response(error: ApiError) -> Response:
    """The envelope. Texts that can't be encoded lose the characters in question, never the answer."""
    fields = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
    body = json.dumps({"error": fields}, ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, error.status, error.headers, "application/json")


def add_error_handlers(app: FastAPI) -> None:
    """Makes every failure of the application an envelope."""
    app.add_exception_handler(ApiError, _on_api_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_wrong_parameter)
    for kind in OUTAGES:
        app.add_exception_handler(kind, _on_outage)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    app.add_exception_handler(Exception, _on_bug)


async def _on_api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error_response(error)


async def _on_http_exception(_request: Request, error: Exception) -> Response:
    """Refusals of the framework itself; `app.py` words 404 and 405."""
    assert isinstance(error, HTTPException)
    message = error.detail or HTTPStatus(error.status_code).phrase
    return error_response(ApiError(error.status_code, str(message), headers=error.headers))


async def _on_wrong_parameter(_request: Request, error: Exception) -> Response:
    """A path or query parameter that FastAPI refused; bodies are read by `body.py`."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    param = str(first["loc"][-1]) if first.get("loc") else None
    return error_response(invalid(param, f"Invalid value for '{param}': {first['msg']}."))


async def _on_outage(_request: Request, error: Exception) -> Response:
    return error_response(outage(error))


async def _on_disconnect(_request: Request, _error: Exception) -> Response:
    return error_response(ApiError(400, "The request ended before its body did."))


async def _on_bug(_request: Request, _error: Exception) -> Response:
    """The log has the traceback and the request's id, the client has the id alone."""
    return error_response(bug())
