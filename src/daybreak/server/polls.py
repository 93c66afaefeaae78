"""Answers for pollers: read for everybody who is waiting in one go, and kept until the database changes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select

from daybreak.database.connect import Database
from daybreak.database.ids import is_id
from daybreak.database.tables import jobs
from daybreak.jobs.estimate import place
from daybreak.jobs.job import Job, JobError
from daybreak.server.schemas import to_json, video_object

if TYPE_CHECKING:
    from daybreak.server.context import ServerContext

_KEPT = 20_000  # answers of about 600 bytes
_AT_ONCE = 500  # rows that one statement reads
_ETA_SECONDS = 15.0  # for how long an estimate is good enough to choose a polling interval
_MIN_POLL, _MAX_POLL, _USUAL_POLL = 500, 10_000, 1_000  # milliseconds; the SDKs' own default is 1,000
_POLLS_A_JOB = 20  # that a client should need from the first one to the end
# A timeline may be long, and nobody who polls is shown it.
_NAMES = [column.name for column in jobs.columns if column.name not in ("timeline", "settings")]
_SHOWN = select(*(jobs.c[name] for name in _NAMES)).where(
    jobs.c.id.in_(bindparam("ids", expanding=True)), jobs.c.deleted_at.is_(None)
)
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
        self._reading = False
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
        if waiting is None:
            waiting = self._waiting[key] = asyncio.get_running_loop().create_future()
        if not self._reading:
            self._reading = True
            context.start(self._read(context))
        return await asyncio.shield(waiting)

    async def _read(self, context: ServerContext) -> None:
        """Answers everybody who waits, one reading after another: the more are waiting, the more each one answers."""
        try:
            while self._waiting:
                version = await context.version()
                waiting, self._waiting = self._waiting, {}
                await self._answer(context, version, waiting)
        finally:
            self._reading = False

    async def _answer(
        self, context: ServerContext, version: tuple[int, int], waiting: dict[Key, asyncio.Future[Polled | None]]
    ) -> None:
        try:
            answers = await context.run(self._answers, context.db, list(waiting), context.clock())
        except BaseException as error:
            for future in waiting.values():
                if not future.done():
                    future.set_exception(error if isinstance(error, Exception) else ConnectionAbortedError())
                    future.exception()  # nobody may be waiting any more
            if not isinstance(error, Exception):
                raise
            return
        if len(self._kept) + len(answers) > _KEPT:
            self._kept.clear()
            self._estimates.clear()
        for key, future in waiting.items():
            self._kept[key] = (version, answers.get(key))
            if not future.done():
                future.set_result(answers.get(key))

    def _answers(self, db: Database, keys: Sequence[Key], now: float) -> dict[Key, Polled]:
        """The answers of those videos that are there and belong to the project that asks."""
        wanted = set(keys)
        answers: dict[Key, Polled] = {}
        for job in _jobs(db, [video_id for _, video_id in keys]):
            key = (job.project_id, job.id)
            if key in wanted:
                after = None if job.ended else str(poll_after(self._seconds_left(db, job, now)))
                answers[key] = Polled(to_json(video_object(job)), after)
        return answers

    def _seconds_left(self, db: Database, job: Job, now: float) -> float | None:
        known = self._estimates.get(job.id)
        if known is not None and now - known[0] < _ETA_SECONDS:
            return known[1]
        seconds = place(db, job, now).eta_seconds
        self._estimates[job.id] = (now, seconds)
        return seconds


def _jobs(db: Database, ids: Sequence[str]) -> Iterator[Job]:
    """The jobs with these ids, of whatever project, without what was asked for in them."""
    for start in range(0, len(ids), _AT_ONCE):
        with db.read() as connection:
            found = connection.execute(_SHOWN, {"ids": ids[start : start + _AT_ONCE]}).all()
        for row in found:
            values: dict[str, Any] = dict(zip(_NAMES, row, strict=True), timeline={}, settings={})
            error = values.pop("error")
            yield Job(**values, error=None if error is None else JobError(error["code"], error["message"]))


def poll_after(seconds_left: float | None) -> int:
    """Milliseconds between two polls of a job that is done in so many seconds. The SDKs read only the first one."""
    if seconds_left is None:
        return _USUAL_POLL
    return round(min(max(seconds_left * 1000 / _POLLS_A_JOB, _MIN_POLL), _MAX_POLL))
