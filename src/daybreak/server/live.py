"""What is going on in a project: its queue, as one stream of events for all of the studio's windows."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import func, select
from starlette.responses import Response

from daybreak.database import library
from daybreak.database.library import Clip
from daybreak.database.tables import assets, previews
from daybreak.jobs.estimate import foreseen_seconds, place
from daybreak.jobs.pause import queue_state
from daybreak.jobs.queue import get_job, rerank
from daybreak.server.auth import Principal, requires
from daybreak.server.body import read_body, small_limits
from daybreak.server.context import ServerContext, context_of
from daybreak.server.errors import invalid, not_found, too_many
from daybreak.server.events import _SeatedResponse as SeatedResponse
from daybreak.server.library_schemas import Estimate, QueueList, QueueOrder, Usage
from daybreak.server.limits import Full
from daybreak.server.models import meaning_of
from daybreak.server.parameters import Parameters
from daybreak.server.schemas import to_json

router = APIRouter(tags=["Studio"])
Reader = Annotated[Principal, Depends(requires("videos.read"))]
Writer = Annotated[Principal, Depends(requires("videos.write"))]

_LOOK_SECONDS = 0.25
_PLACE_SECONDS = 3.0  # estimates change with the clock, too
_HEARTBEAT_SECONDS = 10.0
_LONGEST_SECONDS = 6 * 3600.0
_PLACED = 60  # jobs of a queue whose place is worked out; nobody reads further


@router.get("/v1/library/queue", response_model=QueueList)
async def list_queue(request: Request, principal: Reader) -> Response:
    """What is running and what waits, in the order in which it will be taken."""
    context = context_of(request)
    data = await context.run(_queue, context, principal.project_id)
    state = await context.run(queue_state, context.db, principal.project_id)
    return Response(
        to_json({"object": "list", "data": data, "paused_at": state.paused_at}), media_type="application/json"
    )


@router.post("/v1/library/queue/{video_id}", response_model=QueueOrder)
async def move_in_queue(request: Request, video_id: str, principal: Writer) -> Response:
    """Moves a queued clip: `where` is first, up, down or last."""
    context = context_of(request)
    parameters = Parameters((await read_body(request, small_limits())).fields)
    where = parameters.choice("where", ("first", "up", "down", "last"))
    parameters.finish()
    data = await context.run(_move, context, principal.project_id, video_id, where or "first")
    return Response(to_json({"object": "list", "data": data}), media_type="application/json")


@router.get("/v1/library/estimate", response_model=Estimate)
async def estimate(
    request: Request,
    principal: Reader,
    model: str,
    size: str,
    seconds: Annotated[float, Query(gt=0, le=600)],
    count: Annotated[int, Query(ge=1, le=100)] = 1,
) -> Response:
    """Seconds of work that such clips took on this machine lately, and how long the queue will take before."""
    context = context_of(request)

    def look() -> dict[str, Any]:
        name = meaning_of(context, model)
        one = foreseen_seconds(context.db, name, size, seconds)
        waiting = [job["eta_seconds"] for job in _queue(context, principal.project_id)]
        known = [eta for eta in waiting if eta is not None]
        return {
            "object": "library.estimate",
            "seconds": None if one is None else one * count,
            "waiting": max(known, default=0.0) if len(known) == len(waiting) else None,
        }

    return Response(to_json(await context.run(look)), media_type="application/json")


@router.get("/v1/library/usage", response_model=Usage)
async def usage(request: Request, principal: Reader) -> Response:
    """How much the project's clips take in storage, and how much room is left."""
    context = context_of(request)

    def look() -> dict[str, Any]:
        mine = (assets.c.project_id == principal.project_id) & assets.c.deleted_at.is_(None)
        # A timeline's copies of an asset have the same bytes: each key counts once.
        kept = select(
            assets.c.key, func.max(assets.c.variant).label("variant"), func.max(assets.c.bytes).label("bytes")
        )
        each = kept.where(mine).group_by(assets.c.key).subquery()
        query = select(each.c.variant, func.sum(each.c.bytes), func.count()).group_by(each.c.variant)
        with context.db.read() as connection:
            rows = connection.execute(query).all()
        folder = context.settings.data_dir.expanduser()
        local = "://" not in context.settings.storage
        return {
            "object": "library.usage",
            "clips": next((count for variant, _, count in rows if variant == "video"), 0),
            "bytes": sum(int(size) for _, size, _ in rows),
            "by_variant": {variant: int(size) for variant, size, _ in rows},
            "free": shutil.disk_usage(folder).free if local and folder.is_dir() else None,
            "location": "this machine" if local else "object storage",
        }

    return Response(to_json(await context.run(look)), media_type="application/json")


@router.get("/v1/library/events", response_class=Response)
async def events(request: Request, principal: Reader) -> Response:
    """Server-sent events: `queue` (unfinished jobs), `paused` (since when), `ended` (jobs), `changed` (ask again)."""
    context = context_of(request)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    if request.scope.get("daybreak.head"):
        return Response(headers=headers, media_type="text/event-stream")
    seats = ExitStack()
    try:
        seats.enter_context(context.event_seats.seat(principal.project_id))
    except Full as full:
        raise too_many("Too many event streams are open; ask for the queue instead.", 10, "too_many_streams") from full
    stream = _stream(context, principal.project_id)
    return SeatedResponse(stream, headers=headers, media_type="text/event-stream", seats=seats)


