"""The official Python client, blocking or asynchronous, and what contract tests ask of it again and again."""

from __future__ import annotations

import asyncio
import inspect
import io
from dataclasses import dataclass
from typing import Any

import httpx2
import numpy as np
from PIL import Image

from live_server import until

PROMPT = "a brown dog runs across a meadow"
QUICK = {"size": "96x64", "seconds": "0.5"}  # what the procedural world renders at once
DRAWN = {"size": "96x64", "seconds": "0.25", "model": "tiny"}  # by a model, which can use images and strengths


@dataclass(slots=True)
class Sdk:
    """The official Python client of either kind; calling it with what a method returned gives the result."""

    client: Any
    runner: asyncio.Runner | None = None

    def __call__(self, answer: Any) -> Any:
        if self.runner is None or not inspect.isawaitable(answer):
            return answer
        return self.runner.run(_awaited(answer))

    def all(self, pages: Any) -> list[Any]:
        """Everything in a list, whatever number of pages it has."""
        if self.runner is None:
            return list(pages)
        return self.runner.run(_collected(pages))

    def finished(self, video: Any) -> Any:
        """A video once it has ended well."""
        ended = self(self.client.videos.poll(self(video).id, poll_interval_ms=200))
        assert ended.status == "completed", ended
        return ended


async def _awaited(answer: Any) -> Any:
    return await answer


async def _collected(pages: Any) -> list[Any]:
    return [item async for item in pages]


def finished(http: httpx2.Client, video_id: str) -> dict[str, Any]:
    """The Video, once it has ended; it has to end well."""

    def ended() -> Any:
        video = http.get(f"/v1/videos/{video_id}").json()
        return video if video["status"] in ("completed", "failed") else None

    video: dict[str, Any] = until(ended)
    assert video["status"] == "completed", video
    return video


def png(width: int, height: int) -> bytes:
    """A picture that is not flat."""
    rows, columns = np.mgrid[0:height, 0:width]
    pixels = np.stack([rows * 255 // height, columns * 255 // width, (rows + columns) % 256], -1).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()
