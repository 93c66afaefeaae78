"""LoRAs in our own Wan engine: the clips of diffusers for every layout that people publish."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from daybreak.catalog import ModelCard, find_model
from daybreak.engines.diffusers import DiffusersEngine
from daybreak.engines.loras import check_lora
from daybreak.engines.produce import open_engine
from daybreak.engines.wan import WanEngine
from daybreak.generation import EngineFailed, Frames, State
from daybreak.generation_settings import GenerationSettings, LoraUse
from daybreak.open_models.loras import install_lora
from daybreak.shapes import VideoSpec
from daybreak.timeline import Shot, Timeline

pytest.importorskip("diffusers", reason="needs the extra: pip install 'daybreak[diffusers]'")
pytestmark = [
    pytest.mark.filterwarnings("ignore"), pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.usefixtures("one_thread"),
]  # fmt: skip

ASKED = Timeline((Shot("a dog"),), VideoSpec(9, 64, 64, 24))
WIDTH, HIDDEN, RANK = 24, 32, 2
PLACES = {  # of a block: diffusers, original, (out, in)
    **{
        f"{ours}.{layer}": (f"{theirs}.{short}", (WIDTH, WIDTH))
        for ours, theirs in (("attn1", "self_attn"), ("attn2", "cross_attn"))
        for layer, short in (("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "o"))
    },
    "ffn.net.0.proj": ("ffn.0", (HIDDEN, WIDTH)),
    "ffn.net.2": ("ffn.2", (WIDTH, HIDDEN)),
}


def ignore(*_: Any, **__: Any) -> None:
    pass


def matrices(seed: int) -> dict[tuple[int, str], tuple[Tensor, Tensor]]:
    """Random matrices, (rank, in) and (out, rank), for every layer that people train, by block and name."""
    generator = torch.Generator().manual_seed(seed)
    return {
        (block, place): (
            torch.randn(RANK, shape[1], generator=generator),
            torch.randn(shape[0], RANK, generator=generator) / 4,
        )
        for block in range(2)
        for place, (_, shape) in PLACES.items()
    }


def of_diffusers(seed: int) -> dict[str, Tensor]:
    tensors = {}
    for (block, place), (down, up) in matrices(seed).items():
        tensors[f"transformer.blocks.{block}.{place}.lora_A.weight"] = down
        tensors[f"transformer.blocks.{block}.{place}.lora_B.weight"] = up
    return tensors


def with_alpha(layer: str, down: Tensor, up: Tensor, alpha: float) -> dict[str, Tensor]:
    return {
        f"{layer}.lora_down.weight": down,
        f"{layer}.lora_up.weight": up,
        f"{layer}.alpha": torch.tensor(alpha),
    }


def of_the_makers(seed: int) -> dict[str, Tensor]:
    """With alphas of their own, with what is added to biases, and with layers outside the blocks."""
    tensors = {}
    for (block, place), (down, up) in matrices(seed).items():
        layer = f"diffusion_model.blocks.{block}.{PLACES[place][0]}"
        tensors |= with_alpha(layer, down, up, 1.5)
        tensors[f"{layer}.diff_b"] = up[:, 0] / 2
    for layer, out_width, in_width in (("time_projection.1", 6 * WIDTH, WIDTH), ("text_embedding.0", WIDTH, 32)):
        tensors[f"diffusion_model.{layer}.lora_down.weight"] = torch.full((RANK, in_width), 0.1)
        tensors[f"diffusion_model.{layer}.lora_up.weight"] = torch.full((out_width, RANK), 0.1)
        tensors[f"diffusion_model.{layer}.diff_b"] = torch.full((out_width,), 0.1)
    return tensors


def of_musubi(seed: int) -> dict[str, Tensor]:
    tensors = {}
    for (block, place), (down, up) in matrices(seed).items():
        layer = f"lora_unet_blocks_{block}_{PLACES[place][0].replace('.', '_')}"
        tensors |= with_alpha(layer, down, up, 1.0)
    return tensors


LAYOUTS = {"diffusers": of_diffusers, "makers": of_the_makers, "musubi": of_musubi}
Model = Callable[[str], ModelCard]


@pytest.fixture
def model(installed: Callable[[str], ModelCard], tmp_path: Path) -> Model:
    """A copy of a tiny checkpoint, in a folder where LoRAs can be installed beside it."""

    def copy(name: str) -> ModelCard:
        source = installed(name).path
        assert source is not None
        shutil.copytree(source, tmp_path / "models" / name)
        return find_model(name, tmp_path / "models")

    return copy


def install(card: ModelCard, name: str, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    assert card.path is not None
    models = card.path.parent
    file = models.parent / f"{name}.safetensors"
    save_file(tensors, file, metadata=metadata)
    install_lora(file, name, models, card.name, check_lora(file, card), ignore)


def native(card: ModelCard, precision: str = "auto") -> WanEngine:
    assert card.path is not None
    models = card.path.parent
    return WanEngine(card, Refusing(card), "cpu", precision, models)


class Refusing(DiffusersEngine):
    """What must not be asked where our own engine can do it."""

    def generate(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("left to diffusers")


def clip(engine: Any, *loras: tuple[str, float], resume: State | None = None, on_step: Any = ignore) -> Frames:
    settings = GenerationSettings(3, 3, 3.0, tuple(LoraUse(*lora) for lora in loras))
    more = {} if resume is None else {"resume": resume}
    frames: Frames = engine.generate(ASKED, settings, on_step, **more).frames
    return frames


def by_diffusers(card: ModelCard, *loras: tuple[str, float]) -> Frames:
    assert card.path is not None
    return clip(DiffusersEngine(card, "cpu", card.path.parent), *loras)


def apart(one: Frames, other: Frames) -> int:
    """The largest difference, in levels of 255."""
    return int(np.abs(one.astype(int) - other.astype(int)).max())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_clip_is_that_of_diffusers_in_every_published_layout(model: Model, layout: str) -> None:
    card = model("wan")
    install(card, "one", LAYOUTS[layout](0))
    engine = native(card)
    plain, found = clip(engine), clip(engine, ("one", 0.7))
    assert apart(found, plain) > 20
    assert apart(found, by_diffusers(card, ("one", 0.7))) <= 1


def test_a_mix_is_that_of_diffusers_and_leaves_the_model_as_it_was(model: Model) -> None:
    card = model("wan")
    install(card, "one", of_diffusers(0))
    install(card, "two", of_musubi(1))
    engine = native(card)
    plain, mixed = clip(engine), clip(engine, ("one", 0.5), ("two", -0.8))
    assert apart(mixed, by_diffusers(card, ("one", 0.5), ("two", -0.8))) <= 1
    assert apart(mixed, clip(engine, ("one", 0.5))) > 20
    assert np.array_equal(clip(engine, ("one", 0.0)), plain)
    assert np.array_equal(clip(engine), plain)
    assert np.array_equal(clip(engine, ("one", 0.5), ("two", -0.8)), mixed)


def test_the_same_mix_is_not_read_again(model: Model) -> None:
    card = model("wan")
    install(card, "one", of_diffusers(0))
    engine = native(card)
    first = clip(engine, ("one", 1.0))
    assert engine._parts is not None
    experts = list(engine._parts.experts)
    assert np.array_equal(clip(engine, ("one", 1.0)), first)
    assert all(one is other for one, other in zip(engine._parts.experts, experts, strict=True))


def test_eight_bit_weights_are_those_of_the_merged_model(model: Model) -> None:
    card = model("wan")
    install(card, "one", of_diffusers(0))
    plain, exact, rough = clip(native(card)), clip(native(card), ("one", 1.0)), clip(native(card, "int8"), ("one", 1.0))
    off, changed = (np.abs(other.astype(int) - exact.astype(int)).mean() for other in (rough, plain))
    assert 0 < off < changed / 3


def test_each_expert_gets_what_is_for_it(model: Model) -> None:
    card = model("wan-two-experts")
    tensors, clips = of_diffusers(0), [clip(native(card))]
    for name in ("wan_high_noise", "wan_low_noise", "wan_both"):
        install(card, name, tensors)
        clips.append(clip(native(card), (name, 1.0)))
        assert apart(clips[-1], by_diffusers(card, (name, 1.0))) <= 1
    assert len({frames.tobytes() for frames in clips}) == 4


def test_an_alpha_in_the_header_counts(model: Model) -> None:
    card = model("wan")
    said = {"transformer.r": RANK, "transformer.lora_alpha": 1}
    install(card, "half", of_diffusers(0), {"lora_adapter_metadata": json.dumps(said)})
    install(card, "whole", of_diffusers(0))
    assert np.array_equal(clip(native(card), ("half", 1.0)), clip(native(card), ("whole", 0.5)))


def test_what_is_more_than_matrices_is_left_to_diffusers(model: Model) -> None:
    card = model("wan")
    said = {"transformer.r": RANK, "transformer.lora_alpha": 1, "transformer.use_rslora": True}
    install(card, "rank-stabilised", of_diffusers(0), {"lora_adapter_metadata": json.dumps(said)})
    with pytest.raises(AssertionError, match="left to diffusers"):
        clip(native(card), ("rank-stabilised", 1.0))


def test_the_record_names_the_file_and_the_engine(model: Model) -> None:
    card = model("wan")
    install(card, "one", of_diffusers(0))
    assert card.path is not None
    engine = open_engine(card, card.path.parent)
    video = engine.generate(ASKED, GenerationSettings(3, 2, 3.0, (LoraUse("one", 1.0),)), ignore)
    assert video.metadata["engine"] == "native"
    assert len(video.metadata["lora_digests"]["one"]) == 64


def test_a_state_of_another_mix_is_not_gone_on_from(model: Model) -> None:
    card = model("wan")
    install(card, "one", of_diffusers(0))
    engine, states = native(card), list[State]()

    def keep(_done: int, _total: int, _preview: object = None, state: Any = None) -> None:
        if state is not None:
            states.append(state())

    whole = clip(engine, ("one", 1.0), on_step=keep)
    assert np.array_equal(clip(engine, ("one", 1.0), resume=states[1]), whole)
    assert np.array_equal(clip(engine, resume=states[1]), clip(engine))


def test_a_file_that_was_changed_is_told_and_the_engine_goes_on(model: Model) -> None:
    card = model("wan")
    install(card, "one", of_diffusers(0))
    assert card.path is not None
    engine, file = native(card), card.path.parent.parent / "loras" / "one" / "lora.safetensors"
    plain = clip(engine)
    wide = {name: torch.ones(RANK, WIDTH + 1) if "lora_A" in name else t for name, t in of_diffusers(0).items()}
    save_file(wide, file)
    with pytest.raises(EngineFailed, match=r"a LoRA changes blocks\.0\.attn1\.to_q\.weight as \[24, 25\]"):
        clip(engine, ("one", 1.0))
    assert np.array_equal(clip(engine), plain)
