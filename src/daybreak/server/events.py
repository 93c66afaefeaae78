"""A video's life as server-sent events: its place in the queue, its steps, its previews, its end."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response, StreamingResponse

from daybreak.database.ids import is_id
from daybreak.jobs.estimate import place
from daybreak.jobs.job import Job
from daybreak.jobs.queue import get_job, get_preview
from daybreak.server.auth import Principal, requires
from daybreak.server.context import ServerContext, context_of
from daybreak.server.errors import not_found, too_many
from daybreak.server.limits import Full
from daybreak.server.schemas import video_object

router = APIRouter(tags=["Videos"])

_LOOK_SECONDS = 0.25  # between two looks for changes: what a person sees as at once
_HEARTBEAT_SECONDS = 10.0  # proxies close what is silent for a minute
_PLACE_SECONDS = 5.0  # an estimate changes with the clock too
_LONGEST_SECONDS = 6 * 3600.0  # then the client connects again
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            "Events `video.queued`, `video.in_progress`, `video.preview`, and one last `video.completed` or "
            "`video.failed`, after which the stream ends. Each one's data is JSON."
        ),
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.get("/v1/videos/{video_id}/events", response_class=Response, responses=_RESPONSES)
async def events(
    request: Request, video_id: str, principal: Annotated[Principal, Depends(requires("videos.read"))]
) -> Response:
    """What happens to a video, as it happens. It begins with how the video stands, so reconnecting loses nothing."""
    context = context_of(request)
    job = None
    if is_id(video_id, "video_"):
        job = await context.run(get_job, context.db, principal.project_id, video_id)
    if job is None:
        raise not_found("video", video_id)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    if request.scope.get("daybreak.head"):
        return Response(headers=headers, media_type="text/event-stream")
    seats = ExitStack()
    try:
        seats.enter_context(context.event_seats.seat(principal.project_id))
    except Full as full:
        raise too_many("Too many event streams are open; poll the video instead.", 10, "too_many_streams") from full
    return _SeatedResponse(_stream(context, job), headers=headers, media_type="text/event-stream", seats=seats)


class _SeatedResponse(StreamingResponse):
    """Gives its seat back when it ends, even if its first byte was never sent."""

    def __init__(self, content: AsyncIterator[bytes], *, seats: ExitStack, **options: Any) -> None:
        super().__init__(content, **options)
        self._seats = seats

    async def __call__(self, *arguments: Any) -> None:
        with self._seats:
            await super().__call__(*arguments)


async def _stream(context: ServerContext, job: Job) -> AsyncIterator[bytes]:
    """The events of a job from now on. Ends with the job, when it is deleted, or when the server shuts down."""
    teller = _Teller()
    began = time.monotonic()
    version, spoken, placed = None, began, 0.0
    yield b"retry: 2000\n\n"
    while True:
        now = time.monotonic()
        latest = await context.version()
        if latest != version or (job.status == "queued" and now - placed >= _PLACE_SECONDS):
            version, placed = latest, now
            news, found = await context.run(teller.news, context, job.project_id, job.id)
            if news:
                spoken = now
                yield news
            if found is None or found.status in {"completed", "failed"}:
                return
            job = found
        if now - spoken >= _HEARTBEAT_SECONDS:
            spoken = now
            yield b": still here\n\n"
        if context.draining.is_set() or now - began > _LONGEST_SECONDS:
            yield b": please connect again\n\n"
            return
        try:
            await asyncio.wait_for(context.draining.wait(), _LOOK_SECONDS)
        except TimeoutError:
            continue


class _Teller:
    """Knows what one listener has been told already."""

    def __init__(self) -> None:
        self._told: dict[str, Any] | None = None
        self._preview_step = -1
        self._number = 0

    def news(self, context: ServerContext, project_id: str, job_id: str) -> tuple[bytes, Job | None]:
        """The events that a listener has not had yet, and the job; None when it was deleted. Blocking."""
        job = get_job(context.db, project_id, job_id)
        if job is None:
            return self._event("video.deleted", {"type": "video.deleted", "video": {"id": job_id}}), None
        out = b""
        if job.status == "in_progress":
            preview = get_preview(context.db, job_id)
            if preview is not None and preview[0] != self._preview_step:
                self._preview_step = preview[0]
                image = "data:image/webp;base64," + base64.b64encode(preview[1]).decode()
                out += self._event(
                    "video.preview", {"type": "video.preview", "video_id": job_id, "step": preview[0], "image": image}
                )
        name = f"video.{job.status}"
        facts: dict[str, Any] = {"type": name, "video": video_object(job)}
        if job.status in {"queued", "in_progress"}:
            where = place(context.db, job, context.clock())
            facts["queue_position"] = where.position if job.status == "queued" else None
            facts["eta_seconds"] = None if where.eta_seconds is None else round(where.eta_seconds, 1)
            facts.update(stage=job.stage, step=job.steps_done, steps=job.steps_total)
        if facts != self._told:
            self._told = facts
            out += self._event(name, facts)
        return out, job

    def _event(self, name: str, facts: dict[str, Any]) -> bytes:
        self._number += 1
        data = json.dumps(facts, ensure_ascii=False, separators=(",", ":"))  # no line break survives in JSON
        return f"id: {self._number}\nevent: {name}\ndata: {data}\n\n".encode()
