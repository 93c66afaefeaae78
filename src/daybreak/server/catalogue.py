"""The open models that can be had: what they permit, what they need, whether they fit here, and getting one."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Collection
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from daybreak.catalog import installed_models
from daybreak.open_models.catalogue import Entry, catalogue
from daybreak.open_models.here import whole_machine
from daybreak.open_models.memory import Machine, fit, need
from daybreak.server.auth import Principal, requires
from daybreak.server.context import ServerContext, context_of
from daybreak.server.errors import ApiError, not_found
from daybreak.server.library_schemas import CatalogueEntry, CatalogueList
from daybreak.server.pulls import Busy

router = APIRouter(tags=["Models"])
Reader = Annotated[Principal, Depends(requires("videos.read"))]
Admin = Annotated[Principal, Depends(requires("admin"))]

_NEEDS_EXTRA = "Pulling needs the extra: pip install 'daybreak[diffusers]'"


@router.get("/v1/catalogue", response_model=CatalogueList)
async def list_catalogue(request: Request, _principal: Reader) -> dict[str, Any]:
    """Every open model that is known by name: licence in words, size, memory, and whether it fits this machine."""
    context = context_of(request)
    return await context.run(_list, context)


@router.post("/v1/catalogue/{model_id}/pull", response_model=CatalogueEntry)
async def pull_model(request: Request, model_id: str, _principal: Admin) -> dict[str, Any]:
    """Downloads a model onto the server's disk and installs it. Its `pull` in the catalogue says how far it is."""
    context = context_of(request)
    return await context.run(_pull, context, model_id)


@router.delete("/v1/catalogue/{model_id}/pull", response_model=CatalogueEntry)
async def stop_pull(request: Request, model_id: str, _principal: Admin) -> dict[str, Any]:
    """Stops a download; what came is kept, and the next one goes on from there."""
    context = context_of(request)
    entry = _entry(model_id)
    context.pulls.stop(model_id)
    return await context.run(_show, context, entry)


def entry_object(entry: Entry, machine: Machine, installed: Collection[str]) -> dict[str, Any]:
    """A model of the catalogue on the wire, but for its download. Its need is that of a clip as it was trained on."""
    width, height = entry.sizes[0]
    found = fit(entry, machine, width, height, entry.seconds)
    return {
        "object": "catalogue.model",
        "id": entry.name,
        "title": entry.title,
        "repository": entry.repository,
        "bytes": entry.size,
        "audio": entry.audio,
        "sizes": [f"{width}x{height}" for width, height in entry.sizes],
        "seconds": round(entry.seconds, 2),
        "fps": entry.fps,
        "licence": asdict(entry.licence),
        "to_check": list(entry.check),
        "memory": asdict(need(entry, width, height, entry.seconds)),
        "fits": found.fits,
        "how": found.how,
        "fix": found.fix,
        "installed": entry.name in installed,
        "command": f"daybreak models pull {entry.name}",
    }


def _list(context: ServerContext) -> dict[str, Any]:
    machine, installed = whole_machine(), _installed(context)
    folder = context.settings.models_dir.expanduser().absolute()
    disk = next(path for path in (folder, *folder.parents) if path.is_dir())
    return {
        "object": "list",
        "data": [_with_pull(context, entry, machine, installed) for entry in catalogue().values()],
        "machine": {**asdict(machine), "disk_free": shutil.disk_usage(disk).free},
        "pull_problem": None if importlib.util.find_spec("huggingface_hub") else _NEEDS_EXTRA,
    }


def _show(context: ServerContext, entry: Entry) -> dict[str, Any]:
    return _with_pull(context, entry, whole_machine(), _installed(context))


def _with_pull(context: ServerContext, entry: Entry, machine: Machine, installed: Collection[str]) -> dict[str, Any]:
    pull = context.pulls.get(entry.name)
    return {**entry_object(entry, machine, installed), "pull": asdict(pull) if pull else None}


def _pull(context: ServerContext, name: str) -> dict[str, Any]:
    entry = _entry(name)
    if name in _installed(context):
        raise ApiError(409, f"{name} is installed already.", code="already_installed")
    try:
        context.pulls.start(entry, context.settings.models_dir)
    except Busy as busy:
        raise ApiError(409, f"{busy}.", code="pull_running", headers={"x-should-retry": "false"}) from busy
    return _show(context, entry)


def _entry(name: str) -> Entry:
    entry = catalogue().get(name)
    if entry is None:
        raise not_found("model of the catalogue", name)
    return entry


def _installed(context: ServerContext) -> frozenset[str]:
    """Names of the catalogue that a model here came from, whatever it is called here."""
    cards = installed_models(context.settings.models_dir)
    return frozenset(str(card.details.get("catalogue", card.name)) for card in cards)
