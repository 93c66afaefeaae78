"""How quick the queue is with many jobs in it: milliseconds of every operation, on SQLite or on PostgreSQL.

    python bench/job_queue.py [--jobs 10000] [--projects 10] [--url postgresql://…]

`cpu` is what the calling thread computes, `p50` and `p99` what passes by the clock, the disk's syncs included.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

from daybreak.database.connect import Database, open_database
from daybreak.database.projects import DEFAULT_PROJECT, create_project
from daybreak.jobs.estimate import place
from daybreak.jobs.job import Claim, NewJob, Progress
from daybreak.jobs.queue import (
    claim,
    complete,
    delete_job,
    enqueue,
    enqueue_many,
    get_job,
    heartbeat,
    list_jobs,
    queue_length,
    request_cancel,
)

NOW = 1_000.0
PROMPT = "a dog runs over a wet beach in the evening sun, " * 4


def request(number: int, project: str, cost: float = 5.0) -> NewJob:
    timeline: dict[str, Any] = {"shots": [{"prompt": PROMPT}], "pins": [], "spec": {"num_frames": 49, "fps": 24}}
    return NewJob(
        project,
        "create",
        "sora-2",
        "dawn",
        PROMPT,
        "448x256",
        "2",
        timeline,
        {"seed": number},
        f"{number:064d}",
        cost=cost,
    )


def measure(name: str, times: int, run: Callable[[int], object]) -> None:
    took, before = [], time.thread_time()
    for turn in range(times):
        start = time.perf_counter()
        run(turn)
        took.append(1000 * (time.perf_counter() - start))
    cpu = 1000 * (time.thread_time() - before) / times
    took.sort()
    p99 = took[max(int(0.99 * times) - 1, 0)]
    print(f"{name:24}{cpu:9.2f}{statistics.median(took):9.2f}{p99:9.2f}{took[-1]:9.2f}", flush=True)


def run(db: Database, count: int, names: list[str]) -> None:
    chance = random.Random(0)
    mine: list[Claim] = []

    def take(_: int) -> None:
        found = claim(db, "worker", NOW, 1e6)
        assert found is not None
        mine.append(found)

    print(f"{'ms':24}{'cpu':>9}{'p50':>9}{'p99':>9}{'max':>9}")
    measure("enqueue", 400, lambda n: enqueue(db, request(count + n, chance.choice(names)), NOW, 10 * count))
    waiting = list_jobs(db, names[0], limit=200, status="queued").jobs
    measure("list 20", 200, lambda _: list_jobs(db, names[0]))
    measure("list 20 after", 200, lambda _: list_jobs(db, names[0], after=waiting[-1].id))
    measure("list 20 completed", 200, lambda _: list_jobs(db, names[0], status="completed"))
    measure("get", 400, lambda n: get_job(db, names[0], waiting[n % 200].id))
    measure("claim", 300, take)
    measure("heartbeat", 300, lambda n: heartbeat(db, mine[n], NOW + 1, 1e6, Progress("generating", 1, 2)))
    measure("complete", 300, lambda n: complete(db, mine[n], [], NOW + 2, 3.0))
    measure("cancel", 50, lambda n: request_cancel(db, names[0], waiting[n].id, NOW))
    measure("delete", 50, lambda n: delete_job(db, names[0], waiting[50 + n].id, NOW))
    measure("queue_length", 50, lambda _: queue_length(db))
    measure("place, foretold anew", 1, lambda _: place(db, waiting[150], NOW + 40))
    measure("place, known", 200, lambda _: place(db, waiting[150], NOW + 41))
    measure("changes", 400, lambda _: db.changes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--projects", type=int, default=10)
    parser.add_argument("--url")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        db = open_database(options.url or f"sqlite:///{folder}/queue.sqlite")
        names = [create_project(db, f"p{n}-{time.time()}", NOW).id for n in range(options.projects - 1)]
        names.append(DEFAULT_PROJECT)
        chance, began = random.Random(0), time.perf_counter()
        for first in range(0, options.jobs, 1000):
            some = range(first, min(first + 1000, options.jobs))
            enqueue_many(db, [request(n, chance.choice(names), chance.choice([1.0, 5.0, 60.0])) for n in some], NOW)
        print(f"{options.jobs} jobs in {time.perf_counter() - began:.1f} s")
        run(db, options.jobs, names)
        began = time.perf_counter()
        again = open_database(options.url or f"sqlite:///{folder}/queue.sqlite")
        assert claim(again, "next", NOW, 15) is not None
        print(f"opened anew and claimed after {1000 * (time.perf_counter() - began):.0f} ms")
        again.close()
        db.close()


if __name__ == "__main__":
    main()
