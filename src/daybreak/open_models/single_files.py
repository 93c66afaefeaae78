"""A transformer in a single file, as people have it from other programs: told apart, and written as a model has it.

The names of Wan's tensors are those of the makers there, often with a prefix, while an installed model has those of
diffusers. Only the header of a safetensors file holds names, so a new header before the same bytes is the whole
conversion: no tensor is read, whatever its size.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from daybreak.catalog import DIFFUSERS_ENGINE, installed_models
from daybreak.open_models.catalogue import catalogue
from daybreak.open_models.gguf_files import SUFFIX, read_gguf, write_gguf
from daybreak.open_models.layout import Layout, check_layout
from daybreak.open_models.wan_names import UNUSED, diffusers_name, expert_of, transformer_layout
from daybreak.open_models.weights import TensorFacts, UnusableModel, read_header, read_tensors

_PIECE = 8 * 2**20
_SCALED = (".scale_weight", ".scale_input", ".weight_scale", ".comfy_quant", "scaled_fp8")
_OTHER_PARTS = {  # a tensor that tells what a file holds instead
    "decoder.conv1.weight": "a VAE of Wan", "decoder.conv_in.weight": "a VAE",
    "encoder.block.0.layer.0.SelfAttention.q.weight": "a text encoder", "blocks.0.attn.q.weight": "a text encoder",
}  # fmt: skip


def read_single(file: Path) -> dict[str, TensorFacts]:
    """Every tensor of a single file, safetensors or GGUF. Raises UnusableModel for one that is not whole."""
    return read_gguf(file) if file.suffix == SUFFIX else read_tensors(file)


def write_single(file: Path, target: Path, names: Mapping[str, str], on_bytes: Callable[[int, int], None]) -> None:
    """Writes a single file as the safetensors file of a model, in which its tensors have these names."""
    (write_gguf if file.suffix == SUFFIX else write_renamed)(file, target, names, on_bytes)


def names_in_model(
    file: str, held: Mapping[str, TensorFacts], layout: Layout, model: str
) -> tuple[str, dict[str, str]]:
    """Which part of a model a file's tensors are, and what each is called there.

    Raises UnusableModel unless they are exactly those of that part, in the same shapes. Of two experts it is the one
    that the file's name says.
    """
    part = part_of(file, layout, model)
    expected = layout.tensors.get(part, {})
    scaled = next((name for name in held if name.endswith(_SCALED)), None)
    if scaled is not None:
        raise UnusableModel(
            f"{file} holds 8-bit numbers with scales of their own ({scaled}), which are not read here: take its fp16, "
            "bf16 or GGUF copy"
        )
    own = {_alike(name, expected): name for name in expected}
    names = {name: own.get(_alike(name, expected), name) for name in held}
    found = {names[name]: facts for name, facts in held.items()}
    for tensor, facts in expected.items():
        if tensor not in found:
            if any(unused in tensor for unused in UNUSED):
                continue
            raise UnusableModel(f"the tensor {tensor} of {model}'s transformer is missing from {file}")
        if found[tensor].shape != facts.shape:
            raise UnusableModel(
                f"the tensor {tensor} in {file} is misshapen: {list(found[tensor].shape)}, where {model}'s is "
                f"{list(facts.shape)}"
            )
    for name, called in names.items():
        if called not in expected:
            raise UnusableModel(f"the tensor {name} in {file} is not one of {model}'s transformer")
    return part, names


def part_of(file: str, layout: Layout, model: str) -> str:
    """Which transformer of a model a file takes the place of. Raises UnusableModel where its name leaves that open."""
    if "transformer_2" not in layout.tensors:
        return "transformer"
    expert = expert_of(file)
    if expert is None:
        raise UnusableModel(
            f"{model} has two transformers: rename {file} so that its name has high_noise or low_noise in it"
        )
    return "transformer" if expert == "high" else "transformer_2"


def what_is_missing(file: Path, models_dir: Path) -> str:
    """What to do with a single file that was named without the model whose other parts it takes, in one line.

    Raises UnusableModel for a file that is not whole.
    """
    held = read_single(file)
    names = {diffusers_name(name): facts for name, facts in held.items()}
    for tensor, what in _OTHER_PARTS.items():
        if tensor in names and transformer_layout(held) is None:
            return (
                f"{file.name} is {what}, which is not imported by itself: import a transformer, --like an installed "
                "model that has all else"
            )
    if transformer_layout(held) is None:
        return "a single file is a transformer only: name the installed model whose other parts it takes, --like MODEL"
    blocks = len({name.split(".")[1] for name in names if name.startswith("blocks.")})
    width, channels = names["patch_embedding.weight"].shape[:2]
    said = (
        f"{file.name} is a transformer of Wan ({blocks} blocks, {width} wide) without the text encoder, tokenizer and "
        "VAE that it needs: name the installed model that it takes them from, --like MODEL"
    )
    if fitting := ", ".join(_installed_that_fit(file.name, held, models_dir)):
        return f"{said}; it fits {fitting}"
    known = ", ".join(_known_that_fit(file.name, blocks, width, channels))
    return f"{said}; none is installed that it fits" + (
        f", such as {known}: `daybreak models pull` it" if known else ""
    )


def write_renamed(file: Path, target: Path, names: Mapping[str, str], on_bytes: Callable[[int, int], None]) -> None:
    """Writes a copy of a safetensors file in which each tensor has its new name."""
    length, header = read_header(file, file.name)
    renamed = {names[name]: entry for name, entry in header.items() if name != "__metadata__"}
    renamed["__metadata__"] = {"format": "pt"}  # which libraries ask for
    text = json.dumps(renamed, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of eight bytes, as the library writes them
    target.parent.mkdir(parents=True, exist_ok=True)
    total = file.stat().st_size - 8 - length
    with file.open("rb") as read, target.open("wb") as written:
        written.write(struct.pack("<Q", len(text)) + text)
        read.seek(8 + length)
        done = 0
        while piece := read.read(_PIECE):
            written.write(piece)
            done += len(piece)
            on_bytes(done, total)


def _alike(name: str, expected: Mapping[str, TensorFacts]) -> str:
    """A name in which the two layouts of Wan are one; other models have one layout only."""
    return name if transformer_layout(expected) is None else diffusers_name(name)


def _installed_that_fit(file: str, held: Mapping[str, TensorFacts], models_dir: Path) -> Iterator[str]:
    for card in installed_models(models_dir):
        if card.engine != DIFFUSERS_ENGINE or card.path is None:
            continue
        try:
            names_in_model(file, held, check_layout(card.path), card.name)
        except (UnusableModel, OSError):
            continue
        yield card.name


def _known_that_fit(file: str, blocks: int, width: int, channels: int) -> Iterator[str]:
    from_image, experts = channels == 36, 2 if expert_of(file) else 1
    for entry in catalogue().values():
        if not entry.pipeline.startswith("Wan") or (entry.blocks, entry.width) != (blocks, width):
            continue
        if (entry.pipeline == "WanImageToVideoPipeline") == from_image and entry.experts == experts:
            yield entry.name
