"""Webhook endpoints, and the deliveries that are due, done or given up: the outbox from its reading side."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, select, update

from daybreak.database.connect import Database
from daybreak.database.ids import new_id
from daybreak.database.pages import page
from daybreak.database.tables import webhook_deliveries as deliveries
from daybreak.database.tables import webhook_endpoints as endpoints

OLD_SECRET_SECONDS = 24 * 3600  # how long a rotated secret still signs, as the Videos API promises
SECRET_BYTES = 32  # Standard Webhooks: 24 to 64


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a project's events go. `secret` signs; `old_secret` signs too until `old_secret_until`."""

    id: str
    project_id: str
    sequence: int
    name: str
    url: str
    event_types: tuple[str, ...]
    secret: str
    old_secret: str | None
    old_secret_until: int | None
    created_at: int
    updated_at: int
    disabled_at: int | None

    def secrets_at(self, now: float) -> tuple[str, ...]:
        """What a delivery at `now` is signed with, the newest first."""
        if self.old_secret and self.old_secret_until is not None and now < self.old_secret_until:
            return (self.secret, self.old_secret)
        return (self.secret,)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one endpoint. `id` and `body` are the same on every attempt."""

    id: str
    project_id: str
    endpoint_id: str
    event_type: str
    body: str
    created_at: int
    attempts: int
    next_attempt_at: float | None
    delivered_at: int | None
    exhausted_at: int | None
    last_status: int | None
    last_error: str | None


def new_secret() -> str:
    """A signing secret in the form of Standard Webhooks: `whsec_` and base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def add_endpoint(
    db: Database, project_id: str, name: str, url: str, event_types: Sequence[str], now: float
) -> Endpoint:
    with db.write() as connection:
        newest = connection.scalar(select(func.max(endpoints.c.sequence)).where(endpoints.c.project_id == project_id))
        values = {
            "id": new_id("we_"),
            "project_id": project_id,
            "sequence": (newest or 0) + 1,
            "name": name,
            "url": url,
            "event_types": list(event_types),
            "secret": new_secret(),
            "created_at": int(now),
            "updated_at": int(now),
        }
        connection.execute(insert(endpoints).values(values))
        return _required(connection, project_id, str(values["id"]))


def repeated_endpoint(
    db: Database, project_id: str, name: str, url: str, event_types: Sequence[str], since: float
) -> Endpoint | None:
    """The newest endpoint since then that was asked for in the same words: what a retry of a lost answer wants."""
    same = (
        endpoints.c.project_id == project_id,
        endpoints.c.name == name,
        endpoints.c.url == url,
        endpoints.c.created_at >= int(since),
        endpoints.c.deleted_at.is_(None),
    )
    with db.read() as connection:
        rows = connection.execute(select(endpoints).where(*same).order_by(endpoints.c.sequence.desc())).all()
    return next((_endpoint(row) for row in rows if row.event_types == list(event_types)), None)


def get_endpoint(db: Database, project_id: str, endpoint_id: str) -> Endpoint | None:
    with db.read() as connection:
        return _find(connection, project_id, endpoint_id)


def list_endpoints(
    db: Database, project_id: str, after: str | None = None, limit: int = 20
) -> tuple[list[Endpoint], bool]:
    """A page, newest first, and whether there are more. Raises UnknownCursor when `after` names no endpoint."""
    scope = endpoints.c.project_id == project_id
    query = select(endpoints).where(endpoints.c.deleted_at.is_(None))
    with db.read() as connection:
        rows, more = page(connection, query, endpoints.c.sequence, scope=scope, after=after, limit=limit, order="desc")
    return [_endpoint(row) for row in rows], more


