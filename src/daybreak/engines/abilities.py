"""What an engine honours beyond one prompt for the whole clip, and the refusal of what it does not.

Nothing here loads NumPy or an engine: a server asks before it takes a request.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from daybreak.catalog import DIFFUSERS_ENGINE, REMOTE_ENGINE, ModelCard
from daybreak.generation_settings import GenerationSettings
from daybreak.open_models.families import LORA_PIPELINES, WAN_PIPELINES
from daybreak.timeline import Feature, Timeline

Ability = Feature | Literal["steps", "guidance", "lora", "enhance_prompt", "audio", "step_cache"]

# How a refusal names each ability to the person who asked.
_SAID: dict[Ability, str] = {
    "shots": "several shots",
    "image_pin": "an image",
    "video_pin": "a source video",
    "later_pin": "media later than the first frame",
    "partial_strength": "a strength below 1",
    "loop": "a loop",
    "negative_prompt": "a negative prompt",
    "steps": "a number of steps",
    "guidance": "a guidance scale",
    "lora": "a LoRA",
    "enhance_prompt": "an enhanced prompt",
    "audio": "sound",
    "step_cache": "a step cache",
}

NATIVE_ABILITIES: frozenset[Ability] = frozenset(_SAID)
# A video that is kept as it is needs no engine: the world's own scene begins where the video ends.
DIORAMA_ABILITIES: frozenset[Ability] = frozenset({"shots", "video_pin", "later_pin", "enhance_prompt", "audio"})
_WORLDLY: frozenset[Ability] = frozenset({"enhance_prompt", "audio"})  # of models that learned from the Diorama world
# Prompt and first image are what the Videos API has always had; its card says where the other server is a Daybreak.
REMOTE_ABILITIES: frozenset[Ability] = frozenset({"image_pin"})
_DAYBREAK_FIELDS: frozenset[Ability] = frozenset({"image_pin", "negative_prompt", "steps", "guidance"})


def abilities_of(card: ModelCard) -> frozenset[Ability]:
    """What the engine of a model honours beyond one prompt for the whole clip."""
    if card.procedural:
        return DIORAMA_ABILITIES
    if card.engine == DIFFUSERS_ENGINE:  # what its checkpoint can do was worked out when it was installed
        able = card.details.get("abilities")
        able = [*(able if isinstance(able, list) else ()), *(["lora"] if takes_loras(card) else [])]
        if str(card.details.get("pipeline")) in WAN_PIPELINES:  # which our own engine runs
            able.append("step_cache")
        return NATIVE_ABILITIES & frozenset(able)
    if card.engine != REMOTE_ENGINE:
        return NATIVE_ABILITIES if of_the_world(card) else NATIVE_ABILITIES - _WORLDLY
    most = _DAYBREAK_FIELDS if card.details.get("dialect") == "daybreak" else REMOTE_ABILITIES
    said = card.details.get("abilities")
    return most & frozenset(said) if isinstance(said, list) else most


def of_the_world(card: ModelCard) -> bool:
    """Whether a model learned from the Diorama world: then the world's words help it, and its scenes' sounds fit."""
    return card.details.get("world") == "diorama"


def takes_loras(card: ModelCard) -> bool:
    """Whether the engine of a model can add LoRAs to it."""
    if card.procedural or card.engine == REMOTE_ENGINE:
        return False
    return card.engine != DIFFUSERS_ENGINE or str(card.details.get("pipeline")) in LORA_PIPELINES


def needed_abilities(timeline: Timeline, settings: GenerationSettings) -> frozenset[Ability]:
    """What an engine must honour to do exactly what is asked."""
    needed: set[Ability] = set(timeline.features())
    if settings.num_inference_steps is not None:
        needed.add("steps")
    if settings.guidance_scale is not None:
        needed.add("guidance")
    if settings.loras:
        needed.add("lora")
    if settings.enhance_prompt:
        needed.add("enhance_prompt")
    if settings.step_cache:
        needed.add("step_cache")
    if settings.generate_audio:
        needed.add("audio")
    return frozenset(needed)


def refusal(name: str, missing: Collection[Ability]) -> str:
    """The sentence that tells what the model `name` cannot use."""
    said = " or ".join(sorted(_SAID[ability] for ability in missing))
    return f"the model {name!r} cannot use {said}: leave it out or choose another"
