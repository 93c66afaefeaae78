"""Whose job is next: start-time fair queueing over projects, by the estimated cost of their jobs.

Each project has a clock of virtual time. Claiming one of its jobs moves the clock on by the job's cost over the
project's weight, from `virtual_start` to `virtual_finish`; next is the project whose clock is furthest behind. One that
had nothing to do for a while is not owed for it: its clock is first brought up to where the last jobs of those that
wait beside it began. It follows that

- a project with one job in the queue waits for at most the job of each other project whose clock is level with its own;
- of projects that always have jobs waiting, each gets work in proportion to its weight, to within the cost of one job;
- the order depends on nothing but the rows: no time, no chance.

A project whose owner paused its queue takes no part until it goes on, and is not owed for it either.

Within a project higher priority goes first, then the order of arrival. See Goyal, Vin and Cheng, "Start-time Fair
Queuing", SIGCOMM 1996; as there, when nothing is left to do, all are even (`forgive`).
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, String, bindparam, exists, select, text, update

from daybreak.database.tables import jobs, projects

COUNTED = 100  # longest queue that is told from a longer one when clocks are level


@dataclass(frozen=True, slots=True)
class Contender:
    """A project with work waiting: its clock, how much waits (at most COUNTED), and its first job's sequence."""

    project_id: str
    weight: float
    virtual_start: float
    virtual_finish: float
    waiting: int
    head: int

    @property
    def rank(self) -> tuple[float, int, int]:
        """The smallest is next. Of clocks that are level, the shortest queue's; of these, the job that came first."""
        return (self.virtual_finish, self.waiting, self.head)


class Waiting(NamedTuple):  # not a dataclass: ten thousand of them are made for one forecast
    """A job in the queue, as far as its turn depends on it."""

    sequence: int
    project_id: str
    priority: int
    cost: float
    ready: bool = True  # False: given back, to be tried again later


# A project with waiting jobs is found by one step into the index, not by reading the jobs of all the others.
_CONTENDERS = """
WITH RECURSIVE active(project_id) AS (
    SELECT min(project_id) FROM jobs WHERE status = 'queued'
    UNION ALL
    SELECT (SELECT min(jobs.project_id) FROM jobs WHERE jobs.status = 'queued' AND jobs.project_id > active.project_id)
    FROM active WHERE active.project_id IS NOT NULL
)
SELECT projects.id, projects.weight, projects.virtual_start, projects.virtual_finish,
    (SELECT count(*) FROM (
        SELECT 1 FROM jobs WHERE jobs.status = 'queued' AND jobs.project_id = projects.id LIMIT {counted}
    ) AS counted) AS waiting,
    (SELECT jobs.sequence FROM jobs
        WHERE jobs.status = 'queued' AND jobs.project_id = projects.id AND jobs.not_before <= :now {models}
        ORDER BY jobs.priority DESC, jobs.sequence LIMIT 1) AS head
FROM active JOIN projects ON projects.id = active.project_id AND projects.paused_at IS NULL
"""
_ANY_MODEL = text(_CONTENDERS.format(counted=COUNTED, models=""))
_SOME_MODELS = text(_CONTENDERS.format(counted=COUNTED, models="AND jobs.engine_model IN :models")).bindparams(
    bindparam("models", type_=String, expanding=True)
)

_SET_CLOCK = text("UPDATE projects SET virtual_start = :start, virtual_finish = :finish WHERE id = :of")


def contenders(connection: Connection, now: float, models: frozenset[str] | None) -> list[Contender]:
    """The projects with a job that may be claimed now, by a worker that has `models` (None: all), next one first."""
    if models is None:
        rows = connection.execute(_ANY_MODEL, {"now": now})
    else:
        rows = connection.execute(_SOME_MODELS, {"now": now, "models": sorted(models)})
    found = [Contender(*row) for row in rows if row.head is not None]
    return sorted(found, key=lambda contender: contender.rank)


