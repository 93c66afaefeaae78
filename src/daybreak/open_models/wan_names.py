"""What the tensors of the published Wan checkpoints are called, in both layouts, beside what they are called here.

A name here may stand for several published tensors: they are laid one below the other, so that one product does the
work of two or three. `diffusers` is the layout of the repositories whose name ends in -Diffusers, `original` that of
the others (`Wan2.1_VAE`, `diffusion_pytorch_model` beside a `config.json` with `dim`, and single-file copies).
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Literal

Layout = Literal["diffusers", "original"]
Sources = tuple[str, ...]

# here: (diffusers, original), without the ".weight" and ".bias" that most have
_TRANSFORMER: Mapping[str, tuple[Sources, Sources]] = {
    "patch": (("patch_embedding",), ("patch_embedding",)),
    "time.0": (("condition_embedder.time_embedder.linear_1",), ("time_embedding.0",)),
    "time.2": (("condition_embedder.time_embedder.linear_2",), ("time_embedding.2",)),
    "time_projection": (("condition_embedder.time_proj",), ("time_projection.1",)),
    "text.0": (("condition_embedder.text_embedder.linear_1",), ("text_embedding.0",)),
    "text.2": (("condition_embedder.text_embedder.linear_2",), ("text_embedding.2",)),
    "modulation": (("scale_shift_table",), ("head.modulation",)),
    "head": (("proj_out",), ("head.head",)),
}
_BLOCK: Mapping[str, tuple[Sources, Sources]] = {
    "modulation": (("scale_shift_table",), ("modulation",)),
    "attention.qkv": (("attn1.to_q", "attn1.to_k", "attn1.to_v"), ("self_attn.q", "self_attn.k", "self_attn.v")),
    "attention.norm_q": (("attn1.norm_q",), ("self_attn.norm_q",)),
    "attention.norm_k": (("attn1.norm_k",), ("self_attn.norm_k",)),
    "attention.out": (("attn1.to_out.0",), ("self_attn.o",)),
    "norm_text": (("norm2",), ("norm3",)),
    "text.query": (("attn2.to_q",), ("cross_attn.q",)),
    "text.key_value": (("attn2.to_k", "attn2.to_v"), ("cross_attn.k", "cross_attn.v")),
    "text.norm_q": (("attn2.norm_q",), ("cross_attn.norm_q",)),
    "text.norm_k": (("attn2.norm_k",), ("cross_attn.norm_k",)),
    "text.out": (("attn2.to_out.0",), ("cross_attn.o",)),
    "mlp.up": (("ffn.net.0.proj",), ("ffn.0",)),
    "mlp.down": (("ffn.net.2",), ("ffn.2",)),
}
_TRANSFORMER_MARK: Mapping[Layout, str] = {
    "diffusers": "condition_embedder.time_proj.weight",
    "original": "time_projection.1.weight",
}
# What only models that see their image through CLIP have (original to diffusers); our engine leaves them to diffusers.
_THROUGH_CLIP: Mapping[str, str] = {
    "cross_attn.k_img": "attn2.add_k_proj",
    "cross_attn.v_img": "attn2.add_v_proj",
    "cross_attn.norm_k_img": "attn2.norm_added_k",
    "img_emb.proj.0": "condition_embedder.image_embedder.norm1",
    "img_emb.proj.1": "condition_embedder.image_embedder.ff.net.0.proj",
    "img_emb.proj.3": "condition_embedder.image_embedder.ff.net.2",
    "img_emb.proj.4": "condition_embedder.image_embedder.norm2",
}
PREFIX = "model.diffusion_model."  # of single files made for other programs
UNUSED = ("norm_added_q",)  # in the names of tensors that were published by mistake, and are never used
_EXPERT = re.compile(r"(high|low)[-_. ]?noise", re.IGNORECASE)


def transformer_layout(names: Iterable[str]) -> Layout | None:
    """Which layout a transformer's tensors are named in; None for neither."""
    known = {name.removeprefix(PREFIX) for name in names}
    return next((layout for layout, mark in _TRANSFORMER_MARK.items() if mark in known), None)


