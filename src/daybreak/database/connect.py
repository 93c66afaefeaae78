"""One database for a whole process: connections, transactions, and the word that something changed.

SQLite is used in WAL mode with full sync, so that what was acknowledged survives a power cut. Versions of it that can
damage a WAL database which several connections write to are refused (`sqlite_library.py`).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, cast

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from daybreak.database.migrate import UnknownRevision, migrate_schema
from daybreak.database.sqlite_library import SqliteUnusable, find_sqlite

Dialect = Literal["sqlite", "postgresql"]
_BUSY_SECONDS = 15.0  # that a transaction waits for another's end; none of ours takes a tenth of a second
_DAMAGE = ("disk I/O error", "malformed")  # what SQLite says of a failed write or sync, and of a damaged file
_POOL = 8  # connections kept open
_OVERFLOW = 32  # more of them under load: as many as a server has threads
_IMMEDIATE = "daybreak_immediate"


class DatabaseUnavailable(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """The database cannot be opened, or cannot take a statement now; the message says why, in one line."""


class Database:
    """One per process; every method may be called from any thread. See `open_database`."""

    def __init__(self, engine: Engine) -> None:
        self.dialect = cast("Dialect", engine.dialect.name)
        self._engine = engine
        self._writer = threading.Lock()  # SQLite takes one writer at a time: wait in turn here, not by polling there
        self._watch = threading.Lock()
        self._watcher: Any = None
        self._seen: object = None
        self._changes = 0
        self._broken: str | None = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection on which all reads see the same moment (SQLite), or each its own (PostgreSQL)."""
        with self._failing(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection in a transaction that commits at the end and rolls back on any error. They don't nest."""
        if self.dialect == "postgresql":
            with self._failing(), self._engine.begin() as connection:
                yield connection
            return
        if not self._writer.acquire(timeout=2 * _BUSY_SECONDS):
            raise DatabaseUnavailable("the database is busy: another thread has not ended its transaction")
        try:
            with self._failing(), self._engine.connect() as connection:
                connection.execution_options(**{_IMMEDIATE: True})
                with connection.begin():
                    yield connection
        finally:
            self._writer.release()

    def alone(self, connection: Connection, purpose: str) -> None:
        """Waits until no other transaction holds `purpose`, and holds it until this one ends.

        On SQLite a writer is alone anyway.
        """
        if self.dialect == "postgresql":
            key = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], signed=True)
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})

    def changes(self) -> int:
        """A number that is another one after anybody's commit, in this process or not; cheap enough for every poll."""
        # PostgreSQL: which transactions a reader sees. Two readings differ exactly when one ended in between.
        question = "PRAGMA data_version" if self.dialect == "sqlite" else "SELECT pg_current_snapshot()::text"
        with self._watch, self._failing():
            if self._watcher is None:
                self._watcher = self._open_watcher()
            try:
                seen = self._watcher.execute(question).fetchone()[0]
            except self._engine.dialect.loaded_dbapi.Error as error:
                self._watcher.close()
                self._watcher = None
                raise DatabaseUnavailable(f"the database cannot be used now: {' '.join(str(error).split())}") from error
            if seen != self._seen:
                self._seen = seen
                self._changes += 1
            return self._changes

    def _open_watcher(self) -> Any:
        """A connection of its own, because SQLite's counter leaves out what its own connection commits."""
        pooled = self._engine.raw_connection()
        raw = cast("Any", pooled.driver_connection)
        pooled.detach()
        if self.dialect == "postgresql":
            raw.autocommit = True
        self._seen = None
        return raw

    def close(self) -> None:
        """Closes every connection that is not in use; the last one to close folds SQLite's log into its file."""
        with self._watch:
            if self._watcher is not None:
                self._watcher.close()
                self._watcher = None
        self._engine.dispose()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Turns the driver's word that the database cannot be used into DatabaseUnavailable."""
        if self._broken is not None:
            raise DatabaseUnavailable(self._broken)
        try:
            yield
        except DBAPIError as error:
            # IntegrityError and the like say something about a statement; these, about the database.
            if not isinstance(error, OperationalError | InterfaceError) and type(error) is not DatabaseError:
                raise
            reason = _reason(error)
            if self.dialect == "sqlite" and any(damage in reason for damage in _DAMAGE):
                # The system may have thrown away pages that it could not write, and says so only once: what is in
                # memory cannot be trusted. Whoever opens the file anew recovers what is really on the disk.
                self._broken = f"the database failed ({reason}): the process has to be started again"
                raise DatabaseUnavailable(self._broken) from error
            raise DatabaseUnavailable(f"the database cannot be used now: {reason}") from error
        except PoolTimeout as error:
            raise DatabaseUnavailable("the database is busy: no connection became free in time") from error

    @property
    def broken(self) -> str | None:
        """Why this process can no longer use the database, if so; it should end and be started again."""
        return self._broken


