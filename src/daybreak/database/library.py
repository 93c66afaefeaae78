"""The library: what there is, what its owner says about it, and how it is found again.

A clip is a job that was not deleted. What its owner says about it (title, favourite, folder, tags, trash) lies in rows
beside it, so that the queue never waits for the library. Every change raises the project's revision.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    RowMapping,
    Select,
    and_,
    cast,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from daybreak.database.connect import Database
from daybreak.database.tables import jobs, library_entries, library_folders, library_tags

Order = Literal["newest", "oldest", "longest", "title", "best"]
ACTIVE = ("queued", "in_progress")
MAX_TAGS = 50  # of one clip
MAX_RATING = 5  # stars
_ENTRY = ("title", "favourite", "rating", "folder_id", "trashed_at")


@dataclass(frozen=True, slots=True)
class Clip:
    """A job as the library shows it, without its timeline."""

    id: str
    kind: str
    model: str
    engine_model: str
    prompt: str | None
    size: str
    seconds: str
    status: str
    stage: str
    steps_done: int
    steps_total: int
    error: dict[str, Any] | None
    created_at: int
    started_at: int | None
    completed_at: int | None
    expires_at: int | None
    source_id: str | None
    remixed_from_id: str | None
    cancel_requested: bool
    metadata: dict[str, Any]
    title: str | None
    favourite: bool
    rating: int
    folder_id: str | None
    trashed_at: int | None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filters:
    """What to show. `folder` "none" means clips that lie in no folder; `status` "unfinished" is queued or running.

    `rating` is at least so many stars, 0 none at all. Made from `created_from` on and before `created_before`, in Unix
    seconds.
    """

    words: str = ""
    folder: str | None = None
    tag: str | None = None
    favourite: bool = False
    status: str | None = None
    model: str | None = None
    kind: str | None = None
    size: str | None = None
    trashed: bool = False
    rating: int | None = None
    created_from: int | None = None
    created_before: int | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder and how many clips lie in it."""

    id: str
    name: str
    created_at: int
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """How many clips there are of each sort; those in the trash count only as trashed."""

    total: int
    favourites: int
    trashed: int
    folders: list[Folder]
    tags: list[tuple[str, int]]
    models: list[tuple[str, int]]
    kinds: list[tuple[str, int]]
    sizes: list[tuple[str, int]]


_SHOWN = [
    *(jobs.c[field.name] for field in fields(Clip) if field.name not in {*_ENTRY, "tags"}),
    *(library_entries.c[name] for name in _ENTRY),
]
_JOINED = jobs.outerjoin(library_entries, library_entries.c.job_id == jobs.c.id)


def list_clips(
    db: Database, project_id: str, filters: Filters, order: Order = "newest", offset: int = 0, limit: int = 60
) -> tuple[list[Clip], int]:
    """The clips from `offset` on, and how many there are in all."""
    wanted = _conditions(project_id, filters)
    query = select(*_SHOWN).select_from(_JOINED).where(*wanted).order_by(*_ordered(order))
    with db.read() as connection:
        total = connection.scalar(select(func.count()).select_from(_JOINED).where(*wanted)) or 0
        rows = connection.execute(query.offset(offset).limit(limit)).mappings().all()
        return _clips(connection, rows), total


def get_clips(db: Database, project_id: str, ids: Collection[str]) -> dict[str, Clip]:
    """Those of the clips that there are, by id; those in the trash too."""
    query = _of(project_id).where(jobs.c.id.in_(ids))
    with db.read() as connection:
        return {clip.id: clip for clip in _clips(connection, connection.execute(query).mappings().all())}


def active_clips(db: Database, project_id: str, limit: int = 200) -> list[Clip]:
    """What is running, then what waits, in the order in which it will be taken."""
    query = (
        _of(project_id)
        .where(jobs.c.status.in_(ACTIVE))
        .order_by(jobs.c.status, jobs.c.priority.desc(), jobs.c.sequence)  # "in_progress" < "queued"
        .limit(limit)
    )
    with db.read() as connection:
        return _clips(connection, connection.execute(query).mappings().all())


def revision(db: Database, project_id: str) -> tuple[int, ...]:
    """A value that differs after clips came, went or were changed by their owner; not with every step of a job."""
    mine = jobs.c.project_id == project_id
    with db.read() as connection:
        counted = connection.execute(
            select(func.count(), func.coalesce(func.max(jobs.c.sequence), 0)).where(mine, jobs.c.deleted_at.is_(None))
        ).one()
        ended = select(func.count()).where(mine, jobs.c.deleted_at.is_(None), jobs.c.status.in_(ACTIVE))
        said = select(func.coalesce(func.max(library_entries.c.revision), 0)).where(
            library_entries.c.project_id == project_id
        )
        folders = select(func.count()).where(library_folders.c.project_id == project_id)
        extra = [connection.scalar(query) or 0 for query in (ended, said, folders)]
    return (*counted, *extra)


