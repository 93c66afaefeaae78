"""The outbox: an event becomes rows to deliver in the same transaction as what it tells of."""

from __future__ import annotations

import json

from sqlalchemy import Connection, insert, select

from daybreak.database.ids import new_id
from daybreak.database.tables import webhook_deliveries, webhook_endpoints


def add_event(connection: Connection, project_id: str, event_type: str, data_id: str, now: float) -> int:
    """How many endpoints will hear of it: those of the project that are enabled and subscribed to this type.

    To be called in the transaction that makes the event true. All of them are sent the same body.
    """
    enabled = select(webhook_endpoints.c.id, webhook_endpoints.c.event_types).where(
        webhook_endpoints.c.project_id == project_id,
        webhook_endpoints.c.disabled_at.is_(None),
        webhook_endpoints.c.deleted_at.is_(None),
    )
    subscribed = [row.id for row in connection.execute(enabled) if event_type in row.event_types]
    if not subscribed:
        return 0
    event = {
        "id": new_id("evt"),
        "object": "event",
        "created_at": int(now),
        "type": event_type,
        "data": {"id": data_id},
    }
    body = json.dumps(event, separators=(",", ":"))
    rows = [
        {
            "id": new_id("wh"),
            "project_id": project_id,
            "endpoint_id": endpoint_id,
            "event_type": event_type,
            "body": body,
            "created_at": int(now),
            "next_attempt_at": now,
        }
        for endpoint_id in subscribed
    ]
    connection.execute(insert(webhook_deliveries), rows)
    return len(rows)
