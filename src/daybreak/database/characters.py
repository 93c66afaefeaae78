"""Characters: a name, and the clip that shows whose it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import RowMapping, func, insert, select, update

from daybreak.database.assets import release_assets
from daybreak.database.connect import Database
from daybreak.database.ids import new_id
from daybreak.database.pages import page
from daybreak.database.tables import characters


@dataclass(frozen=True, slots=True)
class Character:
    """A row of `characters`; `asset_id` is the clip that it was made from."""

    id: str
    project_id: str
    name: str
    asset_id: str
    created_at: int


@dataclass(frozen=True, slots=True)
class CharacterPage:
    """A part of a list of characters."""

    characters: list[Character]
    has_more: bool


def add_character(db: Database, project_id: str, name: str, asset_id: str, now: float) -> Character:
    """The new character."""
    character = Character(new_id("char"), project_id, name, asset_id, int(now))
    with db.write() as connection:
        last = select(func.coalesce(func.max(characters.c.sequence), 0) + 1).scalar_subquery()
        connection.execute(
            insert(characters).values(
                id=character.id,
                project_id=project_id,
                sequence=last,
                name=name,
                asset_id=asset_id,
                created_at=character.created_at,
            )
        )
    return character


def get_character(db: Database, project_id: str, character_id: str) -> Character | None:
    """The character, unless it is another project's or deleted."""
    mine = (characters.c.id == character_id) & (characters.c.project_id == project_id)
    with db.read() as connection:
        row = connection.execute(select(characters).where(mine, characters.c.deleted_at.is_(None))).mappings().first()
    return None if row is None else _character_of(row)


def list_characters(
    db: Database, project_id: str, after: str | None = None, limit: int = 20, order: Literal["asc", "desc"] = "desc"
) -> CharacterPage:
    """A part of the project's characters, in the order in which they came. Raises UnknownCursor."""
    with db.read() as connection:
        rows, more = page(
            connection,
            select(characters).where(characters.c.deleted_at.is_(None)),
            characters.c.sequence,
            scope=characters.c.project_id == project_id,
            after=after,
            limit=limit,
            order=order,
        )
    return CharacterPage([_character_of(row._mapping) for row in rows], more)


def delete_character(db: Database, project_id: str, character_id: str, now: float) -> list[str] | None:
    """The storage keys whose bytes may go now; None where there is no such character."""
    mine = (characters.c.id == character_id) & (characters.c.project_id == project_id)
    with db.write() as connection:
        gone = (
            update(characters)
            .where(mine, characters.c.deleted_at.is_(None))
            .values(deleted_at=int(now))
            .returning(characters.c.asset_id)
        )
        asset_id = connection.scalar(gone)
        return None if asset_id is None else release_assets(connection, [asset_id], now)


def _character_of(row: RowMapping) -> Character:
    return Character(row["id"], row["project_id"], row["name"], row["asset_id"], row["created_at"])