def update_endpoint(
    db: Database, project_id: str, endpoint_id: str, changes: dict[str, Any], now: float
) -> Endpoint | None:
    """The endpoint with `changes` to name, url or event_types, enabled again; None when there is no such endpoint.

    `updated_at` moves only when something did change.
    """
    with db.write() as connection:
        before = _find(connection, project_id, endpoint_id)
        if before is None:
            return None
        values = {key: list(value) if key == "event_types" else value for key, value in changes.items()}
        now_is = {"name": before.name, "url": before.url, "event_types": list(before.event_types)}
        if any(now_is[key] != value for key, value in values.items()) or before.disabled_at is not None:
            values.update(updated_at=int(now), disabled_at=None)
            connection.execute(update(endpoints).where(endpoints.c.id == endpoint_id).values(values))
        return _required(connection, project_id, endpoint_id)


def delete_endpoint(db: Database, project_id: str, endpoint_id: str, now: float) -> bool:
    """Whether it was there. What was still to be delivered to it is given up."""
    with db.write() as connection:
        if _find(connection, project_id, endpoint_id) is None:
            return False
        connection.execute(update(endpoints).where(endpoints.c.id == endpoint_id).values(deleted_at=int(now)))
        _give_up(connection, endpoint_id, "the endpoint was deleted", now)
        return True


def rotate_secret(db: Database, project_id: str, endpoint_id: str, keep_old: bool, now: float) -> Endpoint | None:
    with db.write() as connection:
        before = _find(connection, project_id, endpoint_id)
        if before is None:
            return None
        values = {
            "secret": new_secret(),
            "old_secret": before.secret if keep_old else None,
            "old_secret_until": int(now) + OLD_SECRET_SECONDS if keep_old else None,
            "updated_at": int(now),
        }
        connection.execute(update(endpoints).where(endpoints.c.id == endpoint_id).values(values))
        return _required(connection, project_id, endpoint_id)


def claim_due(
    db: Database, now: float, lease: float, full: Collection[str] = (), limit: int = 100, each: int = 4
) -> list[tuple[Delivery, Endpoint]]:
    """Deliveries to attempt now, at most `each` for one endpoint and none for the endpoints in `full`.

    A claim moves `next_attempt_at` forward by `lease` seconds and counts the attempt: should this process die, the
    delivery is due again after the lease, and no other process takes it before.
    """
    due = and_(deliveries.c.next_attempt_at.is_not(None), deliveries.c.next_attempt_at <= now)
    if full:
        due = and_(due, deliveries.c.endpoint_id.not_in(sorted(full)))
    # Ranked for each endpoint: a thousand that are due for a dead one don't hide the one for another.
    rank = func.row_number().over(partition_by=deliveries.c.endpoint_id, order_by=deliveries.c.next_attempt_at)
    ranked = select(deliveries.c.id, rank.label("place")).where(due).subquery()
    query = (
        select(deliveries)
        .join(ranked, ranked.c.id == deliveries.c.id)
        .where(ranked.c.place <= each)
        .order_by(ranked.c.place, deliveries.c.next_attempt_at)
        .limit(limit)
    )
    with db.read() as connection:  # most looks find nothing, and a look must not wait for a writer
        if not connection.execute(query.limit(1)).first():
            return []
    claimed = []
    with db.write() as connection:
        for row in [_delivery(row) for row in connection.execute(query)]:
            taken = connection.execute(
                update(deliveries)
                .where(deliveries.c.id == row.id, deliveries.c.next_attempt_at == row.next_attempt_at)
                .values(next_attempt_at=now + lease, attempts=deliveries.c.attempts + 1)
            )
            if not taken.rowcount:
                continue
            endpoint = _find(connection, row.project_id, row.endpoint_id)
            if endpoint is None or endpoint.disabled_at is not None:
                why = "the endpoint was deleted" if endpoint is None else "the endpoint is disabled"
                _give_up(connection, row.endpoint_id, why, now)
                continue
            claimed.append((_claimed(connection, row.id), endpoint))
    return claimed


def next_due(db: Database) -> float | None:
    """When the next attempt is due; None when nothing waits."""
    with db.read() as connection:
        moment: float | None = connection.scalar(select(func.min(deliveries.c.next_attempt_at)))
        return moment


