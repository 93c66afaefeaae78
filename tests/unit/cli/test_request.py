from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from daybreak.cli.request import Asked, build_request, default_output, parse_seed, parse_size
from daybreak.engines.produce import produce_video
from daybreak.generation import Preview
from daybreak.generation_settings import GenerationSettings
from daybreak.shapes import VideoSpec
from daybreak.testing import FakeEngine
from daybreak.timeline import Pin, Timeline, text_to_video


@pytest.fixture
def image(tmp_path: Path) -> Path:
    Image.new("RGB", (80, 64)).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def ignore(done: int, total: int, preview: Preview | None = None, state: object = None) -> None:
    """An on_step for who does not watch."""


def made(folder: Path, timeline: Timeline, settings: GenerationSettings) -> Path:
    produce_video(FakeEngine(), timeline, settings, folder / "made.mp4", ignore, {"weights": "w"})
    return folder / "made.mp4"


def test_a_prompt_alone_is_two_seconds_at_the_native_size() -> None:
    request = build_request(Asked("a dog"), "tiny")
    assert request.model == "tiny"
    assert request.timeline == text_to_video("a dog", VideoSpec(48, 256, 448, 24.0))
    assert (request.settings.num_inference_steps, request.settings.guidance_scale) == (None, None)


def test_an_open_seed_is_drawn_anew_each_time() -> None:
    seeds = {build_request(Asked("a dog"), "tiny").settings.seed for _ in range(8)}
    assert len(seeds) == 8


def test_every_option_is_followed(image: Path) -> None:
    asked = Asked("a dog", "other", "320x240", 1.5, 30.0, "7", 12, 3.5, "rain", image)
    request = build_request(asked, "tiny")
    assert request.model == "other"
    assert request.timeline.spec == VideoSpec(45, 240, 320, 30.0)
    assert request.timeline.negative_prompt == "rain"
    (pin,) = request.timeline.pins
    assert (pin.media, pin.kind, pin.start, pin.strength) == (str(image), "image", 0.0, 1.0)
    assert pin.sha256 is not None
    assert len(pin.sha256) == 64
    assert request.settings == GenerationSettings(7, 12, 3.5)


def test_a_step_cache_is_taken_from_the_line_or_from_the_earlier_clip(tmp_path: Path) -> None:
    request = build_request(Asked("a dog", step_cache=0.5), "tiny")
    assert request.settings.step_cache == 0.5
    timeline, like = text_to_video("a dog", VideoSpec(9, 64, 96, 12.0)), tmp_path / "made.mp4"
    engine = FakeEngine(frozenset({"step_cache"}))
    produce_video(engine, timeline, GenerationSettings(7, step_cache=0.4), like, ignore)
    assert build_request(Asked(like=like), "tiny").settings.step_cache == 0.4
    assert build_request(Asked(like=like, step_cache=0.0), "tiny").settings.step_cache == 0.0


def test_like_gives_back_exactly_what_made_the_file(tmp_path: Path, image: Path) -> None:
    pin = build_request(Asked("a dog", image=image), "tiny").timeline.pins[0]
    timeline = text_to_video("a dog", VideoSpec(9, 64, 96, 12.0), pins=(pin,), negative_prompt="rain")
    settings = GenerationSettings(11, 3, 2.0)
    request = build_request(Asked(like=made(tmp_path, timeline, settings)), "tiny")
    assert (request.model, request.timeline, request.settings, request.weights) == ("fake", timeline, settings, "w")


def test_what_is_said_beside_like_wins(tmp_path: Path) -> None:
    timeline = text_to_video("a dog", VideoSpec(18, 64, 96, 12.0))
    like = made(tmp_path, timeline, GenerationSettings(11, 3))
    request = build_request(Asked("a cat", "tiny", "128x64", seed="12", like=like), "default")
    assert (request.model, request.timeline.prompt) == ("tiny", "a cat")
    assert request.timeline.spec == VideoSpec(18, 64, 128, 12.0)
    assert request.settings == GenerationSettings(12, 3)
    # Another frame rate keeps the length in seconds.
    assert build_request(Asked(fps=24.0, like=like), "default").timeline.spec.num_frames == 36


@pytest.mark.parametrize("change", ["removed", "changed"])
def test_like_refuses_when_the_image_is_no_longer_the_same(change: str, tmp_path: Path, image: Path) -> None:
    pin = build_request(Asked("a dog", image=image), "tiny").timeline.pins[0]
    like = made(tmp_path, text_to_video("a dog", VideoSpec(9, 64, 96, 12.0), pins=(pin,)), GenerationSettings())
    if change == "removed":
        image.unlink()
    else:
        Image.new("RGB", (80, 64), "red").save(image)
    message = "is no longer there" if change == "removed" else "has changed since"
    with pytest.raises(ValueError, match=f"{message}: give it with --image"):
        build_request(Asked(like=like), "tiny")


def test_an_image_by_hand_replaces_the_recorded_one(tmp_path: Path, image: Path) -> None:
    timeline = text_to_video("a dog", VideoSpec(9, 64, 96, 12.0), pins=(Pin("gone.png", sha256="0" * 64),))
    like = made(tmp_path, timeline, GenerationSettings())
    (pin,) = build_request(Asked(image=image, like=like), "tiny").timeline.pins
    assert pin.media == str(image)


@pytest.mark.parametrize(
    ("text", "size"), [("448x256", (448, 256)), (" 64 X 2048 ", (64, 2048)), ("320×240", (320, 240))]
)
def test_sizes_are_read(text: str, size: tuple[int, int]) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "448", "448x", "x256", "448x256x3", "-448x256", "4.5x256", "ax b", "1" * 50 + "x1"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="size must be WIDTHxHEIGHT, such as 448x256"):
        parse_size(text)


@pytest.mark.parametrize("text", ["", "a", "1.5", "1e3", "0x10", "1_000", "9" * 40])
def test_what_is_no_seed_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="seed must be a whole number"):
        parse_seed(text)


def test_the_default_name_says_the_prompt_and_is_never_taken(tmp_path: Path) -> None:
    names = []
    for _ in range(3):
        path = default_output("A brown dog, runs!", tmp_path)
        path.touch()
        names.append(path.name)
    assert names == ["a-brown-dog-runs.mp4", "a-brown-dog-runs-2.mp4", "a-brown-dog-runs-3.mp4"]
    assert default_output("犬が走る", tmp_path).name == "video.mp4"
    assert default_output("../../etc/passwd", tmp_path).name == "etc-passwd.mp4"
    assert len(default_output("word" * 500, tmp_path).name) < 70
