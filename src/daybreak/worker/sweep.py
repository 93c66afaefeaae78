"""What workers left behind when they were killed: objects that no row names, and folders of processes that are gone."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from sqlalchemy import select

from daybreak.database.assets import free_keys
from daybreak.database.connect import Database
from daybreak.database.tables import jobs
from daybreak.storage import Storage

_AT_ONCE = 500  # keys that one query asks about


def sweep_storage(db: Database, storage: Storage) -> int:
    """How many objects under `videos/` and `checkpoints/` went because nothing names them and nothing will.

    Only those of jobs that this database knows: another one may keep its objects in the same place.
    """
    removed = 0
    for prefix in ("videos/", "checkpoints/"):
        for keys in _chunks(storage.keys(prefix)):
            for key in _unnamed(db, keys):
                storage.delete(key)
                removed += 1
    return removed


def make_folder(parent: Path, pid: int) -> Path:
    """A new folder for a worker's files, after those of workers of this machine that are gone were removed."""
    host = socket.gethostname().replace("~", "-")
    parent.mkdir(parents=True, exist_ok=True)
    for folder in parent.glob(f"{host}~*"):
        number = folder.name.rpartition("~")[2]
        if number.isdigit() and not _alive(int(number)):
            shutil.rmtree(folder, ignore_errors=True)
    folder = parent / f"{host}~{pid}"
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier process with the same number
    folder.mkdir()
    return folder


def _unnamed(db: Database, keys: list[str]) -> list[str]:
    """Those of the keys that nothing names. The jobs are asked for first: one that ended since then has its assets."""
    ids = {key.split("/")[1] for key in keys}
    columns = (jobs.c.id, jobs.c.status, jobs.c.fence, jobs.c.checkpoint_key)
    with db.read() as connection:
        known = {row.id: row for row in connection.execute(select(*columns).where(jobs.c.id.in_(ids)))}
    stale = []
    for key in keys:
        job_id, number = key.split("/")[1:3]
        row = known.get(job_id)
        if row is None or key == row.checkpoint_key:
            continue
        if row.status in ("completed", "failed", "queued") or number.partition(".")[0] != str(row.fence):
            stale.append(key)
    with db.read() as connection:
        return free_keys(connection, stale) if stale else []


def _chunks(keys: Iterator[str]) -> Iterator[list[str]]:
    ours = (key for key in keys if key.count("/") >= 2)
    while chunk := list(islice(ours, _AT_ONCE)):
        yield chunk


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
