"""Batches at work: checks the input, turns its lines into jobs a few at a time, and writes the output when all ended.

Everything that must survive is in the database. A line becomes a job under an idempotency key of its own, so that
neither a crash between two steps nor a second server makes two of it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from dataclasses import replace

import structlog

from daybreak.database.batches import (
    Batch,
    Line,
    assign_jobs,
    begin_finalizing,
    claim_batches,
    close_lines,
    mark_expired,
    pending_lines,
    refuse,
    refuse_line,
    start,
    stray_jobs,
    unfinished_jobs,
)
from daybreak.database.files import file_asset
from daybreak.jobs.job import NewJob
from daybreak.jobs.outbox import add_event
from daybreak.jobs.queue import enqueue_many, queue_length, request_cancel
from daybreak.server.batch_input import Checked, check_input, read_request
from daybreak.server.batch_output import write_output
from daybreak.server.context import ServerContext
from daybreak.server.create import prepare_create
from daybreak.server.errors import ApiError
from daybreak.storage import Damaged, Missing

log = structlog.get_logger()

LEASE = 30.0  # seconds: how long another server waits before it takes a dead one's batches over
WINDOW = 32  # jobs of one batch that may wait or run at a time: enough for the workers, few enough for everybody else
AT_ONCE = 8  # lines that are made into jobs before the next batch has its turn: each may fetch a picture
PRIORITY = -1  # more than the request asks for: whoever waits for an answer goes first
PATIENCE = 600.0  # seconds that an ending batch waits for jobs to hear of it, as the Batch API says
LONGEST_PAUSE = 60.0  # seconds until a batch that could not go on is tried again
_EXPIRED = {
    "code": "batch_expired",
    "message": "This request could not be executed before the completion window expired.",
}
_CANCELLED = {"code": "batch_cancelled", "message": "This request was not executed because the batch was cancelled."}


class BatchRunner:
    """This server's work on batches."""

    def __init__(self, context: ServerContext, owner: str | None = None) -> None:
        self.context = context
        self._waits: dict[str, tuple[float, float]] = {}  # of batches that failed to advance: how long, and until when
        self.owner = owner or f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"

    async def step(self) -> bool:
        """Whether anything moved: one piece of work on each open batch."""
        context, moved = self.context, False
        for batch in await context.run(claim_batches, context.db, self.owner, context.clock(), LEASE):
            pause, until = self._waits.get(batch.id, (0.5, 0.0))
            if context.clock() < until:
                continue
            try:
                moved |= await self._advance(batch)
                self._waits.pop(batch.id, None)
            except Exception:  # one batch that can't go on holds up no other
                pause = min(2 * pause, LONGEST_PAUSE)
                self._waits[batch.id] = (pause, context.clock() + pause)
                log.exception("batch not advanced", batch=batch.id, status=batch.status, again_in=pause)
        return moved

    async def _advance(self, batch: Batch) -> bool:
        context, now = self.context, self.context.clock()
        if batch.lease_owner not in (None, self.owner):
            await context.run(self._adopt, batch)
        if batch.status == "validating":
            return await context.run(self._validate, batch)
        if batch.status == "finalizing":
            return await self._write(batch)
        if batch.status == "cancelling":
            return await self._close(batch, _CANCELLED, batch.cancelling_at or now)
        if batch.expired_at is not None or (batch.expires_at is not None and now >= batch.expires_at):
            await context.run(mark_expired, context.db, batch.id, now)
            return await self._close(batch, _EXPIRED, batch.expired_at or now)
        return await self._feed(batch)

    def _validate(self, batch: Batch) -> bool:
        """Reads the whole input once. Blocking."""
        db, now = self.context.db, self.context.clock()
        checked = self._check(batch)
        if not checked.errors:
            started = start(db, batch.id, checked.lines, now)
            log.info("batch started", batch=batch.id, lines=len(checked.lines))
            return started
        with db.write() as connection:
            if refuse(connection, batch.id, checked.errors, now):
                add_event(connection, batch.project_id, "batch.failed", batch.id, now)
        log.info("batch refused", batch=batch.id, errors=len(checked.errors))
        return True

    def _check(self, batch: Batch) -> Checked:
        file = file_asset(self.context.db, batch.project_id, batch.input_file_id)
        try:
            if file is not None:
                return check_input(self.context.storage.read(file.key, 0, file.bytes), batch.endpoint)
        except (Missing, Damaged) as error:
            log.error("batch input lost", batch=batch.id, why=str(error))
        message = f"The input file '{batch.input_file_id}' is not there any more."
        return Checked([], [{"code": "file_not_found", "message": message, "param": "input_file_id", "line": None}])

    async def _feed(self, batch: Batch) -> bool:
        """Makes jobs of the next lines, where there is room for them."""
        context = self.context
        going = await context.run(unfinished_jobs, context.db, batch.id)
        queued = await context.run(queue_length, context.db, batch.project_id)
        # Half of the queue stays free for those who ask for one video.
        room = min(AT_ONCE, WINDOW - len(going), max(1, context.settings.queue_limit // 2) - queued)
        lines = await context.run(pending_lines, context.db, batch.id, max(1, room))
        if not lines and not going:
            await context.run(begin_finalizing, context.db, batch.id, context.clock())
            return True
        if not lines or room <= 0:
            return False
        prepared: dict[int, NewJob] = {}
        for line in lines:
            try:
                prepared[line.line] = await self._prepare(batch, line)
            except ApiError as error:
                if error.status == 429 or error.status >= 500:
                    log.info("batch waits", batch=batch.id, why=error.message)
                    break  # not the line's fault: it's tried again
                await context.run(refuse_line, context.db, batch.id, line.line, _refusal(error))
        await context.run(self._enqueue, batch, prepared)
        return True

    async def _prepare(self, batch: Batch, line: Line) -> NewJob:
        """The job of a line. Raises ApiError."""
        context = self.context
        body = await context.run(self._body, batch, line)
        new = await prepare_create(context, batch.project_id, body, {})
        key = f"{batch.id}:{line.line}"
        # A retried single request must not be taken for the same request in a batch: hence the other fingerprint.
        fingerprint = hashlib.sha256(key.encode()).hexdigest()
        return replace(
            new,
            batch_id=batch.id,
            idempotency_key=key,
            fingerprint=fingerprint,
            priority=new.priority + PRIORITY,
            retry_count=0,
        )

    def _body(self, batch: Batch, line: Line) -> dict[str, object]:
        file = file_asset(self.context.db, batch.project_id, batch.input_file_id)
        if file is None:
            raise ApiError(400, "The input file is not there any more.", code="file_not_found")
        end = line.position + line.length
        try:
            raw = b"".join(self.context.storage.read(file.key, line.position, end))
            body: dict[str, object] = read_request(raw, batch.endpoint)["body"]
            return body
        except (Missing, Damaged, ValueError) as error:
            raise ApiError(400, "The input file is damaged.", code="file_not_found") from error

    def _enqueue(self, batch: Batch, prepared: dict[int, NewJob]) -> None:
        if not prepared:
            return
        db = self.context.db
        jobs = enqueue_many(db, list(prepared.values()), self.context.clock())
        assign_jobs(db, batch.id, {line: job.id for line, job in zip(prepared, jobs, strict=True)})

    def _adopt(self, batch: Batch) -> None:
        """Tells lines of their jobs, where the server that made them died in between."""
        found = stray_jobs(self.context.db, batch.id)
        lines = {int(key.rpartition(":")[2]): job_id for job_id, key in found if key.startswith(f"{batch.id}:")}
        if lines:
            assign_jobs(self.context.db, batch.id, lines)

    async def _close(self, batch: Batch, error: dict[str, str], since: float) -> bool:
        """Ends what hasn't ended: cancels the jobs, waits for them to hear of it, and writes the files."""
        context = self.context
        await context.run(self._adopt, batch)
        await context.run(close_lines, context.db, batch.id, error)
        going = await context.run(unfinished_jobs, context.db, batch.id)
        for job_id in going:
            await context.run(request_cancel, context.db, batch.project_id, job_id, context.clock())
        if going and await context.run(unfinished_jobs, context.db, batch.id) and context.clock() < since + PATIENCE:
            return False
        if batch.status == "in_progress":
            await context.run(begin_finalizing, context.db, batch.id, context.clock())
            return True
        return await self._write(batch)

    async def _write(self, batch: Batch) -> bool:
        status = await self.context.run(write_output, self.context, batch)
        log.info("batch ended", batch=batch.id, status=status)
        return status is not None


def _refusal(error: ApiError) -> dict[str, object]:
    """What the error file says of a request that was refused."""
    envelope = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
    return {"status_code": error.status, "error": envelope}
