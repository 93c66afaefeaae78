"""LoRAs as the engines use them: checked against the model that they are for, and read for it.

Daybreak's own files and those of PEFT and kohya for the built-in model; for open models whatever their pipeline in
diffusers converts, which is what people publish. A file is only ever opened as safetensors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak.catalog import DIFFUSERS_ENGINE, ModelCard
from daybreak.engines.abilities import takes_loras
from daybreak.generation import EngineFailed
from daybreak.generation_settings import LoraUse
from daybreak.open_models.layout import check_layout
from daybreak.open_models.loras import LORA_FILE, LoraCard, check_lora_file, find_lora
from daybreak.open_models.wan_names import expert_of
from daybreak.open_models.weights import UnusableModel, read_tensors

if TYPE_CHECKING:
    from torch import Tensor

    from daybreak.models.lora import LowRank


def check_lora(file: Path, card: ModelCard) -> dict[str, Any]:
    """What is known of a LoRA for the model of `card`. Raises UnusableModel, naming the tensor that does not fit."""
    if not takes_loras(card):
        raise UnusableModel(f"the model {card.name!r} cannot use a LoRA: name another with --base")
    said = check_lora_file(file)
    try:
        ranks = _check_converted(file, card) if card.engine == DIFFUSERS_ENGINE else _check_native(file, card)
    except (ValueError, KeyError, RuntimeError) as error:  # the last two from converters, for names they don't know
        reason = " ".join(str(error).split())[:250]
        made_for = said.get("made_for")
        remedy = f"it says that it is for {made_for!r}" if made_for else "it is for another model"
        raise UnusableModel(
            f"{file.name} does not fit {card.name!r}: {reason}: {remedy}, name that as --base"
        ) from error
    facts = {"rank": max(ranks, default=0), "layers": len(ranks), **said}
    expert = expert_of(file.name)
    if expert and "expert" not in facts and _has_two_experts(card):
        facts["expert"] = expert
    return facts


def chosen_loras(loras: Sequence[LoraUse], base: str, models_dir: Path | None) -> list[tuple[LoraCard, float]]:
    """The card and strength of each LoRA that changes something. Raises ModelUnavailable for one that is not there."""
    found = [(find_lora(use.name, base, models_dir), use.strength) for use in loras]
    return [(card, strength) for card, strength in found if strength]


def mix_key(chosen: Sequence[tuple[LoraCard, float]]) -> tuple[tuple[str, str, float], ...]:
    """What tells one mix from another, whatever is installed under a name later."""
    return tuple((card.name, card.digest, strength) for card, strength in chosen)


def mix_record(chosen: Sequence[tuple[LoraCard, float]]) -> dict[str, Any]:
    """What a clip's record says of its mix: empty without one."""
    return {"lora_digests": {card.name: card.digest for card, _ in chosen}} if chosen else {}


def read_native(card: LoraCard) -> Mapping[str, LowRank]:
    """The updates of an installed LoRA of a native model. Raises EngineFailed for a file that has changed."""
    from daybreak.models.lora import read_low_rank

    try:
        return read_low_rank(_tensors(card.file), card.details.get("alpha"))
    except (OSError, ValueError) as error:
        raise EngineFailed("model_unavailable", f"the LoRA {card.name!r} cannot be used: {error}") from error


def load_into(pipeline: Any, chosen: Sequence[tuple[LoraCard, float]]) -> None:
    """Loads a mix into a diffusers pipeline that has none. Raises EngineFailed; then nothing stays loaded."""
    names, strengths = [], []
    try:
        for number, (card, strength) in enumerate(chosen):
            adapter = f"lora{number}"  # theirs may hold no dots
            for second in experts_of(card, two=getattr(pipeline, "transformer_2", None) is not None):
                more = {"load_into_transformer_2": True} if second else {}
                pipeline.load_lora_weights(
                    str(card.path), weight_name=LORA_FILE, adapter_name=adapter, use_safetensors=True,
                    local_files_only=True, **more,
                )  # fmt: skip
            names.append(adapter)
            strengths.append(strength)
        pipeline.set_adapters(names, strengths)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        pipeline.unload_lora_weights()
        reason = " ".join(str(error).split())[:250]
        said = ", ".join(card.name for card, _ in chosen)
        raise EngineFailed("model_unavailable", f"the LoRAs {said} cannot be loaded together: {reason}") from error


def experts_of(card: LoraCard, *, two: bool) -> tuple[bool, ...]:
    """Which transformers a LoRA goes into, False for the first: of two experts both, or the one that it says."""
    if not two:
        return (False,)
    return {"high": (False,), "low": (True,)}.get(str(card.details.get("expert")), (False, True))


def _has_two_experts(card: ModelCard) -> bool:
    return card.engine == DIFFUSERS_ENGINE and card.path is not None and (card.path / "transformer_2").is_dir()


def _check_native(file: Path, card: ModelCard) -> list[int]:
    """The rank of each layer."""
    from daybreak.models.lora import check_low_rank, read_low_rank

    assert card.path is not None
    updates = read_low_rank(_tensors(file))
    held = read_tensors(card.path / "transformer.safetensors")
    check_low_rank(updates, {name: facts.shape for name, facts in held.items()}, card.name)
    return [update.rank for update in updates.values()]


def _check_converted(file: Path, card: ModelCard) -> list[int]:
    """The rank of each layer, after the pipeline's own conversion. Raises ValueError for what does not fit."""
    import diffusers

    from daybreak.engines.checkpoints import quiet_libraries

    quiet_libraries()
    assert card.path is not None
    layout, ranks = check_layout(card.path), []
    kind = getattr(diffusers, str(card.details["pipeline"]))
    converted = kind.lora_state_dict(dict(_tensors(file)))
    for name, tensor in converted.items():
        part, _, rest = name.partition(".")
        held = layout.tensors[part] if part in ("transformer", "connectors") and part in layout.tensors else {}
        layer, matrix = re.sub(r"\.default(?=\.)", "", rest).partition(".lora_")[::2]
        if f"{layer}.weight" not in held or not matrix:
            raise ValueError(f"it changes the tensor {rest or name}, which {card.name!r} does not have")
        shape = held[f"{layer}.weight"].shape
        ours, theirs = (
            (shape[1:], tuple(tensor.shape[1:])) if matrix == "A.weight" else (shape[:1], tuple(tensor.shape[:1]))
        )
        if ours != theirs:
            raise ValueError(f"{layer}.lora_{matrix} is {list(tensor.shape)}, but {layer}.weight is {list(shape)}")
        if matrix == "A.weight":
            ranks.append(int(tensor.shape[0]))
    return ranks


def _tensors(file: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return load_file(file)
