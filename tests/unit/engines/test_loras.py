from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from daybreak.catalog import ModelCard, ModelUnavailable, find_model
from daybreak.engines.abilities import abilities_of
from daybreak.engines.diffusers import DiffusersEngine
from daybreak.engines.loras import check_lora
from daybreak.engines.native import NativeEngine
from daybreak.engines.produce import open_engine, produce_video
from daybreak.engines.protocol import refuse_unsupported
from daybreak.generation import EngineFailed, Frames, Unsupported
from daybreak.generation_settings import GenerationSettings, LoraUse
from daybreak.media.provenance import read_settings
from daybreak.models.lora import read_low_rank, with_low_rank
from daybreak.open_models.install import import_folder
from daybreak.open_models.loras import install_lora
from daybreak.open_models.weights import UnusableModel, read_tensors
from daybreak.pipeline import load_pipeline
from daybreak.shapes import VideoSpec
from daybreak.testing import FakeEngine, tiny_model
from daybreak.timeline import Shot, Timeline

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]

NATIVE = ("blocks.0.attention.qkv", "blocks.0.mlp.down")
LAYERS = {
    "wan": ("blocks.0.attn1.to_q", "blocks.1.ffn.net.2"),
    "ltx": ("transformer_blocks.0.attn1.to_q", "transformer_blocks.0.ff.net.0.proj"),
}
ASKED = Timeline((Shot("a brown dog"),), VideoSpec(9, 64, 64, 24))


def ignore(*_: Any, **__: Any) -> None:
    pass


def random_lora(file: Path, shapes: dict[str, tuple[int, ...]], layers: tuple[str, ...], seed: int = 0) -> Path:
    """A LoRA of rank 2 that changes what is seen."""
    generator, tensors = torch.Generator().manual_seed(seed), {}
    for layer in layers:
        out_width, in_width = shapes[f"{layer}.weight"]
        tensors[f"transformer.{layer}.lora_A.weight"] = torch.randn(2, in_width, generator=generator)
        tensors[f"transformer.{layer}.lora_B.weight"] = torch.randn(out_width, 2, generator=generator) * 0.5
    said = {"made_for": "tiny", "rank": 2, "alpha": 2, "trigger_words": ["ukiyo"], "made_by": "a test"}
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, file, metadata={"daybreak": json.dumps(said)})
    return file


def installed(card: ModelCard, models_dir: Path, name: str, layers: tuple[str, ...], seed: int = 0) -> Path:
    """The file of a random LoRA that is installed for the model of `card`."""
    assert card.path is not None
    native = card.path / "transformer.safetensors"
    held = native if native.is_file() else card.path / "transformer" / "diffusion_pytorch_model.safetensors"
    shapes = {key: facts.shape for key, facts in read_tensors(held).items()}
    file = random_lora(models_dir.parent / "made" / f"{name}.safetensors", shapes, layers, seed)
    install_lora(file, name, models_dir, card.name, check_lora(file, card), lambda _done, _total: None)
    return file


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def tiny(tmp_path: Path) -> ModelCard:
    tiny_model(tmp_path / "models" / "tiny")
    return find_model("tiny", tmp_path / "models")


@pytest.fixture(scope="module", params=["wan", "ltx"])
def open_model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModelCard:
    pytest.importorskip("diffusers", reason="needs the extra: pip install 'daybreak[diffusers]'")
    from tiny_checkpoints import build

    root, name = tmp_path_factory.mktemp(request.param), request.param
    import_folder(build(name, root / "built"), name, root / "models", {}, lambda _done, _total: None)
    card = find_model(name, root / "models")
    for number, lora in enumerate(("one", "two")):
        installed(card, root / "models", lora, LAYERS[name], number)
    return card


def using(*loras: tuple[str, float], steps: int = 2) -> GenerationSettings:
    return GenerationSettings(3, steps, 3.0, tuple(LoraUse(*lora) for lora in loras))


def clip(engine: Any, *loras: tuple[str, float]) -> Frames:
    frames: Frames = engine.generate(ASKED, using(*loras), ignore).frames
    return frames


def test_the_native_model_is_as_it_was_without_one_and_at_strength_0(tiny: ModelCard, tmp_path: Path) -> None:
    installed(tiny, tmp_path / "models", "one", NATIVE)
    engine = NativeEngine(tiny, "cpu", tmp_path / "models")
    before = clip(engine)
    changed = clip(engine, ("one", 1.0))
    assert not np.array_equal(changed, before)
    assert np.array_equal(clip(engine), before)
    assert np.array_equal(clip(engine, ("one", 0.0)), before)
    assert np.array_equal(clip(engine, ("one", 1.0)), changed)
    assert not np.array_equal(clip(engine, ("one", -1.0)), changed)


