"""The project's queue as a whole: how it stands, pausing it and letting it go on."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from daybreak.jobs.pause import QueueState, pause, queue_state, resume
from daybreak.server.auth import Principal, requires
from daybreak.server.context import context_of
from daybreak.server.library_schemas import QueueResource

router = APIRouter(tags=["Queue"])
Reader = Annotated[Principal, Depends(requires("videos.read"))]
Writer = Annotated[Principal, Depends(requires("videos.write"))]


def queue_object(state: QueueState) -> dict[str, Any]:
    """A queue on the wire."""
    return {"object": "queue", "paused": state.paused_at is not None, **asdict(state)}


@router.get("/v1/queue", response_model=QueueResource)
async def retrieve_queue(request: Request, principal: Reader) -> dict[str, Any]:
    """Whether the project's queue is paused, how many videos wait and how many run."""
    context = context_of(request)
    return queue_object(await context.run(queue_state, context.db, principal.project_id))


@router.post("/v1/queue/pause", response_model=QueueResource)
async def pause_queue(request: Request, principal: Writer) -> dict[str, Any]:
    """Begins none of the project's videos from here on, on any worker; those that run are finished."""
    context = context_of(request)
    return queue_object(await context.run(pause, context.db, principal.project_id, context.clock()))


@router.post("/v1/queue/resume", response_model=QueueResource)
async def resume_queue(request: Request, principal: Writer) -> dict[str, Any]:
    """Lets a paused queue go on, in its order."""
    context = context_of(request)
    return queue_object(await context.run(resume, context.db, principal.project_id))
