from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from daybreak.open_models.families import abilities
from daybreak.open_models.layout import check_layout
from daybreak.open_models.weights import UnusableModel, read_tensors
from published import SHARD_INDEX, SHARDS, WAN_INDEX, publish


def test_a_whole_checkpoint_is_read_and_only_what_it_needs_is_taken(tmp_path: Path) -> None:
    folder = publish(tmp_path / "model")
    (folder / "transformer" / "pytorch_model.bin").write_bytes(b"a pickle beside the real weights")
    (folder / "vae" / "modeling.py").write_text("raise SystemExit")
    layout = check_layout(folder)
    assert layout.pipeline == "WanPipeline"
    assert layout.parts == {"scheduler", "text_encoder", "tokenizer", "transformer", "vae"}
    assert {file for file in layout.files if file.startswith(("transformer", "vae"))} == {
        "transformer/config.json", f"transformer/{SHARD_INDEX}", f"transformer/{SHARDS[0]}", f"transformer/{SHARDS[1]}",
        "vae/config.json", "vae/diffusion_pytorch_model.safetensors",
    }  # fmt: skip
    assert layout.tensors["transformer"]["b.weight"].shape == (32, 8)
    assert layout.abilities == {"negative_prompt", "steps", "guidance", "video_pin", "partial_strength"}


def rewrite(file: Path, change: Callable[[Any], Any]) -> None:
    file.write_text(json.dumps(change(json.loads(file.read_text()))))


def no_shard(folder: Path) -> None:
    (folder / "transformer" / SHARDS[1]).unlink()


def cut_shard(folder: Path) -> None:
    shard = folder / "transformer" / SHARDS[1]
    shard.write_bytes(shard.read_bytes()[:-3])


def cut_header(folder: Path) -> None:
    shard = folder / "transformer" / SHARDS[1]
    shard.write_bytes(shard.read_bytes()[:40])


def longer_shard(folder: Path) -> None:
    shard = folder / "transformer" / SHARDS[1]
    shard.write_bytes(shard.read_bytes() + b"\0")


def html_instead(folder: Path) -> None:
    (folder / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"<html>404</html>" * 8)


def tensor_missing(folder: Path) -> None:
    save_file({"b.weight": np.ones((32, 8), np.float32)}, folder / "transformer" / SHARDS[1])


def tensor_extra(folder: Path) -> None:
    more = {"b.weight": np.ones((32, 8), np.float32), "b.bias": np.zeros(8, np.float32), "d": np.zeros(2, np.float32)}
    save_file(more, folder / "transformer" / SHARDS[1])


def tensor_misshapen(folder: Path) -> None:
    shard = folder / "transformer" / SHARDS[1]
    content = shard.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = content[8 : 8 + length].replace(b"[32,8]", b"[32,9]")
    shard.write_bytes(content[:8] + header + content[8 + length :])


def no_index(folder: Path) -> None:
    (folder / "transformer" / SHARD_INDEX).unlink()


def index_outside(folder: Path) -> None:
    rewrite(folder / "transformer" / SHARD_INDEX, lambda _: {"weight_map": {"a.weight": "../../secret.safetensors"}})


def only_a_pickle(folder: Path) -> None:
    (folder / "vae" / "diffusion_pytorch_model.safetensors").rename(folder / "vae" / "diffusion_pytorch_model.bin")


def no_weights(folder: Path) -> None:
    (folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()


def code_of_its_own(folder: Path) -> None:
    rewrite(folder / "text_encoder" / "config.json", lambda plain: {**plain, "auto_map": {"AutoModel": "x.Model"}})


def unknown_pipeline(folder: Path) -> None:
    rewrite(folder / "model_index.json", lambda plain: {**plain, "_class_name": "StableDiffusionPipeline"})


def class_of_another_library(folder: Path) -> None:
    rewrite(folder / "model_index.json", lambda plain: {**plain, "vae": ["subprocess", "Popen"]})


def component_gone(folder: Path) -> None:
    for file in (folder / "scheduler").iterdir():
        file.unlink()
    (folder / "scheduler").rmdir()


def no_model_index(folder: Path) -> None:
    (folder / "model_index.json").unlink()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (no_shard, f"transformer/{SHARDS[1]} is missing"),
        (cut_shard, f"transformer/{SHARDS[1]} is cut short"),
        (cut_header, f"transformer/{SHARDS[1]} is cut short"),
        (longer_shard, f"transformer/{SHARDS[1]} is too long"),
        (html_instead, "vae/diffusion_pytorch_model.safetensors is not a safetensors file"),
        (tensor_missing, f"tensor b.bias is missing from transformer/{SHARDS[1]}"),
        (tensor_extra, f"tensor d in transformer/{SHARDS[1]} is not in its index"),
        (tensor_misshapen, f"tensor b.weight in transformer/{SHARDS[1]} is misshapen"),
        (no_index, "transformer has 2 weight files, but no index"),
        (index_outside, "which is no shard of it"),
        (only_a_pickle, "vae/diffusion_pytorch_model.bin is a pickle file"),
        (no_weights, "vae has no weights"),
        (code_of_its_own, "text_encoder/config.json asks for code of its own"),
        (unknown_pipeline, "the architecture 'StableDiffusionPipeline'"),
        (class_of_another_library, "asks for 'Popen' as vae"),
        (component_gone, "the folder scheduler"),
        (no_model_index, "has no model_index.json"),
    ],
)
def test_what_is_wrong_with_a_checkpoint_is_named(tmp_path: Path, damage: Callable[[Path], None], message: str) -> None:
    folder = publish(tmp_path / "model")
    damage(folder)
    with pytest.raises(UnusableModel) as caught:
        check_layout(folder)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [2], "data_offsets": [0, -8]},
        {"dtype": "F32", "shape": [-2, -1], "data_offsets": [0, 8]},
        {"dtype": "X9", "shape": [2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": "22", "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]},
        {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]},
        [],
        None,
    ],
)
def test_a_header_that_makes_no_sense_is_refused(tmp_path: Path, entry: Any) -> None:
    header = json.dumps({"w": entry}).encode()
    file = tmp_path / "model.safetensors"
    file.write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))
    with pytest.raises(UnusableModel, match="tensor w in"):
        read_tensors(file)


def test_what_two_checkpoints_of_one_class_can_do_differs() -> None:
    parts = frozenset({"transformer", "vae"})
    assert "image_pin" not in abilities("WanPipeline", WAN_INDEX, parts)
    assert "image_pin" in abilities("WanPipeline", {**WAN_INDEX, "expand_timesteps": True}, parts)
    assert "partial_strength" not in abilities("WanPipeline", WAN_INDEX, parts | {"transformer_2"})
    assert "later_pin" in abilities("WanImageToVideoPipeline", WAN_INDEX, parts)
    assert "later_pin" not in abilities("WanImageToVideoPipeline", WAN_INDEX, parts | {"image_encoder"})