def test_a_native_mix_is_what_merging_by_hand_gives(tiny: ModelCard, tmp_path: Path) -> None:
    models = tmp_path / "models"
    files = [installed(tiny, models, name, NATIVE, seed) for seed, name in enumerate(("one", "two"))]
    by_hand = load_pipeline(models / "tiny", device="cpu")
    held = by_hand.components.transformer.state_dict()
    for file, strength in zip(files, (0.75, -0.5), strict=True):
        made = load_file(file)
        for layer in NATIVE:
            down, up = (made[f"transformer.{layer}.lora_{part}.weight"] for part in "AB")
            held[f"{layer}.weight"] += strength * up @ down
    from daybreak.pipeline import empty_canvas
    from daybreak.shapes import native_spec

    expected = by_hand(ASKED, using(), ignore, empty_canvas(native_spec(ASKED.spec))).frames
    mixed = clip(NativeEngine(tiny, "cpu", models), ("one", 0.75), ("two", -0.5))[: len(expected)]
    difference = np.abs(mixed.astype(int) - expected[: len(mixed)].astype(int))
    assert difference.max() <= 1  # of 255: the sum is added to the weight at once, or one after the other


def test_the_last_mix_stays_merged_and_a_state_of_another_is_not_gone_on_from(tiny: ModelCard, tmp_path: Path) -> None:
    installed(tiny, tmp_path / "models", "one", NATIVE)
    engine = NativeEngine(tiny, "cpu", tmp_path / "models")
    states: list[Any] = []

    def keep(*_: Any, state: Any = None, **__: Any) -> None:
        if state is not None:
            states.append(state())

    whole = engine.generate(ASKED, using(("one", 1.0)), keep)
    merged = engine._mixed
    again = engine.generate(ASKED, using(("one", 1.0)), ignore, states[0])
    assert engine._mixed is merged
    assert np.array_equal(again.frames, whole.frames)
    plain = clip(engine)
    assert np.array_equal(engine.generate(ASKED, using(), ignore, states[0]).frames, plain)
    clip(engine, ("one", 0.5))
    assert engine._mixed is not merged


def test_the_record_names_them_and_their_files(tiny: ModelCard, tmp_path: Path) -> None:
    installed(tiny, tmp_path / "models", "one", NATIVE)
    engine, settings = open_engine(tiny, tmp_path / "models"), using(("one", 0.5))
    produce_video(engine, ASKED, settings, tmp_path / "clip.mp4", ignore)
    record = read_settings(tmp_path / "clip.mp4")
    assert GenerationSettings.from_dict(record["settings"]) == settings
    assert record["settings"]["loras"] == [{"name": "one", "strength": 0.5}]
    assert len(record["lora_digests"]["one"]) == 64


def test_open_models_mix_them_too_and_are_as_they_were_afterwards(open_model: ModelCard) -> None:
    assert open_model.path is not None
    engine = DiffusersEngine(open_model, "cpu", open_model.path.parent)
    before = clip(engine)
    one, two = clip(engine, ("one", 1.0)), clip(engine, ("two", 1.0))
    assert np.array_equal(clip(engine, ("one", 0.0)), before)
    assert len({frames.tobytes() for frames in (before, one, two)}) == 3
    both = clip(engine, ("one", 0.75), ("two", -0.5))
    assert np.array_equal(clip(engine), before)
    assert np.array_equal(both, clip(engine, ("one", 0.75), ("two", -0.5)))
    merged = merge_by_hand(engine, open_model, {"one": 0.75, "two": -0.5})
    difference = np.abs(both.astype(int) - merged.astype(int))
    assert difference.max() <= 2  # of 255


def merge_by_hand(engine: Any, card: ModelCard, strengths: dict[str, float]) -> Frames:
    assert card.path is not None
    clip(engine)  # the last mix stays loaded until another is asked for
    transformer = engine._checkpoint.parts["transformer"]
    for name, strength in strengths.items():
        updates = read_low_rank(load_file(card.path.parent.parent / "loras" / name / "lora.safetensors"))
        transformer = with_low_rank(transformer, [(updates, strength)])
    own = dict(engine._checkpoint.parts["transformer"].named_parameters())
    kept = {name: parameter.data for name, parameter in own.items()}
    for name, parameter in transformer.named_parameters():
        own[name].data = parameter.data
    try:
        return clip(engine)
    finally:
        for name, data in kept.items():
            own[name].data = data


