"""Jobs that were asked for together, as the older Azure interface does: variants of one request share a group id.

The group id stands in the jobs' `batch_id`, and begins with `task_`; a group without jobs doesn't exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from daybreak.database.connect import Database
from daybreak.database.pages import Order, UnknownCursor
from daybreak.database.tables import jobs

PREFIX = "task_"


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its id and its jobs' ids, in the order in which they were asked for."""

    id: str
    job_ids: tuple[str, ...]


def get_group(db: Database, project_id: str, group_id: str) -> Group | None:
    """The group; None when it's another project's, or all of it was deleted."""
    found = _groups(db, project_id, [group_id])
    return found[0] if found else None


def list_groups(
    db: Database,
    project_id: str,
    *,
    before: str | None = None,
    after: str | None = None,
    limit: int = 10,
    order: Order = "desc",
    statuses: Sequence[str] | None = None,
) -> tuple[list[Group], bool]:
    """A page of groups between the two cursors, newest first, and whether there are more. Raises UnknownCursor.

    `statuses` are of queued, in_progress, completed, failed: a group is `in_progress` from the first job that was begun
    to the last one's end, then `completed` if any of them is.
    """
    place = func.min(jobs.c.sequence)
    here = [*_mine(project_id)]
    with db.read() as connection:
        bounds = []
        for cursor, is_after in ((after, True), (before, False)):
            if cursor is None:
                continue
            at = connection.scalar(select(place).where(jobs.c.project_id == project_id, jobs.c.batch_id == cursor))
            if at is None:
                raise UnknownCursor(cursor)
            bounds.append(place < at if is_after == (order == "desc") else place > at)
        if statuses is not None:
            bounds.append(_status().in_(statuses))
        directed = place.desc() if order == "desc" else place.asc()
        query = select(jobs.c.batch_id).where(*here).group_by(jobs.c.batch_id).order_by(directed).limit(limit + 1)
        ids = [str(group_id) for group_id in connection.scalars(query.having(and_(*bounds)) if bounds else query)]
    return _groups(db, project_id, ids[:limit]), len(ids) > limit


def _status() -> ColumnElement[str]:
    def any_is(status: str) -> ColumnElement[bool]:
        return func.sum(case((jobs.c.status == status, 1), else_=0)) > 0

    return case(
        (any_is("in_progress"), "in_progress"),
        (and_(any_is("queued"), or_(any_is("completed"), any_is("failed"))), "in_progress"),
        (any_is("queued"), "queued"),
        (any_is("completed"), "completed"),
        else_="failed",
    )


def _groups(db: Database, project_id: str, ids: Sequence[str]) -> list[Group]:
    query = select(jobs.c.batch_id, jobs.c.id).where(*_mine(project_id), jobs.c.batch_id.in_(ids))
    members: dict[str, list[str]] = {}
    with db.read() as connection:
        for row in connection.execute(query.order_by(jobs.c.sequence)):
            members.setdefault(row.batch_id, []).append(row.id)
    return [Group(group_id, tuple(members[group_id])) for group_id in ids if group_id in members]


def _mine(project_id: str) -> tuple[ColumnElement[bool], ...]:
    # The underscore is a wildcard of LIKE: hence the escape.
    is_group = jobs.c.batch_id.like("task\\_%", escape="\\")
    return (jobs.c.project_id == project_id, jobs.c.deleted_at.is_(None), is_group)
