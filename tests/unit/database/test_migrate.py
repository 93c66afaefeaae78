"""The migrations give exactly the tables that the code uses, once, whoever comes first."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from daybreak.database import migrate
from daybreak.database.connect import Database, DatabaseUnavailable, open_database
from daybreak.database.migrate import HEAD, current_revision
from daybreak.database.projects import DEFAULT_PROJECT, list_projects
from daybreak.database.tables import metadata


def sqlite_schema(connection: Connection) -> dict[str, str]:
    found = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    # Alembic and SQLAlchemy order the parts of a table differently, and a column that came later is on the line of
    # another: as a set of parts they have to agree.
    split = {row.name: re.split(r"\n|,(?![^()]*\))", row.sql) for row in found}
    return {
        name: "\n".join(sorted(filter(None, (part.strip(" \t,") for part in parts)))) for name, parts in split.items()
    }


def postgresql_schema(connection: Connection, schema: str) -> dict[str, list[str]]:
    columns = """
        SELECT table_name, column_name, data_type, character_maximum_length, is_nullable,
            replace(column_default, :schema || '.', '') FROM information_schema.columns WHERE table_schema = :schema
    """
    indexes = "SELECT tablename, replace(indexdef, :schema || '.', '') FROM pg_indexes WHERE schemaname = :schema"
    constraints = """
        SELECT conrelid::regclass::text, conname, replace(pg_get_constraintdef(oid), :schema || '.', '')
        FROM pg_constraint WHERE connamespace = :schema ::regnamespace
    """
    return {
        what: sorted(
            " | ".join(map(str, row)).replace(f"{schema}.", "")
            for row in connection.execute(text(query), {"schema": schema})
        )
        for what, query in (("columns", columns), ("indexes", indexes), ("constraints", constraints))
    }


def without_version(schema: dict[str, str]) -> dict[str, str]:
    return {name: sql for name, sql in schema.items() if name != "alembic_version"}


def test_on_sqlite_the_migrations_give_what_the_tables_say(sqlite_db: Database, tmp_path: Path) -> None:
    with sqlite_db.read() as connection:
        migrated = without_version(sqlite_schema(connection))
    plain = open_database(f"sqlite:///{tmp_path}/plain.sqlite", migrate=False)
    with plain.write() as connection:
        metadata.create_all(connection)
    with plain.read() as connection:
        assert migrated == sqlite_schema(connection)
    plain.close()
    assert {table.name for table in metadata.sorted_tables} <= set(migrated)


def test_on_postgresql_the_migrations_give_what_the_tables_say(postgres_url: str) -> None:
    database = open_database(postgres_url)
    with database.read() as connection:
        connection.execute(text("CREATE SCHEMA plain"))
        connection.execute(text("SET search_path TO plain"))
        metadata.create_all(connection, checkfirst=False)
        plain = postgresql_schema(connection, "plain")
        connection.execute(text("SET search_path TO public"))
        migrated = postgresql_schema(connection, "public")
        connection.rollback()
    database.close()
    migrated = {what: [line for line in lines if "alembic_version" not in line] for what, lines in migrated.items()}
    assert len(plain["columns"]) == sum(len(table.columns) for table in metadata.sorted_tables)
    assert migrated == plain


def test_the_newest_migration_is_the_one_that_the_code_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_many_that_open_a_new_database_at_once_all_find_it_whole(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.sqlite"
    opened: list[Database] = []

    def open_it() -> None:
        opened.append(open_database(url))

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 4
    for database in opened:
        assert [project.id for project in list_projects(database)] == [DEFAULT_PROJECT]
        database.close()


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/new.sqlite"
    from alembic import command

    upgrade = command.upgrade

    def half(config: Config, revision: str) -> None:
        upgrade(config, revision)
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "upgrade", half)
    with pytest.raises(KeyboardInterrupt):
        open_database(url)
    monkeypatch.undo()
    left = open_database(url, migrate=False)
    with left.read() as connection:
        assert inspect(connection).get_table_names() == []
    left.close()
    open_database(url).close()


def test_a_database_of_a_newer_version_is_refused_and_left_alone(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(DatabaseUnavailable, match=r"newer version.*9999"):
        open_database(sqlite_url)
    database = open_database(sqlite_url, migrate=False)
    with database.read() as connection:
        assert current_revision(connection) == "9999"
    database.close()
