"""Assets: what is known of every stored file, and which of them nobody needs any more.

An asset is held by the job that made it, by the files and characters that show it, by a batch that still reads it, and
by the jobs whose timelines name it. When the last of these is gone it becomes a tombstone; its bytes may go once no
living asset has the same key.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, RowMapping, exists, insert, or_, select, update

from daybreak.database.connect import Database
from daybreak.database.ids import new_id
from daybreak.database.tables import assets, batches, characters, files, job_media, jobs

_OPEN_BATCH = ("validating", "in_progress", "finalizing", "cancelling")  # one that still reads its input


@dataclass(frozen=True, slots=True)
class NewAsset:
    """A stored file that is to become an asset. `key` is its place in object storage."""

    project_id: str
    variant: str  # video, thumbnail, spritesheet; of uploads: image, video, data
    key: str
    content_type: str
    bytes: int
    sha256: str
    job_id: str | None = None  # the job that made it
    width: int | None = None
    height: int | None = None
    num_frames: int | None = None
    fps: float | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """A row of `assets`."""

    id: str
    project_id: str
    job_id: str | None
    variant: str
    key: str
    content_type: str
    bytes: int
    sha256: str
    width: int | None
    height: int | None
    num_frames: int | None
    fps: float | None
    created_at: int
    deleted_at: int | None
    removed_at: int | None

    @property
    def seconds(self) -> float | None:
        """How long it plays, where that is known."""
        return self.num_frames / self.fps if self.num_frames and self.fps else None


def add_asset(db: Database, new: NewAsset, now: float) -> Asset:
    """The new asset."""
    with db.write() as connection:
        return insert_asset(connection, new, now)


def insert_asset(connection: Connection, new: NewAsset, now: float) -> Asset:
    """The new asset, written in the caller's transaction."""
    asset = Asset(id=new_id("asset"), **asdict(new), created_at=int(now), deleted_at=None, removed_at=None)
    connection.execute(insert(assets).values(**asdict(asset)))
    return asset


def get_asset(db: Database, project_id: str, asset_id: str) -> Asset | None:
    """The asset, unless it is another project's or deleted."""
    mine = (assets.c.id == asset_id) & (assets.c.project_id == project_id) & assets.c.deleted_at.is_(None)
    with db.read() as connection:
        row = connection.execute(select(assets).where(mine)).mappings().first()
    return None if row is None else asset_of(row)


def job_assets(db: Database, project_id: str, job_id: str) -> dict[str, Asset]:
    """The assets that a job made, by variant."""
    mine = (assets.c.job_id == job_id) & (assets.c.project_id == project_id) & assets.c.deleted_at.is_(None)
    with db.read() as connection:
        found = [asset_of(row) for row in connection.execute(select(assets).where(mine)).mappings()]
    return {asset.variant: asset for asset in found}


def forget_asset(db: Database, project_id: str, asset_id: str, now: float) -> list[str]:
    """The keys whose bytes may go now. The asset becomes a tombstone unless something still holds it."""
    mine = select(assets.c.id).where(assets.c.id == asset_id, assets.c.project_id == project_id)
    with db.write() as connection:
        found = list(connection.scalars(mine))
        return release_assets(connection, found, now)


def release_assets(connection: Connection, asset_ids: Collection[str], now: float) -> list[str]:
    """Makes tombstones of those that nothing holds any more; returns the keys that no living asset has then.

    To be called in the transaction in which a holder went.
    """
    if not asset_ids:
        return []
    owner, user = jobs.alias("owner"), jobs.alias("user")
    held = or_(
        exists().where(owner.c.id == assets.c.job_id, owner.c.deleted_at.is_(None)),
        exists().where(files.c.asset_id == assets.c.id, files.c.deleted_at.is_(None)),
        exists().where(
            files.c.asset_id == assets.c.id, batches.c.input_file_id == files.c.id, batches.c.status.in_(_OPEN_BATCH)
        ),
        exists().where(characters.c.asset_id == assets.c.id, characters.c.deleted_at.is_(None)),
        exists().where(
            job_media.c.asset_id == assets.c.id, user.c.id == job_media.c.job_id, user.c.deleted_at.is_(None)
        ),
    )
    free = select(assets.c.id, assets.c.key).where(assets.c.id.in_(asset_ids), assets.c.deleted_at.is_(None), ~held)
    found = connection.execute(free).all()
    connection.execute(update(assets).where(assets.c.id.in_([row.id for row in found])).values(deleted_at=int(now)))
    return free_keys(connection, {row.key for row in found})


def free_keys(connection: Connection, keys: Collection[str]) -> list[str]:
    """Those of the keys that no living asset has, in order."""
    taken = set(connection.scalars(select(assets.c.key).where(assets.c.key.in_(keys), assets.c.deleted_at.is_(None))))
    return sorted(set(keys) - taken)


def media_of_jobs(connection: Connection, job_ids: Sequence[str]) -> list[str]:
    """Ids of the assets that the jobs made or that their timelines name."""
    made = select(assets.c.id).where(assets.c.job_id.in_(job_ids))
    named = select(job_media.c.asset_id).where(job_media.c.job_id.in_(job_ids))
    return list(connection.scalars(made.union(named)))


def asset_of(row: RowMapping) -> Asset:
    """The record of a row of `assets`."""
    return Asset(**{column.name: row[column.name] for column in assets.columns})
