"""How long things take, as finished jobs of the same kind tell, and where a job stands in the queue."""

from __future__ import annotations

import heapq
import statistics
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, RowMapping, Select, select

from daybreak.database.connect import Database
from daybreak.database.tables import jobs, projects
from daybreak.jobs.fairness import Contender, Waiting, claim_order
from daybreak.jobs.job import Job, Place
from daybreak.jobs.pause import paused_projects

_LEARNT_FROM = 15  # newest finished jobs of a kind: enough for a median, few enough to follow a change of machine
_LONG = 200  # jobs; a longer queue is gone through at most once a second, not after every change of a row
_STALE = 1.0  # seconds


class _Work(NamedTuple):  # not a dataclass: ten thousand of them are made and looked up for one forecast
    """What makes jobs take about as long as one another."""

    engine_model: str
    size: str
    seconds: str


class _Waiting(NamedTuple):
    """A job in the queue."""

    id: str
    turn: Waiting
    work: _Work
    not_before: float


@dataclass(frozen=True, slots=True)
class _Running:
    """A job at work: how far it is, and what it was thought to take."""

    work: _Work
    cost: float
    started_at: int | None
    steps_done: int
    steps_total: int

    def remaining(self, typical: float | None, now: float) -> float:
        """Seconds until it ends: by its steps, and by what such jobs took, as far as either is known."""
        elapsed = max(now - self.started_at, 0.0) if self.started_at is not None else 0.0
        done = min(self.steps_done / self.steps_total, 1.0) if self.steps_total > 0 else 0.0
        if done > 0:
            return typical * (1 - done) if typical is not None else elapsed * (1 - done) / done
        return max((self.cost if typical is None else typical) - elapsed, 0.0)


@dataclass(frozen=True, slots=True)
class _Forecast:
    """The places of all queued jobs by id, as foretold at a moment."""

    changes: int
    at: float
    places: Mapping[str, Place]

    def answers(self, job: Job, changes: int, now: float) -> bool:
        fresh = self.changes == changes or (len(self.places) > _LONG and 0 <= now - self.at < _STALE)
        return fresh and job.id in self.places


_forecasts: WeakKeyDictionary[Database, _Forecast] = WeakKeyDictionary()
_forecasting = threading.Lock()


def expected_seconds(db: Database, engine_model: str, size: str, seconds: str) -> float | None:
    """Seconds of work that such a job took lately, in the median; None where there was none yet."""
    with db.read() as connection:
        return _typical(connection, _Work(engine_model, size, seconds))


def foreseen_seconds(db: Database, engine_model: str, size: str, seconds: float) -> float | None:
    """The same before anything is asked for: where no clip was as long, by what others took for each second of theirs.

    Work grows about as the number of frames does. None where the model never made a clip of this size.
    """
    as_measured = expected_seconds(db, engine_model, size, f"{seconds:g}")
    if as_measured is not None:
        return as_measured
    alike = _finished().where(jobs.c.engine_model == engine_model, jobs.c.size == size)
    with db.read() as connection:
        paces = [duration / float(length) for duration, length in connection.execute(alike)]
    return statistics.median(paces) * seconds if paces else None


def place(db: Database, job: Job, now: float) -> Place:
    """Where the job stands if no other comes: its turn, and in how many seconds it should be done.

    Nobody knows when a job of a paused queue is done; its turn is the one in that queue. In a queue of more than 200
    jobs the answer may be a second old.
    """
    if job.ended:
        return Place(0, 0.0)
    if job.status == "in_progress":
        work = _Work(job.engine_model, job.size, job.seconds)
        running = _Running(work, job.cost, job.started_at, job.steps_done, job.steps_total)
        with db.read() as connection:
            return Place(0, running.remaining(_typical(connection, work), now))
    changes = db.changes()
    with _forecasting:  # many ask at the same time: one of them finds the answer for all
        forecast = _forecasts.get(db)
        if forecast is None or not forecast.answers(job, changes, now):
            forecast = _forecasts[db] = _foretell(db, changes, now)
    return forecast.places.get(job.id, Place(0, None))  # claimed or gone since the caller read it


