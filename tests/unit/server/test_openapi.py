"""The document describes what the server does: every route, its bodies, its errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi import FastAPI

from daybreak.server.auth import api_routes
from serving import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Any:
    served = Served(tmp_path_factory.mktemp("openapi"))
    yield served
    served.client.close()
    served.db.close()


@pytest.fixture(scope="module")
def document(served: Served) -> dict[str, Any]:
    return dict(served.client.get("/openapi.json").json())


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, each) for path, item in document["paths"].items() for method, each in item.items()]


def test_every_route_is_described(served: Served, document: dict[str, Any]) -> None:
    app = served.client.app
    assert isinstance(app, FastAPI)
    routes = [route for route in api_routes(app.routes) if route.include_in_schema]
    expected = {(route.path_format, method.lower()) for route in routes for method in route.methods or ()}
    assert {(path, method) for path, method, _ in operations(document)} == expected
    assert all(each.get("description") or each.get("summary") for _, _, each in operations(document))


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    text = json.dumps(document)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(schemas)
    assert "$defs" not in text
    assert "HTTPValidationError" not in schemas


def test_errors_are_the_envelope_and_bodies_are_there(document: dict[str, Any]) -> None:
    for path, method, each in operations(document):
        assert "422" not in each["responses"], path
        schema = each["responses"]["400"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/ErrorEnvelope"}
        if path.startswith("/v1/"):
            assert {"401", "403", "429"} <= set(each["responses"]), (method, path)
    create = document["paths"]["/v1/videos"]["post"]["requestBody"]["content"]
    assert set(create) >= {"application/json", "multipart/form-data"}
    assert set(document["components"]["securitySchemes"]) == {"bearer", "api-key"}


def test_what_a_video_is_said_to_be_is_what_is_sent(served: Served, document: dict[str, Any]) -> None:
    video = served.post("/v1/videos", {"prompt": "a dog", "seconds": 1, "size": "96x64"})
    schema = document["components"]["schemas"]["VideoResource"]
    assert set(schema["required"]) == set(schema["properties"]) == set(video)
    details = document["components"]["schemas"]["VideoDetails"]
    assert set(details["properties"]) == set(video["daybreak"])
