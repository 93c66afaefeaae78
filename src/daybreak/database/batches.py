"""Batches and their lines. A line is pending until it has a job or an error; the job says the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, case, delete, exists, func, insert, or_, select, update

from daybreak.database.connect import Database
from daybreak.database.ids import new_id
from daybreak.database.pages import page
from daybreak.database.tables import batch_lines, batches, jobs

Errors = Sequence[Mapping[str, Any]]
OPEN = ("validating", "in_progress", "finalizing", "cancelling")
_LINES_AT_ONCE = 2000
UNFINISHED = ("queued", "in_progress")


@dataclass(frozen=True, slots=True)
class NewBatch:
    """What was asked for: a stored file of requests, and how long what comes of it is kept."""

    project_id: str
    endpoint: str
    completion_window: str
    input_file_id: str
    metadata: Mapping[str, str] | None
    output_expires_after: int | None
    expires_at: int


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it stands. `errors` are of the input file as a whole."""

    id: str
    project_id: str
    endpoint: str
    completion_window: str
    input_file_id: str
    output_file_id: str | None
    error_file_id: str | None
    status: str
    errors: list[dict[str, Any]] | None
    metadata: dict[str, str] | None
    total: int
    lines_completed: int
    lines_failed: int
    output_expires_after: int | None
    created_at: int
    in_progress_at: int | None
    finalizing_at: int | None
    completed_at: int | None
    failed_at: int | None
    cancelling_at: int | None
    cancelled_at: int | None
    expires_at: int | None
    expired_at: int | None
    lease_owner: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """One request: where it lies in the input file, in bytes, and what became of it."""

    line: int
    custom_id: str
    position: int
    length: int
    job_id: str | None = None
    error: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many lines there are, and how many ended well and badly so far."""

    total: int
    completed: int
    failed: int


def add_batch(db: Database, new: NewBatch, now: float) -> Batch:
    with db.write() as connection:
        newest = connection.scalar(select(func.max(batches.c.sequence)).where(batches.c.project_id == new.project_id))
        values = {
            "id": new_id("batch_"),
            "project_id": new.project_id,
            "sequence": (newest or 0) + 1,
            "endpoint": new.endpoint,
            "completion_window": new.completion_window,
            "input_file_id": new.input_file_id,
            "status": "validating",
            "metadata": None if new.metadata is None else dict(new.metadata),
            "output_expires_after": new.output_expires_after,
            "created_at": int(now),
            "expires_at": new.expires_at,
        }
        connection.execute(insert(batches).values(values))
        return _required(connection, str(values["id"]))


def repeated_batch(db: Database, new: NewBatch, since: float) -> Batch | None:
    """The newest batch since then that was asked for in the same words: what a retry of a lost answer wants."""
    same = (
        batches.c.project_id == new.project_id,
        batches.c.input_file_id == new.input_file_id,
        batches.c.endpoint == new.endpoint,
        batches.c.created_at >= int(since),
    )
    with db.read() as connection:
        rows = connection.execute(select(batches).where(*same).order_by(batches.c.sequence.desc())).all()
    wanted = (None if new.metadata is None else dict(new.metadata), new.output_expires_after)
    found = (_batch(row) for row in rows)
    return next((batch for batch in found if (batch.metadata, batch.output_expires_after) == wanted), None)


def get_batch(db: Database, project_id: str, batch_id: str) -> Batch | None:
    with db.read() as connection:
        row = connection.execute(
            select(batches).where(batches.c.project_id == project_id, batches.c.id == batch_id)
        ).first()
    return None if row is None else _batch(row)


def list_batches(db: Database, project_id: str, after: str | None = None, limit: int = 20) -> tuple[list[Batch], bool]:
    """A page, newest first, and whether there are more. Raises UnknownCursor when `after` names no batch."""
    scope = batches.c.project_id == project_id
    with db.read() as connection:
        rows, more = page(
            connection, select(batches), batches.c.sequence, scope=scope, after=after, limit=limit, order="desc"
        )
    return [_batch(row) for row in rows], more


def count_lines(db: Database, batch: Batch) -> Counts:
    if batch.status not in OPEN:
        return Counts(batch.total, batch.lines_completed, batch.lines_failed)
    with db.read() as connection:
        return _counts(connection, batch.id)


def request_cancel(db: Database, project_id: str, batch_id: str, now: float) -> Batch | None:
    """The batch, cancelling if it could still be cancelled; None when there is no such batch."""
    here = (batches.c.project_id == project_id, batches.c.id == batch_id)
    values = {"status": "cancelling", "cancelling_at": int(now)}
    with db.write() as connection:
        early = batches.c.status.in_(("validating", "in_progress"))
        connection.execute(update(batches).where(*here, early).values(values))
        row = connection.execute(select(batches).where(*here)).first()
        return None if row is None else _batch(row)


def claim_batches(db: Database, owner: str, now: float, lease: float) -> list[Batch]:
    """The open batches that are this owner's until `now + lease` or a little less: those that nobody else holds.

    `lease_owner` is who held it before, so that whoever takes over knows to look around. A lease only saves two
    servers from doing the same work: what they do is safe without one.
    """
    mine = batches.c.lease_owner == owner
    free = or_(batches.c.lease_until.is_(None), batches.c.lease_until < now, mine)
    opened = batches.c.status.in_(OPEN)
    with db.read() as connection:
        rows = connection.execute(select(batches).where(opened, free)).all()
    claimed = []
    for row in rows:
        if row.lease_owner == owner and row.lease_until > now + lease / 2:
            claimed.append(_batch(row))
            continue
        with db.write() as connection:
            values = {"lease_owner": owner, "lease_until": now + lease}
            if connection.execute(update(batches).where(batches.c.id == row.id, opened, free).values(values)).rowcount:
                claimed.append(_batch(row))
    return claimed


def start(db: Database, batch_id: str, lines: Sequence[Line], now: float) -> bool:
    """Whether the checked lines were taken down and the batch goes on; False when it was cancelled meanwhile.

    Many short transactions, so that fifty thousand lines keep nobody waiting: until the last one the batch is still
    validating, and whoever is next begins again.
    """
    names = ("line", "custom_id", "position", "length")
    for first in range(0, len(lines), _LINES_AT_ONCE):
        some = lines[first : first + _LINES_AT_ONCE]
        with db.write() as connection:
            locked = select(batches.c.id).where(batches.c.id == batch_id, batches.c.status == "validating")
            if connection.execute(locked.with_for_update()).first() is None:
                return False
            if not first:
                connection.execute(delete(batch_lines).where(batch_lines.c.batch_id == batch_id))
            rows = [{"batch_id": batch_id, **{name: getattr(line, name) for name in names}} for line in some]
            connection.execute(insert(batch_lines), rows)
    with db.write() as connection:
        values = {"status": "in_progress", "in_progress_at": int(now), "total": len(lines)}
        if not _move(connection, batch_id, "validating", values):
            return False
        there = select(func.count()).select_from(batch_lines).where(batch_lines.c.batch_id == batch_id)
        if connection.scalar(there) != len(lines):
            raise RuntimeError(f"another server has taken down the lines of {batch_id} at the same time")
        return True


def refuse(connection: Connection, batch_id: str, errors: Errors, now: float) -> bool:
    """Whether the batch failed because of its input file, in the caller's transaction."""
    values = {"status": "failed", "failed_at": int(now), "errors": [dict(error) for error in errors]}
    return _move(connection, batch_id, "validating", values)


