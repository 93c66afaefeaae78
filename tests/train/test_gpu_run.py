"""`runs/gpu.py`: what it packs, whatever becomes of the machine."""

from __future__ import annotations

import os
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import load_file, save_file

from daybreak.train.loop import averaged_weights, read_metadata

SCRIPT = Path(__file__).parents[2] / "runs" / "gpu.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = spec_from_file_location("gpu", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_state(folder: Path, value: float) -> Path:
    """A stage's checkpoint, as large in what is not packed as in what is."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"{part}.weight": torch.full((3,), value) for part in ("module", "averaged", "optimiser")}
    save_file(tensors, folder / "state.safetensors", metadata={"step": "7", "seconds": "2.5"})
    return folder / "state.safetensors"


def test_what_is_packed_is_what_later_stages_need(script: ModuleType, tmp_path: Path) -> None:
    write_state(tmp_path / "vae", 1 / 3)
    write_state(tmp_path / "probes", 1.0)
    (tmp_path / "text").mkdir()
    for name in (
        "text/tokenizer.json",
        "vae/log.jsonl",
        "vae/loss.png",
        "vae/sample-000010.png",
        "vae/sample-000020.png",
    ):
        (tmp_path / name).write_text(name)
    script.pack(tmp_path)
    packed = tmp_path / "packed"
    assert {path.relative_to(packed).as_posix() for path in packed.rglob("*") if path.is_file()} == {
        "text/tokenizer.json", "vae/log.jsonl", "vae/loss.png", "vae/sample-000020.png", "vae/state.safetensors",
    }  # fmt: skip
    weights = averaged_weights(packed / "vae")
    assert weights.keys() == {"weight"}
    assert torch.equal(weights["weight"], torch.full((3,), 1 / 3).half())
    assert read_metadata(packed / "vae" / "state.safetensors") == {"step": "7", "seconds": "2.5"}


def test_a_later_checkpoint_is_packed_again_and_an_old_one_is_not(script: ModuleType, tmp_path: Path) -> None:
    state, target = write_state(tmp_path / "vae", 1.0), tmp_path / "packed" / "vae" / "state.safetensors"
    script.pack(tmp_path)
    os.utime(target, (2e9, 2e9))
    write_state(tmp_path / "vae", 2.0)
    os.utime(state, (1e9, 1e9))
    script.pack(tmp_path)
    assert load_file(target)["averaged.weight"].tolist() == [1, 1, 1]
    os.utime(state, (3e9, 3e9))
    script.pack(tmp_path)
    assert load_file(target)["averaged.weight"].tolist() == [2, 2, 2]
    assert not list(tmp_path.rglob("*.part"))
