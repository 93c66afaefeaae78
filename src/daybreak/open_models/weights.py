"""What a safetensors file says of itself, checked without reading a tensor."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MAX_HEADER = 100 * 2**20  # bytes; the limit that the safetensors library itself sets
_BYTES = {
    "F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2,
    "I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1,
}  # fmt: skip


class UnusableModel(ValueError):  # noqa: N818 - reads as a sentence where it is raised
    """A checkpoint that cannot be installed or run; the message names the file or tensor and what to do."""


@dataclass(frozen=True, slots=True)
class TensorFacts:
    """One entry of a header."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return math.prod(self.shape) * _BYTES[self.dtype]


def read_tensors(file: Path, shown: str = "") -> dict[str, TensorFacts]:
    """Every tensor of a safetensors file. Raises UnusableModel for a file that is not whole or not sound."""
    shown = shown or file.name
    length, header = read_header(file, shown)
    tensors, spans = {}, []
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        facts, (start, end) = _entry(entry, f"{name} in {shown}")
        if end - start != facts.size:
            raise UnusableModel(
                f"the tensor {name} in {shown} is misshapen: {facts.dtype} {list(facts.shape)} takes {facts.size} "
                f"bytes, not {end - start}: download the file again"
            )
        tensors[name] = facts
        spans.append((start, end, name))
    expected = 8 + length + _end(spans, shown)
    actual = file.stat().st_size
    if actual != expected:
        what = "cut short" if actual < expected else "too long"
        raise UnusableModel(f"{shown} is {what}: {actual} bytes instead of {expected}: download it again")
    return tensors


def read_metadata(file: Path) -> dict[str, str]:
    """The texts in a safetensors file's header. Raises UnusableModel for a file without a sound header."""
    _, header = read_header(file, file.name)
    said = header.get("__metadata__")
    return {str(key): str(value) for key, value in said.items()} if isinstance(said, dict) else {}


def read_header(file: Path, shown: str) -> tuple[int, Mapping[str, Any]]:
    """The header's length in bytes and what it says. Raises UnusableModel for a file without one."""
    with file.open("rb") as stream:
        prefix = stream.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else _MAX_HEADER + 1
        if length > _MAX_HEADER:
            raise UnusableModel(f"{shown} is not a safetensors file: download it again")
        text = stream.read(length)
    if len(text) < length:
        raise UnusableModel(f"{shown} is cut short, within its header: download it again")
    try:
        header = json.loads(text)
    except ValueError as error:
        raise UnusableModel(f"{shown} is not a safetensors file ({error}): download it again") from error
    if not isinstance(header, dict):
        raise UnusableModel(f"{shown} is not a safetensors file: its header is no object")
    return length, header


def _entry(entry: Any, said: str) -> tuple[TensorFacts, tuple[int, int]]:
    try:
        dtype, shape, (start, end) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
        sound = dtype in _BYTES and all(type(side) is int and side >= 0 for side in (*shape, start, end))
    except (TypeError, KeyError, ValueError):
        sound = False
    if not sound:
        raise UnusableModel(f"the tensor {said} has no sound entry in the header: download the file again")
    return TensorFacts(dtype, shape), (start, end)


def _end(spans: list[tuple[int, int, str]], shown: str) -> int:
    """Where the last tensor ends, in bytes. Raises UnusableModel for tensors that overlap or leave holes."""
    reached = 0
    for start, end, name in sorted(spans):
        if start != reached:
            raise UnusableModel(f"the tensor {name} in {shown} does not begin where the one before it ends")
        reached = end
    return reached