def pending_lines(db: Database, batch_id: str, limit: int) -> list[Line]:
    """The first lines that have neither a job nor an error."""
    return _lines(db, batch_id, and_(batch_lines.c.job_id.is_(None), batch_lines.c.error.is_(None)), limit)


def lines_after(db: Database, batch_id: str, line: int, limit: int) -> list[Line]:
    return _lines(db, batch_id, batch_lines.c.line > line, limit)


def assign_jobs(db: Database, batch_id: str, job_ids: Mapping[int, str]) -> None:
    """Notes which job was made of which line."""
    with db.write() as connection:
        for line, job_id in job_ids.items():
            connection.execute(update(batch_lines).where(*_at(batch_id, line)).values(job_id=job_id))


def refuse_line(db: Database, batch_id: str, line: int, error: Mapping[str, Any]) -> None:
    """Notes why no job can be made of a line."""
    with db.write() as connection:
        unmade = batch_lines.c.job_id.is_(None)
        connection.execute(update(batch_lines).where(*_at(batch_id, line), unmade).values(error=dict(error)))


def stray_jobs(db: Database, batch_id: str) -> list[tuple[str, str]]:
    """Ids and idempotency keys of jobs that were made for a line which doesn't know of them."""
    known = exists().where(batch_lines.c.batch_id == batch_id, batch_lines.c.job_id == jobs.c.id)
    with db.read() as connection:
        rows = connection.execute(select(jobs.c.id, jobs.c.idempotency_key).where(jobs.c.batch_id == batch_id, ~known))
        return [(row.id, row.idempotency_key) for row in rows if row.idempotency_key]


