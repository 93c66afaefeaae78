"""What came from what: the clips that a clip was made from, and those that were made from it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy import Connection, select

from daybreak.database.connect import Database
from daybreak.database.tables import assets, job_media, jobs

MAX_NODES = 300  # of one tree; a family that is larger is shown in part
_Edges = dict[str, set[str]]


@dataclass(frozen=True, slots=True)
class Kin:
    """A clip of a family and the clips that it was made from; `gone` for one that was deleted."""

    id: str
    sources: tuple[str, ...]
    gone: bool


def lineage(db: Database, project_id: str, clip_id: str) -> list[Kin]:
    """The clip's whole family: its ancestors, and everything that came from any of them."""
    with db.read() as connection:
        ancestors = _walk(connection, project_id, {clip_id}, _sources_of)
        family = _walk(connection, project_id, set(ancestors) | {clip_id}, _children_of)
        members = sorted({*ancestors, *family, clip_id})[:MAX_NODES]
        sources = _sources_of(connection, project_id, members)
        alive = set(
            connection.scalars(
                select(jobs.c.id).where(
                    jobs.c.id.in_(members), jobs.c.project_id == project_id, jobs.c.deleted_at.is_(None)
                )
            )
        )
    return [Kin(member, tuple(sorted(sources.get(member, ()))), member not in alive) for member in members]


def _walk(
    connection: Connection,
    project_id: str,
    start: set[str],
    step: Callable[[Connection, str, Collection[str]], _Edges],
) -> set[str]:
    """Everything that `step` leads to from `start`, `start` included."""
    seen, frontier = set(start), set(start)
    while frontier and len(seen) < MAX_NODES:
        found = {other for others in step(connection, project_id, frontier).values() for other in others}
        frontier = found - seen
        seen |= frontier
    return seen


def _sources_of(connection: Connection, project_id: str, ids: Collection[str]) -> _Edges:
    return _edges(connection, project_id, ids, of_children=True)


def _children_of(connection: Connection, project_id: str, ids: Collection[str]) -> _Edges:
    return _edges(connection, project_id, ids, of_children=False)


def _edges(connection: Connection, project_id: str, ids: Collection[str], *, of_children: bool) -> _Edges:
    """For each clip of `ids`, the clips at the other end. A timeline holds copies of assets, with the same bytes."""
    held, original = assets.alias("held"), assets.alias("original")
    through_media = (
        select(job_media.c.job_id, original.c.job_id.label("source"))
        .join(held, held.c.id == job_media.c.asset_id)
        .join(original, original.c.key == held.c.key)
        .where(original.c.job_id.is_not(None), original.c.project_id == project_id, held.c.project_id == project_id)
    )
    through_source = select(jobs.c.id.label("job_id"), jobs.c.source_id.label("source")).where(
        jobs.c.source_id.is_not(None), jobs.c.project_id == project_id
    )
    if of_children:
        queries = [through_media.where(job_media.c.job_id.in_(ids)), through_source.where(jobs.c.id.in_(ids))]
    else:
        queries = [through_media.where(original.c.job_id.in_(ids)), through_source.where(jobs.c.source_id.in_(ids))]
    edges: _Edges = {}
    for query in queries:
        for child, source in connection.execute(query):
            if child != source:
                here, there = (child, source) if of_children else (source, child)
                edges.setdefault(here, set()).add(there)
    return edges
