"""The `loras` of a request: names of installed LoRAs, or objects with a name and a strength."""

from __future__ import annotations

from typing import Any

from daybreak.catalog import ModelCard, ModelUnavailable
from daybreak.engines.abilities import takes_loras
from daybreak.generation_settings import MAX_LORA_STRENGTH, MAX_LORAS, GenerationSettings, LoraUse
from daybreak.open_models.loras import LoraCard, find_lora, installed_loras
from daybreak.server.context import ServerContext
from daybreak.server.errors import invalid
from daybreak.server.parameters import Parameters


def read_loras(parameters: Parameters) -> tuple[LoraUse, ...]:
    """The LoRAs among a request's fields. Raises ApiError."""
    value = parameters.take("loras")
    if isinstance(value, str):  # a form's only one
        value = [value]
    if isinstance(value, list):
        value = [{"name": entry} if isinstance(entry, str) else entry for entry in value]
    uses = []
    for asked in Parameters({"loras": value}).children("loras", MAX_LORAS):
        name = asked.text("name", 64, required=True)
        strength = asked.number("strength", -MAX_LORA_STRENGTH, MAX_LORA_STRENGTH)
        asked.finish()
        uses.append(LoraUse(name or "", 1.0 if strength is None else strength))
    try:
        return GenerationSettings(loras=tuple(uses)).loras
    except ValueError as error:
        raise invalid("loras", f"Invalid 'loras': {error}.") from error


def refuse_missing_loras(context: ServerContext, card: ModelCard, settings: GenerationSettings) -> None:
    """Raises ApiError 400 for a LoRA that is not installed for the model of `card`, saying which are."""
    for use in settings.loras:
        try:
            find_lora(use.name, card.name, context.settings.models_dir)
        except ModelUnavailable as error:
            raise invalid("loras", f"Invalid 'loras': {error}.", "lora_unavailable") from error


def lora_objects(card: ModelCard | None, cards: list[LoraCard]) -> list[dict[str, Any]]:
    """What clients are told of the LoRAs that a model can use, among all `cards`."""
    if card is None or not takes_loras(card):
        return []
    return [
        {
            "name": lora.name,
            "description": str(lora.details.get("description", "")),
            "trigger_words": lora.trigger_words,
        }
        for lora in cards
        if lora.base == card.name
    ]


def all_loras(context: ServerContext) -> list[LoraCard]:
    """Every installed LoRA."""
    return installed_loras(context.settings.models_dir)
