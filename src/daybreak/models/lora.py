"""Low-rank adaptation (LoRA, Hu et al., 2021): a matrix W (out, in) is used as W + scale * up @ down.

`down` is (rank, in), `up` is (out, rank) and `scale` is alpha / rank. Updates are read from named tensors and merged
into a copy of a module, which is never changed itself; or trained, while the module's layers add them as they are.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

# What PEFT, diffusers and ComfyUI put in front of a layer's name, and how PEFT and kohya call the two matrices.
_PREFIXES = ("base_model.model.", "transformer.", "diffusion_model.")
_PART = re.compile(r"(.+?)\.(lora_A|lora_B|lora_down|lora_up)(?:\.default)?\.weight|(.+)\.(alpha)")
Module = TypeVar("Module", bound=nn.Module)
_DOWN, _UP = ("lora_A", "lora_down"), ("lora_B", "lora_up")


@dataclass(frozen=True, slots=True)
class LowRank:
    """What is added to one layer's weight: scale * up (out, rank) @ down (rank, in)."""

    down: Tensor
    up: Tensor
    scale: float = 1.0

    @property
    def rank(self) -> int:
        return int(self.down.shape[0])

    def delta(self, strength: float = 1.0) -> Tensor:
        """The whole update, (out, in) in float32."""
        return (self.up.float() @ self.down.float()) * (self.scale * strength)


def read_low_rank(tensors: Mapping[str, Tensor], alpha: float | None = None) -> dict[str, LowRank]:
    """The update of each layer, by the layer's name, in the layouts of PEFT and of kohya.

    A layer without an alpha of its own takes `alpha`, or its rank. Raises ValueError, naming the tensor, for one that
    is no part of a LoRA, is alone, or has a rank that is not its partner's.
    """
    parts: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        match = _PART.fullmatch(name)
        if match is None:
            raise ValueError(f"the tensor {name} is no part of a LoRA")
        layer, part = (match[1], match[2]) if match[1] else (match[3], match[4])
        parts.setdefault(_layer(layer), {})["down" if part in _DOWN else "up" if part in _UP else part] = tensor
    updates = {}
    for layer, found in parts.items():
        if "down" not in found or "up" not in found:
            raise ValueError(f"the tensors of {layer} are not whole: lora_A and lora_B are needed")
        down, up = found["down"], found["up"]
        if down.ndim != 2 or up.ndim != 2 or down.shape[0] != up.shape[1] or not len(down):
            raise ValueError(f"the tensors of {layer} do not fit: {list(up.shape)} after {list(down.shape)}")
        own = float(found["alpha"]) if "alpha" in found else alpha
        updates[layer] = LowRank(down, up, 1.0 if own is None else own / len(down))
    return updates


def check_low_rank(updates: Mapping[str, LowRank], shapes: Mapping[str, Sequence[int]], model: str) -> None:
    """Raises ValueError, naming the first one, for an update of a layer that `model` lacks or has in another shape.

    `shapes` are those of the model's tensors by name.
    """
    for layer, update in updates.items():
        shape = shapes.get(f"{layer}.weight")
        changed = [int(update.up.shape[0]), int(update.down.shape[1])]
        if shape is None:
            raise ValueError(f"it changes the tensor {layer}.weight, which {model!r} does not have")
        if changed != list(shape):
            raise ValueError(f"it changes {layer}.weight as {changed}, but in {model!r} that is {list(shape)}")


def with_low_rank(module: Module, mixed: Iterable[tuple[Mapping[str, LowRank], float]]) -> Module:
    """A copy of `module` with every update merged at its strength; weights that nothing changes are shared, not copied.

    Each weight is W + sum of strength * scale * up @ down, added in float32. Raises ValueError when an update does not
    fit.
    """
    mixed = list(mixed)
    weights = dict(module.named_parameters())
    shared = {id(tensor): tensor for tensor in (*weights.values(), *module.buffers())}
    shapes = {name: tuple(weight.shape) for name, weight in weights.items()}
    deltas: dict[str, Tensor] = {}
    for updates, strength in mixed:
        check_low_rank(updates, shapes, type(module).__name__)
        for layer, update in updates.items():
            if strength:
                device = weights[f"{layer}.weight"].device
                delta = LowRank(update.down.to(device), update.up.to(device), update.scale).delta(strength)
                deltas[layer] = deltas[layer] + delta if layer in deltas else delta
    made = copy.deepcopy(module, shared)
    for layer, delta in deltas.items():
        weight = weights[f"{layer}.weight"]
        merged = (weight.detach().float() + delta).to(weight.dtype)
        made.get_submodule(layer).weight = nn.Parameter(merged, requires_grad=False)
    return made


class LowRankAdapters(nn.Module):
    """Trainable updates of some linear layers of another module, which is not part of it and never changes.

    `down` starts as nn.Linear's weights do, `up` at zero, so that training starts from what the module does; alpha is
    the rank, so scale is 1. `attach` makes the module's layers add what is in `active`.
    """

    def __init__(self, shapes: Mapping[str, Sequence[int]], rank: int) -> None:
        super().__init__()
        self.layers, self.rank = list(shapes), rank
        self.down, self.up = nn.ParameterList(), nn.ParameterList()
        for out_width, in_width in shapes.values():
            down = torch.empty(rank, in_width)
            nn.init.kaiming_uniform_(down, a=5**0.5)
            self.down.append(down)
            self.up.append(torch.zeros(out_width, rank))

    def tensors(self) -> dict[str, Tensor]:
        """The updates as PEFT and diffusers name them."""
        named = {}
        for layer, down, up in zip(self.layers, self.down, self.up, strict=True):
            named[f"transformer.{layer}.lora_A.weight"] = down.detach().cpu().contiguous()
            named[f"transformer.{layer}.lora_B.weight"] = up.detach().cpu().contiguous()
        return named


@dataclass(slots=True)
class Attachment:
    """Which adapters a module's layers add; None: none, as if there were no hooks."""

    active: LowRankAdapters | None = None


def attach(module: nn.Module, adapters: LowRankAdapters) -> Attachment:
    """Hooks each layer of `adapters` in `module`, for good: it then adds what the attachment's active adapters say."""
    attachment = Attachment(adapters)

    def hook(number: int) -> object:
        def add(_layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            active = attachment.active
            if active is None:
                return output
            down, up = active.down[number], active.up[number]
            x = inputs[0] if torch.is_autocast_enabled(inputs[0].device.type) else inputs[0].to(down.dtype)
            return output + nn.functional.linear(nn.functional.linear(x, down), up).to(output.dtype)

        return add

    for number, layer in enumerate(adapters.layers):
        module.get_submodule(layer).register_forward_hook(hook(number))  # type: ignore[arg-type]
    return attachment


def linear_layers(module: nn.Module, pattern: str) -> dict[str, tuple[int, int]]:
    """The shape (out, in) of every linear layer whose name matches `pattern` entirely, in the module's order."""
    return {
        name: (layer.out_features, layer.in_features)
        for name, layer in module.named_modules()
        if isinstance(layer, nn.Linear) and re.fullmatch(pattern, name)
    }


def _layer(name: str) -> str:
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name
