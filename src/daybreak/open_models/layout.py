"""A checkpoint's folder in the layout of diffusers, checked before anything of it is installed or run.

Only safetensors weights, JSON and tokenizer files are taken. Pickles can run any code when they are opened, and so can
Python files beside the weights: neither is ever read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daybreak.open_models.families import MODULES, PIPELINES, SETTINGS, abilities
from daybreak.open_models.weights import TensorFacts, UnusableModel, read_tensors

INDEX_FILE = "model_index.json"
PICKLES = {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".msgpack", ".h5", ".npy"}
_PLAIN = {".json", ".txt", ".model", ".jinja"}
_WEIGHTS = re.compile(r"(model|diffusion_pytorch_model)(-\d{5}-of-\d{5})?\.safetensors")
_WEIGHTS_INDEX = re.compile(r"(model|diffusion_pytorch_model)\.safetensors\.index\.json")
_MAX_JSON = 64 * 2**20  # bytes; a large tokenizer has 32 MB
_REMOTE_CODE = ("auto_map", "custom_pipelines", "custom_pipeline")


@dataclass(frozen=True, slots=True)
class Layout:
    """A checkpoint that is whole: `files` are its names, relative and with slashes; `parts` the components it has."""

    pipeline: str
    index: Mapping[str, Any]
    parts: frozenset[str]
    files: tuple[str, ...]
    tensors: Mapping[str, Mapping[str, TensorFacts]]  # of each component with weights

    @property
    def abilities(self) -> frozenset[str]:
        return abilities(self.pipeline, self.index, self.parts)


def check_layout(folder: Path) -> Layout:
    """The layout of a folder. Raises UnusableModel, naming the file or tensor, for anything that cannot be run."""
    if not (folder / INDEX_FILE).is_file():
        raise UnusableModel(f"{folder} has no {INDEX_FILE}: give a folder in the layout of diffusers")
    index = read_json(folder / INDEX_FILE, INDEX_FILE)
    pipeline, components = read_index(index)
    files, tensors = [INDEX_FILE], {}
    for name, class_name in components.items():
        part = folder / name
        if not part.is_dir():
            raise UnusableModel(f"the folder {name} of {class_name} is missing: download it again")
        files += wanted_files(name, [path.name for path in part.iterdir() if path.is_file()], class_name)
        for file in part.glob("*.json"):
            _refuse_remote_code(read_json(file, f"{name}/{file.name}"), f"{name}/{file.name}")
        if class_name in MODULES:
            tensors[name] = _check_weights(part, name)
    return Layout(pipeline, index, frozenset(components), tuple(sorted(files)), tensors)


def read_index(index: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The pipeline class of a `model_index.json` and the class of each component. Raises UnusableModel."""
    pipeline = index.get("_class_name")
    if not isinstance(pipeline, str) or pipeline not in PIPELINES:
        known = ", ".join(sorted(PIPELINES))
        raise UnusableModel(f"the architecture {pipeline!r} of {INDEX_FILE} is not known here: there are {known}")
    _refuse_remote_code(index, INDEX_FILE)
    components = {}
    for name, value in index.items():
        if name.startswith("_") or not isinstance(value, list):
            continue
        class_name = value[1] if len(value) == 2 else value
        if class_name is None:
            continue
        if not re.fullmatch(r"[a-z0-9_]{1,40}", name) or class_name not in {*MODULES, *SETTINGS}:
            raise UnusableModel(f"{INDEX_FILE} asks for {class_name!r} as {name}, which is not run here")
        components[name] = str(class_name)
    return pipeline, components


def wanted_files(part: str, names: list[str], class_name: str) -> list[str]:
    """Which files of a component are taken, with the component's name. Raises UnusableModel where it has no weights."""
    weights = [name for name in names if _WEIGHTS.fullmatch(name) or _WEIGHTS_INDEX.fullmatch(name)]
    if class_name in MODULES and not any(name.endswith(".safetensors") for name in weights):
        pickles = sorted(name for name in names if Path(name).suffix in PICKLES)
        if pickles:
            raise UnusableModel(
                f"{part}/{pickles[0]} is a pickle file, which can run any code when it is opened: "
                "only safetensors are taken, so convert it or choose another copy of the model"
            )
        raise UnusableModel(f"{part} has no weights: a file such as {part}/model.safetensors is missing")
    plain = [name for name in names if Path(name).suffix in _PLAIN and not name.endswith(".index.json")]
    taken = {*plain, *(weights if class_name in MODULES else ())}
    return [f"{part}/{name}" for name in sorted(taken)]


def read_json(file: Path, shown: str) -> Mapping[str, Any]:
    """The object in a JSON file. Raises UnusableModel."""
    if file.stat().st_size > _MAX_JSON:
        raise UnusableModel(f"{shown} is larger than any such file: download it again")
    try:
        plain = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UnusableModel(f"{shown} cannot be read ({error}): download it again") from error
    return plain if isinstance(plain, dict) else {}


def _refuse_remote_code(plain: Mapping[str, Any], shown: str) -> None:
    for key in _REMOTE_CODE:
        if plain.get(key):
            raise UnusableModel(f"{shown} asks for code of its own ({key}): no code of a checkpoint is run here")


def _check_weights(part: Path, name: str) -> dict[str, TensorFacts]:
    """Every tensor of a component. Raises UnusableModel where the files and their index differ."""
    indices = sorted(file for file in part.iterdir() if _WEIGHTS_INDEX.fullmatch(file.name))
    if not indices:
        found = sorted(file for file in part.iterdir() if _WEIGHTS.fullmatch(file.name))
        if len(found) > 1:
            raise UnusableModel(f"{name} has {len(found)} weight files, but no index such as {_index_name(found[0])}")
        return read_tensors(found[0], f"{name}/{found[0].name}")
    shown = f"{name}/{indices[0].name}"
    promised = read_json(indices[0], shown).get("weight_map")
    if not isinstance(promised, dict) or not promised:
        raise UnusableModel(f"{shown} has no weight_map: download it again")
    tensors: dict[str, TensorFacts] = {}
    for shard in sorted({str(value) for value in promised.values()}):
        tensors |= _shard_tensors(part, name, shard, promised)
    for tensor, shard in promised.items():
        if tensor not in tensors:
            raise UnusableModel(f"the tensor {tensor} is missing from {name}/{shard}: download it again")
    return tensors


def _shard_tensors(part: Path, name: str, shard: str, promised: Mapping[str, Any]) -> dict[str, TensorFacts]:
    """The tensors of one shard. Raises UnusableModel for a shard that is not there, or holds what is not promised."""
    if not _WEIGHTS.fullmatch(shard):
        raise UnusableModel(f"the index of {name} names {shard!r}, which is no shard of it")
    if not (part / shard).is_file():
        raise UnusableModel(f"{name}/{shard} is missing: download it again")
    held = read_tensors(part / shard, f"{name}/{shard}")
    for tensor in held:
        if promised.get(tensor) != shard:
            raise UnusableModel(f"the tensor {tensor} in {name}/{shard} is not in its index: download both again")
    return held


def _index_name(shard: Path) -> str:
    return f"{shard.name.partition('-')[0]}.safetensors.index.json"
