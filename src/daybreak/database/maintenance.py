"""What may be thrown away: storage keys that no row refers to, assets that nobody holds, deliveries of long ago.

Nothing else is ever removed, and nothing younger than its grace: bytes are stored before the row that speaks of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from sqlalchemy import Connection, delete, select, text, update

from daybreak.database.assets import free_keys, release_assets
from daybreak.database.connect import Database
from daybreak.database.tables import assets, jobs, webhook_deliveries

ASSET_GRACE = 3600.0  # seconds between an upload and the row that needs it: far more than a request may last
DELIVERY_DAYS = 30
_AT_ONCE = 500  # rows: fewer than SQLite takes values in one statement, few enough not to keep writers waiting
# Where a worker keeps what the database doesn't know of yet.
_WORKPLACE = re.compile(r"(?:videos|checkpoints)/(?P<job_id>video_[0-9a-f]{32})/")


def unreferenced_keys(db: Database, keys: Collection[str]) -> list[str]:
    """Those of the storage keys whose bytes nothing refers to, and no running job may yet come to refer to.

    A key that was stored moments ago may be about to get its row: ask again after ASSET_GRACE before deleting.
    """
    unneeded: list[str] = []
    with db.read() as connection:
        for some in _slices(sorted(set(keys))):
            free = free_keys(connection, some)
            owners = {key: match["job_id"] for key in free if (match := _WORKPLACE.match(key))}
            open_ = select(jobs.c.id).where(
                jobs.c.id.in_(set(owners.values())), jobs.c.status.in_(("queued", "in_progress"))
            )
            at_work = set(connection.scalars(open_))
            unneeded += [key for key in free if owners.get(key) not in at_work]
    return unneeded


def forget_unused_assets(db: Database, now: float) -> list[str]:
    """The storage keys that may go, of uploads older than ASSET_GRACE that nothing holds: they came to nothing."""
    keys: list[str] = []
    after = ""
    while True:
        with db.write() as connection:
            old = (
                select(assets.c.id)
                .where(assets.c.id > after, assets.c.created_at <= now - ASSET_GRACE)
                .where(assets.c.deleted_at.is_(None), assets.c.job_id.is_(None))
                .order_by(assets.c.id)
                .limit(_AT_ONCE)
            )
            found = list(connection.scalars(old))
            keys += release_assets(connection, found, now)
        if len(found) < _AT_ONCE:
            return sorted(set(keys))
        after = found[-1]


def removable_keys(db: Database) -> list[str]:
    """Storage keys of deleted assets whose bytes were not reported as removed yet: what a crash left to do."""
    with db.read() as connection:
        left = select(assets.c.key).where(assets.c.removed_at.is_(None), assets.c.deleted_at.is_not(None))
        return [key for some in _slices(sorted(set(connection.scalars(left)))) for key in free_keys(connection, some)]


def mark_removed(db: Database, keys: Collection[str], now: float) -> None:
    """Notes that the bytes of these keys have left the storage."""
    with db.write() as connection:
        for some in _slices(sorted(set(keys))):
            gone = assets.c.key.in_(some) & assets.c.deleted_at.is_not(None) & assets.c.removed_at.is_(None)
            connection.execute(update(assets).where(gone).values(removed_at=int(now)))


def forget_deliveries(db: Database, now: float) -> int:
    """How many deliveries of more than 30 days ago were removed; what is still to be sent stays."""
    old = (
        delete(webhook_deliveries)
        .where(webhook_deliveries.c.created_at < now - DELIVERY_DAYS * 86400)
        .where(webhook_deliveries.c.next_attempt_at.is_(None))
    )
    with db.write() as connection:
        return connection.execute(old).rowcount


def check_integrity(db: Database) -> list[str]:
    """What is wrong with the database's own structure, line by line; nothing for a sound one, or for PostgreSQL."""
    if db.dialect == "postgresql":
        return []
    with db.read() as connection:
        return [*_complaints(connection, "integrity_check"), *_complaints(connection, "foreign_key_check")]


def _complaints(connection: Connection, pragma: str) -> list[str]:
    rows = connection.execute(text(f"PRAGMA {pragma}")).all()
    return [" ".join(map(str, row)) for row in rows if tuple(row) != ("ok",)]


def _slices(keys: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]