def charge(connection: Connection, chosen: Contender, cost: float, among: Sequence[Contender]) -> None:
    """Moves the chosen project's clock on by a job of this cost."""
    level = max(other.virtual_start for other in among)
    start, finish = charged(chosen.virtual_finish, level, cost, chosen.weight)
    connection.execute(_SET_CLOCK, {"of": chosen.project_id, "start": start, "finish": finish})


def refund(connection: Connection, project_id: str, cost: float) -> None:
    """Takes back what `charge` did for a job that goes back to the queue and will be charged again."""
    rest = projects.c.virtual_finish - cost / projects.c.weight
    clock = update(projects).where(projects.c.id == project_id)
    connection.execute(clock.where(rest > projects.c.virtual_start).values(virtual_finish=rest))
    connection.execute(clock.where(rest <= projects.c.virtual_start).values(virtual_finish=projects.c.virtual_start))


def forgive(connection: Connection) -> None:
    """Makes all projects even where nothing waits and nothing runs: yesterday's work is no reason to wait today."""
    if connection.scalar(select(exists().where(jobs.c.status.in_(("queued", "in_progress"))))):
        return
    owing = projects.c.virtual_start < projects.c.virtual_finish
    connection.execute(update(projects).where(owing).values(virtual_start=projects.c.virtual_finish))


class _Line:
    """A project's jobs that are ready, in order, and its clock: what `claim_order` moves along."""

    __slots__ = ("delayed", "finish", "jobs", "next", "start", "weight")

    def __init__(self, share: Contender, ready: list[Waiting], delayed: int) -> None:
        self.weight, self.start, self.finish = share.weight, share.virtual_start, share.virtual_finish
        self.jobs, self.next, self.delayed = ready, 0, delayed

    @property
    def over(self) -> bool:
        return self.next == len(self.jobs)

    @property
    def rank(self) -> tuple[float, int, int]:
        """`Contender.rank`, were it asked now."""
        waiting = len(self.jobs) - self.next + self.delayed
        return (self.finish, min(waiting, COUNTED), self.jobs[self.next].sequence)


def claim_order(shares: Iterable[Contender], waiting: Iterable[Waiting]) -> Iterator[Waiting]:
    """The jobs in the order in which they will be claimed, if no other comes: `contenders` and `charge`, foretold.

    `shares` are the clocks of the projects; their `waiting` and `head` are taken from the jobs. Jobs that are not ready
    come last.
    """
    jobs_in_order = sorted(waiting, key=lambda job: (-job.priority, job.sequence))
    ready: defaultdict[str, list[Waiting]] = defaultdict(list)
    delayed = Counter(job.project_id for job in jobs_in_order if not job.ready)
    for job in jobs_in_order:
        if job.ready:
            ready[job.project_id].append(job)
    lines = {
        share.project_id: _Line(share, ready[share.project_id], delayed[share.project_id])
        for share in shares
        if share.project_id in ready
    }
    turns = [(line.rank, name) for name, line in lines.items()]
    heapq.heapify(turns)
    starts = [(-line.start, name) for name, line in lines.items()]
    heapq.heapify(starts)
    while turns:
        line = lines[turns[0][1]]
        while lines[starts[0][1]].over or -starts[0][0] != lines[starts[0][1]].start:
            heapq.heappop(starts)  # a clock that has moved on since, or of a project with nothing left
        job = line.jobs[line.next]
        line.next += 1
        line.start, line.finish = charged(line.finish, -starts[0][0], job.cost, line.weight)
        yield job
        if line.over:
            heapq.heappop(turns)
        else:
            heapq.heappush(starts, (-line.start, job.project_id))
            heapq.heapreplace(turns, (line.rank, job.project_id))
    yield from (job for job in jobs_in_order if not job.ready)


def charged(finish: float, level: float, cost: float, weight: float) -> tuple[float, float]:
    """A project's clock after a job of this cost, when the latest start among those that wait is `level`."""
    start = max(finish, level)
    return start, start + cost / weight