def delivered(db: Database, delivery_id: str, status: int, now: float) -> None:
    _settle(db, delivery_id, last_status=status, last_error=None, delivered_at=int(now), next_attempt_at=None)


def not_delivered(
    db: Database, delivery_id: str, status: int | None, error: str, next_attempt_at: float | None, now: float
) -> None:
    """Notes a failed attempt; `next_attempt_at` None gives the delivery up."""
    gone = {} if next_attempt_at is not None else {"exhausted_at": int(now)}
    _settle(db, delivery_id, last_status=status, last_error=error, next_attempt_at=next_attempt_at, **gone)


def disable_endpoint(db: Database, project_id: str, endpoint_id: str, why: str, now: float) -> None:
    """Stops deliveries to an endpoint until it's updated; what was still due is given up and can be replayed."""
    with db.write() as connection:
        here = (endpoints.c.project_id == project_id, endpoints.c.id == endpoint_id)
        connection.execute(
            update(endpoints).where(*here, endpoints.c.disabled_at.is_(None)).values(disabled_at=int(now))
        )
        _give_up(connection, endpoint_id, why, now)


def list_deliveries(
    db: Database, project_id: str, endpoint_id: str, after: str | None = None, limit: int = 20
) -> tuple[list[Delivery], bool]:
    """A page of an endpoint's deliveries, newest first. Raises UnknownCursor when `after` names none of them."""
    scope = and_(deliveries.c.project_id == project_id, deliveries.c.endpoint_id == endpoint_id)
    created_at = deliveries.c.created_at
    with db.read() as connection:
        rows, more = page(
            connection, select(deliveries), created_at, scope=scope, after=after, limit=limit, order="desc"
        )
    return [_delivery(row) for row in rows], more


def replay(db: Database, project_id: str, endpoint_id: str, delivery_id: str, now: float) -> Delivery | None:
    """The delivery, due again now with the whole schedule before it; None when there is no such delivery.

    It keeps its id, so that a receiver which has seen it can tell.
    """
    here = (
        deliveries.c.project_id == project_id,
        deliveries.c.endpoint_id == endpoint_id,
        deliveries.c.id == delivery_id,
    )
    again = {"attempts": 0, "next_attempt_at": float(now), "delivered_at": None, "exhausted_at": None}
    with db.write() as connection:
        connection.execute(update(deliveries).where(*here).values(again))
        row = connection.execute(select(deliveries).where(*here)).first()
        return None if row is None else _delivery(row)


def _settle(db: Database, delivery_id: str, **values: object) -> None:
    with db.write() as connection:
        # A receiver's late answer doesn't undo an earlier success.
        here = (deliveries.c.id == delivery_id, deliveries.c.delivered_at.is_(None))
        connection.execute(update(deliveries).where(*here).values(**values))


def _give_up(connection: Connection, endpoint_id: str, why: str, now: float) -> None:
    open_ones = (deliveries.c.endpoint_id == endpoint_id, deliveries.c.next_attempt_at.is_not(None))
    values = {"next_attempt_at": None, "exhausted_at": int(now), "last_error": why}
    connection.execute(update(deliveries).where(*open_ones).values(values))


def _claimed(connection: Connection, delivery_id: str) -> Delivery:
    return _delivery(connection.execute(select(deliveries).where(deliveries.c.id == delivery_id)).one())


def _find(connection: Connection, project_id: str, endpoint_id: str) -> Endpoint | None:
    query = select(endpoints).where(
        endpoints.c.project_id == project_id, endpoints.c.id == endpoint_id, endpoints.c.deleted_at.is_(None)
    )
    row = connection.execute(query).first()
    return None if row is None else _endpoint(row)


def _required(connection: Connection, project_id: str, endpoint_id: str) -> Endpoint:
    found = _find(connection, project_id, endpoint_id)
    assert found is not None, endpoint_id
    return found


def _endpoint(row: Row[Any]) -> Endpoint:
    values = row._asdict()
    values.pop("deleted_at")
    return Endpoint(**{**values, "event_types": tuple(values["event_types"])})


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(**row._asdict())
