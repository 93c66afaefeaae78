"""Answers for pollers: read once for everybody who asks at the same moment, kept until the database changes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from daybreak.database.ids import is_id
from daybreak.jobs.estimate import place
from daybreak.jobs.job import Job
from daybreak.jobs.queue import get_job
from daybreak.server.schemas import to_json, video_object

if TYPE_CHECKING:
    from daybreak.database.connect import Database
    from daybreak.server.context import ServerContext

_KEPT = 20_000  # answers of about 600 bytes
_ETA_SECONDS = 5.0  # for how long an estimate is good enough to choose a polling interval
_MIN_POLL, _MAX_POLL, _USUAL_POLL = 500, 10_000, 1_000  # milliseconds; the SDKs' own default is 1,000
_POLLS_A_JOB = 20  # that a client should need from the first one to the end
Key = tuple[str, str]  # project and video


@dataclass(frozen=True, slots=True)
class Polled:
    """A retrieve's answer: the body, and openai-poll-after-ms while the video is not done."""

    body: bytes
    poll_after: str | None


class Polls:
    """One for a server process, used on its event loop alone."""

    def __init__(self) -> None:
        self._kept: dict[Key, tuple[tuple[int, int], Polled | None]] = {}
        self._waiting: dict[Key, asyncio.Future[Polled | None]] = {}
        self._estimates: dict[str, tuple[float, float | None]] = {}  # of a job: when made, and seconds to its end

    async def get(self, context: ServerContext, project_id: str, video_id: str) -> Polled | None:
        """The answer for a video, never older than its last change in this process; None when there is none."""
        if not is_id(video_id, "video_"):
            return None
        key = (project_id, video_id)
        version = await context.version()
        kept = self._kept.get(key)
        if kept is not None and kept[0] == version:
            return kept[1]
        waiting = self._waiting.get(key)
        if waiting is None or waiting.done():
            if not self._waiting:
                context.start(self._read(context))
            waiting = self._waiting[key] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(waiting)

    async def _read(self, context: ServerContext) -> None:
        """Answers everybody who is waiting, and those who begin to wait before the reading starts."""
        await asyncio.sleep(0)
        version = await context.version()
        waiting, self._waiting = self._waiting, {}
        try:
            answers = await context.run(self._answers, context.db, list(waiting), context.clock())
        except BaseException as error:
            for future in waiting.values():
                if not future.done():
                    future.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
                    future.exception()  # nobody may be waiting any more
            if not isinstance(error, Exception):
                raise
            return
        if len(self._kept) + len(answers) > _KEPT:
            self._kept.clear()
            self._estimates.clear()
        for key, future in waiting.items():
            self._kept[key] = (version, answers[key])
            if not future.done():
                future.set_result(answers[key])

    def _answers(self, db: Database, keys: list[Key], now: float) -> dict[Key, Polled | None]:
        answers: dict[Key, Polled | None] = {}
        for project_id, video_id in keys:
            job = get_job(db, project_id, video_id)
            if job is None:
                answers[project_id, video_id] = None
                continue
            pending = job.status in {"queued", "in_progress"}
            seconds = self._seconds_left(db, job, now) if pending else None
            answers[project_id, video_id] = Polled(
                to_json(video_object(job)), str(poll_after(seconds)) if pending else None
            )
        return answers

    def _seconds_left(self, db: Database, job: Job, now: float) -> float | None:
        known = self._estimates.get(job.id)
        if known is not None and now - known[0] < _ETA_SECONDS:
            return known[1]
        seconds = place(db, job, now).eta_seconds
        self._estimates[job.id] = (now, seconds)
        return seconds


def poll_after(seconds_left: float | None) -> int:
    """Milliseconds between two polls of a job that is done in so many seconds. The SDKs read only the first one."""
    if seconds_left is None:
        return _USUAL_POLL
    return round(min(max(seconds_left * 1000 / _POLLS_A_JOB, _MIN_POLL), _MAX_POLL))
