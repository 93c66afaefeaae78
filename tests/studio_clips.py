"""Small clips on a live server, for tests in the browser."""

from __future__ import annotations

import secrets
import time
from typing import Any

from sqlalchemy import insert, select

from daybreak.database.connect import open_database
from daybreak.database.tables import assets, jobs
from live_server import LiveServer, until

PATIENCE = 90_000  # milliseconds: the machine may have much else to do


def generate(studio: LiveServer, prompt: str, **fields: Any) -> str:
    """The id of a finished clip: small, so that it takes a second."""
    said = {"model": "tiny", "prompt": prompt, "size": "128x128", "seconds": "1", "fps": 8, **fields}
    video = studio.post("/v1/videos", said)["id"]
    finish(studio, video)
    return str(video)


def finish(studio: LiveServer, video: str) -> dict[str, Any]:
    """The library's item of a clip as soon as it is completed. Raises AssertionError when it fails."""

    def ended() -> dict[str, Any] | None:
        item: dict[str, Any] = studio.get(f"/v1/library/items/{video}")
        return item if item["status"] in ("completed", "failed") else None

    item: dict[str, Any] = until(ended, seconds=PATIENCE / 1000)
    assert item["status"] == "completed", item["error"]
    return item


def newest(studio: LiveServer) -> dict[str, Any]:
    """The clip that was asked for last."""
    item: dict[str, Any] = studio.get("/v1/library?limit=1")["data"][0]
    return item


def many(studio: LiveServer, count: int, like: str | None = None) -> None:
    """Rows as finished jobs leave them, newest last; with the stored files of the clip `like`, or with none."""
    spec = {"num_frames": 8, "height": 128, "width": 128, "fps": 8.0}
    now = int(time.time())
    rows = [
        {
            "id": f"video_{secrets.token_hex(16)}", "project_id": "proj_default", "kind": "create", "model": "tiny",
            "engine_model": "tiny", "prompt": f"clip number {number}", "size": "128x128", "seconds": "1",
            "timeline": {"shots": [{"prompt": "x", "start": 0.0, "end": None}], "spec": spec, "pins": [],
                         "negative_prompt": "", "loop": False},
            "settings": {"seed": number}, "metadata": {}, "fingerprint": "0" * 64, "status": "completed",
            "created_at": now - count + number, "completed_at": now, "duration": 1.0,
        }
        for number in range(count)
    ]  # fmt: skip
    db = open_database(studio.database_url)
    with db.write() as connection:
        connection.execute(insert(jobs), rows)
        stored = connection.execute(select(assets).where(assets.c.job_id == like)).mappings().all() if like else []
        for asset in stored:
            copies = [{**asset, "id": f"asset_{secrets.token_hex(16)}", "job_id": row["id"]} for row in rows]
            connection.execute(insert(assets), copies)
    db.close()
