"""Our engine for Wan: the clips of diffusers for the same weights and seed, in every way of asking."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from daybreak.catalog import ModelCard, find_model
from daybreak.engines.diffusers import DiffusersEngine
from daybreak.engines.produce import open_engine
from daybreak.engines.wan import WanEngine
from daybreak.engines.wan_support import why_not
from daybreak.generation import Cancelled, EngineFailed, State, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.media.encode import encode_video
from daybreak.open_models.install import import_transformer
from daybreak.shapes import VideoSpec
from daybreak.testing import make_clip
from daybreak.timeline import Pin, Shot, Timeline

pytest.importorskip("diffusers", reason="needs the extra: pip install 'daybreak[diffusers]'")
pytestmark = [
    pytest.mark.filterwarnings("ignore"), pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.usefixtures("one_thread"),
]  # fmt: skip

SPEC = VideoSpec(12, 64, 64, 24)
Installed = Callable[[str], ModelCard]
SETTINGS = GenerationSettings(3, 4, 3.0)


def ignore(*_: Any, **__: Any) -> None:
    pass


def timeline(*pins: Pin, prompt: str = "a dog", negative: str = "fog") -> Timeline:
    return Timeline((Shot(prompt),), SPEC, pins, negative_prompt=negative)


def native(card: ModelCard) -> WanEngine:
    engine = open_engine(card)
    assert isinstance(engine, WanEngine)
    return engine


@pytest.fixture
def pins(tmp_path: Path) -> dict[str, Pin]:
    """A first image, a last one, and a source that is to be changed."""
    Image.fromarray(make_clip(1, 64, 64)[0]).save(tmp_path / "image.png")
    encode_video(Video(make_clip(12, 64, 64), 24.0), tmp_path / "source.mp4")
    image, source = str(tmp_path / "image.png"), str(tmp_path / "source.mp4")
    last = Pin(image, start=SPEC.seconds - 1 / 24)
    return {"first": Pin(image), "last": last, "source": Pin(source, "video", strength=0.25)}


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("wan", ()), ("wan", ("source",)), ("wan-two-experts", ()), ("wan-from-image", ("first",)),
        ("wan-from-image", ("first", "last")), ("wan-5b", ()), ("wan-5b", ("first",)),
    ],
)  # fmt: skip
def test_the_clips_are_those_of_diffusers(
    installed: Installed, pins: dict[str, Pin], name: str, given: tuple[str, ...]
) -> None:
    card, asked = installed(name), timeline(*(pins[each] for each in given))
    found = native(card).generate(asked, SETTINGS, ignore).frames.astype(int)
    expected = DiffusersEngine(card).generate(asked, SETTINGS, ignore).frames.astype(int)
    assert found.shape == expected.shape
    assert found.std() > 1
    assert np.abs(found - expected).max() <= 1  # levels of 255: where rounding tips over
    assert (found != expected).mean() < 1e-3


def test_steps_are_told_and_the_record_says_what_ran(installed: Installed, pins: dict[str, Pin]) -> None:
    told: list[tuple[int, int]] = []
    engine = native(installed("wan"))
    video = engine.generate(timeline(), SETTINGS, lambda done, total, *_: told.append((done, total)))
    assert told == [(done, 5) for done in range(1, 6)]
    assert video.metadata["engine"] == "native"
    assert video.metadata["precision"] in {"float32", "bfloat16"}
    told.clear()
    engine.generate(timeline(pins["source"]), SETTINGS, lambda done, total, *_: told.append((done, total)))
    assert told == [(done, 4) for done in range(1, 5)]  # three quarters of the way to noise


@pytest.mark.parametrize(("name", "given"), [("wan", "source"), ("wan-5b", "first"), ("wan-two-experts", None)])
def test_a_resumed_clip_is_the_same_bit_for_bit(
    installed: Installed, pins: dict[str, Pin], name: str, given: str | None
) -> None:
    engine, asked = native(installed(name)), timeline(*([pins[given]] if given else []))
    states: list[State] = []

    def keep(_done: int, _total: int, _preview: object = None, state: Any = None) -> None:
        if state is not None:
            states.append(state())

    whole = engine.generate(asked, SETTINGS, keep)
    for done in (1, len(states) - 1):
        told: list[int] = []
        again = engine.generate(asked, SETTINGS, lambda step, *_, told=told: told.append(step), states[done - 1])
        assert told[0] == done + 1
        assert np.array_equal(again.frames, whole.frames)
    other = GenerationSettings(4, 4, 3.0)
    fresh = engine.generate(asked, other, ignore)
    assert np.array_equal(engine.generate(asked, other, ignore, states[0]).frames, fresh.frames)


def test_eight_bit_products_are_chosen_by_a_setting(installed: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYBREAK_WAN_PRECISION", "int8")
    video = native(installed("wan")).generate(timeline(), SETTINGS, ignore)
    assert video.metadata["precision"] == "int8"
    monkeypatch.delenv("DAYBREAK_WAN_PRECISION")
    exact = native(installed("wan")).generate(timeline(), SETTINGS, ignore)
    assert 0 < np.abs(video.frames.astype(int) - exact.frames.astype(int)).mean() < 5


@pytest.mark.parametrize("name", ["wan", "wan-two-experts", "apart"])
def test_a_step_cache_is_near_and_goes_on_from_every_state(
    installed: Installed, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name == "apart":  # large clips: the branches of guidance one after the other
        monkeypatch.setattr("daybreak.engines.wan_clip._BATCHED", 0)
    engine = native(installed("wan" if name == "apart" else name))
    exact = engine.generate(timeline(), GenerationSettings(3, 8, 3.0), ignore)
    settings = GenerationSettings(3, 8, 3.0, step_cache=0.4)
    states: list[State] = []

    def keep(_done: int, _total: int, _preview: object = None, state: Any = None) -> None:
        if state is not None:
            states.append(state())

    whole = engine.generate(timeline(), settings, keep)
    assert 0 < np.abs(whole.frames.astype(int) - exact.frames).mean() < 10
    reached = [int(state["step"][0]) for state in states]
    assert 1 < len(set(reached)) < len(states)  # a clip is taken up before a step that asks all blocks
    for state in states:
        assert np.array_equal(engine.generate(timeline(), settings, ignore, state).frames, whole.frames)


def test_cancelling_ends_it_at_the_next_step(installed: Installed) -> None:
    engine, told = native(installed("wan")), []

    def cancel(done: int, *_: Any, **__: Any) -> None:
        told.append(done)
        raise Cancelled

    with pytest.raises(Cancelled):
        engine.generate(timeline(), GenerationSettings(3, 8, 3.0), cancel)
    assert told == [1]
    assert engine.generate(timeline(), SETTINGS, ignore).frames.std() > 1


def test_without_guidance_the_negative_prompt_counts_for_nothing(installed: Installed) -> None:
    engine, plain = native(installed("wan")), GenerationSettings(3, 2, 1.0)
    one = engine.generate(timeline(), plain, ignore)
    assert np.array_equal(one.frames, engine.generate(timeline(negative="rain"), plain, ignore).frames)
    assert not np.array_equal(one.frames, engine.generate(timeline(prompt="a cat"), plain, ignore).frames)


def test_the_owner_can_go_back_to_diffusers(installed: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYBREAK_WAN_ENGINE", "diffusers")
    assert isinstance(open_engine(installed("wan")), DiffusersEngine)


def changed_config(card: ModelCard, folder: Path, part: str, **changes: Any) -> ModelCard:
    assert card.path is not None
    shutil.copytree(card.path, folder / "changed")
    file = folder / "changed" / part
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    return find_model("changed", folder)


def test_what_it_does_not_know_is_left_to_diffusers(installed: Installed, tmp_path: Path) -> None:
    assert [why_not(installed(name)) for name in ("wan", "wan-two-experts", "wan-from-image", "wan-5b")] == [""] * 4
    for number, (part, changes, reason) in enumerate(
        (
            ("transformer/config.json", {"image_dim": 1280}, "image_dim of transformer is 1280"),
            ("scheduler/scheduler_config.json", {"use_karras_sigmas": True}, "use_karras_sigmas of scheduler is True"),
            ("vae/config.json", {"attn_scales": [0.5]}, "attn_scales of vae is [0.5]"),
        )
    ):
        card = changed_config(installed("wan"), tmp_path / str(number), part, **changes)
        assert why_not(card) == reason
        assert isinstance(open_engine(card), DiffusersEngine)


def test_what_does_not_fit_in_memory_is_left_to_diffusers(
    installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def runs_out(*_: object) -> Video:
        raise MemoryError

    monkeypatch.setattr(WanEngine, "_run", runs_out)
    video = native(installed("wan")).generate(timeline(), SETTINGS, ignore)
    assert "engine" not in video.metadata


def damaged(card: ModelCard, folder: Path, part: str, change: Callable[[dict[str, Any]], None]) -> ModelCard:
    """A copy of a model in which a part's tensors are changed, as a whole safetensors file."""
    assert card.path is not None
    shutil.copytree(card.path, folder / "damaged")
    file = folder / "damaged" / part / "diffusion_pytorch_model.safetensors"
    tensors = dict(load_file(file))
    change(tensors)
    save_file(tensors, file)
    return find_model("damaged", folder)


