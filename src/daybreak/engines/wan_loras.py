"""LoRAs for our own Wan engine: merged into the weights as these are read, at no cost a step.

A file is converted by the pipeline in diffusers that would load it, so that both engines take the same layouts; what
comes of it is matrices by the names of diffusers (`lora_A`, `lora_B`), whose product is added to the tensor of that
name before anything is rounded or made 8-bit. Files that hold more than such matrices are left to diffusers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daybreak.engines.loras import experts_of, mix_key
from daybreak.generation import EngineFailed
from daybreak.models.lora import LowRank
from daybreak.open_models.loras import LORA_FILE, LoraCard
from daybreak.open_models.wan_names import diffusers_name

if TYPE_CHECKING:
    from torch import Tensor

_MATRIX = re.compile(r"transformer\.(.+)\.lora_([AB])\.(?:default\.)?(weight|bias)")
_PLAIN = {"r", "lora_alpha", "target_modules", "lora_bias", "peft_type", "base_model_name_or_path", "inference_mode"}


@dataclass(frozen=True, slots=True)
class WanLora:
    """What one LoRA adds at strength 1: to the weights of layers, and to the biases of some, (out,)."""

    weights: Mapping[str, LowRank]
    biases: Mapping[str, Tensor]


class Mix:
    """Some LoRAs at their strengths, for one transformer."""

    def __init__(self, loras: Sequence[tuple[WanLora, float]]) -> None:
        self._loras = loras

    def added(self, name: str) -> Tensor | None:
        """What is added to the tensor that either layout calls `name`, in float32; None where nothing is."""
        layer, _, last = diffusers_name(name).rpartition(".")
        changes = []
        for lora, strength in self._loras:
            if last == "weight" and layer in lora.weights:
                changes.append(lora.weights[layer].delta(strength))
            if last == "bias" and layer in lora.biases:
                changes.append(lora.biases[layer].float() * strength)
        total: Tensor | None = sum(changes[1:], changes[0]) if changes else None
        return total


@dataclass(frozen=True, slots=True)
class Mixed:
    """What was chosen: `key` tells it from any other choice, `experts` has what is added to each transformer."""

    key: tuple[tuple[str, str, float], ...] = ()
    experts: tuple[Mix, ...] = ()


def mix_of(chosen: Sequence[tuple[LoraCard, float]], pipeline: str, experts: int) -> Mixed | None:
    """What some LoRAs are to a model of so many experts, which `pipeline` of diffusers runs too.

    None where one of them has to be left to diffusers. Raises EngineFailed for a file that cannot be read.
    """
    parts: list[list[tuple[WanLora, float]]] = [[] for _ in range(experts)]
    for card, strength in chosen:
        lora = read_published(card, pipeline)
        if lora is None:
            return None
        for second in experts_of(card, two=experts > 1):
            parts[int(second)].append((lora, strength))
    return Mixed(mix_key(chosen), tuple(Mix(part) for part in parts))


def read_published(card: LoraCard, pipeline: str) -> WanLora | None:
    """An installed LoRA as the pipeline converts it; None for one that is not matrices alone.

    Raises EngineFailed for a file that has changed since it was installed.
    """
    import diffusers

    from daybreak.engines.checkpoints import quiet_libraries

    quiet_libraries()
    try:
        tensors, settings = getattr(diffusers, pipeline).lora_state_dict(
            str(card.path), weight_name=LORA_FILE, use_safetensors=True, local_files_only=True,
            return_lora_metadata=True,
        )  # fmt: skip
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:250]
        raise EngineFailed("model_unavailable", f"the LoRA {card.name!r} cannot be used: {reason}") from error
    return _paired(tensors, settings or {})


def _paired(tensors: Mapping[str, Tensor], settings: Mapping[str, Any]) -> WanLora | None:
    """The matrices of each layer. `settings` are those that diffusers writes into a file's header."""
    said = {name.removeprefix("transformer."): value for name, value in settings.items()}
    if any(value for name, value in said.items() if name not in _PLAIN):
        return None  # ranks or alphas by pattern, DoRA and the like
    found: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        match = _MATRIX.fullmatch(name)
        if match is None:
            return None
        found.setdefault(match[1], {})[match[2] + match[3]] = tensor
    weights, biases = {}, {}
    for layer, parts in found.items():
        down, up = parts.get("Aweight"), parts.get("Bweight")
        if down is None or up is None or down.ndim != 2 or up.ndim != 2:
            return None
        scale = float(said.get("lora_alpha", len(down))) / float(said.get("r", len(down)))
        weights[layer] = LowRank(down, up, scale)
        if "Bbias" in parts:
            biases[layer] = parts["Bbias"].float() * scale
    return WanLora(weights, biases)