def unfinished_jobs(db: Database, batch_id: str) -> list[str]:
    """Ids of the batch's jobs that are queued or running."""
    here = (jobs.c.batch_id == batch_id, jobs.c.status.in_(UNFINISHED), jobs.c.deleted_at.is_(None))
    with db.read() as connection:
        return list(connection.scalars(select(jobs.c.id).where(*here)))


def close_lines(db: Database, batch_id: str, error: Mapping[str, Any]) -> None:
    """Gives `error` to every line that hasn't ended: those without a job, and those whose job is unfinished.

    A job that finishes all the same, before it hears of it, still counts: whoever writes the output asks the job first.
    """
    going = exists().where(jobs.c.id == batch_lines.c.job_id, jobs.c.status.in_(UNFINISHED))
    unended = or_(batch_lines.c.job_id.is_(None), going)
    with db.write() as connection:
        here = (batch_lines.c.batch_id == batch_id, batch_lines.c.error.is_(None), unended)
        connection.execute(update(batch_lines).where(*here).values(error=dict(error)))


def mark_expired(db: Database, batch_id: str, now: float) -> None:
    """Notes that the completion window is over, once."""
    with db.write() as connection:
        first = (batches.c.id == batch_id, batches.c.expired_at.is_(None))
        connection.execute(update(batches).where(*first).values(expired_at=int(now)))


def begin_finalizing(db: Database, batch_id: str, now: float) -> None:
    """An `in_progress` batch is finalizing from here on; a cancelling one stays what it is."""
    with db.write() as connection:
        _move(connection, batch_id, "in_progress", {"status": "finalizing", "finalizing_at": int(now)})


def finish(
    connection: Connection, batch_id: str, output_file_id: str | None, error_file_id: str | None, now: float
) -> str | None:
    """The status that the batch ended with, in the caller's transaction; None when somebody else has ended it."""
    before = _required(connection, batch_id)
    if before.status not in ("finalizing", "cancelling"):
        return None
    status = "cancelled" if before.status == "cancelling" else "expired" if before.expired_at else "completed"
    counts = _counts(connection, batch_id)
    values: dict[str, Any] = {
        "status": status,
        "output_file_id": output_file_id,
        "error_file_id": error_file_id,
        "lines_completed": counts.completed,
        "lines_failed": counts.failed,
        "lease_until": None,
    }
    if status != "expired":
        values[f"{status}_at"] = int(now)
    return status if _move(connection, batch_id, before.status, values) else None


def _counts(connection: Connection, batch_id: str) -> Counts:
    done = jobs.c.status == "completed"
    # A line whose job finished although it was told to stop has a result: the job comes before the error.
    bad = and_(
        or_(batch_lines.c.error.is_not(None), jobs.c.status == "failed"),
        func.coalesce(jobs.c.status, "") != "completed",
    )
    query = (
        select(func.count(), func.sum(case((done, 1), else_=0)), func.sum(case((bad, 1), else_=0)))
        .select_from(batch_lines.outerjoin(jobs, jobs.c.id == batch_lines.c.job_id))
        .where(batch_lines.c.batch_id == batch_id)
    )
    total, completed, failed = connection.execute(query).one()
    return Counts(total, completed or 0, failed or 0)


def _lines(db: Database, batch_id: str, which: Any, limit: int) -> list[Line]:
    query = (
        select(batch_lines).where(batch_lines.c.batch_id == batch_id, which).order_by(batch_lines.c.line).limit(limit)
    )
    with db.read() as connection:
        rows = [row._asdict() for row in connection.execute(query)]
    return [Line(**{name: value for name, value in row.items() if name != "batch_id"}) for row in rows]


def _move(connection: Connection, batch_id: str, status: str, values: Mapping[str, Any]) -> bool:
    here = (batches.c.id == batch_id, batches.c.status == status)
    return connection.execute(update(batches).where(*here).values(**values)).rowcount == 1


def _at(batch_id: str, line: int) -> tuple[Any, ...]:
    return (batch_lines.c.batch_id == batch_id, batch_lines.c.line == line)


def _required(connection: Connection, batch_id: str) -> Batch:
    return _batch(connection.execute(select(batches).where(batches.c.id == batch_id)).one())


def _batch(row: Row[Any]) -> Batch:
    values = row._asdict()
    return Batch(**{name: values[name] for name in Batch.__dataclass_fields__})