@pytest.mark.parametrize(
    ("part", "tensor"),
    [("transformer", "blocks.1.attn1.to_k.weight"), ("vae", "decoder.mid_block.resnets.1.conv2.bias")],
)
@pytest.mark.parametrize("fault", ["missing from", "another shape", "does not belong"])
def test_a_tensor_that_does_not_belong_is_named(
    installed: Installed, tmp_path: Path, part: str, tensor: str, fault: str
) -> None:
    def change(tensors: dict[str, Any]) -> None:
        if fault == "does not belong":
            tensors[f"{tensor}.surplus"] = tensors[tensor].clone()
        elif fault == "another shape":
            tensors[tensor] = tensors[tensor][1:].clone()
        else:
            del tensors[tensor]

    engine = native(damaged(installed("wan"), tmp_path, part, change))
    with pytest.raises(EngineFailed, match=tensor.replace(".", r"\.")) as caught:
        engine.generate(timeline(), SETTINGS, ignore)
    assert caught.value.code == "model_unavailable"
    assert fault in str(caught.value)
    assert "install the model again" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_was_cut_off_is_named(installed: Installed, tmp_path: Path) -> None:
    card = damaged(installed("wan"), tmp_path, "vae", lambda _: None)
    assert card.path is not None
    file = card.path / "vae" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(EngineFailed, match=r"vae/diffusion_pytorch_model\.safetensors is cut short.*download it again"):
        native(card).generate(timeline(), SETTINGS, ignore)