def test_a_published_layout_is_taken_as_the_pipeline_takes_it(tmp_path: Path) -> None:
    pytest.importorskip("diffusers")
    from tiny_checkpoints import build

    models = tmp_path / "models"
    import_folder(build("wan-two-experts", tmp_path / "built"), "wan", models, {}, lambda _done, _total: None)
    card = find_model("wan", models)
    generator = torch.Generator().manual_seed(0)
    tensors = {
        "diffusion_model.blocks.0.self_attn.q.lora_A.weight": torch.randn(2, 24, generator=generator),
        "diffusion_model.blocks.0.self_attn.q.lora_B.weight": torch.randn(24, 2, generator=generator),
    }
    engine = DiffusersEngine(card, "cpu", models)
    clips = [clip(engine)]
    for name in ("wan_high_noise", "wan_low_noise", "wan_both"):
        save_file(tensors, tmp_path / f"{name}.safetensors")
        facts = check_lora(tmp_path / f"{name}.safetensors", card)
        assert facts.get("expert") == {"high": "high", "low": "low"}.get(name.split("_")[1])
        install_lora(tmp_path / f"{name}.safetensors", name, models, "wan", facts, lambda _done, _total: None)
        clips.append(clip(engine, (name, 1.0)))
    assert len({frames.tobytes() for frames in clips}) == 4  # each expert makes a part of the steps
    assert np.array_equal(clip(engine), clips[0])


def test_a_lora_of_another_model_is_refused_by_its_tensor(
    tiny: ModelCard, open_model: ModelCard, tmp_path: Path
) -> None:
    ours = random_lora(tmp_path / "ours.safetensors", {f"{NATIVE[0]}.weight": (48, 16)}, NATIVE[:1])
    assert check_lora(ours, tiny)["rank"] == 2
    wide = random_lora(tmp_path / "wide.safetensors", {f"{NATIVE[0]}.weight": (48, 20)}, NATIVE[:1])
    with pytest.raises(UnusableModel, match=r"blocks.0.attention.qkv.weight as \[48, 20\].*\[48, 16\].*--base") as told:
        check_lora(wide, tiny)
    assert "\n" not in str(told.value)
    with pytest.raises(UnusableModel, match=r"blocks.0.attention.qkv.*does not have.*'tiny', name that as --base"):
        check_lora(ours, open_model)
    layer = LAYERS[open_model.name][0]
    other = random_lora(tmp_path / "other.safetensors", {f"{layer}.weight": (11, 13)}, (layer,))
    with pytest.raises(UnusableModel, match=rf"{layer}.lora_A.weight is \[2, 13\]"):
        check_lora(other, open_model)


def test_models_without_any_say_so(tiny: ModelCard, tmp_path: Path) -> None:
    from daybreak.catalog import PROCEDURAL_CARD

    ours = random_lora(tmp_path / "ours.safetensors", {f"{NATIVE[0]}.weight": (48, 16)}, NATIVE[:1])
    with pytest.raises(UnusableModel, match="'diorama' cannot use a LoRA"):
        check_lora(ours, PROCEDURAL_CARD)
    hunyuan = ModelCard("h", tmp_path, details={"engine": "diffusers", "pipeline": "HunyuanVideo15Pipeline"})
    assert "lora" not in abilities_of(hunyuan)
    assert "lora" in abilities_of(tiny)
    with pytest.raises(Unsupported, match="'fake' cannot use a LoRA"):
        refuse_unsupported(FakeEngine(), ASKED, using(("one", 1.0)))


def test_one_that_is_not_there_or_damaged_is_told(tiny: ModelCard, tmp_path: Path) -> None:
    models = tmp_path / "models"
    engine = NativeEngine(tiny, "cpu", models)
    with pytest.raises(ModelUnavailable, match="no LoRA 'one' is installed for the model 'tiny': install it with"):
        clip(engine, ("one", 1.0))
    installed(tiny, models, "one", NATIVE)
    with pytest.raises(ModelUnavailable, match=r"no LoRA 'two' .* choose from one"):
        clip(engine, ("two", 1.0))
    file = tmp_path / "loras" / "one" / "lora.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-8])
    with pytest.raises(ModelUnavailable, match=r"the LoRA 'one' is damaged .*cut short.* install it again"):
        clip(engine, ("one", 1.0))
    save_file({"x": torch.ones(1)}, file)
    with pytest.raises(EngineFailed, match="the LoRA 'one' cannot be used: the tensor x is no part"):
        clip(engine, ("one", 1.0))
