"""The queue against a model of it in plain Python: whatever happens in whatever order, both say the same."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, insert, select

from daybreak.database.connect import open_database
from daybreak.database.projects import DEFAULT_PROJECT, create_project
from daybreak.database.tables import assets, jobs, webhook_deliveries, webhook_endpoints
from daybreak.jobs.job import Claim, JobError, job_of
from daybreak.jobs.queue import (
    claim,
    complete,
    delete_job,
    enqueue,
    fail,
    give_back,
    heartbeat,
    list_jobs,
    queue_length,
    request_cancel,
    rerank,
    save_checkpoint,
)
from new_jobs import new_job, new_video

LEASE = 10.0
COSTS = [1.0, 2.0, 8.0]


@dataclass
class Expected:
    """A job as it should be."""

    project: str
    order: int
    priority: int
    cost: float
    fingerprint: str
    status: str = "queued"
    code: str | None = None
    attempts: int = 0
    fence: int = 0
    owner: str | None = None
    until: float = 0.0
    not_before: float = 0.0
    cancel: bool = False
    deleted: bool = False
    checkpoint: str | None = None
    retries_seen: int = 0
    ends: int = 0

    @property
    def over(self) -> bool:
        return self.status in ("completed", "failed")

    def end(self, status: str, code: str | None = None) -> None:
        self.status, self.code, self.owner, self.checkpoint = status, code, None, None
        self.ends += 1


@dataclass
class Model:
    """The queue as it should be: the shortest way to say it, with no thought of speed."""

    jobs: dict[str, Expected] = field(default_factory=dict)
    clocks: dict[str, list[float]] = field(default_factory=dict)  # of each project: virtual start and finish
    events: int = 0

    def end(self, job: Expected, status: str, code: str | None = None) -> None:
        job.end(status, code)
        self.events += code != "cancelled"
        if all(other.over for other in self.jobs.values()):
            for clock in self.clocks.values():
                clock[0] = clock[1]

    def next(self, now: float) -> str | None:
        """Id of the job that a claim at this time takes, after it ended those that may not be taken."""
        for job_id, job in sorted(self.jobs.items(), key=lambda item: item[1].order):
            if job.status == "in_progress" and job.until <= now:
                if job.cancel:
                    self.end(job, "failed", "cancelled")
                elif job.attempts >= 3:
                    self.end(job, "failed", "worker_crashed")
                else:
                    return job_id
        queued = {job_id: job for job_id, job in self.jobs.items() if job.status == "queued"}
        ready = [(-job.priority, job.order, job_id) for job_id, job in queued.items() if job.not_before <= now]
        heads = {project: min(r for r in ready if queued[r[2]].project == project) for project in self.projects(ready)}
        if not heads:
            return None

        def rank(project: str) -> tuple[float, int, int]:
            count = sum(job.project == project for job in queued.values())
            return self.clocks[project][1], count, heads[project][1]

        chosen = min(heads, key=rank)
        start = max(self.clocks[chosen][1], *(self.clocks[project][0] for project in heads))
        self.clocks[chosen] = [start, start + queued[heads[chosen][2]].cost]
        return heads[chosen][2]

    def projects(self, ready: list[tuple[int, int, str]]) -> set[str]:
        return {self.jobs[job_id].project for _, _, job_id in ready}

    def holds(self, mine: Claim) -> bool:
        job = self.jobs[mine.job.id]
        return job.status == "in_progress" and job.fence == mine.fence and job.owner == mine.owner


class QueueMachine(RuleBasedStateMachine):
    """Owners, workers that may be late or dead, and restarts."""

    claims = Bundle("claims")

    def __init__(self, template: Path, path: Path) -> None:
        super().__init__()
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(template, path)
        self.url, self.now, self.model = f"sqlite:///{path}", 1_000.0, Model()
        self.db = open_database(self.url)
        self.projects = [DEFAULT_PROJECT, create_project(self.db, "other", 1).id]
        self.model.clocks = {project: [0.0, 0.0] for project in self.projects}
        self.orders = itertools.count(1)
        with self.db.write() as connection:
            for number, project in enumerate(self.projects):
                connection.execute(
                    insert(webhook_endpoints).values(
                        id=f"we_{number}",
                        project_id=project,
                        name="n",
                        url="http://x",
                        secret="s",
                        created_at=1,
                        updated_at=1,
                        event_types=["video.completed", "video.failed"],
                    )
                )

    def pick(self, data: st.DataObject) -> tuple[str, Expected] | None:
        if not self.model.jobs:
            return None
        job_id = data.draw(st.sampled_from(sorted(self.model.jobs, key=lambda each: self.model.jobs[each].order)))
        return job_id, self.model.jobs[job_id]

    @initialize(projects=st.lists(st.integers(0, 1), min_size=2, max_size=4), cost=st.sampled_from(COSTS))
    def begin(self, projects: list[int], cost: float) -> None:
        for project in projects:
            self.enqueue(project, 0, cost, "a")

    @rule(
        project=st.integers(0, 1), priority=st.integers(0, 1), cost=st.sampled_from(COSTS), name=st.sampled_from("ab")
    )
    def enqueue(self, project: int, priority: int, cost: float, name: str) -> None:
        owner = self.projects[project]
        made = enqueue(self.db, new_job(owner, priority=priority, cost=cost, fingerprint=name), self.now, None)
        assert made.created
        self.model.jobs[made.job.id] = Expected(owner, next(self.orders), priority, cost, name)

    @rule(project=st.integers(0, 1), retry=st.integers(1, 2), name=st.sampled_from("ab"))
    def retry(self, project: int, retry: int, name: str) -> None:
        owner = self.projects[project]
        alike = [
            (job.order, job_id)
            for job_id, job in self.model.jobs.items()
            if job.project == owner and job.fingerprint == name and job.retries_seen < retry and not job.deleted
        ]
        made = enqueue(self.db, new_job(owner, fingerprint=name, retry_count=retry), self.now, None)
        assert made.created == (not alike)
        if made.created:
            self.model.jobs[made.job.id] = Expected(owner, next(self.orders), 0, 1.0, name)
        else:
            assert made.job.id == max(alike)[1]
            self.model.jobs[made.job.id].retries_seen = retry

    @rule(target=claims, mine=claims)
    def worker_falls_silent(self, mine: Claim) -> Claim | MultipleResults[Claim]:
        """Its lease runs out, and one that calls itself the same comes in its place: after a restart, say."""
        self.now += LEASE
        return self.claim(mine.owner)

    @rule(target=claims, owner=st.sampled_from(["w1", "w2"]))
    def claim(self, owner: str) -> Claim | MultipleResults[Claim]:
        expected = self.model.next(self.now)
        mine = claim(self.db, owner, self.now, LEASE)
        assert (mine and mine.job.id) == expected
        if mine is None:
            return multiple()
        job = self.model.jobs[mine.job.id]
        job.status, job.owner, job.until = "in_progress", owner, self.now + LEASE
        job.fence, job.attempts = job.fence + 1, job.attempts + 1
        assert (mine.fence, mine.job.attempts) == (job.fence, job.attempts)
        assert mine.job.checkpoint_key == job.checkpoint
        return mine

    @rule(mine=claims)
    def heartbeat(self, mine: Claim) -> None:
        job = self.model.jobs[mine.job.id]
        said = heartbeat(self.db, mine, self.now, LEASE)
        if self.model.holds(mine):
            job.until = self.now + LEASE
            assert said == ("cancel" if job.cancel else "go")
        else:
            assert said == ("cancel" if job.code == "cancelled" and job.fence == mine.fence else "lost")

    @rule(mine=claims)
    def checkpoint(self, mine: Claim) -> None:
        held = self.model.holds(mine)
        assert save_checkpoint(self.db, mine, f"checkpoints/{mine.fence}", 1) == held
        if held:
            self.model.jobs[mine.job.id].checkpoint = f"checkpoints/{mine.fence}"

    @rule(mine=claims)
    def complete(self, mine: Claim) -> None:
        job, held = self.model.jobs[mine.job.id], self.model.holds(mine)
        assert complete(self.db, mine, [new_video(f"{mine.fence}")], self.now, 1.0) == (held and not job.cancel)
        if held:
            self.model.end(job, *(("failed", "cancelled") if job.cancel else ("completed",)))

    @rule(mine=claims)
    def fail(self, mine: Claim) -> None:
        job, held = self.model.jobs[mine.job.id], self.model.holds(mine)
        assert fail(self.db, mine, JobError("out_of_memory", "x"), self.now) == held
        if held:
            self.model.end(job, "failed", "cancelled" if job.cancel else "out_of_memory")

    @rule(mine=claims, counted=st.booleans(), delay=st.sampled_from([0, 0, 5]))
    def give_back(self, mine: Claim, counted: bool, delay: int) -> None:
        job, held = self.model.jobs[mine.job.id], self.model.holds(mine)
        assert give_back(self.db, mine, self.now, counted=counted, delay=delay) == held
        if not held:
            return
        if job.cancel or (counted and job.attempts >= 3):
            self.model.end(job, "failed", "cancelled" if job.cancel else "worker_crashed")
            return
        job.status, job.owner, job.not_before = "queued", None, self.now + delay if delay else 0.0
        if not counted:
            job.attempts -= 1
            clock = self.model.clocks[job.project]
            clock[1] = max(clock[0], clock[1] - job.cost)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        if (picked := self.pick(data)) is None:
            return
        job_id, job = picked
        said = request_cancel(self.db, job.project, job_id, self.now)
        assert (said is None) == job.deleted
        if job.status == "queued" or (job.status == "in_progress" and job.until <= self.now):
            self.model.end(job, "failed", "cancelled")
        elif job.status == "in_progress":
            job.cancel = True

    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        if (picked := self.pick(data)) is None:
            return
        job_id, job = picked
        checkpoint = [] if job.checkpoint is None else [job.checkpoint]
        gone = delete_job(self.db, job.project, job_id, self.now)
        assert (gone is None) == job.deleted
        if gone is not None and not job.over:
            assert gone.keys == checkpoint
        if not job.over:
            self.model.end(job, "failed", "cancelled")
        job.deleted = True

    @rule(data=st.data())
    def run_next(self, data: st.DataObject) -> None:
        if (picked := self.pick(data)) is None:
            return
        job_id, job = picked
        others = [
            each.priority
            for each_id, each in self.model.jobs.items()
            if each.project == job.project and each.status == "queued" and each_id != job_id
        ]
        rerank(self.db, job.project, job_id)
        if job.status == "queued" and others:
            job.priority = max(job.priority, max(others) + 1)

    @rule(seconds=st.sampled_from([3.0, 11.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def restart(self) -> None:
        self.db.close()
        self.db = open_database(self.url)

    @invariant()
    def every_job_is_as_it_should_be(self) -> None:
        with self.db.read() as connection:
            made = select(assets.c.job_id, func.count()).where(assets.c.deleted_at.is_(None)).group_by(assets.c.job_id)
            has = dict(tuple(row) for row in connection.execute(made))
            rows = {
                row["id"]: job_of(row) for row in connection.execute(select(jobs).order_by(jobs.c.sequence)).mappings()
            }
            deleted = {job_id for job_id, job in rows.items() if job.deleted_at is not None}
            assert connection.scalar(select(func.count()).select_from(webhook_deliveries)) == self.model.events
        assert list(rows) == list(self.model.jobs)
        assert deleted == {job_id for job_id, job in self.model.jobs.items() if job.deleted}
        for job_id, expected in self.model.jobs.items():
            job = rows[job_id]
            assert expected.ends <= 1
            assert (job.status, job.error and job.error.code) == (expected.status, expected.code)
            assert (job.attempts, job.fence, job.lease_owner) == (expected.attempts, expected.fence, expected.owner)
            assert (job.checkpoint_key, job.priority) == (expected.checkpoint, expected.priority)
            assert has.get(job_id, 0) == (job.status == "completed" and not expected.deleted)

    def teardown(self) -> None:
        for project in self.projects:
            there = [job_id for job_id, job in self.model.jobs.items() if job.project == project and not job.deleted]
            assert [job.id for job in list_jobs(self.db, project, limit=100, order="asc").jobs] == there
            waiting = [job for job in self.model.jobs.values() if job.project == project and job.status == "queued"]
            assert queue_length(self.db, project) == len(waiting)
        self.db.close()


def test_the_queue_does_what_its_model_does(migrated_sqlite: Path, tmp_path: Path) -> None:
    numbers = itertools.count()
    run_state_machine_as_test(
        lambda: QueueMachine(migrated_sqlite, tmp_path / f"{next(numbers)}.sqlite"),
        settings=settings(
            max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
