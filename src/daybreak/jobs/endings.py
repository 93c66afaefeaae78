"""How a job ends: the one way into `completed` and `failed`, with everything that belongs into that transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, delete, update

from daybreak.database.tables import jobs, previews
from daybreak.jobs.fairness import forgive
from daybreak.jobs.job import CANCELLED, Job, JobError
from daybreak.jobs.outbox import add_event

CANCELLATION = JobError(CANCELLED, "The job was cancelled.")


def complete_job(
    connection: Connection,
    job: Job,
    now: float,
    duration: float,
    told: Mapping[str, Any] | None,
    *conditions: ColumnElement[bool],
) -> bool:
    """Whether the job became `completed` now. Its assets are written by the caller, in the same transaction."""
    values: dict[str, object] = {
        "status": "completed",
        "error": None,
        "duration": duration,
        "told": None if told is None else dict(told),
        "steps_done": case((jobs.c.steps_total > 0, jobs.c.steps_total), else_=jobs.c.steps_done),
        "expires_at": None if job.expires_after is None else int(now) + job.expires_after,
    }
    return _end(connection, job, now, values, "video.completed", *conditions)


def fail_job(connection: Connection, job: Job, error: JobError, now: float, *conditions: ColumnElement[bool]) -> bool:
    """Whether the job became `failed` now. One that was cancelled tells nobody: whoever stopped it knows."""
    values: dict[str, object] = {"status": "failed", "error": {"code": error.code, "message": error.message}}
    event = None if error.code == CANCELLED else "video.failed"
    return _end(connection, job, now, values, event, *conditions)


def _end(
    connection: Connection,
    job: Job,
    now: float,
    values: dict[str, object],
    event: str | None,
    *conditions: ColumnElement[bool],
) -> bool:
    open_ = jobs.c.status.in_(("queued", "in_progress"))  # what ended has ended
    ended = (
        update(jobs)
        .where(jobs.c.sequence == job.sequence, open_, *conditions)
        .values(
            completed_at=int(now),
            stage="",
            lease_owner=None,
            lease_until=None,
            checkpoint_key=None,
            **values,
        )
    )
    if not connection.execute(ended).rowcount:
        return False
    connection.execute(delete(previews).where(previews.c.job_id == job.id))
    if event is not None:
        add_event(connection, job.project_id, event, job.id, now)
    forgive(connection)
    return True