def change_clips(
    db: Database,
    project_id: str,
    ids: Collection[str],
    changes: Mapping[str, Any],
    tags: Mapping[str, bool] | None = None,
) -> list[str]:
    """Ids of the clips that there were to change. `changes` are columns of an entry; `tags` name to there or not.

    Raises KeyError for a folder that there is not.
    """
    if unknown := set(changes) - set(_ENTRY):
        raise ValueError(f"a clip has no {', '.join(sorted(unknown))} to change")
    with db.write() as connection:
        folder = changes.get("folder_id")
        if folder is not None and not _has_folder(connection, project_id, folder):
            raise KeyError(folder)
        mine = select(jobs.c.id).where(jobs.c.project_id == project_id, jobs.c.deleted_at.is_(None))
        found = sorted(connection.scalars(mine.where(jobs.c.id.in_(ids))))
        _touch(connection, project_id, found, changes)
        for name, there in (tags or {}).items():
            _set_tag(connection, project_id, found, name, there=there)
        return found


def set_tags(db: Database, project_id: str, clip_id: str, names: Sequence[str]) -> None:
    """Gives a clip exactly these tags."""
    with db.read() as connection:
        had = set(connection.scalars(select(library_tags.c.name).where(library_tags.c.job_id == clip_id)))
    wanted = dict.fromkeys(names, True)
    change_clips(db, project_id, [clip_id], {}, {**dict.fromkeys(had - set(names), False), **wanted})


def trashed_ids(db: Database, project_id: str) -> list[str]:
    """Everything in the trash."""
    query = select(jobs.c.id).select_from(_JOINED).where(*_conditions(project_id, Filters(trashed=True)))
    with db.read() as connection:
        return list(connection.scalars(query))


def create_folder(db: Database, project_id: str, name: str, now: float) -> Folder:
    folder = Folder(f"fold_{secrets.token_hex(16)}", name, int(now), 0)
    with db.write() as connection:
        connection.execute(
            insert(library_folders).values(id=folder.id, project_id=project_id, name=name, created_at=folder.created_at)
        )
    return folder


def rename_folder(db: Database, project_id: str, folder_id: str, name: str) -> Folder | None:
    """The folder with its new name; None where there is none."""
    with db.write() as connection:
        mine = (library_folders.c.id == folder_id) & (library_folders.c.project_id == project_id)
        connection.execute(update(library_folders).where(mine).values(name=name))
    return next((folder for folder in facets(db, project_id).folders if folder.id == folder_id), None)


def delete_folder(db: Database, project_id: str, folder_id: str) -> bool:
    """Whether there was such a folder. Its clips stay, in no folder."""
    with db.write() as connection:
        if not _has_folder(connection, project_id, folder_id):
            return False
        inside = list(
            connection.scalars(select(library_entries.c.job_id).where(library_entries.c.folder_id == folder_id))
        )
        _touch(connection, project_id, inside, {"folder_id": None})
        connection.execute(delete(library_folders).where(library_folders.c.id == folder_id))
        return True


def facets(db: Database, project_id: str) -> Facets:
    """What there is to choose from."""
    shown = _conditions(project_id, Filters())
    trashed = _conditions(project_id, Filters(trashed=True))
    count = func.count()
    with db.read() as connection:

        def number(conditions: Sequence[ColumnElement[bool]]) -> int:
            return connection.scalar(select(count).select_from(_JOINED).where(*conditions)) or 0

        def grouped(column: ColumnElement[Any]) -> list[tuple[str, int]]:
            query = select(column, count).select_from(_JOINED).where(*shown).group_by(column).order_by(count.desc())
            return [(str(name), found) for name, found in connection.execute(query)]

        inside = dict(grouped(library_entries.c.folder_id))
        folders = connection.execute(
            select(library_folders)
            .where(library_folders.c.project_id == project_id)
            .order_by(func.lower(library_folders.c.name))
        ).all()
        tagged = (
            select(library_tags.c.name, count)
            .select_from(_JOINED.join(library_tags, library_tags.c.job_id == jobs.c.id))
            .where(*shown)
            .group_by(library_tags.c.name)
            .order_by(library_tags.c.name)
        )
        return Facets(
            number(shown),
            number([*shown, library_entries.c.favourite.is_(True)]),
            number(trashed),
            [Folder(row.id, row.name, row.created_at, inside.get(row.id, 0)) for row in folders],
            [(name, found) for name, found in connection.execute(tagged)],
            grouped(jobs.c.model),
            grouped(jobs.c.kind),
            grouped(jobs.c.size),
        )


