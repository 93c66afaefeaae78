"""Which models are installed, and what each one's card says; no weights are loaded here.

A model is a folder with a `model.json` and the files that it names. The built-in ones lie inside the package,
a user's own under `DAYBREAK_DATA_DIR/models`; of two with the same name the user's own wins.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PACKAGED_WEIGHTS = Path(__file__).parent / "weights"
CARD_FILE = "model.json"
NATIVE_FILES = ("tokenizer.json", "text_encoder.safetensors", "transformer.safetensors", "vae.safetensors")
PROCEDURAL_MODEL = "diorama"
NATIVE_ENGINE, REMOTE_ENGINE, DIFFUSERS_ENGINE = "native", "remote", "diffusers"
_MAX_HEADER = 100 * 2**20  # bytes; the limit that the safetensors library itself sets


class ModelUnavailable(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """A model that was asked for is not installed or not whole; the message says what to do, in one line."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What there is to know about a model before loading it. `path` is None for the procedural engine."""

    name: str
    path: Path | None
    description: str = ""
    procedural: bool = False
    details: dict[str, Any] = field(default_factory=dict)  # the whole of model.json

    @property
    def engine(self) -> str:
        """Which engine runs it: "native" for our weights, "diffusers" for others', "remote" for another server's."""
        return PROCEDURAL_MODEL if self.procedural else str(self.details.get("engine", NATIVE_ENGINE))

    @property
    def files(self) -> list[Path]:
        """Every file that the model needs beside its card, there or not."""
        names = self.details.get("files", () if self.engine == REMOTE_ENGINE else NATIVE_FILES)
        return [self.path / str(name) for name in names] if self.path else []

    @property
    def size(self) -> int:
        """Bytes of the model's files."""
        return sum(file.stat().st_size for file in self.files if file.is_file())

    def digest(self) -> str | None:
        """The SHA-256 of the card and the files together, hex; None where there are none."""
        if self.path is None:
            return None
        if isinstance(recorded := self.details.get("digest"), str):  # of tens of gigabytes, when they were installed
            return recorded
        total = hashlib.sha256()
        for file in (self.path / CARD_FILE, *self.files):
            with file.open("rb") as stream:
                total.update(hashlib.file_digest(stream, "sha256").digest())
        return total.hexdigest()


PROCEDURAL_CARD = ModelCard(
    PROCEDURAL_MODEL,
    None,
    "The procedural world itself: the prompt becomes the nearest scene, rendered at once. Not a learned model.",
    procedural=True,
)


def model_folders(models_dir: Path) -> dict[str, Path]:
    """Name to folder of every model that has a card, the packaged ones first."""
    found: dict[str, Path] = {}
    for root in (PACKAGED_WEIGHTS, models_dir):
        if root.is_dir():
            found.update({card.parent.name: card.parent for card in sorted(root.glob(f"*/{CARD_FILE}"))})
    return found


def installed_models(models_dir: Path) -> list[ModelCard]:
    """The card of every installed model that can be read, then the procedural engine's."""
    cards = []
    for name, folder in model_folders(models_dir).items():
        try:
            cards.append(read_card(folder))
        except ModelUnavailable as error:
            cards.append(ModelCard(name, folder, f"unusable: {error}"))
    return [*cards, PROCEDURAL_CARD]


def find_model(name: str, models_dir: Path) -> ModelCard:
    """The card of a model whose files are all there and whole.

    Raises ModelUnavailable when it is not installed, or when a file of it is missing or cut short.
    """
    if name == PROCEDURAL_MODEL:
        return PROCEDURAL_CARD
    folders = model_folders(models_dir)
    if name not in folders:
        known = ", ".join([*folders, PROCEDURAL_MODEL])
        raise ModelUnavailable(
            f"model {name!r} is not installed (looked in {PACKAGED_WEIGHTS} and {models_dir}): "
            f"choose one of {known} with --model"
        )
    card = read_card(folders[name])
    _check_weights(card)
    return card


def read_card(folder: Path) -> ModelCard:
    """The card of the model in a folder. Raises ModelUnavailable when it cannot be read."""
    file = folder / CARD_FILE
    try:
        details = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"{file} cannot be read ({error}): install the model {folder.name!r} again") from error
    if not isinstance(details, dict):
        raise ModelUnavailable(f"{file} is not a model card: install the model {folder.name!r} again")
    return ModelCard(folder.name, folder, str(details.get("description", "")), details=details)


def _check_weights(card: ModelCard) -> None:
    """Raises ModelUnavailable unless every file of the card is there, and every weights file has its full length."""
    again = f"install the model {card.name!r} again"
    for file in card.files:
        if not file.is_file():
            raise ModelUnavailable(f"{file} is missing: {again}")
        if file.suffix != ".safetensors":
            continue
        actual, expected = file.stat().st_size, _expected_size(file)
        if expected is None:
            raise ModelUnavailable(f"{file} is not a safetensors file: {again}")
        if actual != expected:
            raise ModelUnavailable(f"{file} is damaged ({actual} bytes instead of {expected}): {again}")


def _expected_size(file: Path) -> int | None:
    """The length in bytes that a safetensors header promises; None when there is no sound header."""
    with file.open("rb") as stream:
        prefix = stream.read(8)
        if len(prefix) < 8:
            return None
        (length,) = struct.unpack("<Q", prefix)
        if length > _MAX_HEADER:
            return None
        text = stream.read(length)
    if len(text) < length:
        return 8 + int(length)
    try:
        header = json.loads(text)
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
        return 8 + int(length) + max(ends, default=0)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None