def _foretell(db: Database, changes: int, now: float) -> _Forecast:
    with db.read() as connection:
        running = _running(connection, now)
        paused = paused_projects(connection)
        queued = _waiting(connection, now)
        waiting = {job.turn.sequence: job for job in queued if job.turn.project_id not in paused}
        clocks = _clocks(connection)
        works = {job.work for job in running} | {job.work for job in waiting.values()}
        typical = {work: _typical(connection, work) for work in works}
    # A worker with nothing to do would have taken the first one: as many are there as are at work now.
    free_in = [job.remaining(typical[job.work], now) for job in running] or [0.0]
    heapq.heapify(free_in)
    places: dict[str, Place] = {}
    for position, turn in enumerate(claim_order(clocks, [job.turn for job in waiting.values()]), start=1):
        job = waiting[turn.sequence]
        takes = typical[job.work]
        done_in = max(heapq.heappop(free_in), job.not_before - now) + (turn.cost if takes is None else takes)
        heapq.heappush(free_in, done_in)
        places[job.id] = Place(position, done_in)
    for turns in _by_project(job for job in queued if job.turn.project_id in paused):
        places |= {job.id: Place(position, None) for position, job in enumerate(turns, start=1)}
    return _Forecast(changes, now, places)


def _by_project(queued: Iterable[_Waiting]) -> Iterable[list[_Waiting]]:
    """The jobs of each project, in its own order."""
    found: defaultdict[str, list[_Waiting]] = defaultdict(list)
    for job in sorted(queued, key=lambda job: (-job.turn.priority, job.turn.sequence)):
        found[job.turn.project_id].append(job)
    return found.values()


def _typical(connection: Connection, work: _Work) -> float | None:
    alike = _finished().where(
        jobs.c.engine_model == work.engine_model, jobs.c.size == work.size, jobs.c.seconds == work.seconds
    )
    durations = [duration for duration, _ in connection.execute(alike)]
    return statistics.median(durations) if durations else None


def _finished() -> Select[float, str]:
    """How long the newest finished jobs took, and the length of their clips."""
    ended = select(jobs.c.duration, jobs.c.seconds).where(jobs.c.status == "completed", jobs.c.duration.is_not(None))
    return ended.order_by(jobs.c.completed_at.desc()).limit(_LEARNT_FROM)


def _work_of(row: RowMapping) -> _Work:
    return _Work(row["engine_model"], row["size"], row["seconds"])


def _running(connection: Connection, now: float) -> list[_Running]:
    told = (jobs.c.cost, jobs.c.started_at, jobs.c.steps_done, jobs.c.steps_total)
    alive = select(jobs.c.engine_model, jobs.c.size, jobs.c.seconds, *told).where(
        jobs.c.status == "in_progress", jobs.c.lease_until > now
    )
    rows = connection.execute(alive).mappings()
    return [_Running(_work_of(row), *(row[column.name] for column in told)) for row in rows]


def _waiting(connection: Connection, now: float) -> list[_Waiting]:
    turn = (jobs.c.sequence, jobs.c.project_id, jobs.c.priority, jobs.c.cost, jobs.c.not_before)
    queued = select(jobs.c.id, *turn, jobs.c.engine_model, jobs.c.size, jobs.c.seconds).where(jobs.c.status == "queued")
    return [
        _Waiting(job_id, Waiting(sequence, project_id, priority, cost, not_before <= now), _Work(*work), not_before)
        for job_id, sequence, project_id, priority, cost, not_before, *work in connection.execute(queued).all()
    ]


def _clocks(connection: Connection) -> list[Contender]:
    clock = (projects.c.id, projects.c.weight, projects.c.virtual_start, projects.c.virtual_finish)
    return [Contender(*row, waiting=0, head=0) for row in connection.execute(select(*clock))]
