from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

from daybreak.catalog import ModelCard, find_model
from daybreak.engines.abilities import abilities_of
from daybreak.engines.diffusers import DiffusersEngine
from daybreak.engines.lowering import clip_spec, made_spec
from daybreak.engines.produce import generate_clip, produce_video
from daybreak.engines.protocol import refuse_unsupported
from daybreak.generation import Cancelled, EngineFailed, Unsupported, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.media.encode import encode_video
from daybreak.media.probe import decode_video, probe_video
from daybreak.shapes import VideoSpec
from daybreak.testing import make_clip
from daybreak.timeline import Pin, Shot, Timeline

pytest.importorskip("diffusers", reason="needs the extra: pip install 'daybreak[diffusers]'")
# Their own deprecations are not ours to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore"), pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.usefixtures("one_thread"),
]  # fmt: skip

NAMES = (
    "wan", "wan-two-experts", "wan-from-image", "wan-5b", "ltx", "ltx-conditions", "ltx2", "cogvideox",
    "cogvideox-from-image", "sana-video", "hunyuan-video-1.5", "mochi",
)  # fmt: skip
FROM_IMAGE = {"wan-from-image", "cogvideox-from-image"}
SPEC = VideoSpec(12, 64, 64, 24)
Installed = Callable[[str], ModelCard]


@pytest.fixture
def image(tmp_path: Path) -> Pin:
    path = tmp_path / "image.png"
    Image.fromarray(make_clip(1, 64, 64)[0]).save(path)
    return Pin(str(path))


def settings(seed: int = 3, steps: int = 2) -> GenerationSettings:
    return GenerationSettings(seed, steps, 3.0)


def ignore(*_: Any, **__: Any) -> None:
    pass


def timeline(*pins: Pin, spec: VideoSpec = SPEC, prompt: str = "a dog") -> Timeline:
    return Timeline((Shot(prompt),), spec, pins)


def source(tmp_path: Path, frames: int) -> Path:
    path = tmp_path / "source.mp4"
    encode_video(Video(make_clip(frames, 64, 64), 24.0), path)
    return path