def diffusers_name(name: str) -> str:
    """What the layout of diffusers calls a transformer's tensor of either layout; other names stay as they are."""
    name = name.removeprefix(PREFIX)
    inside = re.fullmatch(r"(blocks\.\d+\.)(.+)", name)
    prefix, rest = (inside[1], inside[2]) if inside else ("", name)
    known = _from_original(_BLOCK if inside else _TRANSFORMER)
    stem, _, last = rest.rpartition(".")
    if last in {"weight", "bias"} and stem in known:
        return f"{prefix}{known[stem]}.{last}"
    return prefix + known.get(rest, rest)


def _from_original(table: Mapping[str, tuple[Sources, Sources]]) -> dict[str, str]:
    pairs = {old: new for theirs, original in table.values() for new, old in zip(theirs, original, strict=True)}
    return {**pairs, **_THROUGH_CLIP}


def expert_of(file: str) -> Literal["high", "low"] | None:
    """Which of Wan 2.2's two experts a file says in its name that it is for."""
    found = _EXPERT.search(file)
    return None if found is None else "high" if found[1].lower() == "high" else "low"


def transformer_sources(names: Iterable[str], layout: Layout) -> Iterator[tuple[str, Sources]]:
    """For each tensor of ours, the published ones that it is made of, from first row to last."""
    for name in names:
        table, prefix, inside = _TRANSFORMER, "", name
        if name.startswith("blocks."):
            _, number, inside = name.split(".", 2)
            table, prefix = _BLOCK, f"blocks.{number}."
        stem, _, last = inside.rpartition(".")
        if last not in {"weight", "bias"}:
            stem, last = inside, ""
        published = table[stem][0 if layout == "diffusers" else 1]
        yield name, tuple(f"{prefix}{source}{'.' if last else ''}{last}" for source in published)


def vae_sources(
    names: Iterable[str], published: Container[str], depth: int, *, residual: bool
) -> Iterator[tuple[str, Sources]]:
    """For each tensor of our VAE, the published one: ours has the names of diffusers.

    `depth` is the number of residual blocks of a stage of the encoder; the decoder's have one more. `residual` tells
    Wan 2.2's VAE, whose original nests the layers of a stage.
    """
    original = "decoder.conv1.weight" in published
    for name in names:
        yield name, (_original_vae_name(name, depth, residual=residual) if original else name,)


_ORIGINAL_VAE = (  # patterns of our names and what the original calls the same, taken in turn
    (r"\bnorm1\b", "residual.0"),
    (r"\bconv1\b", "residual.2"),
    (r"\bnorm2\b", "residual.3"),
    (r"\bconv2\b", "residual.6"),
    (r"\bconv_shortcut\b", "shortcut"),
    (r"\bmid_block\.resnets\.0\b", "middle.0"),
    (r"\bmid_block\.attentions\.0\b", "middle.1"),
    (r"\bmid_block\.resnets\.1\b", "middle.2"),
    (r"\bconv_in\b", "conv1"),
    (r"\bnorm_out\b", "head.0"),
    (r"\bconv_out\b", "head.2"),
    (r"^quant_conv\b", "conv1"),
    (r"^post_quant_conv\b", "conv2"),
)


_STAGE = re.compile(r"(encoder\.down|decoder\.up)_blocks\.(\d+)\.(?:resnets\.(\d+)|(?:down|up)samplers?(?:\.0)?)")


def _original_vae_name(name: str, depth: int, *, residual: bool) -> str:
    if found := re.match(
        r"(encoder\.down|decoder\.up)_blocks\.(\d+)\.(?:resnets\.(\d+)|(?:down|up)samplers?(?:\.0)?)", name
    ):
        side, stage = found[1], int(found[2])
        layers = depth if side == "encoder.down" else depth + 1
        if residual:
            inner = found[3] if found[3] is not None else layers
            name = f"{side}samples.{stage}.{side.rpartition('.')[2]}samples.{inner}{name[found.end() :]}"
        else:
            inner = int(found[3]) if found[3] is not None else layers
            name = f"{side}samples.{stage * (layers + 1) + inner}{name[found.end() :]}"
    name = re.sub(r"^encoder\.down_blocks\.", "encoder.downsamples.", name)  # Wan 2.1's encoder is one flat list
    for pattern, original in _ORIGINAL_VAE:
        name = re.sub(pattern, original, name)
    return name
