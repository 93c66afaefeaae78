"""A clip once more: the same timeline, media included, with the same seed or a new one."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from daybreak.generation_settings import MAX_SEED
from daybreak.jobs.job import Job, NewJob
from daybreak.jobs.queue import QueueFull, enqueue, get_job
from daybreak.server.auth import Principal, requires
from daybreak.server.body import read_body, small_limits
from daybreak.server.context import ServerContext, context_of
from daybreak.server.errors import not_found, too_many
from daybreak.server.models import resolve_model
from daybreak.server.parameters import Parameters
from daybreak.server.schemas import VideoResource, to_json, video_object

router = APIRouter(tags=["Studio"])
Writer = Annotated[Principal, Depends(requires("videos.write"))]


@router.post("/v1/library/items/{video_id}/again", response_model=VideoResource)
async def again(request: Request, video_id: str, principal: Writer) -> Response:
    """Queues what a clip was made of once more; `seed` is same or new."""
    context = context_of(request)
    parameters = Parameters((await read_body(request, small_limits())).fields)
    seed = parameters.choice("seed", ("same", "new")) or "new"
    parameters.finish()
    job = await context.run(_repeat, context, principal.project_id, video_id, seed)
    return Response(to_json(video_object(job)), media_type="application/json")


def _repeat(context: ServerContext, project_id: str, video_id: str, seed: str) -> Job:
    """The new job. Its media are the old one's assets, which stay as long as one of the two needs them."""
    old = get_job(context.db, project_id, video_id)
    if old is None:
        raise not_found("video", video_id)
    card = resolve_model(context, old.model)
    settings: dict[str, Any] = dict(old.settings)
    if seed == "new":
        settings["seed"] = secrets.randbelow(min(MAX_SEED, 2**32))
    asked = json.dumps(["again", old.id, settings], sort_keys=True)
    new = NewJob(
        project_id=project_id,
        kind=old.kind,
        model=old.model,
        engine_model=card.name,
        prompt=old.prompt,
        size=old.size,
        seconds=old.seconds,
        timeline=old.timeline,
        settings=settings,
        fingerprint=hashlib.sha256(asked.encode()).hexdigest(),
        source_id=old.source_id,
        remixed_from_id=old.remixed_from_id,
        metadata=old.metadata,
        priority=0,
        cost=old.cost,
        expires_after=old.expires_after,
    )
    try:
        return enqueue(context.db, new, context.clock(), context.settings.queue_limit).job
    except QueueFull as error:
        message = f"The queue is full: this project has {context.settings.queue_limit} videos waiting."
        raise too_many(message, error.retry_after, "queue_full") from error
