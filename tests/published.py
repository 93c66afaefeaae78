"""A checkpoint in the layout that open models are published in, without any library of theirs: made of zeros."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

WAN_INDEX: dict[str, Any] = {
    "_class_name": "WanPipeline",
    "_diffusers_version": "0.42.1",
    "boundary_ratio": None,
    "expand_timesteps": False,
    "scheduler": ["diffusers", "UniPCMultistepScheduler"],
    "text_encoder": ["transformers", "UMT5EncoderModel"],
    "tokenizer": ["transformers", "T5TokenizerFast"],
    "transformer": ["diffusers", "WanTransformer3DModel"],
    "transformer_2": [None, None],
    "vae": ["diffusers", "AutoencoderKLWan"],
}
SHARDS = ("diffusion_pytorch_model-00001-of-00002.safetensors", "diffusion_pytorch_model-00002-of-00002.safetensors")
SHARD_INDEX = "diffusion_pytorch_model.safetensors.index.json"


def publish(folder: Path, index: dict[str, Any] | None = None) -> Path:
    """`folder`, now a whole checkpoint: its transformer is in two shards, everything else in one file."""
    index = index or WAN_INDEX
    folder.mkdir(parents=True)
    _write(folder / "model_index.json", index)
    (folder / "README.md").write_text("A model.\n")
    for name, value in index.items():
        if not isinstance(value, list) or value[1] is None:
            continue
        part = folder / name
        part.mkdir()
        if name == "scheduler":
            _write(part / "scheduler_config.json", {"_class_name": value[1]})
        elif name == "tokenizer":
            _write(part / "tokenizer.json", {"model": {}})
            _write(part / "tokenizer_config.json", {})
        elif name == "transformer":
            _write(part / "config.json", {"_class_name": value[1]})
            save_file({"a.weight": np.zeros((64, 64), np.float32)}, part / SHARDS[0])
            save_file({"b.weight": np.ones((32, 8), np.float32), "b.bias": np.zeros(8, np.float32)}, part / SHARDS[1])
            weight_map = {"a.weight": SHARDS[0], "b.weight": SHARDS[1], "b.bias": SHARDS[1]}
            _write(part / SHARD_INDEX, {"metadata": {}, "weight_map": weight_map})
        else:
            _write(part / "config.json", {})
            file = "model.safetensors" if value[0] == "transformers" else "diffusion_pytorch_model.safetensors"
            save_file({"c": np.arange(100_000, dtype=np.float32)}, part / file)
    return folder


def _write(path: Path, plain: Any) -> None:
    path.write_text(json.dumps(plain, indent=2))
