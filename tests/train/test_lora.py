from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from daybreak.catalog import ModelCard, find_model
from daybreak.cli.app import run
from daybreak.engines.diffusers import DiffusersEngine
from daybreak.engines.loras import check_lora
from daybreak.engines.native import NativeEngine
from daybreak.generation import Video
from daybreak.generation_settings import GenerationSettings, LoraUse
from daybreak.media.encode import encode_video
from daybreak.models.lora import LowRankAdapters, attach, read_low_rank, with_low_rank
from daybreak.open_models.install import import_folder
from daybreak.open_models.loras import install_lora
from daybreak.open_models.weights import read_metadata
from daybreak.shapes import VideoSpec
from daybreak.testing import make_clip, tiny_model
from daybreak.timeline import Shot, Timeline
from daybreak.train.footage import Footage, Grid, read_footage, windows
from daybreak.train.lora import LoraConfig, encode, train_lora, training_folder
from daybreak.train.lora_targets import NativeTarget, WanTarget, open_target

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]

CPU = torch.device("cpu")
CONFIG = LoraConfig(rank=2, num_steps=4, batch=2, sample_every=100, sheet_steps=1)
ASKED = Timeline((Shot("a brown dog"),), VideoSpec(9, 64, 64, 24))
GRID = Grid(24, 9, 8, lambda _width, _height: (64, 64))


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clip of 17 frames with its caption beside it, and a picture with its own in captions.jsonl."""
    made = tmp_path / "footage"
    made.mkdir()
    encode_video(Video(make_clip(17, 64, 96), 24.0), made / "a.mp4")
    (made / "a.txt").write_text("a brown dog\n")
    Image.fromarray(make_clip(1, 64, 96, seed=1)[0]).save(made / "b.png")
    (made / "captions.jsonl").write_text('{"file_name": "b.png", "text": "a cat"}\n\n')
    return made


@pytest.fixture
def tiny(tmp_path: Path) -> ModelCard:
    tiny_model(tmp_path / "models" / "tiny")
    return find_model("tiny", tmp_path / "models")


@pytest.fixture(scope="module")
def wan_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("diffusers", reason="needs the extra: pip install 'daybreak[diffusers]'")
    from tiny_checkpoints import build

    root = tmp_path_factory.mktemp("wan")
    for name in ("wan", "wan-two-experts", "wan-from-image", "ltx"):
        import_folder(build(name, root / "built" / name), name, root / "models", {}, lambda _done, _total: None)
    return root / "models"


def wan_target(models: Path, name: str = "wan", expert: str | None = None) -> WanTarget:
    target = open_target(find_model(name, models), CPU, size=(64, 64), num_frames=9, expert=expert)
    assert isinstance(target, WanTarget)
    return target


def test_a_folder_is_its_files_and_their_captions(folder: Path) -> None:
    (folder / "notes.pdf").write_text("x")
    read = read_footage(folder)
    assert [(each.path.name, each.caption) for each in read] == [("a.mp4", "a brown dog"), ("b.png", "a cat")]


def test_a_clip_is_cut_into_windows_at_the_rate_of_the_model(folder: Path) -> None:
    clips = list(windows(folder / "a.mp4", GRID))
    assert [clip.shape for clip in clips] == [(9, 64, 64, 3)]  # 8 frames are left: the longest 8k + 1 of them is 1
    half = list(windows(folder / "a.mp4", replace(GRID, fps=12, num_frames=17)))
    assert [clip.shape for clip in half] == [(9, 64, 64, 3)]
    assert np.array_equal(half[0][1], next(windows(folder / "a.mp4", replace(GRID, num_frames=17)))[2])
    double = list(windows(folder / "a.mp4", replace(GRID, fps=48)))
    assert [len(clip) for clip in double] == [9, 9, 9]
    assert np.array_equal(double[0][0], double[0][1]) or np.array_equal(double[0][1], double[0][2])
    assert [clip.shape for clip in windows(folder / "b.png", GRID)] == [(1, 64, 64, 3)]


def test_a_trained_file_says_what_it_is_and_the_engine_loads_it(tiny: ModelCard, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "ink.safetensors"
    config = replace(CONFIG, learning_rate=0.05, trigger_words=("ukiyo",))
    assert train_lora(NativeTarget(tiny, CPU), read_footage(folder), out, config, CPU) == out
    said = json.loads(read_metadata(out)["daybreak"])
    assert {**said, "made_by": ""} == {
        "made_for": "tiny", "rank": 2, "alpha": 2, "trigger_words": ["ukiyo"], "made_by": "", "steps": 4,
    }  # fmt: skip
    assert {"state.safetensors", "samples.png", "lora.json"} <= {path.name for path in training_folder(out).iterdir()}
    models = tmp_path / "models"
    install_lora(out, "ink", models, "tiny", check_lora(out, tiny), lambda _done, _total: None)
    engine = NativeEngine(tiny, "cpu", models)

    def frames(*loras: LoraUse) -> Any:
        return engine.generate(ASKED, GenerationSettings(3, 2, 3.0, loras), lambda *_, **__: None).frames

    assert not np.array_equal(frames(), frames(LoraUse("ink", 4.0)))


@pytest.mark.parametrize("model", ["tiny", "wan"])
def test_a_run_that_was_stopped_is_bit_for_bit_one_that_was_not(
    model: str, tiny: ModelCard, wan_models: Path, folder: Path, tmp_path: Path
) -> None:
    def target() -> Any:
        return NativeTarget(tiny, CPU) if model == "tiny" else wan_target(wan_models)

    footage = read_footage(folder)
    whole, parts = (tmp_path / f"{name}.safetensors" for name in ("whole", "parts"))
    train_lora(target(), footage, whole, CONFIG, CPU)
    train_lora(target(), footage, parts, replace(CONFIG, num_steps=2), CPU)
    assert parts.read_bytes() != whole.read_bytes()
    train_lora(target(), footage, parts, CONFIG, CPU, resume=True)
    assert parts.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("model", ["tiny", "wan"])
def test_a_model_learns_and_keeps_its_own_weights(
    model: str, tiny: ModelCard, wan_models: Path, folder: Path, tmp_path: Path
) -> None:
    """Twenty steps on one clip lower the loss on the same noise; what is trained is what merging gives."""
    target: Any = NativeTarget(tiny, CPU) if model == "tiny" else wan_target(wan_models)
    before = {name: tensor.clone() for name, tensor in target.network.state_dict().items()}
    (clip, _) = encode(target, read_footage(folder), tmp_path / "latents")
    states, mask = target.embed([clip.caption])[0]
    target.ready()
    latents, text = clip.latents[None].float(), (states[None], mask[None])
    adapters = LowRankAdapters(target.layers(), 4)
    attachment = attach(target.network, adapters)
    optimiser = torch.optim.Adam(adapters.parameters(), 0.01)
    losses = []
    for _ in range(20):
        loss = target.loss(latents, text, torch.Generator().manual_seed(0))
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    for name, tensor in target.network.state_dict().items():
        assert torch.equal(tensor, before[name])
    sigmas = torch.full((1, latents.shape[2]), 0.5)
    with torch.no_grad():
        trained = target.velocity(latents, sigmas, *text)
        attachment.active = None
        merged = with_low_rank(target.network, [(read_low_rank(adapters.tensors()), 1.0)])
        target._parts = replace(target._parts, transformer=merged) if model == "tiny" else {"transformer": merged}
        torch.testing.assert_close(target.velocity(latents, sigmas, *text), trained, rtol=1e-4, atol=1e-5)


def test_the_first_step_is_the_models_own_loss(tiny: ModelCard, folder: Path, tmp_path: Path) -> None:
    """Adapters start at nothing: the loss with them is the loss without."""
    target = NativeTarget(tiny, CPU)
    (clip, _) = encode(target, read_footage(folder), tmp_path / "latents")
    states, mask = target.embed([clip.caption])[0]
    latents, text = clip.latents[None].float(), (states[None], mask[None])
    before = target.loss(latents, text, torch.Generator().manual_seed(1))
    attach(target.network, LowRankAdapters(target.layers(), 4))
    assert torch.equal(target.loss(latents, text, torch.Generator().manual_seed(1)), before)


def test_clips_are_encoded_once(tiny: ModelCard, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target, footage = NativeTarget(tiny, CPU), read_footage(folder)
    first = encode(target, footage, tmp_path / "latents")

    def again(*_: object) -> Any:
        raise AssertionError("encoded again")

    monkeypatch.setattr(target, "encode", again)
    for one, other in zip(first, encode(target, footage, tmp_path / "latents"), strict=True):
        assert torch.equal(one.latents.half(), other.latents.half())


def test_one_of_two_experts_is_trained_and_goes_where_it_belongs(
    wan_models: Path, folder: Path, tmp_path: Path
) -> None:
    card = find_model("wan-two-experts", wan_models)
    clips = []
    for expert in ("high", "low"):
        out = tmp_path / f"{expert}.safetensors"
        target = wan_target(wan_models, card.name, expert)
        drawn = target._sigmas(1000, torch.Generator().manual_seed(0))
        assert bool((drawn >= 0.875).all() if expert == "high" else (drawn <= 0.875).all())
        footage = read_footage(folder)[:1]
        train_lora(target, footage, out, replace(CONFIG, batch=1, learning_rate=0.2), CPU)
        facts = check_lora(out, card)
        assert facts["expert"] == expert
        assert load_file(out)["transformer.blocks.0.attn1.to_q.lora_A.weight"].dtype == torch.bfloat16
        install_lora(out, expert, wan_models, card.name, facts, lambda _done, _total: None, replace=True)
        engine = DiffusersEngine(card, "cpu", wan_models)
        settings = GenerationSettings(3, 2, 3.0, (LoraUse(expert, 4.0),))
        clips.append(engine.generate(ASKED, settings, lambda *_, **__: None).frames)
    assert not np.array_equal(*clips)


def test_a_models_remaining_wishes_are_refused(wan_models: Path, tiny: ModelCard) -> None:
    for name, more, words in (
        ("ltx", {}, "no LoRA can be trained for 'ltx'"),
        ("wan-from-image", {}, "starts from an image"),
        ("wan-two-experts", {}, "has two experts: train one with --expert"),
        ("wan", {"expert": "high"}, "has no experts"),
        ("wan", {"num_frames": 10}, r"--frames must be 4k \+ 1, such as 9, not 10"),
        ("wan", {"size": (100, 64)}, "--size must be of multiples of 16, not 100x64"),
    ):
        with pytest.raises(ValueError, match=words):
            open_target(find_model(name, wan_models), CPU, **more)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="leave out --size, --frames, --expert"):
        open_target(tiny, CPU, size=(64, 64))


def test_another_run_is_not_gone_on_with(tiny: ModelCard, folder: Path, tmp_path: Path) -> None:
    out, footage = tmp_path / "a.safetensors", read_footage(folder)
    with pytest.raises(ValueError, match="there is nothing to resume in"):
        train_lora(NativeTarget(tiny, CPU), footage, out, CONFIG, CPU, resume=True)
    train_lora(NativeTarget(tiny, CPU), footage, out, replace(CONFIG, num_steps=1), CPU)
    with pytest.raises(ValueError, match="was begun with other files, rank"):
        train_lora(NativeTarget(tiny, CPU), footage[:1], out, replace(CONFIG, rank=3), CPU, resume=True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rank": 0}, "rank must be from 1 to 512"),
        ({"num_steps": 0}, "steps must be from 1"),
        ({"learning_rate": float("nan")}, "the learning rate must be above 0"),
    ],
)
def test_settings_out_of_range_are_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(CONFIG, **change)


def nothing(folder: Path) -> None:
    pass


def empty(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def without_caption(folder: Path) -> None:
    (folder / "a.txt").unlink()


def bad_line(folder: Path) -> None:
    (folder / "captions.jsonl").write_text('{"file": "b.png"}\n')


def unreadable(folder: Path) -> None:
    (folder / "a.mp4").write_bytes(b"not a video")


def broken_picture(folder: Path) -> None:
    (folder / "b.png").write_bytes(b"not a picture")


@pytest.mark.parametrize(
    ("spoil", "more", "words"),
    [
        (empty, [], "holds no clip or picture: put files of these kinds there"),
        (without_caption, [], "a.mp4 has no caption: write what it shows to a.txt"),
        (bad_line, [], 'captions.jsonl, line 1, is not {"file": …, "caption": …}'),
        (unreadable, [], "a.mp4 cannot be read as a video"),
        (broken_picture, [], "b.png cannot be read"),
        (nothing, ["--model", "diorama"], "no LoRA can be trained for 'diorama'"),
        (nothing, ["--model", "nonsense"], "model 'nonsense' is not installed"),
        (nothing, ["--rank", "0"], "rank must be from 1 to 512, not 0"),
        (nothing, ["--resume"], "there is nothing to resume in"),
    ],
)
def test_bad_input_is_one_line(
    data_dir: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    spoil: Any, more: list[str], words: str,
) -> None:  # fmt: skip
    tiny_model(data_dir / "models" / "tiny")
    monkeypatch.setattr("daybreak.train.loop.lower_priority", lambda: None)
    spoil(folder)
    out = tmp_path / "out.safetensors"
    model = [] if "--model" in more else ["--model", "tiny"]
    assert run(["train", "lora", str(folder), "--out", str(out), "--device", "cpu", *model, *more]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    assert words in lines[0]
    assert not out.exists()


def test_the_command_writes_a_file(
    data_dir: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_model(data_dir / "models" / "tiny")
    monkeypatch.setattr("daybreak.train.loop.lower_priority", lambda: None)
    out = tmp_path / "ink.safetensors"
    asked = ["train", "lora", str(folder), "--model", "tiny", "--steps", "2", "--rank", "2", "--device", "cpu"]
    assert run([*asked, "--out", str(out)]) == 0
    assert capsys.readouterr().out.strip().endswith(str(out))
    assert run(["models", "import", str(out), "--lora"]) == 0
    assert run(["train", "lora", str(folder), "--out", str(tmp_path / "ink.bin")]) == 2


def test_footage_of_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a folder"):
        read_footage(tmp_path / "nothing")
    with pytest.raises(ValueError, match="cannot be read"):
        list(windows(tmp_path / "nothing.mp4", GRID))
    assert Footage(tmp_path, "x").caption == "x"