def original_names(card: ModelCard) -> dict[str, str]:
    """What the original layout calls each tensor of a transformer in the layout of diffusers."""
    from daybreak.engines.wan_checkpoint import load_transformer
    from daybreak.open_models.wan_names import transformer_sources

    assert card.path is not None
    ours, renamed = load_transformer(card.path / "transformer").state_dict(), dict[str, str]()
    for (_, theirs), (_, original) in zip(
        transformer_sources(ours, "diffusers"), transformer_sources(ours, "original"), strict=True
    ):
        renamed |= zip(theirs, original, strict=True)
    return renamed


def test_weights_in_the_original_layout_are_the_same_model(installed: Installed, tmp_path: Path) -> None:
    from daybreak.engines.wan_checkpoint import load_transformer, load_vae
    from daybreak.open_models.wan_names import vae_sources

    card = installed("wan")
    assert card.path is not None
    shutil.copytree(card.path, tmp_path / "original")
    folder, renamed = tmp_path / "original", original_names(card)
    plain, names = load_transformer(folder / "transformer"), load_vae(folder / "vae").state_dict()
    rename(folder / "transformer", lambda name: "model.diffusion_model." + renamed[name])
    vae_names = dict(vae_sources(names, {"decoder.conv1.weight"}, 1, residual=False))
    rename(folder / "vae", lambda name: vae_names[name][0])
    again = load_transformer(folder / "transformer")
    assert all(tensor.equal(plain.state_dict()[name]) for name, tensor in again.state_dict().items())
    assert all(tensor.equal(names[name]) for name, tensor in load_vae(folder / "vae").state_dict().items())


