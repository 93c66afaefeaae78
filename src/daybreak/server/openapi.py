"""The OpenAPI document: FastAPI's own, with the bodies that we read ourselves, every error answer, and the keys."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

from daybreak.server.auth import api_routes, declared_scopes
from daybreak.server.schemas import ErrorEnvelope

_REF = "#/components/schemas/{model}"
_BODY = "x-body"  # of a route whose body is yet to be described
_METHODS = ("get", "post", "put", "patch", "delete")
_DESCRIPTION = (
    "OpenAI's Videos API on your own machine, and what Daybreak adds to it. Bodies may be JSON or multipart; in "
    "multipart, an object's fields are written input_reference[file_id], a list's characters[][id]."
)
_ERRORS = {
    "400": "The request can't be understood or honoured; the message says why.",
    "401": "No key, or not a good one.",
    "403": "The key lacks the scope, or a web page of another origin asked.",
    "404": "There is no such thing, or it belongs to another project.",
    "405": "The path exists, the method doesn't; Allow names those that do.",
    "413": "The body or a file is too large.",
    "415": "The body's content type is not accepted.",
    "429": "Too much at once; Retry-After says when to come back.",
    "500": "A bug in the server.",
    "503": "The server is shutting down, or something that it needs can't be reached.",
}
_BODY_ERRORS = {"413", "415"}


def describe(
    body: type[BaseModel], multipart: bool = True, files: Sequence[str] = (), required: bool = True
) -> dict[str, Any]:
    """`openapi_extra` of a route that reads its body itself: JSON, and multipart where `files` are file parts.

    In the multipart form, each field named in `files` may be a file, or what `body` says. The schema is made with the
    document, for a server that starts needs none.
    """
    return {_BODY: partial(_request_body, body, multipart, files, required)}


def _request_body(body: type[BaseModel], multipart: bool, files: Sequence[str], required: bool) -> dict[str, Any]:
    schema = body.model_json_schema(ref_template=_REF)
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if multipart:
        form = {key: value for key, value in schema.items() if key != "$defs"}
        properties = dict(form.get("properties", {}))
        for name in files:
            said = properties.get(name)
            file = {"type": "string", "format": "binary"}
            properties[name] = {"anyOf": [file, said]} if said else file
        content["multipart/form-data"] = {"schema": {**form, "properties": properties}}
    return {"required": required, "content": content}


def add_openapi(app: FastAPI, root: str) -> None:
    """Makes `app.openapi()` give the finished document, made once."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = _finish(app, root)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _finish(app: FastAPI, root: str) -> dict[str, Any]:
    for route in (each.original_route for each in api_routes(app.routes)):
        if isinstance(route, APIRoute) and _BODY in (extra := route.openapi_extra or {}):
            route.openapi_extra = {"requestBody": extra[_BODY]()}
    document = get_openapi(
        title="Daybreak",
        version=app.version,
        description=_DESCRIPTION,
        routes=app.routes,
        separate_input_output_schemas=False,
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    envelope = ErrorEnvelope.model_json_schema(ref_template=_REF)
    schemas.update(envelope.pop("$defs"))
    schemas["ErrorEnvelope"] = envelope
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own 422, which this server never sends
        schemas.pop(name, None)
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "A key made by `daybreak keys create`."},
        "api-key": {"type": "apiKey", "in": "header", "name": "api-key", "description": "The same key, Azure's way."},
    }
    open_operations = _public_operations(app)
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                _finish_operation(item[method], schemas, public=(method, path) in open_operations)
    document["servers"] = [{"url": root or "/"}]
    return document


def _public_operations(app: FastAPI) -> set[tuple[str, str]]:
    return {
        (method.lower(), route.path_format or "")
        for route in api_routes(app.routes)
        if declared_scopes(route) == [None]
        for method in route.methods or ()
    }


def _finish_operation(operation: dict[str, Any], schemas: dict[str, Any], *, public: bool) -> None:
    """Adds the error answers and the keys, and moves schemas that bodies brought along to the components."""
    has_body = "requestBody" in operation
    responses = operation.setdefault("responses", {})
    responses.pop("422", None)
    for status, text in _ERRORS.items():
        if (status in _BODY_ERRORS and not has_body) or (public and status in {"401", "403"}):
            continue
        responses.setdefault(
            status,
            {
                "description": text,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorEnvelope"}}},
            },
        )
    operation["security"] = [] if public else [{"bearer": []}, {"api-key": []}, {}]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schemas.update(content.get("schema", {}).pop("$defs", {}))
