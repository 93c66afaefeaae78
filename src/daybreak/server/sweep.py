"""Removing bytes that nothing refers to: of what was deleted, and what a crash left between two steps."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, islice

import structlog

from daybreak.database.maintenance import (
    ASSET_GRACE,
    forget_deliveries,
    forget_unused_assets,
    mark_removed,
    removable_keys,
    unreferenced_keys,
)
from daybreak.server.context import ServerContext

log = structlog.get_logger()

# Where bytes with a row of their own are put; what else lies in the storage is nobody's business here.
PREFIXES = ("videos/", "checkpoints/", "files/", "uploads/")
_AT_ONCE = 1000  # keys


class Sweeper:
    """Finds stray bytes. A key counts as stray when it was one in two sweeps that lie ASSET_GRACE seconds apart: what
    was stored a moment ago may be about to get its row."""

    def __init__(self, context: ServerContext) -> None:
        self.context = context
        self._suspects: dict[str, float] = {}  # keys, and since when nothing has referred to them

    def sweep(self) -> int:
        """How many stray objects were removed. Blocking."""
        context, now = self.context, self.context.clock()
        unfinished = context.storage.sweep(now - ASSET_GRACE)
        forget_unused_assets(context.db, now)
        removed = remove_bytes(context)
        forget_deliveries(context.db, now)
        suspects: dict[str, float] = {}
        strays = 0
        keys = chain.from_iterable(context.storage.keys(prefix) for prefix in PREFIXES)
        while some := list(islice(keys, _AT_ONCE)):
            for key in unreferenced_keys(context.db, some):
                since = self._suspects.get(key, now)
                if since > now - ASSET_GRACE:
                    suspects[key] = since
                    continue
                context.storage.delete(key)
                strays += 1
        self._suspects = suspects
        if unfinished or removed or strays:
            log.info("swept", unfinished=unfinished, deleted=removed, strays=strays)
        return strays


def remove_bytes(context: ServerContext) -> int:
    """How many objects were removed whose assets are deleted. Blocking."""
    keys = removable_keys(context.db)
    return _remove(context, keys) if keys else 0


def _remove(context: ServerContext, keys: Iterable[str]) -> int:
    gone = list(keys)
    for key in gone:
        context.storage.delete(key)
    mark_removed(context.db, gone, context.clock())
    return len(gone)
