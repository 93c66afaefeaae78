"""Opening a database, and what its transactions promise, on SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import OperationalError

from daybreak.database import sqlite_library
from daybreak.database.aliases import get_alias, set_alias
from daybreak.database.connect import Database, DatabaseUnavailable, open_database
from daybreak.database.sqlite_library import SqliteUnusable, find_sqlite, loses_commits
from daybreak.database.tables import aliases, projects


def add_alias(database: Database, name: str) -> None:
    with database.write() as connection:
        connection.execute(insert(aliases).values(name=name, model="m", created_at=1))


def names(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(connection.scalars(select(aliases.c.name)))


def test_a_write_is_there_for_others_after_its_end_and_not_before(db: Database, database_url: str) -> None:
    other = open_database(database_url)
    with db.write() as connection:
        connection.execute(insert(aliases).values(name="a", model="m", created_at=1))
        assert names(other) == []
    assert names(other) == ["a"]
    other.close()


def test_an_error_undoes_all_of_a_transaction(db: Database) -> None:
    def half() -> None:
        with db.write() as connection:
            connection.execute(insert(aliases).values(name="a", model="m", created_at=1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert names(db) == []
    add_alias(db, "b")  # and the database still takes writes
    assert names(db) == ["b"]


def test_writers_in_many_threads_lose_no_update(db: Database) -> None:
    def add_weight() -> None:
        for _ in range(20):
            with db.write() as connection:
                db.alone(connection, "test")
                weight = connection.scalar(select(projects.c.weight))
                connection.execute(update(projects).values(weight=weight + 1))

    threads = [threading.Thread(target=add_weight) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.read() as connection:
        assert connection.scalar(select(projects.c.weight)) == 81


def test_changes_differ_after_anybodys_commit_and_only_then(db: Database, database_url: str) -> None:
    other = open_database(database_url)
    seen = [db.changes()]
    assert db.changes() == seen[0]
    add_alias(db, "own")
    seen.append(db.changes())
    add_alias(other, "of another process")
    seen.append(db.changes())
    with other.write() as connection:
        connection.execute(insert(aliases).values(name="open", model="m", created_at=1))
        during = db.changes()
    seen.append(db.changes())
    assert len({*seen[:3], during, seen[3]}) >= 4
    assert during != seen[3]  # the end of a transaction counts, not its beginning
    assert names(other) == ["of another process", "open", "own"]
    assert db.changes() == seen[3]  # reading changes nothing
    other.close()


def test_sqlite_syncs_every_commit_and_checks_foreign_keys(sqlite_db: Database) -> None:
    with sqlite_db.read() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2  # FULL
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
    with pytest.raises(Exception, match="FOREIGN KEY"), sqlite_db.write() as connection:
        connection.execute(
            text("INSERT INTO files VALUES ('file-1', 'proj_no', 0, 'asset_no', 'a', 'b', 1, NULL, NULL)")
        )


def test_sqlite_readers_see_one_moment_and_stop_no_writer(sqlite_db: Database) -> None:
    with sqlite_db.read() as connection:
        before = list(connection.scalars(select(aliases.c.name)))
        add_alias(sqlite_db, "meanwhile")
        assert list(connection.scalars(select(aliases.c.name))) == before
    assert names(sqlite_db) == ["meanwhile"]


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 4), False),
        ((4, 0, 0), False),
    ],
)
def test_which_sqlite_loses_commits(version: tuple[int, ...], affected: bool) -> None:
    assert loses_commits(version) is affected


def test_the_sqlite_in_use_does_not_lose_commits(sqlite_db: Database) -> None:
    with sqlite_db.read() as connection:
        version = str(connection.scalar(text("SELECT sqlite_version()")))
    assert not loses_commits(tuple(map(int, version.split("."))))


def test_the_standard_library_is_used_where_it_is_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 51, 3))
    assert find_sqlite() is sqlite3


def test_a_sqlite_that_loses_commits_is_refused_by_its_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    old = SimpleNamespace(sqlite_version="3.50.4", sqlite_version_info=(3, 50, 4))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.40.1")
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))

    def import_old(name: str) -> SimpleNamespace:
        assert name == "pysqlite3.dbapi2"
        return old

    monkeypatch.setattr(sqlite_library, "importlib", SimpleNamespace(import_module=import_old))
    with pytest.raises(DatabaseUnavailable, match=r"3\.40\.1 and pysqlite3's is 3\.50\.4.*install pysqlite3"):
        open_database(f"sqlite:///{tmp_path}/a.sqlite")
    assert list(tmp_path.iterdir()) == []

    def import_nothing(name: str) -> ModuleType:
        raise ImportError(name)

    monkeypatch.setattr(sqlite_library, "importlib", SimpleNamespace(import_module=import_nothing))
    with pytest.raises(SqliteUnusable, match="pysqlite3 is not installed"):
        find_sqlite()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite://", "has to be a file"),
        ("sqlite:///:memory:", "has to be a file"),
        ("mysql://localhost/x", "not mysql"),
        ("nonsense", "no database URL"),
        ("postgresql://nobody@127.0.0.1:1/none", "cannot be used now"),
        ("sqlite:////proc/none/x.sqlite", "cannot be opened"),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_line(url: str, said: str) -> None:
    with pytest.raises(DatabaseUnavailable, match=said) as caught:
        open_database(url)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(DatabaseUnavailable, match="not a database"):
        open_database(f"sqlite:///{path}")


def test_a_failed_write_to_the_disk_ends_the_use_of_the_database(sqlite_db: Database) -> None:
    library = find_sqlite()

    def fail_to_sync() -> None:
        with sqlite_db.write():
            raise OperationalError("COMMIT", {}, library.OperationalError("disk I/O error"))

    with pytest.raises(DatabaseUnavailable, match="has to be started again"):
        fail_to_sync()
    assert sqlite_db.broken is not None
    with pytest.raises(DatabaseUnavailable, match="started again"):
        get_alias(sqlite_db, "a")


def test_a_full_disk_is_told_and_leaves_the_database_usable(sqlite_db: Database) -> None:
    with sqlite_db.read() as connection:
        pages = connection.scalar(text("PRAGMA page_count"))
    with sqlite_db.write() as connection:
        connection.execute(text(f"PRAGMA max_page_count={pages}"))
        with pytest.raises(Exception, match="full"):
            connection.execute(insert(aliases).values(name="a", model="m" * 500_000, created_at=1))
    set_alias(sqlite_db, "b", "small", 1)
    assert names(sqlite_db) == ["b"]
    assert sqlite_db.broken is None
