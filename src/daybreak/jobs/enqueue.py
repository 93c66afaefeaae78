"""How a job comes to be: one transaction that finds out whether the request is a new one, and if so queues it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, select, update

from daybreak.database.connect import Database
from daybreak.database.ids import new_id
from daybreak.database.tables import job_media, jobs
from daybreak.jobs.job import Enqueued, Job, NewJob, job_of

RETRY_WINDOW = 600.0  # seconds in which a retry of the official SDK is taken for the same request; it gives up sooner
_LONGEST_WAIT = 120  # seconds: what the official SDK waits at most; told to wait longer, it doesn't retry at all
_MEDIA = re.compile(r'"asset:([A-Za-z0-9_-]{1,48})"')


class QueueFull(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """The project has as many jobs waiting as it may have; worth another try after `retry_after` seconds."""

    def __init__(self, limit: int, retry_after: int) -> None:
        super().__init__(f"{limit} jobs are waiting already, as many as a project may have")
        self.limit = limit
        self.retry_after = retry_after


class KeyReused(ValueError):  # noqa: N818 - reads as a sentence where it is raised
    """The idempotency key belongs to another request of this project."""


def enqueue(db: Database, new: NewJob, now: float, limit: int | None) -> Enqueued:
    """The job of this request: a new one, or the one of the earlier request that this one repeats.

    It repeats one whose `idempotency_key` it has, or, sent by the SDK as a retry, the newest of the last ten minutes
    with the same fingerprint that this retry has not been matched with yet. `limit`: jobs that may wait in the project;
    None or 0 for any number. Raises QueueFull, and KeyReused for the key of another request.
    """
    with db.write() as connection:
        db.alone(connection, f"daybreak.enqueue.{new.project_id}")
        earlier = _with_same_key(connection, new) or _retried(connection, new, now)
        if earlier is not None:
            return Enqueued(earlier, created=False)
        if limit:
            _check_room(connection, new, limit)
        return Enqueued(_insert(connection, [new], now)[0], created=True)


def enqueue_many(db: Database, news: Sequence[NewJob], now: float) -> list[Job]:
    """The jobs of these requests, in their order and all in one transaction; of a key that was used, the job it made.

    For batches, which no limit keeps out. Raises KeyReused.
    """
    with db.write() as connection:
        for project_id in sorted({new.project_id for new in news}):
            db.alone(connection, f"daybreak.enqueue.{project_id}")
        known = [_with_same_key(connection, new) for new in news]
        fresh = [new for new, job in zip(news, known, strict=True) if job is None]
        keys = [(new.project_id, new.idempotency_key) for new in fresh if new.idempotency_key is not None]
        if len(set(keys)) < len(keys):
            raise KeyReused("two of the requests have the same idempotency key")
        made = iter(_insert(connection, fresh, now))
        return [next(made) if job is None else job for job in known]


def _with_same_key(connection: Connection, new: NewJob) -> Job | None:
    if new.idempotency_key is None:
        return None
    same = select(jobs).where(jobs.c.project_id == new.project_id, jobs.c.idempotency_key == new.idempotency_key)
    row = connection.execute(same).mappings().first()
    if row is None:
        return None
    if row["fingerprint"] != new.fingerprint:
        raise KeyReused(f"the idempotency key {new.idempotency_key!r} was used for another request")
    return job_of(row)


def _retried(connection: Connection, new: NewJob, now: float) -> Job | None:
    if new.retry_count <= 0 or new.idempotency_key is not None:
        return None
    same = (
        select(jobs.c.sequence)
        .where(
            jobs.c.project_id == new.project_id,
            jobs.c.fingerprint == new.fingerprint,
            jobs.c.created_at >= now - RETRY_WINDOW,
            jobs.c.retries_seen < new.retry_count,
            jobs.c.idempotency_key.is_(None),
            jobs.c.batch_id.is_(None),
            jobs.c.deleted_at.is_(None),
        )
        .order_by(jobs.c.sequence.desc())
        .limit(1)
    )
    seen = (
        update(jobs)
        .where(jobs.c.sequence == same.scalar_subquery())
        .values(retries_seen=new.retry_count)
        .returning(*jobs.columns)
    )
    row = connection.execute(seen).mappings().first()
    return None if row is None else job_of(row)


def _check_room(connection: Connection, new: NewJob, limit: int) -> None:
    queued = (jobs.c.status == "queued") & (jobs.c.project_id == new.project_id)
    some = select(jobs.c.sequence).where(queued).limit(limit).subquery()
    if (connection.scalar(select(func.count()).select_from(some)) or 0) < limit:
        return
    running = connection.scalar(select(func.count()).where(jobs.c.status == "in_progress")) or 1
    raise QueueFull(limit, min(max(math.ceil(new.cost / running), 1), _LONGEST_WAIT))


def _insert(connection: Connection, news: Sequence[NewJob], now: float) -> list[Job]:
    if not news:
        return []
    # In the order of the requests, which is the order in which they will run.
    made = insert(jobs).returning(*jobs.columns, sort_by_parameter_order=True)
    rows = connection.execute(made, [_row(new, now) for new in news]).mappings().all()
    media = [
        {"job_id": row["id"], "asset_id": asset_id}
        for row, new in zip(rows, news, strict=True)
        for asset_id in sorted(set(_MEDIA.findall(json.dumps(dict(new.timeline)))))
    ]
    if media:
        connection.execute(insert(job_media), media)
    return [job_of(row) for row in rows]


def _row(new: NewJob, now: float) -> dict[str, object]:
    return {
        "id": new_id("video"),
        "project_id": new.project_id,
        "kind": new.kind,
        "model": new.model,
        "engine_model": new.engine_model,
        "prompt": new.prompt,
        "size": new.size,
        "seconds": new.seconds,
        "timeline": dict(new.timeline),
        "settings": dict(new.settings),
        "source_id": new.source_id,
        "remixed_from_id": new.remixed_from_id,
        "batch_id": new.batch_id,
        "metadata": dict(new.metadata),
        "fingerprint": new.fingerprint,
        "idempotency_key": new.idempotency_key,
        "status": "queued",
        "created_at": int(now),
        "expires_after": new.expires_after,
        "priority": new.priority,
        "cost": new.cost,
    }
