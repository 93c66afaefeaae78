"""Whose job is next: start-time fair queueing over projects, by the estimated cost of their jobs.

Each project has a clock of virtual time. Claiming one of its jobs moves the clock on by the job's cost over the
project's weight, from `virtual_start` to `virtual_finish`; next is the project whose clock is furthest behind. One that
had nothing to do for a while is not owed for it: its clock is first brought up to where the last jobs of those that
wait beside it began. It follows that

- a project with one job in the queue waits for at most the job of each other project whose clock is level with its own;
- of projects that always have jobs waiting, each gets work in proportion to its weight, to within the cost of one job;
- the order depends on nothing but the rows: no time, no chance.

Within a project higher priority goes first, then the order of arrival. See Goyal, Vin and Cheng, "Start-time Fair
Queuing", SIGCOMM 1996; as there, when nothing is left to do, all are even (`forgive`).
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, bindparam, exists, select, text, update

from daybreak.database.tables import jobs, projects

COUNTED = 1000  # longest queue that is told from a longer one when clocks are level


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

    def charged(self, cost: float, level: float) -> tuple[float, float]:
        """Its clock after a job of this cost, when the latest start among those that wait is `level`."""
        start = max(self.virtual_finish, level)
        return start, start + cost / self.weight


@dataclass(frozen=True, slots=True)
class Waiting:
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
    ) AS some) AS waiting,
    (SELECT jobs.sequence FROM jobs
        WHERE jobs.status = 'queued' AND jobs.project_id = projects.id AND jobs.not_before <= :now {models}
        ORDER BY jobs.priority DESC, jobs.sequence LIMIT 1) AS head
FROM active JOIN projects ON projects.id = active.project_id
"""
_ANY_MODEL = text(_CONTENDERS.format(counted=COUNTED, models=""))
_SOME_MODELS = text(_CONTENDERS.format(counted=COUNTED, models="AND jobs.engine_model IN :models")).bindparams(
    bindparam("models", expanding=True)
)


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
    start, finish = chosen.charged(cost, max(other.virtual_start for other in among))
    clock = update(projects).where(projects.c.id == chosen.project_id)
    connection.execute(clock.values(virtual_start=start, virtual_finish=finish))


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


def claim_order(shares: Iterable[Contender], waiting: Iterable[Waiting]) -> Iterator[Waiting]:
    """The jobs in the order in which they will be claimed, if no other comes: `contenders` and `charge`, foretold.

    `shares` are the clocks of the projects; their `waiting` and `head` are taken from the jobs. Jobs that are not ready
    come last.
    """
    jobs_in_order = sorted(waiting, key=lambda job: (not job.ready, -job.priority, job.sequence))
    queues: defaultdict[str, deque[Waiting]] = defaultdict(deque)
    delayed: Counter[str] = Counter()
    for job in jobs_in_order:
        if job.ready:
            queues[job.project_id].append(job)
        else:
            delayed[job.project_id] += 1
    clocks = {share.project_id: share for share in shares if queues[share.project_id]}
    turns: list[tuple[tuple[float, int, int], str]] = []
    starts = [(-share.virtual_start, name) for name, share in clocks.items()]
    heapq.heapify(starts)

    def stand(name: str) -> None:
        queue = queues[name]
        clocks[name] = replace(clocks[name], waiting=min(len(queue) + delayed[name], COUNTED), head=queue[0].sequence)
        heapq.heappush(turns, (clocks[name].rank, name))

    for name in clocks:
        stand(name)
    while turns:
        name = heapq.heappop(turns)[1]
        while not queues[starts[0][1]] or -starts[0][0] != clocks[starts[0][1]].virtual_start:
            heapq.heappop(starts)  # a clock that has moved on since, or of a project with nothing left
        job = queues[name].popleft()
        start, finish = clocks[name].charged(job.cost, -starts[0][0])
        clocks[name] = replace(clocks[name], virtual_start=start, virtual_finish=finish)
        yield job
        if queues[name]:
            heapq.heappush(starts, (-start, name))
            stand(name)
    yield from (job for job in jobs_in_order if not job.ready)
