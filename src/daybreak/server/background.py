"""What the server does by itself: batches, webhooks, expiry, and removing bytes that nothing refers to.

One group of tasks, each restarted after an error with a growing pause: a full disk or a database that is away for an
hour stops none of them for good. All state is in the database, so two servers may run this on the same one.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from daybreak.database.files import delete_expired
from daybreak.jobs.queue import expire_jobs
from daybreak.server.batch_runner import BatchRunner
from daybreak.server.context import ServerContext
from daybreak.server.deliveries import Deliverer, poster
from daybreak.server.sweep import Sweeper, remove_bytes

log = structlog.get_logger()

Work = Callable[[], Awaitable[object]]

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds before a task that failed is started again
STEADY = 60.0  # seconds after which a task that fails counts as one that had worked
BATCH_LOOK = 1.0  # seconds between looks for open batches
EXPIRY_LOOK = 30.0
SWEEP_LOOK = 3600.0


async def run_background(context: ServerContext, stop: asyncio.Event, chance: random.Random | None = None) -> None:
    """Returns after `stop`, when every task has come to an end."""
    chance = chance or random.Random()
    deliverer = Deliverer(context.db, poster(context), context.clock, chance)
    runner = BatchRunner(context)
    sweeper = Sweeper(context)
    tasks: dict[str, Work] = {
        "webhooks": lambda: deliverer.run(stop),
        "batches": lambda: work_off(runner.step, stop, BATCH_LOOK),
        "expiry": lambda: every(EXPIRY_LOOK, lambda: context.run(expire, context), stop),
        "sweep": lambda: every(SWEEP_LOOK, lambda: context.run(sweeper.sweep), stop),
    }
    try:
        async with asyncio.TaskGroup() as group:
            for name, work in tasks.items():
                group.create_task(supervise(name, work, stop, chance), name=f"background-{name}")
    finally:
        deliverer.close()


async def supervise(name: str, work: Work, stop: asyncio.Event, chance: random.Random) -> None:
    """Runs `work` until `stop`, again and again if it fails. Errors are logged and never raised."""
    clock = asyncio.get_running_loop().time
    pause = FIRST_PAUSE
    while not stop.is_set():
        began = clock()
        try:
            await work()
        except Exception:
            if clock() - began > STEADY:
                pause = FIRST_PAUSE
            log.exception("background task failed", task=name, again_in=round(pause, 1))
            await stopped_within(stop, pause * chance.uniform(0.8, 1.2))
            pause = min(2 * pause, LONGEST_PAUSE)


async def every(seconds: float, work: Work, stop: asyncio.Event) -> None:
    """Does `work` now, and every so many seconds until `stop`."""
    while not stop.is_set():
        await work()
        await stopped_within(stop, seconds)


async def work_off(step: Callable[[], Awaitable[bool]], stop: asyncio.Event, seconds: float) -> None:
    """Does steps one after the other while there is something to do, else looks every so many seconds."""
    while not stop.is_set():
        if not await step():
            await stopped_within(stop, seconds)


async def stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    """Whether `stop` came within so many seconds."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True


def expire(context: ServerContext) -> None:
    """Lets go what its owner gave an end, videos and files, and what was deleted. Blocking."""
    now = context.clock()
    for key in expire_jobs(context.db, now):
        context.storage.delete(key)
    while delete_expired(context.db, now):
        pass
    remove_bytes(context)
