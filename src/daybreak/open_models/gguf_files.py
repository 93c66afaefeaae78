"""GGUF files, in which people publish quantised transformers, written as the safetensors that they stand for.

The numbers of a quantised tensor become 16-bit floats, whose rounding (2^-11 of each) is far below that of the
quantisation itself; what is float in the file stays what it is. One tensor is held at a time.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daybreak.open_models.weights import TensorFacts, UnusableModel

if TYPE_CHECKING:
    import numpy as np
    from gguf import GGUFReader, ReaderTensor

SUFFIX = ".gguf"
_FLOATS = {"F32": "F32", "F16": "F16", "BF16": "BF16"}


def read_gguf(file: Path) -> dict[str, TensorFacts]:
    """Every tensor of a GGUF file as it is written. Raises UnusableModel for a file that is not whole or not sound."""
    return {tensor.name: facts for tensor, facts in _tensors(file)}


def write_gguf(file: Path, target: Path, names: Mapping[str, str], on_bytes: Callable[[int, int], None]) -> None:
    """Writes the tensors of a GGUF file as a safetensors file in which each has its new name.

    Raises UnusableModel for a file that is not sound.
    """
    tensors = list(_tensors(file))
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for tensor, facts in tensors:
        header[names[tensor.name]] = {
            "dtype": facts.dtype, "shape": facts.shape, "data_offsets": [end, end + facts.size]
        }  # fmt: skip
        end += facts.size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    target.parent.mkdir(parents=True, exist_ok=True)
    done = 0
    with target.open("wb") as written:
        written.write(struct.pack("<Q", len(text)) + text)
        for tensor, facts in tensors:
            written.write(_plain(tensor, file.name).tobytes())
            done += facts.size
            on_bytes(done, end)


def _tensors(file: Path) -> Iterator[tuple[ReaderTensor, TensorFacts]]:
    try:
        from gguf import GGUFReader
    except ImportError as error:
        raise UnusableModel(f"{file.name} is a GGUF file: pip install 'daybreak[diffusers]' to read it") from error
    try:
        reader = GGUFReader(file)
        if reader.byte_order != "I":
            raise ValueError("its bytes are in the order of another machine")
        found = [(tensor, _facts(reader, tensor)) for tensor in reader.tensors]
    except (ValueError, KeyError, IndexError, TypeError, OverflowError) as error:
        raise UnusableModel(f"{file.name} is no whole GGUF file ({error}): download it again") from error
    yield from found


def _facts(reader: GGUFReader, tensor: ReaderTensor) -> TensorFacts:
    """A tensor as it is written. Tensors of five dimensions may be stored flat, with their shape beside them."""
    told = reader.get_field(f"comfy.gguf.orig_shape.{tensor.name}")
    shape = tuple(int(side) for side in (told.contents() if told else reversed(tensor.shape.tolist())))
    if math.prod(shape) != tensor.n_elements:
        raise ValueError(f"{tensor.name} has {tensor.n_elements} numbers, which are not {list(shape)}")
    return TensorFacts(_FLOATS.get(tensor.tensor_type.name, "F16"), shape)


def _plain(tensor: ReaderTensor, file: str) -> np.ndarray[Any, Any]:
    """A tensor's numbers: of a quantised one as 16-bit floats, otherwise as they lie in the file."""
    import numpy as np  # here and not above, for a server loads this module at its start
    from gguf import dequantize

    if tensor.tensor_type.name in _FLOATS:
        return tensor.data
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            halves = dequantize(tensor.data, tensor.tensor_type).astype(np.float16)
    except NotImplementedError as error:
        kind = tensor.tensor_type.name
        raise UnusableModel(f"the tensor {tensor.name} in {file} is of the kind {kind}, which is not read") from error
    if not np.isfinite(halves).all():
        raise UnusableModel(f"the tensor {tensor.name} in {file} has numbers that are none: download it again")
    return halves
