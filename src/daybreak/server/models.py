"""Which models there are, and what the names that clients use mean here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Request

from daybreak.catalog import ModelCard, ModelUnavailable, find_model, installed_models
from daybreak.database.aliases import get_alias, list_aliases
from daybreak.engines.abilities import abilities_of
from daybreak.open_models.loras import LoraCard
from daybreak.server.auth import Principal, requires
from daybreak.server.context import ServerContext, context_of
from daybreak.server.errors import ApiError
from daybreak.server.loras import all_loras, lora_objects
from daybreak.server.schemas import ModelList, ModelResource

log = structlog.get_logger()
router = APIRouter(tags=["Models"])
Reader = Annotated[Principal, Depends(requires("videos.read"))]

# OpenAI's names, and when each came out, in Unix seconds: clients look for models whose id starts with sora.
SORA_NAMES = {
    "sora-2": 1759708800,
    "sora-2-pro": 1759708800,
    "sora-2-2025-10-06": 1759708800,
    "sora-2-2025-12-08": 1765152000,
    "sora-2-pro-2025-10-06": 1759708800,
}
_OWNER = "daybreak"
# Where its files are is not for clients.
_NOT_WHOLE = "is installed, but not whole: `daybreak doctor` on the server says what is missing"


@dataclass(frozen=True, slots=True)
class Named:
    """A name that clients may use: the model behind it and when the name came to be."""

    id: str
    model: str
    created: int
    alias: bool


def meaning_of(context: ServerContext, name: str) -> str:
    """The installed model that a name stands for, or the name itself where it is no other name of anything.

    The owner's aliases come first, then what is installed, then OpenAI's names.
    """
    alias = get_alias(context.db, name)
    if alias is not None:
        return alias.model
    if name in SORA_NAMES and not (context.settings.models_dir / name).is_dir():
        return context.settings.sora_model or context.settings.model
    return name


def resolve_model(context: ServerContext, name: str) -> ModelCard:
    """The card of the whole model that a name stands for. Raises ApiError: 404 unknown, 400 not whole."""
    model = meaning_of(context, name)
    cards = {card.name: card for card in installed_models(context.settings.models_dir)}
    if model not in cards:
        raise _unknown(name)
    try:
        return find_model(model, context.settings.models_dir)
    except ModelUnavailable as error:
        log.error("a model is not whole", model=model, error=str(error))
        raise ApiError(400, f"The model '{name}' {_NOT_WHOLE}.", param="model", code="model_unavailable") from error


@router.get("/v1/models", response_model=ModelList)
async def list_models(request: Request, _principal: Reader) -> dict[str, Any]:
    """Every model and every name of one. `sora-2` and `sora-2-pro` are among them whatever is installed."""
    context = context_of(request)
    return {"object": "list", "data": await context.run(_all, context)}


@router.get("/v1/models/{model_id}", response_model=ModelResource)
async def retrieve_model(request: Request, model_id: str, _principal: Reader) -> dict[str, Any]:
    """A model, by its own name or by another."""
    context = context_of(request)
    for model in await context.run(_all, context):
        if model["id"] == model_id:
            return model
    raise _unknown(model_id)


def _unknown(name: str) -> ApiError:
    message = f"The model '{name[:100]}' does not exist or you do not have access to it."
    return ApiError(404, message, param="model", code="model_not_found")


def _all(context: ServerContext) -> list[dict[str, Any]]:
    cards = {card.name: card for card in installed_models(context.settings.models_dir)}
    names = {name: Named(name, name, _installed_at(card), alias=False) for name, card in cards.items()}
    for name, created in SORA_NAMES.items():
        names.setdefault(name, Named(name, meaning_of(context, name), created, alias=True))
    for alias in list_aliases(context.db):
        names[alias.name] = Named(alias.name, alias.model, alias.created_at, alias=True)
    order = sorted(names.values(), key=lambda named: (not named.id.startswith("sora"), named.id))
    loras = all_loras(context)
    return [_model_object(context, named, cards.get(named.model), loras) for named in order]


def _installed_at(card: ModelCard) -> int:
    return int((card.path / "model.json").stat().st_mtime) if card.path and card.path.is_dir() else 0


def _model_object(
    context: ServerContext, named: Named, card: ModelCard | None, loras: list[LoraCard]
) -> dict[str, Any]:
    problem = None
    if card is None:
        problem = f"the model {named.model!r} is not installed"
    else:
        try:
            find_model(card.name, context.settings.models_dir)
        except ModelUnavailable:
            problem = f"the model {named.model!r} {_NOT_WHOLE}"
    details = card.details if card else {}
    native = details.get("native") if isinstance(details.get("native"), dict) else {}
    return {
        "id": named.id,
        "object": "model",
        "created": named.created,
        "owned_by": _OWNER,
        "shutdown_date": None,
        "daybreak": {
            "model": named.model,
            "installed": problem is None,
            "default": named.model == context.settings.model,
            "alias": named.alias,
            "procedural": bool(card and card.procedural),
            "abilities": sorted(abilities_of(card)) if card else [],
            "loras": lora_objects(card, loras),
            "native_sizes": [str(size) for size in (native or {}).get("sizes", [])],
            "fps": float((native or {}).get("fps", 24)),
            "description": card.description if card else "",
            "licence": details.get("licence", "Apache-2.0" if card and card.procedural else None),
            "problem": problem,
        },
    }
