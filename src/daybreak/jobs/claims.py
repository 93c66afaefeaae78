"""What workers do with the queue: claim, heartbeat, save, and hand over a job finished, failed or unfinished.

Every write asks whether the job is still in the hands of this claim: `in_progress`, with its fence and its owner. A
worker that was taken for dead, and wakes up after another one got its job, misses with all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from daybreak.database.assets import NewAsset, insert_asset
from daybreak.database.connect import Database
from daybreak.database.tables import jobs, previews
from daybreak.jobs.endings import CANCELLATION, complete_job, fail_job
from daybreak.jobs.fairness import Contender, charge, contenders, refund
from daybreak.jobs.job import CANCELLED, CLAIMING, WORKER_CRASHED, Claim, Job, JobError, Progress, job_of

MAX_ATTEMPTS = 3  # claims of one job that may end without a word from the worker
_TAKE = (
    update(jobs)
    .where(jobs.c.sequence == bindparam("of"))
    .values(
        status="in_progress",
        stage="",
        started_at=bindparam("now"),
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
        fence=jobs.c.fence + 1,
        attempts=jobs.c.attempts + 1,
    )
    .returning(*jobs.columns)
)
_SILENT = (
    select(jobs)
    .where(jobs.c.status == "in_progress", jobs.c.lease_until <= bindparam("now"))
    .order_by(jobs.c.sequence)
    .with_for_update(skip_locked=True)
)
_CRASHED = JobError(WORKER_CRASHED, f"The job was given up: {MAX_ATTEMPTS} workers died while running it.")


def claim(db: Database, owner: str, now: float, lease: float, models: frozenset[str] | None = None) -> Claim | None:
    """The next job for this worker, its own for `lease` seconds unless prolonged by `heartbeat`; None without one.

    A job whose lease ran out comes first: it is begun already. After MAX_ATTEMPTS it fails instead, and one that was to
    be cancelled ends so. `models`: what the worker can run, None for everything.
    """
    with db.write() as connection:
        db.alone(connection, CLAIMING)
        job = _take_over(connection, owner, now, lease, models) or _take_next(connection, owner, now, lease, models)
    return None if job is None else Claim(job, job.fence, owner)


def heartbeat(
    db: Database, claim: Claim, now: float, lease: float, progress: Progress | None = None
) -> Literal["go", "cancel", "lost"]:
    """Whether to go on, having told where the job stands and prolonged the lease.

    "cancel": its owner wants it stopped (`fail` then says so); "lost": it is another worker's, or ended: drop it.
    """
    values: dict[str, object] = {"lease_until": now + lease}
    if progress is not None:
        values |= {
            "stage": progress.stage,
            "steps_done": progress.steps_done,
            "steps_total": progress.steps_total,
        }
    with db.write() as connection:
        beat = update(jobs).where(*_held(claim)).values(**values).returning(jobs.c.cancel_requested)
        row = connection.execute(beat).first()
        if row is not None:
            return "cancel" if row.cancel_requested else "go"
        gone = select(jobs.c.fence, jobs.c.error).where(jobs.c.sequence == claim.job.sequence)
        now_is = connection.execute(gone).first()
    stopped = now_is is not None and now_is.fence == claim.fence and (now_is.error or {}).get("code") == CANCELLED
    return "cancel" if stopped else "lost"


def save_checkpoint(db: Database, claim: Claim, key: str, step: int) -> bool:
    """Whether the job is still this claim's; the next attempt then starts from these latents in object storage."""
    with db.write() as connection:
        saved = update(jobs).where(*_held(claim)).values(checkpoint_key=key, checkpoint_step=step)
        return connection.execute(saved).rowcount > 0


def save_preview(db: Database, claim: Claim, step: int, image: bytes) -> bool:
    """Whether the job is still this claim's; the picture then replaces the last one."""
    with db.write() as connection:
        if connection.scalar(select(jobs.c.sequence).where(*_held(claim)).with_for_update()) is None:
            return False
        connection.execute(delete(previews).where(previews.c.job_id == claim.job.id))
        connection.execute(insert(previews).values(job_id=claim.job.id, step=step, image=image))
        return True


def get_preview(db: Database, job_id: str) -> tuple[int, bytes] | None:
    """The newest picture of a running job, and the step that it was made at."""
    with db.read() as connection:
        row = connection.execute(select(previews).where(previews.c.job_id == job_id)).first()
    return None if row is None else (row.step, row.image)


