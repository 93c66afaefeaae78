"""The output and error files of a batch, as the Batch API writes them: one line for each request."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from pathlib import Path
from typing import IO, Any

from daybreak.database.batches import Batch, Line, finish, lines_after
from daybreak.database.files import File, NewFile, insert_file
from daybreak.jobs.job import Job
from daybreak.jobs.outbox import add_event
from daybreak.jobs.queue import get_job
from daybreak.server.context import ServerContext
from daybreak.server.schemas import video_object
from daybreak.storage import Stored

_LINES_AT_ONCE = 500
_CONTENT_TYPE = "application/jsonl"


def output_line(batch_id: str, line: Line, job: Job | None) -> tuple[bool, dict[str, Any]]:
    """Whether a line belongs to the output file rather than to the error file, and the line.

    A finished video is a result even if its line had been closed a moment before. A failed one is a result too: the
    request was carried out, and its Video says how it ended.
    """
    digest = hashlib.sha256(f"{batch_id}:{line.line}".encode()).hexdigest()[:32]
    plain: dict[str, Any] = {"id": f"batch_req_{digest}", "custom_id": line.custom_id, "response": None, "error": None}
    if job is not None and (job.status == "completed" or (job.status == "failed" and line.error is None)):
        return True, {**plain, "response": _response(digest, 200, video_object(job))}
    if line.error is not None and "status_code" in line.error:
        return False, {
            **plain,
            "response": _response(digest, line.error["status_code"], {"error": line.error["error"]}),
        }
    return False, {**plain, "error": line.error or _lost(line)}


def write_output(context: ServerContext, batch: Batch) -> str | None:
    """The status that the batch ended with, its files stored; None when another server has ended it meanwhile.

    Blocking. Dying half-way leaves unreferenced objects and an open batch, whose files are then written again.
    """
    folder = context.incoming_folder()
    stored: list[Stored] = []
    try:
        paths = (folder / "output.jsonl", folder / "errors.jsonl")
        with paths[0].open("wb") as output, paths[1].open("wb") as errors:
            _write_lines(context, batch, output, errors)
        now = context.clock()
        new = [_store(context, batch, path, now, stored) for path in paths]
        with context.db.write() as connection:
            files: list[File | None] = [None if file is None else insert_file(connection, file, now) for file in new]
            ids = [None if file is None else file.id for file in files]
            status = finish(connection, batch.id, ids[0], ids[1], now)
            if status is None:
                raise _AlreadyEnded
            add_event(connection, batch.project_id, f"batch.{status}", batch.id, now)
            return status
    except _AlreadyEnded:
        for item in stored:
            context.storage.delete(item.key)
        return None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _AlreadyEnded(Exception):  # noqa: N818 - rolls a transaction back
    """Another server has ended the batch."""


def _write_lines(context: ServerContext, batch: Batch, output: IO[bytes], errors: IO[bytes]) -> None:
    last = -1
    while lines := lines_after(context.db, batch.id, last, _LINES_AT_ONCE):
        for line in lines:
            job = None if line.job_id is None else get_job(context.db, batch.project_id, line.job_id)
            good, plain = output_line(batch.id, line, job)
            (output if good else errors).write(json.dumps(plain, ensure_ascii=False).encode() + b"\n")
        last = lines[-1].line


def _store(context: ServerContext, batch: Batch, path: Path, now: float, stored: list[Stored]) -> NewFile | None:
    """The file to be, its bytes stored; None for an empty one."""
    if not path.stat().st_size:
        return None
    item = context.storage.put_file(f"files/{secrets.token_hex(16)}/content", path, _CONTENT_TYPE)
    stored.append(item)
    after = batch.output_expires_after
    return NewFile(
        project_id=batch.project_id,
        filename=f"{batch.id}_{path.name.replace('errors', 'error')}",
        purpose="batch_output",
        key=item.key,
        content_type=_CONTENT_TYPE,
        bytes=item.bytes,
        sha256=item.sha256,
        expires_at=None if after is None else int(now) + after,
    )


def _response(digest: str, status: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"status_code": status, "request_id": f"req_{digest}", "body": body}


def _lost(line: Line) -> dict[str, Any]:
    if line.job_id is None:
        return {"code": "batch_cancelled", "message": "This request was not begun before the batch ended."}
    return {"code": "video_deleted", "message": "The video of this request was deleted before the batch ended."}