async def _stream(context: ServerContext, project_id: str) -> AsyncIterator[bytes]:
    """The project's events from now on; the first one says how everything stands, so reconnecting loses nothing."""
    teller = Teller()
    began = spoken = looked = time.monotonic()
    version: tuple[int, int] | None = None
    yield b"retry: 1000\n\n"
    while not context.draining.is_set() and time.monotonic() - began < _LONGEST_SECONDS:
        now = time.monotonic()
        latest = await context.version()
        if latest != version or (teller.busy and now - looked >= _PLACE_SECONDS):
            version, looked = latest, now
            news = await context.run(teller.news, context, project_id)
            if news:
                spoken = now
                yield news
        if now - spoken >= _HEARTBEAT_SECONDS:
            spoken = now
            yield b": still here\n\n"
        try:
            await asyncio.wait_for(context.draining.wait(), _LOOK_SECONDS)
        except TimeoutError:
            continue


class Teller:
    """Knows what one listener has been told already."""

    def __init__(self) -> None:
        self._queue: list[dict[str, Any]] | None = None
        self._paused_at: int | None = None
        self._revision: tuple[int, ...] | None = None

    @property
    def busy(self) -> bool:
        """Whether anything runs or waits."""
        return bool(self._queue)

    def news(self, context: ServerContext, project_id: str) -> bytes:
        """The events that the listener has not had yet. Blocking."""
        out = b""
        first = self._queue is None
        queue = _queue(context, project_id)
        gone = {job["id"] for job in self._queue or ()} - {job["id"] for job in queue}
        if queue != self._queue:
            out += _event("queue", queue)
            self._queue = queue
        paused_at = queue_state(context.db, project_id).paused_at
        if paused_at != self._paused_at or first:
            out += _event("paused", {"paused_at": paused_at})
            self._paused_at = paused_at
        if gone:
            ended = library.get_clips(context.db, project_id, gone).values()
            out += _event("ended", [_ended_object(clip) for clip in ended])
        latest = library.revision(context.db, project_id)
        if latest != self._revision:
            if self._revision is not None:
                out += _event("changed", {})
            self._revision = latest
        return out


def _event(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


def _ended_object(clip: Clip) -> dict[str, Any]:
    return {"id": clip.id, "status": clip.status, "prompt": (clip.prompt or "")[:300], "error": clip.error}


def _queue(context: ServerContext, project_id: str) -> list[dict[str, Any]]:
    clips = library.active_clips(context.db, project_id)
    running = [clip.id for clip in clips if clip.status == "in_progress"]
    with context.db.read() as connection:
        query = select(previews.c.job_id, previews.c.step).where(previews.c.job_id.in_(running))
        steps: dict[str, int] = dict(connection.execute(query).all()) if running else {}
    found = [_live_object(context, project_id, clip, index, steps.get(clip.id)) for index, clip in enumerate(clips)]
    return sorted(found, key=lambda job: (job["status"] == "queued", job["position"] or 0))


def _live_object(
    context: ServerContext, project_id: str, clip: Clip, index: int, preview_step: int | None
) -> dict[str, Any]:
    shown = ("id", "model", "kind", "size", "seconds", "status", "steps_done", "steps_total", "created_at")
    facts = {name: getattr(clip, name) for name in shown}
    position: int | None = None
    eta: float | None = None
    if index < _PLACED:
        job = get_job(context.db, project_id, clip.id)
        if job is not None and not job.ended:
            where = place(context.db, job, context.clock())
            position = where.position if clip.status == "queued" else None
            eta = None if where.eta_seconds is None else float(round(where.eta_seconds))
    return {
        **facts,
        "prompt": (clip.prompt or "")[:300],
        "stage": clip.stage if clip.status == "in_progress" else "",
        "progress": min(99, 100 * clip.steps_done // clip.steps_total) if clip.steps_total else 0,
        "position": position,
        "eta_seconds": eta,
        "preview_step": preview_step,
        "cancel_requested": clip.cancel_requested,
    }


def _move(context: ServerContext, project_id: str, video_id: str, where: str) -> list[str]:
    """Ids of the waiting clips in their new order. Raises ApiError unless the clip waits."""
    waiting = [clip.id for clip in library.active_clips(context.db, project_id) if clip.status == "queued"]
    if video_id not in waiting:
        if get_job(context.db, project_id, video_id) is None:
            raise not_found("video", video_id)
        raise invalid(None, "Only a queued video can be moved in the queue.", "not_queued")
    if where == "first":
        rerank(context.db, project_id, video_id)
    else:
        _put(context, project_id, waiting, video_id, where)
    clips = library.active_clips(context.db, project_id)
    return [clip.id for clip in clips if clip.status == "queued"]


def _put(
    context: ServerContext, project_id: str, waiting: list[str], video_id: str, where: Literal["up", "down"] | str
) -> None:
    """Gives every waiting clip a priority of its own, so that the wanted order is the only one."""
    at = waiting.index(video_id)
    to = {"up": max(0, at - 1), "down": at + 1}.get(where, len(waiting))
    order = [clip for clip in waiting if clip != video_id]
    order.insert(to, video_id)
    for index, clip in enumerate(order):
        rerank(context.db, project_id, clip, len(order) - index)
