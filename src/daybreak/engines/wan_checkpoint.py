"""A published Wan checkpoint becomes our own transformer and VAE; text encoder and tokenizer are those of transformers.

Each tensor is copied straight from its file to where it belongs, whichever of the two published layouts it is named
in, and accounted for: one that is missing, extra, misshapen or cut off ends the loading with its name and the remedy.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from daybreak.catalog import ModelCard
from daybreak.engines.machine import available_memory
from daybreak.engines.wan_loras import Mix
from daybreak.engines.wan_support import read_part
from daybreak.generation import EngineFailed
from daybreak.models.precision import compute_dtype
from daybreak.models.wan.int8 import quantise
from daybreak.models.wan.transformer import WanConfig, WanTransformer
from daybreak.models.wan.vae import WanVAE, WanVAEConfig
from daybreak.open_models.layout import INDEX_FILE, read_index, read_json
from daybreak.open_models.wan_names import PREFIX, UNUSED, Sources, transformer_layout, transformer_sources, vae_sources
from daybreak.open_models.weights import TensorFacts, UnusableModel, read_tensors

_Config = TypeVar("_Config")
_AGAIN = "install the model again"


@dataclass(slots=True)
class WanParts:
    """A checkpoint in memory. `experts` are its transformers, the one for high noise first."""

    tokenizer: Any
    text_encoder: nn.Module
    experts: list[WanTransformer]
    vae: WanVAE
    shift: float
    solver_order: int
    boundary: float  # the timestep, 0 to 1,000, below which the second expert is asked
    expand_timesteps: bool
    precision: str  # what the transformers calculate in


def load_parts(card: ModelCard, device: str, *, int8: bool = False, mixes: Sequence[Mix] = ()) -> WanParts:
    """The checkpoint of a card, on the CPU. Raises EngineFailed in one line that names the file or the tensor.

    With `int8` its large products are in 8-bit numbers, on a processor. `mixes` has what is added to each transformer,
    or nothing.
    """
    from daybreak.engines.checkpoints import load_part, quiet_libraries

    assert card.path is not None
    quiet_libraries("transformers")
    # oneDNN and fbgemm take float32 for their 8-bit products, on every processor.
    int8 = int8 and device == "cpu"
    dtype = torch.float32 if int8 else compute_dtype(device)
    stored = _stored_dtype(card, dtype)
    with told(card):
        index = read_json(card.path / INDEX_FILE, INDEX_FILE)
        _, components = read_index(index)
        scheduler = read_part(card.path, "scheduler")
        return WanParts(
            tokenizer=load_part(card.path / "tokenizer", components["tokenizer"], dtype),
            text_encoder=load_part(card.path / "text_encoder", components["text_encoder"], stored or dtype),
            experts=list(_experts(card, dtype, int8=int8, mixes=mixes)),
            vae=load_vae(card.path / "vae"),
            shift=float(scheduler.get("flow_shift", 1.0)),
            solver_order=int(scheduler.get("solver_order", 2)),
            boundary=1000 * float(index.get("boundary_ratio") or 0),
            expand_timesteps=bool(index.get("expand_timesteps")),
            precision="int8" if int8 else str(dtype).removeprefix("torch."),
        )


def reload_experts(parts: WanParts, card: ModelCard, mixes: Sequence[Mix]) -> None:
    """Reads the transformers of a loaded checkpoint again, with other LoRAs in them. Raises EngineFailed."""
    parts.experts.clear()  # two copies of the weights may be more than there is room for
    int8 = parts.precision == "int8"
    with told(card):
        dtype = torch.float32 if int8 else getattr(torch, parts.precision)
        parts.experts.extend(_experts(card, dtype, int8=int8, mixes=mixes))


def _experts(card: ModelCard, dtype: torch.dtype, *, int8: bool, mixes: Sequence[Mix]) -> Iterator[WanTransformer]:
    """The transformers of a card, the one for high noise first, with what `mixes` adds to each, if anything."""
    assert card.path is not None
    stored = _stored_dtype(card, dtype)
    folders = [card.path / name for name in ("transformer", "transformer_2") if (card.path / name).is_dir()]
    for number, folder in enumerate(folders):
        expert = load_transformer(folder, dtype, stored, mixes[number] if mixes else None)
        yield quantise(expert) if int8 else expert


@contextlib.contextmanager
def told(card: ModelCard) -> Iterator[None]:
    """Turns whatever loading raises into EngineFailed, in one line."""
    try:
        yield
    except (UnusableModel, OSError, ValueError, KeyError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        raise EngineFailed("model_unavailable", f"the model {card.name!r} cannot be loaded: {reason}") from error
    except ImportError as error:
        raise EngineFailed(
            "model_unavailable", f"the model {card.name!r} needs the extra: pip install 'daybreak[diffusers]' ({error})"
        ) from error


def load_transformer(
    folder: Path, dtype: torch.dtype = torch.float32, stored: torch.dtype | None = None, mix: Mix | None = None
) -> WanTransformer:
    """The transformer in a folder, which calculates in `dtype`; `stored` is what its large weights are kept in.

    What `mix` adds is added in float32, before a weight is rounded to what it is kept in. Raises UnusableModel.
    """
    config = configuration(WanConfig, read_part(folder.parent, folder.name))
    with torch.device("meta"):
        model = WanTransformer(config)
    model.dtype = dtype
    weights = Weights(folder)
    layout = transformer_layout(weights.facts)
    if layout is None:
        raise UnusableModel(f"{folder.name} has no transformer of Wan in it, in neither published layout: {_AGAIN}")
    sources = dict(transformer_sources(model.state_dict(), layout))
    weights.fill(model, sources, lambda name: torch.float32 if is_exact(name) else stored or dtype, mix)
    return model.eval().requires_grad_(False)


def load_vae(folder: Path) -> WanVAE:
    """The VAE in a folder, in float32: in bfloat16 its decoder bands. Raises UnusableModel."""
    config = configuration(WanVAEConfig, read_part(folder.parent, folder.name))
    with torch.device("meta"):
        empty = WanVAE(config)
    weights = Weights(folder)
    sources = dict(vae_sources(empty.state_dict(), weights.facts, config.num_res_blocks, residual=config.is_residual))
    weights.fill(empty, sources, lambda _: torch.float32)
    model = WanVAE(config)
    model.load_state_dict(empty.state_dict(), assign=True)
    return model.eval().requires_grad_(False)


def is_exact(name: str) -> bool:
    """Whether a tensor of the transformer is float32 in every precision, as Wan was trained."""
    return name.startswith("time.") or name.endswith("modulation") or ".norm_text." in name


def configuration(kind: type[_Config], plain: Mapping[str, Any]) -> _Config:
    """The fields of a configuration that `kind` has."""
    names = {each.name for each in fields(kind)}  # type: ignore[arg-type]
    known = {name: value for name, value in plain.items() if name in names and value is not None}
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in known.items()})


class Weights:
    """The safetensors files of one part: their headers, and each tensor when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self.part = folder.name
        self.facts: dict[str, TensorFacts] = {}
        self._files: dict[str, Path] = {}
        for file in sorted(folder.glob("*.safetensors")):
            held = read_tensors(file, f"{self.part}/{file.name}")
            self.facts |= held
            self._files |= dict.fromkeys(held, file)
        if not self.facts:
            raise UnusableModel(f"{self.part} has no weights: {_AGAIN}")

    def fill(
        self,
        model: nn.Module,
        sources: Mapping[str, Sources],
        dtype: Callable[[str], torch.dtype],
        mix: Mix | None = None,
    ) -> None:
        """Puts the tensors into a model that was built without memory, after checking all of them."""
        parameters = model.state_dict()
        self._check(parameters, sources)
        opened = {file: safe_open(file, framework="pt") for file in set(self._files.values())}
        for name, published in sources.items():
            wanted = [self._own(source) for source in published]
            rows = [
                _changed(one, opened[self._files[one]].get_tensor(one), mix).to(dtype(name))  # type: ignore[no-untyped-call]
                for one in wanted
            ]
            owner, _, last = name.rpartition(".")
            whole = rows[0] if len(rows) == 1 else torch.cat(rows)
            setattr(model.get_submodule(owner), last, nn.Parameter(whole, requires_grad=False))

    def _own(self, source: str) -> str:
        return source if source in self.facts else PREFIX + source

    def _check(self, parameters: Mapping[str, Tensor], sources: Mapping[str, Sources]) -> None:
        known = set()
        for name, published in sources.items():
            shape = tuple(parameters[name].shape)
            expected = (shape[0] // len(published), *shape[1:])
            for source in published:
                facts = self.facts.get(self._own(source))
                if facts is None:
                    raise UnusableModel(f"the tensor {source} is missing from {self.part}: {_AGAIN}")
                if facts.shape != expected:
                    raise UnusableModel(
                        f"the tensor {source} has another shape in {self.part}, {list(facts.shape)} instead of "
                        f"{list(expected)}: {_AGAIN}"
                    )
                known.add(self._own(source))
        self._refuse_others(known)

    def _refuse_others(self, known: Iterable[str]) -> None:
        others = sorted(name for name in set(self.facts) - set(known) if not any(part in name for part in UNUSED))
        if others:
            more = f" (and {len(others) - 1} more)" if others[1:] else ""
            raise UnusableModel(f"the tensor {others[0]}{more} does not belong in {self.part}: {_AGAIN}")


def _changed(name: str, tensor: Tensor, mix: Mix | None) -> Tensor:
    """A published tensor with what LoRAs add to it."""
    added = mix.added(name) if mix else None
    if added is None:
        return tensor
    if added.shape != tensor.shape:
        raise UnusableModel(f"a LoRA changes {name} as {list(added.shape)}, but it is {list(tensor.shape)}: remove it")
    return tensor.float() + added


def _stored_dtype(card: ModelCard, dtype: torch.dtype) -> torch.dtype | None:
    """What large weights are kept in where they are calculated with in float32 and would not fit as such."""
    if dtype != torch.float32 or 2.2 * card.size < available_memory():
        return None
    return torch.bfloat16