def open_database(url: str, *, migrate: bool = True) -> Database:
    """The database at `sqlite:///PATH` or `postgresql://…`, its tables brought up to this version's.

    Raises DatabaseUnavailable, with a message in one line, where it cannot be reached or a newer version wrote it.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError) as error:
        raise DatabaseUnavailable(f"this is no database URL: {error}") from error
    if backend == "sqlite":
        engine = _sqlite_engine(parsed)
    elif backend in ("postgresql", "postgres"):
        engine = _postgresql_engine(parsed)
    else:
        raise DatabaseUnavailable(f"a database is sqlite:///PATH or postgresql://…, not {backend}://")
    database = Database(engine)
    try:
        if migrate:
            with database.write() as connection:
                database.alone(connection, "daybreak.migrate")
                migrate_schema(connection)
        else:
            with database.read() as connection:
                connection.execute(text("SELECT 1"))
    except UnknownRevision as error:
        database.close()
        raise DatabaseUnavailable(str(error)) from error
    except DatabaseUnavailable:
        database.close()
        raise
    return database


def _sqlite_engine(url: URL) -> Engine:
    path = url.database
    if not path or path == ":memory:" or path.startswith("file:"):
        raise DatabaseUnavailable("the database has to be a file that several processes can open: sqlite:///PATH")
    try:
        library = find_sqlite()
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    except (SqliteUnusable, OSError) as error:
        raise DatabaseUnavailable(f"the database {path} cannot be opened: {error}") from error
    engine = create_engine(
        URL.create("sqlite", database=path),
        module=library,
        poolclass=QueuePool,
        hide_parameters=True,  # prompts are nobody's business who reads a log
        pool_size=_POOL,
        max_overflow=_OVERFLOW,
        connect_args={"check_same_thread": False, "timeout": _BUSY_SECONDS},
    )
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    raw = cast("Any", connection)
    raw.isolation_level = None  # the driver shall not begin transactions by itself: `_begin_sqlite` does
    mode = raw.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if mode != "wal":
        raise DatabaseUnavailable(f"SQLite's write-ahead log does not work where the database is (mode {mode})")
    raw.execute("PRAGMA synchronous=FULL")
    raw.execute("PRAGMA foreign_keys=ON")
    raw.execute("PRAGMA trusted_schema=OFF")
    raw.execute("PRAGMA journal_size_limit=67108864")  # bytes: a log that once grew large is cut again


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader would fail at its first write if another one had written meanwhile.
    immediate = connection.get_execution_options().get(_IMMEDIATE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _postgresql_engine(url: URL) -> Engine:
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            hide_parameters=True,
            pool_size=_POOL,
            max_overflow=_OVERFLOW,
            connect_args={"connect_timeout": 10, "application_name": "daybreak"},
        )
    except ImportError as error:
        raise DatabaseUnavailable("PostgreSQL needs a driver: pip install 'daybreak[postgres]'") from error


def _reason(error: DBAPIError) -> str:
    """The driver's own message, in one line and without the statement and its values."""
    return " ".join(str(error.orig).split()) or type(error.orig).__name__
