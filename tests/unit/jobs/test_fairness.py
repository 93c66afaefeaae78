"""Fairness between projects: what the order promises, and that it is foretold as it then happens."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, text, update

from daybreak.database.connect import Database
from daybreak.database.projects import DEFAULT_PROJECT, create_project, set_weight
from daybreak.database.tables import jobs, projects
from daybreak.jobs import fairness
from daybreak.jobs.estimate import place
from daybreak.jobs.fairness import Contender, Waiting, claim_order
from daybreak.jobs.job import Job
from daybreak.jobs.queue import claim, complete, enqueue, enqueue_many, give_back, list_jobs
from new_jobs import new_job

NOW = 1_000.0


def run_next(db: Database, *, costs: bool = False) -> Job:
    """The next job, run to its end by the only worker."""
    mine = claim(db, "worker", NOW, 15)
    assert mine is not None
    assert complete(db, mine, [], NOW, mine.job.cost if costs else 1.0)
    return mine.job


def three_projects(db: Database) -> list[str]:
    return [DEFAULT_PROJECT, create_project(db, "b", NOW).id, create_project(db, "c", NOW).id]


def test_of_1_10_and_100_jobs_in_three_queues_the_small_ones_start_within_two_slots(db: Database) -> None:
    large, medium, small = three_projects(db)
    for project, count in ((large, 100), (medium, 10), (small, 1)):
        enqueue_many(db, [new_job(project) for _ in range(count)], NOW)
    order = [run_next(db).project_id for _ in range(30)]
    assert order[:3] == [small, medium, large]
    assert order[1:21] == [medium, large] * 10  # then they take turns as long as both have any
    assert order[21:] == [large] * 9


def test_one_job_starts_within_two_slots_whenever_it_comes(db: Database) -> None:
    busy, other, _ = three_projects(db)
    enqueue_many(db, [new_job(busy) for _ in range(60)], NOW)
    for pause in (5, 1, 0, 3):
        for _ in range(pause):
            assert run_next(db).project_id == busy
        mine = enqueue(db, new_job(other), NOW, None).job
        assert mine.id in {run_next(db).id for _ in range(2)}


def test_work_is_shared_by_cost_and_not_by_number(db: Database) -> None:
    long, short, _ = three_projects(db)
    enqueue_many(db, [new_job(long, cost=60.0) for _ in range(20)], NOW)
    enqueue_many(db, [new_job(short, cost=10.0) for _ in range(60)], NOW)
    work: Counter[str] = Counter()
    for _ in range(49):
        job = run_next(db)
        work[job.project_id] += int(job.cost)
        assert abs(work[long] - work[short]) <= 60  # to within the cost of one job, at every moment
    assert work[long] > 0


def test_a_project_of_three_times_the_weight_gets_three_times_the_work(db: Database) -> None:
    light, heavy, _ = three_projects(db)
    assert set_weight(db, heavy, 3.0)
    for project in (light, heavy):
        enqueue_many(db, [new_job(project) for _ in range(40)], NOW)
    assert Counter(run_next(db).project_id for _ in range(40)) == {heavy: 30, light: 10}


def test_ten_projects_with_queues_of_any_length_get_the_same(db: Database) -> None:
    names = [create_project(db, f"p{n}", NOW).id for n in range(10)]
    for n, project in enumerate(names):
        enqueue_many(db, [new_job(project) for _ in range(8 + 5 * n)], NOW)
    done = Counter(run_next(db).project_id for _ in range(80))
    assert set(done.values()) == {8}


def test_a_project_is_not_owed_for_the_time_in_which_it_asked_for_nothing(db: Database) -> None:
    steady, late, _ = three_projects(db)
    enqueue_many(db, [new_job(steady) for _ in range(60)], NOW)
    for _ in range(30):
        run_next(db)
    enqueue_many(db, [new_job(late) for _ in range(30)], NOW)
    assert Counter(run_next(db).project_id for _ in range(20))[late] in (10, 11)  # to within the cost of one job


def test_what_a_project_got_while_nobody_else_asked_is_forgotten_when_all_is_done(db: Database) -> None:
    early, late, _ = three_projects(db)
    enqueue(db, new_job(early, cost=1e6), NOW, None)
    run_next(db)
    enqueue_many(db, [new_job(late) for _ in range(10)], NOW)
    enqueue(db, new_job(early), NOW, None)
    assert early in {run_next(db).project_id for _ in range(2)}


def test_what_is_given_back_is_not_counted_twice(db: Database) -> None:
    one, two, _ = three_projects(db)
    for project in (one, two):
        enqueue_many(db, [new_job(project, cost=10.0) for _ in range(4)], NOW)
    first = claim(db, "worker", NOW, 15)
    assert first is not None
    for _ in range(5):
        assert give_back(db, first, NOW, counted=False)
        first = claim(db, "worker", NOW, 15)
        assert first is not None
    assert complete(db, first, [], NOW, 1.0)
    assert Counter([first.job.project_id, *(run_next(db).project_id for _ in range(3))]) == {one: 2, two: 2}


def test_inside_a_project_priority_comes_before_arrival(db: Database) -> None:
    made = enqueue_many(db, [new_job(priority=priority) for priority in (0, 5, -1, 5, 0)], NOW)
    order = [run_next(db).id for _ in range(5)]
    assert order == [made[n].id for n in (1, 3, 0, 4, 2)]


def test_a_workers_models_do_not_let_one_project_wait_for_another(db: Database) -> None:
    """Two kinds of workers; one kind is much quicker, which must not count against those who need the other."""
    fast, slow, slow_too = three_projects(db)
    enqueue_many(db, [new_job(fast, engine_model="fast") for _ in range(30)], NOW)
    for project in (slow, slow_too):
        enqueue_many(db, [new_job(project, engine_model="slow") for _ in range(6)], NOW)
    slow_order = []
    for turn in range(24):
        models = frozenset({"slow"}) if turn % 6 == 5 else frozenset({"fast"})
        mine = claim(db, "worker", NOW, 15, models)
        assert mine is not None
        assert complete(db, mine, [], NOW, 1.0)
        if "slow" in models:
            slow_order.append(mine.job.project_id)
    assert Counter(slow_order) == {slow: 2, slow_too: 2}


Scene = list[tuple[int, int, float]]
SCENES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(-1, 1), st.sampled_from([0.5, 1.0, 4.0, 60.0])), min_size=1, max_size=14
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    scenes=st.lists(SCENES, min_size=1, max_size=2),
    weights=st.lists(st.sampled_from([0.5, 1.0, 3.0]), min_size=3, max_size=3),
)
def test_claims_come_in_the_order_that_was_foretold(
    sqlite_db: Database, scenes: list[Scene], weights: list[float]
) -> None:
    db = sqlite_db
    with db.write() as connection:  # hypothesis runs every example on the same database
        connection.execute(delete(jobs))
        connection.execute(delete(projects).where(projects.c.id != DEFAULT_PROJECT))
        connection.execute(update(projects).values(virtual_start=0, virtual_finish=0))
    names = three_projects(db)
    for project, weight in zip(names, weights, strict=True):
        assert set_weight(db, project, weight)
    for scene in scenes:
        enqueue_many(db, [new_job(names[p], priority=priority, cost=cost) for p, priority, cost in scene], NOW)
        waiting = [job for name in names for job in list_jobs(db, name, limit=100, status="queued").jobs]
        foretold = sorted(waiting, key=lambda job: place(db, job, NOW).position)
        assert [place(db, job, NOW).position for job in foretold] == list(range(1, len(waiting) + 1))
        happened = []
        for _ in range(len(waiting) - (len(waiting) // 3 if scene is not scenes[-1] else 0)):
            mine = claim(db, "worker", NOW, 1e9)
            assert mine is not None
            happened.append(mine.job.id)
        assert happened == [job.id for job in foretold[: len(happened)]]


def simulate(counts: dict[str, int], cost: Iterable[float]) -> list[str]:
    costs = iter(cost)
    waiting = [
        Waiting(n, name, 0, next(costs))
        for n, name in enumerate(name for name, count in counts.items() for _ in range(count))
    ]
    shares = [Contender(name, 1.0, 0.0, 0.0, 0, 0) for name in counts]
    return [job.project_id for job in claim_order(shares, waiting)]


def test_the_order_of_a_thousand_jobs_is_even() -> None:
    chance = random.Random(3)
    counts = {f"p{n}": 100 for n in range(10)}
    order = simulate(counts, (chance.choice([1.0, 2.0, 8.0]) for _ in range(1_000)))
    assert Counter(order) == Counter(counts)
    for end in range(100, 600, 50):
        assert len(set(order[end - 100 : end])) == 10  # nobody waits long


def test_jobs_for_later_come_last() -> None:
    waiting = [Waiting(1, "a", 9, 1.0, ready=False), Waiting(2, "a", 0, 1.0), Waiting(3, "b", 0, 1.0, ready=False)]
    order = claim_order([Contender("a", 1.0, 0.0, 0.0, 0, 0), Contender("b", 1.0, 0.0, 0.0, 0, 0)], waiting)
    assert [job.sequence for job in order] == [2, 1, 3]


def test_choosing_the_next_job_reads_an_index_and_never_the_table(sqlite_db: Database) -> None:
    with sqlite_db.read() as connection:
        for statement, values in (
            (fairness._ANY_MODEL, {"now": NOW}),
            (fairness._SOME_MODELS, {"now": NOW, "models": ["a", "b"]}),
        ):
            compiled = statement.bindparams(**values).compile(
                dialect=connection.dialect, compile_kwargs={"literal_binds": True}
            )
            plan = [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {compiled}"))]
            reads = [step for step in plan if "jobs" in step]
            assert len(reads) == 4
            assert all("SEARCH" in step and "COVERING INDEX" in step for step in reads), plan
            assert not any("TEMP B-TREE" in step for step in plan), plan
