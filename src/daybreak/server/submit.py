"""The last steps of every way of asking: refuse what can't be honoured, store the media, write the job, answer.

A job's row is written once, whatever happens to the answer: a repeated request is known by its Idempotency-Key, or as a
retry of the official SDKs by its fingerprint. After the row is written nothing here can fail.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fastapi import Request
from starlette.responses import Response

from daybreak.catalog import ModelCard
from daybreak.engines.abilities import Ability, abilities_of, needed_abilities, refusal
from daybreak.jobs.estimate import expected_seconds
from daybreak.jobs.job import Enqueued, Job, Kind, NewJob
from daybreak.jobs.operations import InvalidRequest, estimate_cost
from daybreak.jobs.queue import KeyReused, QueueFull, enqueue
from daybreak.server.auth import Principal
from daybreak.server.body import Body, Upload
from daybreak.server.context import ServerContext
from daybreak.server.errors import ApiError, invalid, too_many
from daybreak.server.loras import refuse_missing_loras
from daybreak.server.options import Options, Shape
from daybreak.server.references import Found, forget, media_assets, store
from daybreak.server.schemas import to_json, video_object
from daybreak.timeline import Timeline

_MAX_KEY = 255  # characters of an Idempotency-Key
_MAX_RETRIES = 100
# The field that asks for what an engine may lack.
_FIELDS: dict[Ability, str] = {
    "shots": "timeline.shots",
    "image_pin": "input_reference",
    "loop": "timeline.loop",
    "negative_prompt": "negative_prompt",
    "steps": "num_inference_steps",
    "guidance": "guidance_scale",
    "lora": "loras",
    "enhance_prompt": "enhance_prompt",
    "audio": "generate_audio",
    "step_cache": "step_cache",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A job that is understood and whose media are found, but not stored: its pins name them by placeholder."""

    kind: Kind
    model: str  # as the client named it
    card: ModelCard
    prompt: str
    timeline: Timeline
    shape: Shape
    options: Options
    fingerprint: str
    found: Sequence[Found] = ()
    source_id: str | None = None
    remixed_from_id: str | None = None


def files_of(body: Body) -> dict[str, Upload]:
    """The file parts by name. Raises ApiError when a name comes twice: one of the two would be left out."""
    names = [name for name, _ in body.uploads]
    for name in names:
        if names.count(name) > 1:
            raise invalid(name, f"Invalid '{name}': expected one file, but got {names.count(name)}.")
    return body.files


def fingerprint(kind: str, target: str | None, fields: Mapping[str, Any], files: Mapping[str, Upload]) -> str:
    """What two sendings of one request have in common, whatever their boundaries: SHA-256, hex."""
    digests = {name: upload.sha256 for name, upload in files.items()}
    canonical = json.dumps([kind, target, fields, digests], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def as_api_error(error: InvalidRequest) -> ApiError:
    """The 400 that says what pure code found wrong."""
    return invalid(error.param, str(error), error.code)


def refuse_what_it_lacks(card: ModelCard, timeline: Timeline, options: Options) -> None:
    """Raises ApiError 400 naming everything that the model's engine would have to leave out."""
    abilities = abilities_of(card)
    missing = needed_abilities(timeline, options.settings) - abilities
    if missing:
        params = [_FIELDS[ability] for ability in sorted(missing) if ability in _FIELDS]
        message = refusal(card.name, missing)
        raise invalid(params[0] if params else None, f"{message[0].upper()}{message[1:]}.", "unsupported_by_model")


async def finish(context: ServerContext, project_id: str, draft: Draft) -> NewJob:
    """The job of a draft, its media stored as assets of its own. Raises ApiError, and then nothing is stored."""
    refuse_what_it_lacks(draft.card, draft.timeline, draft.options)
    await context.run(refuse_missing_loras, context, draft.card, draft.options.settings)
    cost = await context.run(_cost, context, draft)
    stored: dict[str, tuple[str, str]] = {}  # placeholder to asset and digest
    try:
        for found in draft.found:
            if found.media.name not in stored:
                stored[found.media.name] = (await store(context, project_id, found), found.sha256)
    except BaseException:
        await forget(context, project_id, [asset_id for asset_id, _ in stored.values()])
        raise
    pins = tuple(
        replace(pin, media=f"asset:{stored[pin.media][0]}", sha256=stored[pin.media][1]) for pin in draft.timeline.pins
    )
    options = draft.options
    return NewJob(
        project_id=project_id,
        kind=draft.kind,
        model=draft.model,
        engine_model=draft.card.name,
        prompt=draft.prompt,
        size=draft.shape.size,
        seconds=draft.shape.seconds,
        timeline=replace(draft.timeline, pins=pins).to_dict(),
        settings=options.settings.to_dict(),
        fingerprint=draft.fingerprint,
        source_id=draft.source_id,
        remixed_from_id=draft.remixed_from_id,
        metadata=options.metadata,
        priority=options.priority,
        cost=cost,
        expires_after=options.expires_after,
    )


def _cost(context: ServerContext, draft: Draft) -> float:
    """Seconds of work: as measured for jobs like it, or else estimated."""
    measured = expected_seconds(context.db, draft.card.name, draft.shape.size, draft.shape.seconds)
    return measured or estimate_cost(draft.timeline, draft.options.settings, procedural=draft.card.procedural)


async def submit(request: Request, context: ServerContext, principal: Principal, new: NewJob) -> Response:
    """The answer with the new job's Video, or with that of the job which this request has already made."""
    assert new.project_id == principal.project_id
    return video_answer((await put_in_queue(request, context, new)).job)


def video_answer(job: Job) -> Response:
    """200 with a Video."""
    return Response(to_json(video_object(job)), media_type="application/json")


async def put_in_queue(request: Request, context: ServerContext, new: NewJob, *, know_retries: bool = True) -> Enqueued:
    """The job's row, written now or by an earlier sending of this request. Raises ApiError 429, 422 or 400."""
    try:
        new = replace(
            new,
            idempotency_key=_idempotency_key(request),
            retry_count=_retry_count(request) if know_retries else 0,
        )
        done = await context.run(enqueue, context.db, new, context.clock(), context.settings.queue_limit)
    except QueueFull as error:
        await forget(context, new.project_id, media_assets(new.timeline))
        raise too_many(
            f"The queue is full: this project has {context.settings.queue_limit} videos waiting.",
            error.retry_after,
            "queue_full",
        ) from error
    except KeyReused as error:
        await forget(context, new.project_id, media_assets(new.timeline))
        raise ApiError(
            422,
            "This Idempotency-Key was used before, with another request.",
            param="Idempotency-Key",
            code="idempotency_key_reused",
        ) from error
    except ApiError:
        await forget(context, new.project_id, media_assets(new.timeline))
        raise
    if not done.created:
        await forget(context, new.project_id, media_assets(new.timeline))
    return done


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= _MAX_KEY or not key.isprintable():
        raise invalid("Idempotency-Key", f"The Idempotency-Key must have 1 to {_MAX_KEY} printable characters.")
    return key


def _retry_count(request: Request) -> int:
    """Which retry of the official SDKs this is; 0 for a first sending, or for another client."""
    said = request.headers.get("x-stainless-retry-count", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= 3 and int(said) <= _MAX_RETRIES else 0
