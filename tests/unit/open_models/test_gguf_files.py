"""GGUF files become the safetensors that they stand for."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file

from daybreak.open_models.gguf_files import read_gguf, write_gguf
from daybreak.open_models.weights import TensorFacts, UnusableModel, read_tensors

gguf = pytest.importorskip("gguf", reason="needs the extra: pip install 'daybreak[diffusers]'")

Q8_0, Q4_K, BF16 = (gguf.GGMLQuantizationType[name] for name in ("Q8_0", "Q4_K", "BF16"))


def nothing(_done: int, _total: int) -> None:
    pass


def q4_k(quarters: np.ndarray) -> np.ndarray:
    """Rows of whole numbers 0 to 15 (rows, 256) as blocks that stand for `numbers / 2 - 1/2`.

    As ggml-common.h lays out block_q4_K: super-scales 1/2 and 1/4; the eight blocks of 32 have scale 1 and minimum 2,
    six bits each in twelve bytes.
    """
    scales = bytes([1] * 4 + [2] * 4 + [0x21] * 4)
    blocks = []
    for row in quarters.astype(np.uint8):
        low, high = row.reshape(4, 2, 32).transpose(1, 0, 2)
        blocks.append(struct.pack("<ee", 0.5, 0.25) + scales + (low | high << 4).tobytes())
    return np.frombuffer(b"".join(blocks), np.uint8).reshape(len(quarters), -1)


def write(file: Path, fill: Callable[[object], None]) -> Path:
    writer = gguf.GGUFWriter(file, "wan")
    fill(writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


PLAIN = np.random.default_rng(0).standard_normal((4, 64)).astype(np.float32)
NIBBLES = np.random.default_rng(1).integers(0, 16, (3, 256))
DEEP = np.arange(24, dtype=np.float16).reshape(2, 3, 1, 2, 2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    def fill(writer: object) -> None:
        writer.add_tensor("plain", PLAIN)
        writer.add_tensor("half", PLAIN.astype(np.float16))
        brain = gguf.quantize(PLAIN, BF16)
        writer.add_tensor("brain", brain, raw_dtype=BF16)
        writer.add_tensor("eight", gguf.quantize(PLAIN, Q8_0), raw_dtype=Q8_0)
        writer.add_tensor("four", q4_k(NIBBLES), raw_dtype=Q4_K)
        # More than four dimensions are stored flat, as ComfyUI's converter does.
        writer.add_tensor("deep", DEEP.reshape(-1))
        writer.add_array("comfy.gguf.orig_shape.deep", list(DEEP.shape))

    return write(tmp_path / "wan-Q4_K_M.gguf", fill)


def test_every_kind_of_tensor_is_what_it_stands_for(file: Path, tmp_path: Path) -> None:
    facts, told = read_gguf(file), list[tuple[int, int]]()
    assert facts == {
        "plain": TensorFacts("F32", (4, 64)),
        "half": TensorFacts("F16", (4, 64)),
        "brain": TensorFacts("BF16", (4, 64)),
        "eight": TensorFacts("F16", (4, 64)),
        "four": TensorFacts("F16", (3, 256)),
        "deep": TensorFacts("F16", (2, 3, 1, 2, 2)),
    }
    made = tmp_path / "made" / "out.safetensors"
    write_gguf(file, made, {name: f"x.{name}" for name in facts}, lambda *bytes_: told.append(bytes_))
    assert read_tensors(made) == {f"x.{name}": each for name, each in facts.items()}
    assert told[-1][0] == told[-1][1] == sum(each.size for each in facts.values())
    found = {name.removeprefix("x."): tensor.float().numpy() for name, tensor in load_file(made).items()}
    assert np.array_equal(found["plain"], PLAIN)
    assert np.array_equal(found["half"], PLAIN.astype(np.float16))
    assert np.array_equal(found["deep"], DEEP)
    assert np.abs(found["brain"] / PLAIN - 1).max() <= 2**-8
    steps = np.abs(PLAIN.reshape(4, 2, 32)).max(-1, keepdims=True) / 127  # a scale for every 32 numbers
    assert (np.abs((found["eight"] - PLAIN).reshape(4, 2, 32)) <= 0.51 * steps + 2e-3).all()
    assert np.array_equal(found["four"], NIBBLES / 2 - 0.5)


@pytest.mark.parametrize("kept", [3, 40, -100])
def test_one_that_was_cut_off_is_refused(file: Path, kept: int) -> None:
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(UnusableModel, match=r"wan-Q4_K_M\.gguf is no whole GGUF file .*download it again"):
        read_gguf(file)


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    blocks = q4_k(NIBBLES).copy()
    blocks[1, :2] = np.frombuffer(struct.pack("<e", np.inf), np.uint8)
    file = write(tmp_path / "bad.gguf", lambda writer: writer.add_tensor("four", blocks, raw_dtype=Q4_K))
    with pytest.raises(UnusableModel, match=r"the tensor four in bad\.gguf has numbers that are none"):
        write_gguf(file, tmp_path / "made.safetensors", {"four": "four"}, nothing)


def test_a_shape_that_does_not_fit_the_numbers_is_refused(tmp_path: Path) -> None:
    def fill(writer: object) -> None:
        writer.add_tensor("deep", DEEP.reshape(-1))
        writer.add_array("comfy.gguf.orig_shape.deep", [2, 3, 2, 2, 2])

    with pytest.raises(UnusableModel, match="deep has 24 numbers"):
        read_gguf(write(tmp_path / "bad.gguf", fill))
