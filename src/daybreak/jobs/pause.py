"""Pausing a project's queue: what runs is finished, what waits goes on waiting.

The pause is a row in the database that every claim reads, so it holds for all workers on all machines and outlasts
restarts. Each function is one transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from daybreak.database.connect import Database
from daybreak.database.tables import jobs, projects
from daybreak.jobs.job import CLAIMING


@dataclass(frozen=True, slots=True)
class QueueState:
    """A project's queue: since when it is paused (Unix seconds, None: it moves), how many jobs wait and run."""

    paused_at: int | None
    queued: int
    in_progress: int


def pause(db: Database, project_id: str, now: float) -> QueueState:
    """The queue, none of whose jobs is begun from here on. One that was paused stays so since then."""
    with db.write() as connection:
        db.alone(connection, CLAIMING)  # a claim under way ends first: what the answer shows stays true
        moving = (projects.c.id == project_id) & projects.c.paused_at.is_(None)
        connection.execute(update(projects).where(moving).values(paused_at=int(now)))
        return _state(connection, project_id)


def resume(db: Database, project_id: str) -> QueueState:
    """The queue, whose jobs are taken again in their order."""
    with db.write() as connection:
        connection.execute(update(projects).where(projects.c.id == project_id).values(paused_at=None))
        return _state(connection, project_id)


def queue_state(db: Database, project_id: str) -> QueueState:
    """How the project's queue stands."""
    with db.read() as connection:
        return _state(connection, project_id)


def paused_projects(connection: Connection) -> Collection[str]:
    """Ids of the projects that are paused."""
    return frozenset(connection.scalars(select(projects.c.id).where(projects.c.paused_at.is_not(None))))


def _state(connection: Connection, project_id: str) -> QueueState:
    paused_at = connection.scalar(select(projects.c.paused_at).where(projects.c.id == project_id))
    active = jobs.c.status.in_(("queued", "in_progress"))
    counted = select(jobs.c.status, func.count()).where(jobs.c.project_id == project_id, active)
    counts: dict[str, int] = dict(connection.execute(counted.group_by(jobs.c.status)).all())
    return QueueState(paused_at, counts.get("queued", 0), counts.get("in_progress", 0))
