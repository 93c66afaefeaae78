"""API keys: shown once, kept as a digest, limited to a project, to scopes and to a time."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import RowMapping, exists, insert, select, update

from daybreak.database.connect import Database
from daybreak.database.ids import new_id
from daybreak.database.tables import api_keys

SCOPES = ("videos.read", "videos.write", "files.read", "files.write", "webhooks.read", "webhooks.write", "admin")
KEY_PREFIX = "sk-daybreak-"
_SECRET_BYTES = 32
_MAX_LENGTH = 200  # characters of anything that can be a key: nothing longer is hashed


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret; `hint` is the secret's end. Times are Unix seconds."""

    id: str
    project_id: str
    name: str
    hint: str
    scopes: frozenset[str]
    created_at: int
    expires_at: int | None
    revoked_at: int | None

    def valid(self, now: float) -> bool:
        """Whether the key opens anything at this time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


def create_key(
    db: Database, project_id: str, name: str, scopes: Iterable[str], now: float, expires_at: float | None = None
) -> tuple[ApiKey, str]:
    """The new key and its secret, which cannot be had again. Raises ValueError for a scope that there is not."""
    granted = frozenset(scopes)
    if unknown := sorted(granted - set(SCOPES)):
        raise ValueError(f"no scope is called {', '.join(unknown)}: there are {', '.join(SCOPES)}")
    secret = KEY_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    expires = None if expires_at is None else int(expires_at)
    key = ApiKey(new_id("key"), project_id, name, secret[-4:], granted, int(now), expires, None)
    with db.write() as connection:
        connection.execute(
            insert(api_keys).values(
                id=key.id,
                project_id=project_id,
                name=name,
                digest=_digest(secret),
                hint=key.hint,
                scopes=sorted(granted),
                created_at=key.created_at,
                expires_at=expires,
            )
        )
    return key, secret


def find_key(db: Database, secret: str, now: float) -> ApiKey | None:
    """The key with this secret, unless it was revoked or has expired.

    It is looked up by its digest, so how long that takes says nothing about how much of a guess was right.
    """
    if len(secret) > _MAX_LENGTH:
        return None
    with db.read() as connection:
        row = connection.execute(select(api_keys).where(api_keys.c.digest == _digest(secret))).mappings().first()
    if row is None:
        return None
    key = _key_of(row)
    return key if key.valid(now) else None


def list_keys(db: Database, project_id: str | None) -> list[ApiKey]:
    """Every key of a project, or of all of them; revoked ones too, the oldest first."""
    query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)
    if project_id is not None:
        query = query.where(api_keys.c.project_id == project_id)
    with db.read() as connection:
        return [_key_of(row) for row in connection.execute(query).mappings()]


def revoke_key(db: Database, key_id: str, now: float) -> bool:
    """Whether there was such a key that still opened anything; it opens nothing from now on."""
    alive = (api_keys.c.id == key_id) & api_keys.c.revoked_at.is_(None)
    with db.write() as connection:
        return connection.execute(update(api_keys).where(alive).values(revoked_at=int(now))).rowcount > 0


def any_keys(db: Database) -> bool:
    """Whether a key was ever made."""
    with db.read() as connection:
        return bool(connection.scalar(select(exists(select(api_keys.c.id)))))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key_of(row: RowMapping) -> ApiKey:
    return ApiKey(
        row["id"],
        row["project_id"],
        row["name"],
        row["hint"],
        frozenset(row["scopes"]),
        row["created_at"],
        row["expires_at"],
        row["revoked_at"],
    )