def rename(folder: Path, to: Callable[[str], str]) -> None:
    file = folder / "diffusion_pytorch_model.safetensors"
    save_file({to(name): tensor for name, tensor in load_file(file).items()}, file)


@pytest.mark.parametrize(
    ("name", "file", "part", "prefix"),
    [
        ("wan", "wan2.1_t2v_1.3B_fp16", "transformer", ""),
        ("wan-two-experts", "wan2.2_t2v_low_noise_14B_fp16", "transformer_2", "model.diffusion_model."),
    ],
)
def test_a_single_file_in_the_original_layout_is_run_by_both_engines(
    installed: Installed, tmp_path: Path, name: str, file: str, part: str, prefix: str
) -> None:
    card, models = installed(name), tmp_path / "models"
    assert card.path is not None
    renamed = original_names(card)
    tensors = load_file(card.path / part / "diffusion_pytorch_model.safetensors")
    single = tmp_path / f"{file}.safetensors"
    save_file({prefix + renamed[name]: (tensor * 1.5).half() for name, tensor in tensors.items()}, single)
    shutil.copytree(card.path, models / name)
    import_transformer(single, "single", models, models / name, ignore)
    imported = find_model("single", models)
    assert why_not(imported) == ""
    found = native(imported).generate(timeline(), SETTINGS, ignore).frames.astype(int)
    expected = DiffusersEngine(imported).generate(timeline(), SETTINGS, ignore).frames.astype(int)
    assert np.abs(found - expected).max() <= 1
    assert np.abs(found - native(card).generate(timeline(), SETTINGS, ignore).frames).max() > 10


def test_a_quantised_single_file_is_nearly_the_same_model(installed: Installed, tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf")
    card, models, eight = installed("wan"), tmp_path / "models", gguf.GGMLQuantizationType.Q8_0
    assert card.path is not None
    renamed, single = original_names(card), tmp_path / "wan2.1-Q8_0.gguf"
    writer = gguf.GGUFWriter(single, "wan")
    for name, tensor in load_file(card.path / "transformer" / "diffusion_pytorch_model.safetensors").items():
        array = tensor.numpy()
        if array.ndim == 2 and array.shape[1] % 32 == 0:  # as large models are: matrices in 8 bits, the rest as it is
            writer.add_tensor(renamed[name], gguf.quantize(array, eight), raw_dtype=eight)
        else:
            writer.add_tensor(renamed[name], array)
    for write in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.write_tensors_to_file):
        write()
    writer.close()
    shutil.copytree(card.path, models / "wan")
    import_transformer(single, "quantised", models, models / "wan", ignore)
    imported = find_model("quantised", models)
    found = native(imported).generate(timeline(), SETTINGS, ignore).frames.astype(int)
    expected = native(card).generate(timeline(), SETTINGS, ignore).frames.astype(int)
    assert 0 < np.abs(found - expected).mean() < 1
    by_diffusers = DiffusersEngine(imported).generate(timeline(), SETTINGS, ignore).frames.astype(int)
    assert np.abs(found - by_diffusers).max() <= 1


@pytest.mark.gpu
def test_on_a_gpu_the_clip_is_nearly_that_of_the_processor(installed: Installed) -> None:
    card = installed("wan")
    slow = WanEngine(card, DiffusersEngine(card), "cpu").generate(timeline(), SETTINGS, ignore)
    quick = WanEngine(card, DiffusersEngine(card), "cuda").generate(timeline(), SETTINGS, ignore)
    assert quick.metadata["precision"] == "bfloat16"
    assert np.abs(quick.frames.astype(int) - slow.frames.astype(int)).mean() < 4
