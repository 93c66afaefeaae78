"""A checked checkpoint becomes an installed model, whole or not at all: a folder that is renamed into place.

What is not finished lies under `downloads`, beside the folder of models, and never under a model's name.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from daybreak.catalog import (
    CARD_FILE,
    DIFFUSERS_ENGINE,
    NATIVE_FILES,
    PACKAGED_WEIGHTS,
    PROCEDURAL_MODEL,
    ModelUnavailable,
    model_folders,
    read_card,
)
from daybreak.durable import OutOfSpace, full_disk_told, make_folders, sync_file, sync_folder
from daybreak.open_models.catalogue import Entry
from daybreak.open_models.families import PIPELINES
from daybreak.open_models.layout import INDEX_FILE, Layout, check_layout, read_json
from daybreak.open_models.single_files import names_in_model, read_single, write_single
from daybreak.open_models.weights import UnusableModel, read_tensors

OnBytes = Callable[[int, int], None]  # bytes done, bytes in all
ROOM = 2**30  # bytes that stay free on the disk
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_PIECE = 8 * 2**20


def check_name(name: str, models_dir: Path, *, replace: bool = False) -> None:
    """Raises ValueError for a name that a model cannot have, or that one has already."""
    if not _NAME.fullmatch(name) or name == PROCEDURAL_MODEL:
        raise ValueError(f"a model can't be called {name!r}: small letters, digits, dots and dashes, at most 64")
    if (models_dir / name).exists() and not replace:
        raise ValueError(f"a model {name!r} is installed already: remove it first, or say --replace")


def check_room(folder: Path, needed: int) -> None:
    """Raises OutOfSpace unless `needed` bytes can be written to `folder` and some are left."""
    place = next(path for path in (folder, *folder.parents) if path.is_dir())
    free = shutil.disk_usage(place).free
    if free < needed + ROOM:
        raise OutOfSpace(
            f"{needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free for {folder}: free some space or set "
            "DAYBREAK_DATA_DIR to a larger disk"
        )


def import_folder(
    source: Path, name: str, models_dir: Path, details: Mapping[str, Any], on_bytes: OnBytes, *, replace: bool = False
) -> Path:
    """The installed folder of a copy of a local checkpoint. Raises UnusableModel, ValueError, OutOfSpace."""
    check_name(name, models_dir, replace=replace)
    native = (source / CARD_FILE).is_file() and not (source / INDEX_FILE).is_file()
    files = _native_files(source) if native else check_layout(source).files
    total = sum((source / file).stat().st_size for file in files)
    check_room(models_dir, total)
    staged = downloads_dir(models_dir) / f"{name}.{secrets.token_hex(4)}"
    try:
        with full_disk_told(staged):
            copy_files(source, staged, files, on_bytes)
        if native:
            card = dict(read_json(source / CARD_FILE, CARD_FILE))
        else:
            card = make_card(staged, check_layout(staged), details)
        return install(staged, name, models_dir, card)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def import_transformer(
    file: Path, name: str, models_dir: Path, like: Path, on_bytes: OnBytes, *, replace: bool = False
) -> Path:
    """The installed folder of a model whose transformer is `file` and all else the installed model's in `like`.

    It is a safetensors or GGUF file, whose tensors may have the makers' names instead of that model's; of two experts,
    the file's name says which one it is. Raises UnusableModel unless they are exactly those of the transformer, in the
    same shapes.
    """
    check_name(name, models_dir, replace=replace)
    layout, held = check_layout(like), read_single(file)
    part, names = names_in_model(file.name, held, layout, like.name)
    rest = [each for each in layout.files if not re.match(rf"{part}/.*safetensors", each)]
    check_room(
        models_dir, sum(each.size for each in held.values()) + sum((like / each).stat().st_size for each in rest)
    )
    staged = downloads_dir(models_dir) / f"{name}.{secrets.token_hex(4)}"
    try:
        with full_disk_told(staged):
            copy_files(like, staged, rest, on_bytes)
            write_single(file, staged / part / "diffusion_pytorch_model.safetensors", names, on_bytes)
        details = {**read_card(like).details, "description": f"{file.name} in {like.name}"}
        return install(staged, name, models_dir, make_card(staged, check_layout(staged), details))
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def make_card(folder: Path, layout: Layout, details: Mapping[str, Any], entry: Entry | None = None) -> dict[str, Any]:
    """The `model.json` of a checkpoint: what is known of it, and what it can do."""
    family = PIPELINES[layout.pipeline].family
    side_step = 2 * family.side_step if layout.index.get("expand_timesteps") else family.side_step
    given = {**(entry.card() if entry else {}), **details}
    return {
        "description": given.pop("description", f"a {family.name} model"),
        "native": given.pop("native", {"sizes": [], "fps": family.fps, "side_step": side_step}),
        "num_inference_steps": given.pop("num_inference_steps", family.steps),
        "guidance_scale": given.pop("guidance_scale", family.guidance),
        **given,
        "engine": DIFFUSERS_ENGINE,
        "pipeline": layout.pipeline,
        "abilities": sorted(layout.abilities),
        "audio": family.audio,
        "files": list(layout.files),
        "digest": _digest(folder, layout.files),
    }


def install(staged: Path, name: str, models_dir: Path, card: Mapping[str, Any]) -> Path:
    """The folder of the model, now that it is whole: everything is on disk before it has its name."""
    with full_disk_told(staged):
        (staged / CARD_FILE).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return place(staged, models_dir / name, downloads_dir(models_dir))


def place(staged: Path, target: Path, downloads: Path) -> Path:
    """`target`, now the folder `staged`: everything in it is on disk before it has its name; an old one gives way."""
    with full_disk_told(staged):
        for path in sorted(staged.rglob("*"), reverse=True):
            sync_file(path)
        sync_folder(staged)
        make_folders(target.parent)
    old = downloads / f".{target.name}.{secrets.token_hex(4)}.old"
    if target.exists():
        target.rename(old)
    try:
        staged.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise
    sync_folder(target.parent)
    shutil.rmtree(old, ignore_errors=True)
    return target


def remove_model(name: str, models_dir: Path) -> int:
    """The bytes that removing an installed model freed. Raises ModelUnavailable for one that isn't a user's own."""
    folder = model_folders(models_dir).get(name)
    if folder is None or folder.parent == PACKAGED_WEIGHTS or not _NAME.fullmatch(name):
        why = "it comes with Daybreak" if folder is not None or name == PROCEDURAL_MODEL else "it is not installed"
        raise ModelUnavailable(f"the model {name!r} can't be removed: {why}; `daybreak models` lists what there is")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    gone = downloads_dir(models_dir) / f".{name}.{secrets.token_hex(4)}.old"
    folder.rename(gone)  # at once: a worker that starts meanwhile sees the whole model or none
    shutil.rmtree(gone)
    return size


def downloads_dir(models_dir: Path) -> Path:
    """The folder of what is not finished, made if need be; on the disk of the models."""
    folder = models_dir.parent / "downloads"
    make_folders(folder)
    return folder


def copy_files(source: Path, target: Path, files: tuple[str, ...] | list[str], on_bytes: OnBytes) -> None:
    """Returns when `files` of `source` are under `target` too."""
    total, done = sum((source / file).stat().st_size for file in files), 0
    for file in files:
        made = target / file
        made.parent.mkdir(parents=True, exist_ok=True)
        with (source / file).open("rb") as read, made.open("wb") as written:
            while piece := read.read(_PIECE):
                written.write(piece)
                done += len(piece)
                on_bytes(done, total)


def _native_files(source: Path) -> tuple[str, ...]:
    """The files of a model of our own format. Raises UnusableModel."""
    card = read_json(source / CARD_FILE, CARD_FILE)
    names = [str(name) for name in card.get("files", NATIVE_FILES)]
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.(json|safetensors)", name):
            raise UnusableModel(
                f"{CARD_FILE} names {name!r}: only .json and .safetensors files of its folder are taken"
            )
        if not (source / name).is_file():
            raise UnusableModel(f"{name} is missing from {source}")
        if name.endswith(".safetensors"):
            read_tensors(source / name)
    return tuple(names)


def _digest(folder: Path, files: tuple[str, ...]) -> str:
    """The SHA-256 of all files together, hex; reading tens of gigabytes once is enough."""
    total = hashlib.sha256()
    for file in files:
        with contextlib.closing((folder / file).open("rb")) as stream:
            total.update(file.encode() + b"\0" + hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()
