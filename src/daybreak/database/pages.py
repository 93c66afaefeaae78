"""Pages of a list by cursor: what comes after the row with a given id."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, and_, or_, select

Order = Literal["asc", "desc"]


class UnknownCursor(ValueError):  # noqa: N818 - reads as a sentence where it is caught
    """The id after which a page was asked for is not in the list."""


def page(
    connection: Connection,
    query: Select[Any],
    sequence: Column[Any],
    *,
    scope: ColumnElement[bool],
    after: str | None,
    limit: int,
    order: Order,
) -> tuple[list[Row[Any]], bool]:
    """At most `limit` rows of `query` in the order of `sequence`, and whether there are more.

    `scope` says which rows may be a cursor, which is more than what is listed: a page may be asked for after its last
    row was deleted. Rows of the same `sequence` go by id. Raises UnknownCursor.
    """
    table_id: Column[Any] = sequence.table.c.id
    if after is not None:
        place = connection.scalar(select(sequence).where(scope, table_id == after))
        if place is None:
            raise UnknownCursor(after)
        beyond, id_beyond = (
            (sequence > place, table_id > after) if order == "asc" else (sequence < place, table_id < after)
        )
        query = query.where(or_(beyond, and_(sequence == place, id_beyond)))
    directed = [column.asc() if order == "asc" else column.desc() for column in (sequence, table_id)]
    rows = list(connection.execute(query.where(scope).order_by(*directed).limit(limit + 1)))
    return rows[:limit], len(rows) > limit
