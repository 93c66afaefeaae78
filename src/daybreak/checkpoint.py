"""A model folder: `model.json` (what it is), `tokenizer.json` and one safetensors file a component.

Only safetensors and JSON are ever read; every tensor's name and shape is checked against the configuration.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from daybreak.catalog import ModelUnavailable
from daybreak.models.text_encoder import TextEncoder, TextEncoderConfig
from daybreak.models.transformer import Transformer, TransformerConfig
from daybreak.models.vae import VAE, VAEConfig
from daybreak.tokenizer import Tokenizer

# What reading a card and weights that someone else wrote can raise; RuntimeError is torch's, for names and shapes.
_BAD_FILE = (
    OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, SafetensorError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Components:
    """The parts of a loaded model, on one device, ready to generate."""

    tokenizer: Tokenizer
    text_encoder: TextEncoder
    transformer: Transformer
    vae: VAE
    card: Mapping[str, Any]  # everything in model.json


def save_components(folder: Path, components: Components) -> None:
    """Writes a model folder in half precision; `components.card` goes into `model.json` beside the configurations."""
    folder.mkdir(parents=True, exist_ok=True)
    components.tokenizer.save(folder / "tokenizer.json")
    card = dict(components.card)
    for name, module in _modules(components).items():
        tensors = {key: value.detach().half().cpu().contiguous() for key, value in module.state_dict().items()}
        # Not save_file: that keeps the file from every other user of the machine.
        (folder / f"{name}.safetensors").write_bytes(save(tensors))
        card[name] = asdict(module.config)
    (folder / "model.json").write_text(json.dumps(card, indent=2) + "\n")


def load_components(folder: Path, device: torch.device) -> Components:
    """The model in `folder`, in float32 on `device`.

    Raises ModelUnavailable when a file is missing, truncated or not what `model.json` says.
    """
    try:
        card = json.loads((folder / "model.json").read_text())
        components = Components(
            Tokenizer.load(folder / "tokenizer.json"),
            TextEncoder(_config(TextEncoderConfig, card["text_encoder"])),
            Transformer(_config(TransformerConfig, card["transformer"])),
            VAE(_config(VAEConfig, card["vae"])),
            card,
        )
        _check_fit(components)
        for name, module in _modules(components).items():
            module.load_state_dict(load_file(folder / f"{name}.safetensors"))
            module.float().to(device).eval().requires_grad_(False)
        return components
    except _BAD_FILE as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelUnavailable(f"the model in {folder} cannot be loaded ({reason}): install it again") from error


def _check_fit(components: Components) -> None:
    """Raises ValueError unless each component takes what the one before it gives."""
    text, transformer, vae = (module.config for module in _modules(components).values())
    if len(components.tokenizer) > text.vocabulary_size:
        raise ValueError(f"{len(components.tokenizer)} word pieces, but states for {text.vocabulary_size}")
    if text.width != transformer.text_width:
        raise ValueError(f"text states of width {text.width} for a transformer that takes {transformer.text_width}")
    if transformer.latent_channels != vae.latent_channels:
        raise ValueError(f"{transformer.latent_channels} latent channels, but a VAE with {vae.latent_channels}")


_Config = TypeVar("_Config")


def _config(kind: type[_Config], plain: Mapping[str, Any]) -> _Config:
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(plain) - names)
    if unknown:
        raise ValueError(f"{kind.__name__} has no {', '.join(unknown)}")
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()})


def _modules(components: Components) -> dict[str, Any]:
    return {"text_encoder": components.text_encoder, "transformer": components.transformer, "vae": components.vae}
