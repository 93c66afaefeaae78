"""Installed LoRAs: each a folder `loras/NAME` beside the models, with its card and one safetensors file.

A LoRA is for one installed model, its base. Whether it fits that one is checked by the engines before it is installed;
here it is listed, found, installed and removed without torch.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from daybreak.catalog import PROCEDURAL_MODEL, ModelUnavailable, model_folders
from daybreak.durable import full_disk_told
from daybreak.generation_settings import LORA_NAME
from daybreak.open_models.install import OnBytes, check_room, copy_files, downloads_dir, place
from daybreak.open_models.layout import PICKLES
from daybreak.open_models.weights import UnusableModel, read_metadata, read_tensors

LORA_FILE, LORA_CARD = "lora.safetensors", "lora.json"
METADATA_KEY = "daybreak"  # in a file's header: JSON of base, rank, alpha, trigger_words, made_by


@dataclass(frozen=True, slots=True)
class LoraCard:
    """What there is to know of an installed LoRA. `base` is the model that it changes."""

    name: str
    path: Path
    base: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        return self.path / LORA_FILE

    @property
    def size(self) -> int:
        """Bytes."""
        return self.file.stat().st_size if self.file.is_file() else 0

    @property
    def digest(self) -> str:
        """The SHA-256 of the file, hex, as it was when it was installed."""
        return str(self.details.get("sha256", ""))

    @property
    def trigger_words(self) -> list[str]:
        words = self.details.get("trigger_words")
        return [str(word) for word in words] if isinstance(words, list) else []


def loras_dir(models_dir: Path) -> Path:
    """The folder of LoRAs that belongs to a folder of models."""
    return models_dir.parent / "loras"


def installed_loras(models_dir: Path, base: str | None = None) -> list[LoraCard]:
    """Every installed LoRA that can be read, or those of one model, by name."""
    folder = loras_dir(models_dir)
    cards = [_read(file.parent) for file in sorted(folder.glob(f"*/{LORA_CARD}"))] if folder.is_dir() else []
    return [card for card in cards if card is not None and base in (None, card.base)]


def find_lora(name: str, base: str, models_dir: Path | None) -> LoraCard:
    """The card of a LoRA for the model `base`. Raises ModelUnavailable when there is none, or it is not whole."""
    cards = {card.name: card for card in installed_loras(models_dir)} if models_dir else {}
    card = cards.get(name)
    usable = ", ".join(each.name for each in cards.values() if each.base == base)
    instead = f"choose from {usable}" if usable else "install it with `daybreak models import FILE --lora --base MODEL`"
    if card is None:
        raise ModelUnavailable(f"no LoRA {name!r} is installed for the model {base!r}: {instead}")
    if card.base != base:
        raise ModelUnavailable(f"the LoRA {name!r} is for the model {card.base!r}, not for {base!r}: {instead}")
    try:
        read_tensors(card.file, f"{name}/{LORA_FILE}")
    except (UnusableModel, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error  # clients are told: not where the file is
        raise ModelUnavailable(f"the LoRA {name!r} is damaged ({reason}): install it again") from error
    return card


def check_lora_file(file: Path) -> Mapping[str, Any]:
    """What a file says of itself. Raises UnusableModel for what is no whole safetensors file; nothing in it is run."""
    if file.suffix in PICKLES:
        raise UnusableModel(
            f"{file} is a pickle file, which can run any code when it is opened: only safetensors are taken"
        )
    if not file.is_file():
        raise UnusableModel(f"{file} is not there" if not file.exists() else f"{file} is not a file")
    tensors, metadata = read_tensors(file), read_metadata(file)
    if not tensors:
        raise UnusableModel(f"{file.name} holds no tensors: it is no LoRA")
    return {**_said_by_others(metadata), **_said_by_us(metadata)}


def install_lora(
    file: Path,
    name: str,
    models_dir: Path,
    base: str,
    facts: Mapping[str, Any],
    on_bytes: OnBytes,
    *,
    replace: bool = False,
) -> Path:
    """The installed folder of a copy of `file`, whole or not at all. Raises ValueError, UnusableModel, OutOfSpace."""
    check_lora_name(name, models_dir, replace=replace)
    check_room(models_dir, file.stat().st_size)
    staged = downloads_dir(models_dir) / f"{name}.{secrets.token_hex(4)}"
    try:
        with full_disk_told(staged):
            copy_files(file.parent, staged, [file.name], on_bytes)
            (staged / file.name).rename(staged / LORA_FILE)
            with (staged / LORA_FILE).open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            card = {**facts, "base": base, "sha256": digest}
            (staged / LORA_CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        return place(staged, loras_dir(models_dir) / name, downloads_dir(models_dir))
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def check_lora_name(name: str, models_dir: Path, *, replace: bool = False) -> None:
    """Raises ValueError for a name that a LoRA cannot have, or that one or a model has already."""
    if not LORA_NAME.fullmatch(name) or name == PROCEDURAL_MODEL:
        raise ValueError(f"a LoRA can't be called {name!r}: small letters, digits, dots and dashes, at most 64")
    if name in model_folders(models_dir):
        raise ValueError(f"{name!r} is the name of a model: call the LoRA something else with --name")
    if (loras_dir(models_dir) / name).exists() and not replace:
        raise ValueError(f"a LoRA {name!r} is installed already: remove it first, or say --replace")


def remove_lora(name: str, models_dir: Path) -> int | None:
    """The bytes that removing a LoRA freed; None when none is called so."""
    folder = loras_dir(models_dir) / name
    if not LORA_NAME.fullmatch(name) or not (folder / LORA_CARD).is_file():
        return None
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    gone = downloads_dir(models_dir) / f".{name}.{secrets.token_hex(4)}.old"
    folder.rename(gone)  # at once, as models go
    shutil.rmtree(gone)
    return size


def _read(folder: Path) -> LoraCard | None:
    try:
        details = json.loads((folder / LORA_CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(details, dict) or not isinstance(details.get("base"), str):
        return None
    return LoraCard(folder.name, folder, details["base"], details)


def _said_by_us(metadata: Mapping[str, str]) -> dict[str, Any]:
    """What Daybreak wrote into a header, as far as it is of the right kind."""
    try:
        said = json.loads(metadata.get(METADATA_KEY, "{}"))
    except ValueError:
        return {}
    kinds: dict[str, type | tuple[type, ...]] = {
        "made_for": str, "rank": int, "alpha": (int, float), "trigger_words": list, "made_by": str, "description": str,
        "expert": str,
    }  # fmt: skip
    return {key: said[key] for key, kind in kinds.items() if isinstance(said, dict) and isinstance(said.get(key), kind)}


def _said_by_others(metadata: Mapping[str, str]) -> dict[str, Any]:
    """What other trainers wrote: Stability's ModelSpec, which kohya's and musubi's tools follow."""
    found: dict[str, Any] = {}
    for key, name in (("modelspec.title", "description"), ("modelspec.author", "made_by")):
        if text := metadata.get(key, "").strip():
            found[name] = text[:500]
    words = [word.strip() for word in metadata.get("modelspec.trigger_phrase", "").split(",")]
    if any(words):
        found["trigger_words"] = [word for word in words if word][:20]
    return found