def complete(
    db: Database,
    claim: Claim,
    assets: Sequence[NewAsset],
    now: float,
    duration: float,
    told: Mapping[str, Any] | None = None,
) -> bool:
    """Whether the job is completed, with these assets. False when it is no longer this claim's, or is to be cancelled.

    Only what is stored and has been read back may be handed over. `duration`: seconds that this attempt took;
    `told`: what the engine says of the clip, plain JSON values.
    """
    with db.write() as connection:
        job = _lock_held(connection, claim)
        if job is None:
            return False
        if job.cancel_requested:
            fail_job(connection, job, CANCELLATION, now)
            return False
        for new in assets:
            insert_asset(connection, replace(new, job_id=job.id, project_id=job.project_id), now)
        return complete_job(connection, job, now, duration, told)


def fail(db: Database, claim: Claim, error: JobError, now: float) -> bool:
    """Whether the job failed now, with this error, or as cancelled where its owner had asked for that."""
    with db.write() as connection:
        job = _lock_held(connection, claim)
        if job is None:
            return False
        return fail_job(connection, job, CANCELLATION if job.cancel_requested else error, now)


def give_back(db: Database, claim: Claim, now: float, *, counted: bool, delay: float = 0) -> bool:
    """Whether the job was still this claim's; it is queued again, with its checkpoint, for `delay` s later.

    `counted`: the attempt is one of MAX_ATTEMPTS, after which the job fails. One that was to be cancelled ends so.
    """
    with db.write() as connection:
        job = _lock_held(connection, claim)
        if job is None:
            return False
        if job.cancel_requested:
            return fail_job(connection, job, CANCELLATION, now)
        if counted and job.attempts >= MAX_ATTEMPTS:
            return fail_job(connection, job, _CRASHED, now)
        values: dict[str, object] = {
            "status": "queued",
            "stage": "",
            "lease_owner": None,
            "lease_until": None,
            "not_before": now + delay if delay > 0 else 0.0,
            "attempts": job.attempts if counted else job.attempts - 1,
        }
        connection.execute(update(jobs).where(jobs.c.sequence == job.sequence).values(**values))
        if not counted:
            refund(connection, job.project_id, job.cost)
        return True


def end_leases(db: Database, gone: Callable[[str], bool], now: float) -> int:
    """How many jobs were taken from owners that are `gone`: nobody need wait for their leases to run out."""
    running = (jobs.c.status == "in_progress", jobs.c.lease_until > now)
    with db.write() as connection:
        owners = connection.scalars(select(jobs.c.lease_owner).where(*running).distinct()).all()
        dead = [owner for owner in owners if owner is not None and gone(owner)]
        if not dead:
            return 0
        return connection.execute(
            update(jobs).where(*running, jobs.c.lease_owner.in_(dead)).values(lease_until=now)
        ).rowcount


def _held(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        jobs.c.sequence == claim.job.sequence,
        jobs.c.status == "in_progress",
        jobs.c.fence == claim.fence,
        jobs.c.lease_owner == claim.owner,
    )


def _lock_held(connection: Connection, claim: Claim) -> Job | None:
    """The job as it stands now, if it is still this claim's; nobody changes it before the transaction ends."""
    row = connection.execute(select(jobs).where(*_held(claim)).with_for_update()).mappings().first()
    return None if row is None else job_of(row)


def _take_over(
    connection: Connection, owner: str, now: float, lease: float, models: frozenset[str] | None
) -> Job | None:
    """The first job whose worker went silent, in the order of arrival."""
    for row in connection.execute(_SILENT, {"now": now}).mappings().all():
        job = job_of(row)
        if job.cancel_requested:
            fail_job(connection, job, CANCELLATION, now)
        elif job.attempts >= MAX_ATTEMPTS:
            fail_job(connection, job, _CRASHED, now)
        elif models is None or job.engine_model in models:
            return _take(connection, job.sequence, owner, now, lease)
    return None


def _take_next(
    connection: Connection, owner: str, now: float, lease: float, models: frozenset[str] | None
) -> Job | None:
    """The first job in the queue of the project whose turn it is."""
    among = contenders(connection, now, models)
    alone = connection.dialect.name == "sqlite"
    for contender in among:
        sequence = contender.head if alone else _lock_first(connection, contender, now, models)
        if sequence is not None:  # otherwise its jobs are being cancelled or deleted at this moment
            job = _take(connection, sequence, owner, now, lease)
            charge(connection, contender, job.cost, among)
            return job
    return None


def _lock_first(connection: Connection, contender: Contender, now: float, models: frozenset[str] | None) -> int | None:
    first = (
        select(jobs.c.sequence)
        .where(jobs.c.status == "queued", jobs.c.project_id == contender.project_id, jobs.c.not_before <= now)
        .order_by(jobs.c.priority.desc(), jobs.c.sequence)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if models is not None:
        first = first.where(jobs.c.engine_model.in_(sorted(models)))
    return connection.scalar(first)


def _take(connection: Connection, sequence: int, owner: str, now: float, lease: float) -> Job:
    values = {"of": sequence, "now": int(now), "owner": owner, "until": now + lease}
    return job_of(connection.execute(_TAKE, values).mappings().one())
