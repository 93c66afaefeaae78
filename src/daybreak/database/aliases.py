"""Aliases: names of models that clients use, and which installed model each one means here."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import RowMapping, delete, insert, select, update

from daybreak.database.connect import Database
from daybreak.database.tables import aliases


@dataclass(frozen=True, slots=True)
class Alias:
    """A name and the model that it means."""

    name: str
    model: str
    created_at: int


def set_alias(db: Database, name: str, model: str, now: float) -> Alias:
    """The alias, new or changed."""
    with db.write() as connection:
        db.alone(connection, "daybreak.aliases")
        changed = connection.execute(update(aliases).where(aliases.c.name == name).values(model=model)).rowcount
        if not changed:
            connection.execute(insert(aliases).values(name=name, model=model, created_at=int(now)))
        return _alias_of(connection.execute(select(aliases).where(aliases.c.name == name)).mappings().one())


def get_alias(db: Database, name: str) -> Alias | None:
    """The alias of this name."""
    with db.read() as connection:
        row = connection.execute(select(aliases).where(aliases.c.name == name)).mappings().first()
    return None if row is None else _alias_of(row)


def list_aliases(db: Database) -> list[Alias]:
    """Every alias, by name."""
    with db.read() as connection:
        return [_alias_of(row) for row in connection.execute(select(aliases).order_by(aliases.c.name)).mappings()]


def remove_alias(db: Database, name: str) -> bool:
    """Whether there was such an alias."""
    with db.write() as connection:
        return connection.execute(delete(aliases).where(aliases.c.name == name)).rowcount > 0


def _alias_of(row: RowMapping) -> Alias:
    return Alias(row["name"], row["model"], row["created_at"])
