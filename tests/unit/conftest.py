"""Databases for unit tests: `db` runs a test on SQLite and on PostgreSQL, `sqlite_db` on SQLite alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, text

from database_servers import postgres_server
from daybreak.database.connect import Database, open_database
from daybreak.database.projects import DEFAULT_PROJECT
from daybreak.database.tables import metadata, projects


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL database that the whole session shares; `db` empties it before every test."""
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables and nothing in them: to be copied, which is quicker than to be made."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite"
    open_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    path = tmp_path / "daybreak.sqlite"
    shutil.copyfile(migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture
def sqlite_db(sqlite_url: str) -> Iterator[Database]:
    database = open_database(sqlite_url)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database of either kind."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    url = str(request.getfixturevalue("postgres_url"))
    database = open_database(url)
    with database.write() as connection:
        rest = ", ".join(table.name for table in metadata.sorted_tables if table is not projects)
        connection.execute(text(f"TRUNCATE {rest} RESTART IDENTITY CASCADE"))
        connection.execute(delete(projects).where(projects.c.id != DEFAULT_PROJECT))
        clocks = "virtual_start = 0, virtual_finish = 0, paused_at = NULL"
        connection.execute(text(f"UPDATE projects SET weight = 1, {clocks}"))
    database.close()
    return url


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = open_database(database_url)
    yield database
    database.close()