def _of(project_id: str) -> Select[Any]:
    return select(*_SHOWN).select_from(_JOINED).where(jobs.c.project_id == project_id, jobs.c.deleted_at.is_(None))


def _clips(connection: Connection, rows: Sequence[RowMapping]) -> list[Clip]:
    ids = [row["id"] for row in rows]
    tags: dict[str, list[str]] = {}
    query = select(library_tags).where(library_tags.c.job_id.in_(ids)).order_by(library_tags.c.name)
    for row in connection.execute(query) if ids else ():
        tags.setdefault(row.job_id, []).append(row.name)
    return [
        Clip(
            **{
                **row,
                "favourite": bool(row["favourite"]),
                "rating": row["rating"] or 0,
                "tags": tuple(tags.get(row["id"], ())),
            }
        )
        for row in rows
    ]


def _conditions(project_id: str, filters: Filters) -> list[ColumnElement[bool]]:
    entries = library_entries.c
    trashed = entries.trashed_at.is_not(None) if filters.trashed else entries.trashed_at.is_(None)
    wanted = [jobs.c.project_id == project_id, jobs.c.deleted_at.is_(None), trashed]
    wanted += [_says(word) for word in filters.words.split()[:12]]
    if filters.folder is not None:
        wanted.append(entries.folder_id.is_(None) if filters.folder == "none" else entries.folder_id == filters.folder)
    if filters.tag is not None:
        wanted.append(exists().where(library_tags.c.job_id == jobs.c.id, library_tags.c.name == filters.tag))
    if filters.favourite:
        wanted.append(entries.favourite.is_(True))
    if filters.status is not None:
        statuses = ACTIVE if filters.status == "unfinished" else (filters.status,)
        wanted.append(jobs.c.status.in_(statuses))
    for column, value in ((jobs.c.model, filters.model), (jobs.c.kind, filters.kind), (jobs.c.size, filters.size)):
        if value is not None:
            wanted.append(column == value)
    if filters.rating is not None:
        stars = func.coalesce(entries.rating, 0)
        wanted.append(stars >= filters.rating if filters.rating else stars == 0)
    return wanted + _made(filters)


def _made(filters: Filters) -> list[ColumnElement[bool]]:
    wanted = []
    if filters.created_from is not None:
        wanted.append(jobs.c.created_at >= filters.created_from)
    if filters.created_before is not None:
        wanted.append(jobs.c.created_at < filters.created_before)
    return wanted


def _says(word: str) -> ColumnElement[bool]:
    tag = exists().where(library_tags.c.job_id == jobs.c.id, library_tags.c.name.icontains(word, autoescape=True))
    return or_(
        jobs.c.prompt.icontains(word, autoescape=True),
        library_entries.c.title.icontains(word, autoescape=True),
        jobs.c.id == word,
        tag,
    )


def _ordered(order: Order) -> tuple[ColumnElement[Any], ...]:
    newest = jobs.c.sequence.desc()
    if order == "oldest":
        return (jobs.c.sequence.asc(),)
    if order == "best":
        return (func.coalesce(library_entries.c.rating, 0).desc(), newest)
    if order == "longest":
        return (cast(jobs.c.seconds, Float).desc(), newest)
    if order == "title":
        return (func.lower(func.coalesce(library_entries.c.title, jobs.c.prompt)), newest)
    return (newest,)


def _has_folder(connection: Connection, project_id: str, folder_id: str) -> bool:
    mine = and_(library_folders.c.id == folder_id, library_folders.c.project_id == project_id)
    return connection.scalar(select(library_folders.c.id).where(mine)) is not None


def _touch(connection: Connection, project_id: str, ids: Sequence[str], changes: Mapping[str, Any]) -> None:
    """Writes the changes and the next revision into the entries of these clips, making those that there are not."""
    highest = select(func.max(library_entries.c.revision)).where(library_entries.c.project_id == project_id)
    values = {**changes, "revision": (connection.scalar(highest) or 0) + 1}
    known = set(connection.scalars(select(library_entries.c.job_id).where(library_entries.c.job_id.in_(ids))))
    new = [{"job_id": clip, "project_id": project_id, **values} for clip in ids if clip not in known]
    if new:
        connection.execute(insert(library_entries), new)
    if known:
        connection.execute(update(library_entries).where(library_entries.c.job_id.in_(known)).values(**values))


def _set_tag(connection: Connection, project_id: str, ids: Sequence[str], name: str, *, there: bool) -> None:
    tagged = (library_tags.c.name == name) & library_tags.c.job_id.in_(ids)
    if not there:
        connection.execute(delete(library_tags).where(tagged))
        return
    have = set(connection.scalars(select(library_tags.c.job_id).where(tagged)))
    new = [{"job_id": clip, "name": name, "project_id": project_id} for clip in ids if clip not in have]
    if new:
        connection.execute(insert(library_tags), new)
