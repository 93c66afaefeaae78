"""Brings a database's tables up to this version's, with the migrations that ship in the package."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

HEAD = "0005"  # the newest revision: known here, so that a database that has it is opened without loading Alembic
_MIGRATIONS = Path(__file__).parent / "migrations"


class UnknownRevision(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """The database was written by a newer version; the message says so in one line."""


def current_revision(connection: Connection) -> str | None:
    """The revision that the database has, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if revision is None else str(revision)


def migrate_schema(connection: Connection) -> None:
    """Runs what migrations the database lacks, all of them in the transaction of `connection` or none.

    Raises UnknownRevision where the database has one that this version does not know.
    """
    current = current_revision(connection)
    if current == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        if current is not None:
            ScriptDirectory.from_config(config).get_revision(current)
    except CommandError as error:
        raise UnknownRevision(
            f"the database has the tables of a newer version of Daybreak (revision {current}, this one knows {HEAD}): "
            "update Daybreak, or use the version that wrote it"
        ) from error
    command.upgrade(config, "head")
