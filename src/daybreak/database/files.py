"""Files of the Files API: a name, a purpose and perhaps an end, for an asset that holds the bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from daybreak.database.assets import NewAsset, insert_asset, release_assets
from daybreak.database.connect import Database
from daybreak.database.ids import new_id
from daybreak.database.pages import Order, page
from daybreak.database.tables import assets, files


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to be kept: what it's called and for, and the stored bytes."""

    project_id: str
    filename: str
    purpose: str
    key: str
    content_type: str
    bytes: int
    sha256: str
    variant: str = "data"  # of its asset: image, video, data
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A kept file with what is known of its bytes."""

    id: str
    project_id: str
    asset_id: str
    filename: str
    purpose: str
    created_at: int
    expires_at: int | None
    key: str
    content_type: str
    bytes: int
    sha256: str
    variant: str


_COLUMNS = (
    *(files.c[name] for name in ("id", "project_id", "asset_id", "filename", "purpose", "created_at", "expires_at")),
    *(assets.c[name] for name in ("key", "content_type", "bytes", "sha256", "variant")),
)
_FILES = select(*_COLUMNS).join(assets, assets.c.id == files.c.asset_id)


def add_file(db: Database, new: NewFile, now: float) -> File:
    with db.write() as connection:
        return insert_file(connection, new, now)


def insert_file(connection: Connection, new: NewFile, now: float) -> File:
    """`add_file` inside a transaction that has more to do."""
    about = NewAsset(new.project_id, new.variant, new.key, new.content_type, new.bytes, new.sha256)
    asset_id, file_id = insert_asset(connection, about, now).id, new_id("file-")
    newest = connection.scalar(select(func.max(files.c.sequence)).where(files.c.project_id == new.project_id))
    values = {
        "id": file_id,
        "project_id": new.project_id,
        "sequence": (newest or 0) + 1,
        "asset_id": asset_id,
        "filename": new.filename,
        "purpose": new.purpose,
        "created_at": int(now),
        "expires_at": new.expires_at,
    }
    connection.execute(insert(files).values(values))
    return _file(connection.execute(_FILES.where(files.c.id == file_id)).one())


def repeated_file(db: Database, new: NewFile, now: float, since: float) -> File | None:
    """The newest file since then with the same name, purpose and bytes: what a retry of a lost answer wants."""
    same = (
        files.c.project_id == new.project_id,
        files.c.filename == new.filename,
        files.c.purpose == new.purpose,
        files.c.created_at >= int(since),
        assets.c.sha256 == new.sha256,
        _alive(now),
    )
    with db.read() as connection:
        row = connection.execute(_FILES.where(*same).order_by(files.c.sequence.desc()).limit(1)).first()
    return None if row is None else _file(row)


def get_file(db: Database, project_id: str, file_id: str, now: float) -> File | None:
    """The file; None when it's another project's, deleted or past its end."""
    here = (files.c.project_id == project_id, files.c.id == file_id, _alive(now))
    with db.read() as connection:
        row = connection.execute(_FILES.where(*here)).first()
    return None if row is None else _file(row)


def list_files(
    db: Database,
    project_id: str,
    now: float,
    *,
    after: str | None = None,
    limit: int = 10_000,
    order: Order = "desc",
    purpose: str | None = None,
) -> tuple[list[File], bool]:
    """A page and whether there are more. Raises UnknownCursor when `after` names no file of the project."""
    query = _FILES.where(_alive(now))
    if purpose is not None:
        query = query.where(files.c.purpose == purpose)
    scope = files.c.project_id == project_id
    with db.read() as connection:
        rows, more = page(connection, query, files.c.sequence, scope=scope, after=after, limit=limit, order=order)
    return [_file(row) for row in rows], more


def delete_file(db: Database, project_id: str, file_id: str, now: float) -> bool:
    """Whether it was there. Its bytes go when nothing else needs them.

    Those of an open batch's input stay until the batch has ended; `maintenance.forget_unused_assets` finds them then.
    """
    here = (files.c.project_id == project_id, files.c.id == file_id, files.c.deleted_at.is_(None))
    with db.write() as connection:
        row = connection.execute(_FILES.where(*here)).first()
        if row is None:
            return False
        _delete(connection, _file(row), now)
        return True


def delete_expired(db: Database, now: float, limit: int = 100) -> int:
    """How many files past their end were deleted."""
    past = _FILES.where(files.c.deleted_at.is_(None), files.c.expires_at <= int(now)).limit(limit)
    with db.read() as connection:
        if connection.execute(past).first() is None:
            return 0
    with db.write() as connection:
        rows = connection.execute(past).all()
        for row in rows:
            _delete(connection, _file(row), now)
        return len(rows)


def file_asset(db: Database, project_id: str, file_id: str) -> File | None:
    """The file for a batch that took it while it was there: deleted and expired ones too, while their bytes are."""
    here = (files.c.project_id == project_id, files.c.id == file_id, assets.c.deleted_at.is_(None))
    with db.read() as connection:
        row = connection.execute(_FILES.where(*here)).first()
    return None if row is None else _file(row)


def _delete(connection: Connection, file: File, now: float) -> None:
    """Tombstones the file, and its asset unless something still needs it."""
    gone = update(files).where(files.c.id == file.id, files.c.deleted_at.is_(None)).values(deleted_at=int(now))
    connection.execute(gone)
    release_assets(connection, [file.asset_id], now)


def _alive(now: float) -> ColumnElement[bool]:
    return files.c.deleted_at.is_(None) & or_(files.c.expires_at.is_(None), files.c.expires_at > int(now))


def _file(row: Row[Any]) -> File:
    return File(**row._asdict())
