"""Whether the server can do its work, its numbers, and the description of itself."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import func, select, text
from starlette.responses import JSONResponse, Response

from daybreak import __version__
from daybreak.database.tables import jobs, projects
from daybreak.server.auth import Principal, public, requires
from daybreak.server.context import ServerContext, context_of
from daybreak.server.schemas import Health, to_json

log = structlog.get_logger()
router = APIRouter(tags=["Operating"])

_PROBE_KEY = "health/probe"
_FRESH_SECONDS = 2.0  # a probe's answer is told again for so long: load balancers ask often, fsync is dear
MIN_FREE = 256 * 2**20  # bytes of disk below which new work should go elsewhere


@dataclass(frozen=True, slots=True)
class Checked:
    """The outcome of all checks, and when it was."""

    checks: dict[str, str]
    at: float  # seconds of the steady clock

    @property
    def ok(self) -> bool:
        return all(outcome == "ok" for outcome in self.checks.values())


@router.get("/healthz", response_model=Health, responses={503: {"model": Health}}, dependencies=[Depends(public)])
async def healthz(request: Request) -> Response:
    """200 when the database and the storage can be written, workers run and the disk has room; else 503."""
    context = context_of(request)
    checked = context.checked
    if checked is None or time.monotonic() - checked.at > _FRESH_SECONDS:
        checked = context.checked = await context.run(check_health, context)
    status = "draining" if context.draining.is_set() else "ok" if checked.ok else "failing"
    body = {"status": status, "checks": checked.checks, "version": __version__}
    return JSONResponse(body, 200 if status == "ok" else 503)


@router.get("/livez", response_model=Health, dependencies=[Depends(public)])
async def livez() -> dict[str, Any]:
    """200 as long as the process answers at all."""
    return {"status": "ok", "checks": {}, "version": __version__}


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request, _principal: Annotated[Principal, Depends(requires("admin"))]) -> Response:
    """Prometheus's numbers of this server."""
    context = context_of(request)
    return Response(await context.run(generate_latest, context.metrics.registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/openapi.json", response_class=JSONResponse, dependencies=[Depends(public)])
async def openapi(request: Request) -> Response:
    """This document."""
    return Response(to_json(request.app.openapi()), media_type="application/json")


def check_health(context: ServerContext) -> Checked:
    """Tries everything that the server needs; blocking. What is wrong is said without paths or addresses."""
    checks: dict[str, Callable[[], str]] = {
        "database": lambda: _write_database(context),
        "storage": lambda: _write_storage(context),
        "disk": lambda: _room(context),
        "workers": lambda: _workers(context),
    }
    outcomes = {}
    for name, check in checks.items():
        try:
            outcomes[name] = check()
        except Exception as error:  # whatever it is, it is what is wrong
            log.error("health check failed", check=name, error=f"{type(error).__name__}: {error}")
            outcomes[name] = "failing"
    return Checked(outcomes, time.monotonic())


def _write_database(context: ServerContext) -> str:
    with context.db.write() as connection:
        # Changes nothing, but needs all that a change needs: the write lock, and a file that isn't read-only.
        connection.execute(projects.update().where(text("1 = 0")).values(weight=1.0))
    return "ok"


def _write_storage(context: ServerContext) -> str:
    context.storage.put_bytes(_PROBE_KEY, b"ok", "text/plain")
    found = b"".join(context.storage.read(_PROBE_KEY, 0, 2))
    return "ok" if found == b"ok" else "what was written is not what is read"


def _room(context: ServerContext) -> str:
    free = shutil.disk_usage(_existing(context)).free
    return "ok" if free >= MIN_FREE else f"{free // 2**20} MiB free"


def _existing(context: ServerContext) -> Any:
    folder = context.settings.data_dir.expanduser().absolute()
    return next(path for path in (folder, *folder.parents) if path.is_dir())


def _workers(context: ServerContext) -> str:
    if context.workers is None:
        return "ok"  # they run elsewhere
    return "ok" if context.workers.alive() > 0 else "none is running"


def numbers(context: ServerContext) -> dict[str, tuple[str, str | None, dict[str, float]]]:
    """What /metrics asks the database for at each scrape."""
    with context.db.read() as connection:
        counted = select(jobs.c.status, func.count()).where(jobs.c.deleted_at.is_(None)).group_by(jobs.c.status)
        by_status = dict.fromkeys(("queued", "in_progress", "completed", "failed"), 0.0)
        by_status.update({str(status): float(count) for status, count in connection.execute(counted)})
        oldest = connection.scalar(select(func.min(jobs.c.created_at)).where(jobs.c.status == "queued"))
    waited = 0.0 if oldest is None else max(0.0, context.clock() - oldest)
    alive = context.workers.alive() if context.workers else 0
    return {
        "daybreak_jobs": ("Videos, by status.", "status", by_status),
        "daybreak_queue_oldest_seconds": ("How long the oldest queued video has waited.", None, {"": waited}),
        "daybreak_workers_alive": ("Worker processes that this server runs.", None, {"": float(alive)}),
        "daybreak_event_streams": ("Open event streams.", None, {"": float(context.event_seats.taken)}),
        "daybreak_disk_free_bytes": (
            "Free space where the data is.", None, {"": float(shutil.disk_usage(_existing(context)).free)}
        ),
    }  # fmt: skip