@pytest.mark.parametrize("name", NAMES)
def test_every_family_makes_a_clip_and_tells_of_each_step(
    installed: Installed, image: Pin, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = installed(name)

    def no_network(*_: object) -> None:
        raise AssertionError("something asked the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    told: list[tuple[int, int]] = []
    engine = DiffusersEngine(card)
    asked = timeline(*([image] if name in FROM_IMAGE else []))
    video = engine.generate(asked, settings(), lambda done, total, *_: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert (video.height, video.width) == (64, 64)
    assert video.seconds >= SPEC.seconds - 1 / video.fps
    assert video.frames.std() > 1
    assert (video.audio is not None) == (name == "ltx2") == card.details["audio"]
    assert video.metadata["num_inference_steps"] == 2


def test_a_seed_is_a_clip_and_a_prompt_counts(installed: Installed) -> None:
    engine = DiffusersEngine(installed("wan"))
    first = engine.generate(timeline(), settings(), ignore)
    assert np.array_equal(first.frames, engine.generate(timeline(), settings(), ignore).frames)
    assert not np.array_equal(first.frames, engine.generate(timeline(), settings(seed=4), ignore).frames)
    assert not np.array_equal(first.frames, engine.generate(timeline(prompt="fog"), settings(), ignore).frames)
    again = DiffusersEngine(installed("wan")).generate(timeline(), settings(), ignore)
    assert np.array_equal(first.frames, again.frames)


@pytest.mark.parametrize("name", ["wan", "hunyuan-video-1.5"])  # one has a callback, one only a bar
def test_cancelling_ends_it_at_the_next_step(installed: Installed, name: str) -> None:
    engine = DiffusersEngine(installed(name))
    told = []

    def cancel(done: int, *_: Any, **__: Any) -> None:
        told.append(done)
        raise Cancelled

    with pytest.raises(Cancelled):
        engine.generate(timeline(spec=VideoSpec(4, 64, 64, 24)), settings(steps=6), cancel)
    assert told == [1]
    if name == "wan":  # and the engine goes on
        assert engine.generate(timeline(), settings(), ignore).frames.std() > 1


def test_sound_is_in_the_file(installed: Installed, tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    produce_video(
        DiffusersEngine(installed("ltx2")), timeline(spec=VideoSpec(24, 64, 64, 24)), settings(), path, ignore
    )
    assert probe_video(path).audio_codec == "aac"
    made = decode_video(path)
    assert (made.num_frames, made.fps) == (24, 24)


def test_an_image_is_where_a_clip_starts_and_ends(installed: Installed, image: Pin) -> None:
    engine = DiffusersEngine(installed("wan-from-image"))
    first = engine.generate(timeline(image), settings(), ignore)
    last = Pin(image.media, start=SPEC.seconds - 1 / 24)
    assert not np.array_equal(first.frames, engine.generate(timeline(image, last), settings(), ignore).frames)
    with pytest.raises(Unsupported, match="starts from an image: give one"):
        engine.generate(timeline(), settings(), ignore)
    with pytest.raises(Unsupported, match="takes an image as a first frame"):
        engine.generate(timeline(image, Pin(image.media, start=0.2)), settings(), ignore)


def test_a_video_goes_on_from_its_last_frame(installed: Installed, tmp_path: Path) -> None:
    path = source(tmp_path, 12)
    longer = timeline(Pin(str(path), "video"), spec=VideoSpec(36, 64, 64, 24))
    engine = DiffusersEngine(installed("ltx"))
    refuse_unsupported(engine, longer, settings())
    video = generate_clip(engine, longer, settings(), ignore)
    kept = decode_video(path).frames
    assert video.num_frames == 36
    assert np.array_equal(video.frames[:10], kept[:10])
    assert not np.array_equal(video.frames[14], video.frames[30])


def test_a_source_is_changed_as_much_as_was_said(installed: Installed, tmp_path: Path) -> None:
    path = source(tmp_path, 12)
    engine = DiffusersEngine(installed("wan"))
    told: list[tuple[int, int]] = []

    def changed(strength: float) -> Video:
        pin = Pin(str(path), "video", strength=strength)
        return engine.generate(timeline(pin), settings(steps=4), lambda done, total, *_: told.append((done, total)))

    little, much = changed(0.7), changed(0.2)
    assert told[0] == (1, 3)
    assert told[-1] == (5, 5)
    assert not np.array_equal(little.frames, much.frames)
    with pytest.raises(Unsupported, match="changes a source over the whole clip"):
        engine.generate(timeline(Pin(str(path), "video", end=0.2, strength=0.5)), settings(), ignore)


def test_conditions_hold_pictures_anywhere(installed: Installed, image: Pin, tmp_path: Path) -> None:
    card = installed("ltx-conditions")
    assert {"later_pin", "partial_strength", "video_pin", "image_pin"} <= abilities_of(card)
    engine = DiffusersEngine(card)
    plain = engine.generate(timeline(), settings(), ignore)
    pins = (image, Pin(image.media, start=0.4, strength=0.5), Pin(str(source(tmp_path, 9)), "video"))
    clips = {engine.generate(timeline(pin), settings(), ignore).frames.tobytes() for pin in pins}
    assert len(clips | {plain.frames.tobytes()}) == 4


def test_what_a_checkpoint_cannot_do_is_refused_before_it_is_loaded(installed: Installed, image: Pin) -> None:
    engine = DiffusersEngine(installed("wan"))
    with pytest.raises(Unsupported, match="'wan' cannot use an image"):
        refuse_unsupported(engine, timeline(image), settings())
    with pytest.raises(Unsupported, match="several shots"):
        refuse_unsupported(engine, Timeline((Shot("a"), Shot("b", 0.2)), SPEC), settings())


def damaged(card: ModelCard, folder: Path, change: Callable[[dict[str, Any]], None]) -> ModelCard:
    """A copy of a model whose transformer's tensors are changed, as a whole safetensors file."""
    assert card.path is not None
    shutil.copytree(card.path, folder / "damaged")
    file = folder / "damaged" / "transformer" / "diffusion_pytorch_model.safetensors"
    tensors = dict(load_file(file))
    change(tensors)
    save_file(tensors, file)
    return find_model("damaged", folder)


def drop(tensors: dict[str, Any]) -> None:
    del tensors["proj_out.bias"]


def add(tensors: dict[str, Any]) -> None:
    tensors["blocks.9.surplus"] = np.zeros(3, np.float32)


def reshape(tensors: dict[str, Any]) -> None:
    tensors["proj_out.bias"] = np.zeros(7, np.float32)


@pytest.mark.parametrize(
    ("change", "tensor"), [(drop, "proj_out.bias"), (add, "blocks.9.surplus"), (reshape, "proj_out.bias")]
)
def test_a_tensor_that_does_not_belong_is_named(
    installed: Installed, tmp_path: Path, change: Callable[[dict[str, Any]], None], tensor: str
) -> None:
    engine = DiffusersEngine(damaged(installed("wan"), tmp_path, change))
    with pytest.raises(EngineFailed, match=tensor.replace(".", r"\.")) as caught:
        engine.generate(timeline(), settings(), ignore)
    assert caught.value.code == "model_unavailable"
    assert "\n" not in str(caught.value)


def test_when_memory_runs_out_a_thriftier_way_is_tried_and_then_a_smaller_clip_named(
    installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[bool] = []
    original = DiffusersEngine._run

    def runs_out_once(self: DiffusersEngine, *args: Any, tiled: bool) -> Video:
        tries.append(tiled)
        if len(tries) == 1:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")
        return original(self, *args, tiled=tiled)

    def runs_out(self: DiffusersEngine, *_: Any, tiled: bool) -> Video:
        raise MemoryError

    monkeypatch.setattr(DiffusersEngine, "_run", runs_out_once)
    assert DiffusersEngine(installed("wan")).generate(timeline(), settings(), ignore).frames.std() > 1
    assert tries == [False, True]
    monkeypatch.setattr(DiffusersEngine, "_run", runs_out)
    with pytest.raises(EngineFailed, match=r"not enough memory for 64x64 and 0.5 s .* should fit") as caught:
        DiffusersEngine(installed("wan")).generate(timeline(), settings(), ignore)
    assert caught.value.code == "out_of_memory"


def test_the_size_is_one_that_the_model_was_trained_on(installed: Installed) -> None:
    card = installed("wan")
    plain = {**card.details, "native": {"sizes": ["832x480", "480x832"], "fps": 16, "side_step": 16}}
    known = ModelCard("known", card.path, details=plain)
    small = clip_spec(known, VideoSpec(48, 256, 448, 24))
    assert (small.width, small.height, small.num_frames, small.fps) == (832, 480, 32, 16)
    assert clip_spec(known, VideoSpec(48, 1080, 1920, 24)).width == 848
    assert made_spec(known, small).num_frames == 33
    fixed = ModelCard("fixed", card.path, details={**plain, "native": {**plain["native"], "fixed": True}})
    assert clip_spec(fixed, VideoSpec(48, 1080, 1920, 24)).width == 832
