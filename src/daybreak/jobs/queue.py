"""The queue as its users see it; how jobs enter it and how workers take them are in files of their own.

A job is `queued`, `in_progress`, then `completed` or `failed`, and nothing leads back but a lease that ran out or a job
that was given back. Every function is one transaction. `now` is the caller's Unix time, in seconds.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, delete, func, select, update

from daybreak.database.assets import media_of_jobs, release_assets
from daybreak.database.connect import Database
from daybreak.database.pages import UnknownCursor, page
from daybreak.database.tables import job_media, jobs
from daybreak.jobs.claims import (
    MAX_ATTEMPTS,
    claim,
    complete,
    end_leases,
    fail,
    get_preview,
    give_back,
    heartbeat,
    save_checkpoint,
    save_preview,
)
from daybreak.jobs.endings import CANCELLATION, fail_job
from daybreak.jobs.enqueue import KeyReused, QueueFull, enqueue, enqueue_many
from daybreak.jobs.job import Deleted, Job, Page, Status, job_of

__all__ = [
    "MAX_ATTEMPTS",
    "KeyReused",
    "QueueFull",
    "UnknownCursor",
    "claim",
    "complete",
    "delete_job",
    "end_leases",
    "enqueue",
    "enqueue_many",
    "expire_jobs",
    "fail",
    "get_job",
    "get_preview",
    "give_back",
    "heartbeat",
    "list_jobs",
    "newest",
    "queue_length",
    "request_cancel",
    "rerank",
    "save_checkpoint",
    "save_preview",
]
_EXPIRED_AT_ONCE = 100  # jobs that one transaction lets go: it shall not keep others waiting


def get_job(db: Database, project_id: str, job_id: str) -> Job | None:
    """The job, unless it is another project's or deleted."""
    with db.read() as connection:
        return _find(connection, project_id, job_id)


def list_jobs(
    db: Database,
    project_id: str,
    after: str | None = None,
    limit: int = 20,
    order: Literal["asc", "desc"] = "desc",
    status: Status | None = None,
) -> Page:
    """A part of the project's jobs in the order of their arrival. Raises UnknownCursor when `after` was never one."""
    listed = select(jobs).where(jobs.c.deleted_at.is_(None))
    if status is not None:
        listed = listed.where(jobs.c.status == status)
    mine = jobs.c.project_id == project_id
    with db.read() as connection:
        rows, more = page(connection, listed, jobs.c.sequence, scope=mine, after=after, limit=limit, order=order)
    return Page([job_of(row._mapping) for row in rows], more)


def newest(db: Database, project_id: str) -> Job | None:
    """The project's job that came last."""
    found = list_jobs(db, project_id, limit=1).jobs
    return found[0] if found else None


def queue_length(db: Database, project_id: str | None = None) -> int:
    """How many jobs wait, in a project or in all."""
    waiting = select(func.count()).select_from(jobs).where(jobs.c.status == "queued")
    if project_id is not None:
        waiting = waiting.where(jobs.c.project_id == project_id)
    with db.read() as connection:
        return connection.scalar(waiting) or 0


def request_cancel(db: Database, project_id: str, job_id: str, now: float) -> Job | None:
    """The job after its owner asked for its end; None where there is no such job.

    One that waits has failed (`cancelled`) at once. One that runs is flagged, and fails when its worker has stopped or
    its lease has ended. One that ended stays as it is.
    """
    with db.write() as connection:
        job = _find(connection, project_id, job_id, lock=True)
        if job is None or job.ended:
            return job
        if job.status == "queued" or (job.lease_until is not None and job.lease_until <= now):
            fail_job(connection, job, CANCELLATION, now)
        else:
            connection.execute(update(jobs).where(jobs.c.sequence == job.sequence).values(cancel_requested=True))
        return _find(connection, project_id, job_id)


def delete_job(db: Database, project_id: str, job_id: str, now: float) -> Deleted | None:
    """The storage keys that nothing refers to any more; None where there is no such job.

    It never comes back: a job that waits or runs ends as cancelled first, and its worker is told at the next heartbeat.
    What is left is a row without what was asked for, by which a later page or a repeated request still finds its place.
    """
    with db.write() as connection:
        job = _find(connection, project_id, job_id, lock=True)
        return None if job is None else Deleted(_delete(connection, job, now))


def expire_jobs(db: Database, now: float) -> list[str]:
    """The storage keys that nothing refers to any more, after the end of jobs whose owners gave them one."""
    due = (
        select(jobs)
        .where(jobs.c.expires_at <= now, jobs.c.deleted_at.is_(None))
        .order_by(jobs.c.expires_at)
        .limit(_EXPIRED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    keys: list[str] = []
    while True:
        with db.write() as connection:
            found = [job_of(row) for row in connection.execute(due).mappings().all()]
            for job in found:
                keys += _delete(connection, job, now)
        if len(found) < _EXPIRED_AT_ONCE:
            return sorted(set(keys))


def rerank(db: Database, project_id: str, job_id: str, priority: int | None = None) -> Job | None:
    """The job with another priority, if it still waits; None where there is no such job.

    Without `priority` it gets one above all others of its project that wait: it is the project's next.
    """
    with db.write() as connection:
        job = _find(connection, project_id, job_id, lock=True)
        if job is None or job.status != "queued":
            return job
        if priority is None:
            others = (jobs.c.status == "queued") & (jobs.c.project_id == project_id) & (jobs.c.sequence != job.sequence)
            highest = connection.scalar(select(func.max(jobs.c.priority)).where(others))
            priority = job.priority if highest is None else max(job.priority, highest + 1)
        connection.execute(update(jobs).where(jobs.c.sequence == job.sequence).values(priority=priority))
        return _find(connection, project_id, job_id)


def _find(connection: Connection, project_id: str, job_id: str, *, lock: bool = False) -> Job | None:
    mine = select(jobs).where(jobs.c.id == job_id, jobs.c.project_id == project_id, jobs.c.deleted_at.is_(None))
    row = connection.execute(mine.with_for_update() if lock else mine).mappings().first()
    return None if row is None else job_of(row)


def _delete(connection: Connection, job: Job, now: float) -> list[str]:
    if not job.ended:
        fail_job(connection, job, CANCELLATION, now)
    gone = update(jobs).where(jobs.c.sequence == job.sequence)
    connection.execute(gone.values(deleted_at=int(now), prompt=None, timeline={}, metadata={}))
    media = media_of_jobs(connection, [job.id])
    connection.execute(delete(job_media).where(job_media.c.job_id == job.id))
    keys = release_assets(connection, media, now)
    return keys if job.checkpoint_key is None else [*keys, job.checkpoint_key]
