"""Small clips on a live server, for tests in the browser."""

from __future__ import annotations

from typing import Any

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
