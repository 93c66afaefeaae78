"""An installed checkpoint in the layout of diffusers becomes its parts: only known classes, only local files.

Every tensor is accounted for: one that is missing, extra or of another shape ends the loading with its name.
"""

from __future__ import annotations

import gc
import importlib
import inspect
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from daybreak.catalog import ModelCard
from daybreak.generation import EngineFailed
from daybreak.open_models.catalogue import Entry, Licence, catalogue
from daybreak.open_models.families import MODULES, PIPELINES, SETTINGS
from daybreak.open_models.layout import INDEX_FILE, Layout, check_layout, read_index, read_json
from daybreak.open_models.weights import UnusableModel

_EXACT = {"AutoencoderKLWan"}  # in bfloat16 its decoder bands


@dataclass(slots=True)
class Checkpoint:
    """A checkpoint's parts in memory, and pipelines that share them."""

    card: ModelCard
    index: Mapping[str, Any]
    parts: dict[str, Any]
    pipelines: dict[str, Any] = field(default_factory=dict)

    def pipeline(self, class_name: str) -> Any:
        """The pipeline of this class over the loaded parts."""
        if class_name not in self.pipelines:
            quiet_libraries()
            kind = getattr(importlib.import_module("diffusers"), class_name)
            plain = {name: value for name, value in self.index.items() if not isinstance(value, list)}
            given: dict[str, Any] = {}
            for name, parameter in inspect.signature(kind).parameters.items():
                if name in self.parts:
                    given[name] = self.parts[name]
                elif name in plain:
                    given[name] = plain[name]
                elif parameter.default is inspect.Parameter.empty:
                    given[name] = None  # a part that this checkpoint does without
            pipeline = kind(**given)
            pipeline.set_progress_bar_config(disable=True)
            self.pipelines[class_name] = pipeline
        return self.pipelines[class_name]


def load_checkpoint(card: ModelCard, dtype: torch.dtype) -> Checkpoint:
    """The parts of an installed checkpoint, on the CPU. Raises EngineFailed, naming the file or tensor."""
    quiet_libraries()
    assert card.path is not None
    try:
        index = read_json(card.path / INDEX_FILE, INDEX_FILE)
        _, components = read_index(index)
        parts = {name: load_part(card.path / name, class_name, dtype) for name, class_name in components.items()}
    except (UnusableModel, OSError, ValueError, KeyError) as error:
        raise EngineFailed("model_unavailable", f"the model {card.name!r} cannot be loaded: {_line(error)}") from error
    except ImportError as error:
        raise EngineFailed(
            "model_unavailable", f"the model {card.name!r} needs the extra: pip install 'daybreak[diffusers]' ({error})"
        ) from error
    return Checkpoint(card, index, parts)


def entry_of(card: ModelCard) -> Entry:
    """What the rule of memory needs to know of an installed model, counted in its own files."""
    assert card.path is not None
    layout = check_layout(card.path)
    family = PIPELINES[layout.pipeline].family
    config = json.loads((card.path / "transformer" / "config.json").read_text(encoding="utf-8"))
    known = catalogue().get(str(card.details.get("catalogue")))
    native = card.details.get("native", {})
    transformer, vae = _billions(layout, "transformer"), _billions(layout, "vae")
    experts = 2 if "transformer_2" in layout.parts else 1
    rest = sum(_billions(layout, part) for part in layout.tensors) - transformer * experts - vae
    return Entry(
        name=card.name, repository="", pipeline=layout.pipeline, title="", licence=Licence("", "", ""),
        transformer=transformer, experts=experts, text_encoder=rest, vae=vae,
        width=int(config.get("num_attention_heads", 1)) * int(config.get("attention_head_dim", 1)),
        blocks=int(config.get("num_layers", 1)),
        token_frames=family.frame_step, token_pixels=known.token_pixels if known else family.side_step,
        sizes=(), fixed_sizes=bool(native.get("fixed")), fps=float(native.get("fps", family.fps)),
        num_frames=int(native.get("num_frames", 1)), num_inference_steps=0, guidance_scale=0.0, audio=family.audio,
    )  # fmt: skip


def quiet_libraries(*names: str) -> None:
    """Their bars and hints are not for whoever waits for a video."""
    for name in names or ("diffusers", "transformers"):
        logging = importlib.import_module(f"{name}.utils.logging")
        logging.set_verbosity_error()
        logging.disable_progress_bar()


def free_memory() -> None:
    """Gives back what nothing refers to any more, on the GPU too."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def load_part(folder: Path, class_name: str, dtype: torch.dtype) -> Any:
    """One component. Raises UnusableModel, naming the tensor, or what its library raises for an unreadable file."""
    module = MODULES.get(class_name) or SETTINGS[class_name]
    kind = getattr(importlib.import_module(module), class_name)
    if class_name in SETTINGS:
        return kind.from_pretrained(str(folder), local_files_only=True)
    wanted = torch.float32 if class_name in _EXACT else dtype
    named = {"dtype": wanted} if module == "transformers" else {"torch_dtype": wanted}
    try:
        part, found = kind.from_pretrained(
            str(folder), use_safetensors=True, local_files_only=True, output_loading_info=True, **named
        )
    except RuntimeError as error:
        if "memory" in str(error):
            raise
        raise UnusableModel(f"{folder.name}: {_line(error)}") from error
    _check_loaded(found, folder.name, strict=module != "transformers")
    return part.eval()


def _check_loaded(found: Mapping[str, Any], part: str, *, strict: bool) -> None:
    """Raises UnusableModel for a tensor that was not found, or was not asked for. Text encoders may hold more."""
    said = {"missing_keys": "is missing from", "mismatched_keys": "has another shape in"}
    if strict:
        said["unexpected_keys"] = "does not belong in"
    for key, what in said.items():
        names = sorted(str(name[0] if isinstance(name, tuple) else name) for name in found.get(key) or ())
        if names:
            more = f" (and {len(names) - 1} more)" if names[1:] else ""
            raise UnusableModel(f"the tensor {names[0]}{more} {what} {part}: install the model again")


def _billions(layout: Layout, part: str) -> float:
    return sum(math.prod(facts.shape) for facts in layout.tensors.get(part, {}).values()) / 1e9


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
