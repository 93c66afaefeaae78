"""Writes what the studio uses of the server's OpenAPI document to openapi.json; `npm run types` makes types of it."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

from daybreak.database.connect import open_database
from daybreak.fetch import FetchPolicy
from daybreak.server.app import make_app
from daybreak.server.context import ServerContext
from daybreak.settings import Settings
from daybreak.storage import open_storage

TARGET = Path(__file__).parents[1] / "openapi.json"


# The answers that the studio reads; what they refer to comes along.
USED = (
    "ApiKeyResource", "CatalogueEntry", "CatalogueList", "CharacterResource", "DocumentResource", "Estimate",
    "LibraryFacets", "LibraryFolder", "LibraryItem", "LibraryItemDetail", "LibraryPage", "LineageNode",
    "ModelResource", "QueueJob", "QueueList", "Usage", "VideoResource", "WebhookEndpoint",
)  # fmt: skip


def document() -> str:
    """An OpenAPI document of these answers alone."""
    with tempfile.TemporaryDirectory() as folder:
        db = open_database(f"sqlite:///{folder}/jobs.sqlite")
        context = ServerContext(Settings(data_dir=Path(folder)), db, open_storage(f"{folder}/media"), FetchPolicy())
        schemas = make_app(context).openapi()["components"]["schemas"]
        db.close()
    kept: dict[str, object] = {}
    waiting = list(USED)
    while waiting:
        name = waiting.pop()
        if name not in kept:
            kept[name] = schemas[name]
            waiting += re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(schemas[name]))
    described = {
        "openapi": "3.1.0",
        "info": {"title": "What the studio reads", "version": "0"},
        "paths": {},
        "components": {"schemas": dict(sorted(kept.items()))},
    }
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
