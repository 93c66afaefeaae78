from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from daybreak import __version__
from daybreak.catalog import PROCEDURAL_CARD, ModelCard
from daybreak.engines.diorama import DioramaEngine
from daybreak.engines.native import NativeEngine
from daybreak.engines.produce import generate_clip, open_engine, produce_video, shows_nothing
from daybreak.generation import Cancelled, InvalidOutput, Preview, Unsupported, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.media.encode import encode_video
from daybreak.media.probe import decode_video, probe_video
from daybreak.media.provenance import read_settings
from daybreak.shapes import VideoSpec
from daybreak.testing import FakeEngine, make_clip, make_tone
from daybreak.timeline import Pin, Timeline, text_to_video

TIMELINE = text_to_video("a dog", VideoSpec(30, 120, 160, 15.0))


def ignore(done: int, total: int, preview: Preview | None = None, state: object = None) -> None:
    """An on_step for who does not watch."""


def test_the_file_is_exactly_what_was_asked_whatever_the_engine_makes(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    video = produce_video(FakeEngine(), TIMELINE, GenerationSettings(), path, ignore)
    facts = probe_video(path)
    assert (facts.width, facts.height, facts.num_frames, facts.fps) == (160, 120, 30, 15.0)
    assert video.frames.shape == (30, 120, 160, 3)
    assert facts.audio_codec == "aac"


def test_the_file_says_what_made_it(tmp_path: Path) -> None:
    settings = GenerationSettings(seed=5, num_inference_steps=3)
    produce_video(FakeEngine(), TIMELINE, settings, tmp_path / "clip.mp4", ignore, {"weights": "abc"})
    record = read_settings(tmp_path / "clip.mp4")
    assert Timeline.from_dict(record["timeline"]) == TIMELINE
    assert GenerationSettings.from_dict(record["settings"]) == settings
    rest = {name: record[name] for name in ("daybreak", "model", "procedural", "weights")}
    assert rest == {"daybreak": __version__, "model": "fake", "procedural": False, "weights": "abc"}


def test_every_step_is_reported_with_a_preview(tmp_path: Path) -> None:
    seen = []

    def on_step(done: int, total: int, preview: Preview | None = None, state: object = None) -> None:
        assert preview is not None
        seen.append((done, total, preview().shape))

    produce_video(FakeEngine(), TIMELINE, GenerationSettings(), tmp_path / "clip.mp4", on_step)
    assert seen == [(step, 4, (1, 64, 96, 3)) for step in (1, 2, 3, 4)]


@pytest.mark.parametrize("failure", [Cancelled, KeyboardInterrupt, RuntimeError, MemoryError])
def test_an_engine_that_stops_leaves_no_file(failure: type[BaseException], tmp_path: Path) -> None:
    reached = []

    def fail(step: int) -> None:
        reached.append(step)
        if step == 2:
            raise failure

    with pytest.raises(failure):
        produce_video(FakeEngine(before_step=fail), TIMELINE, GenerationSettings(), tmp_path / "clip.mp4", ignore)
    assert reached == [1, 2]
    assert list(tmp_path.glob("*.mp4")) + list(tmp_path.glob(".*")) == []


def test_what_cannot_be_honoured_or_written_is_refused_before_any_work(tmp_path: Path) -> None:
    def fail(step: int) -> None:
        raise AssertionError(f"step {step} was run")

    steps = GenerationSettings(num_inference_steps=4)
    with pytest.raises(Unsupported):
        produce_video(FakeEngine(frozenset(), fail), TIMELINE, steps, tmp_path / "clip.mp4", ignore)
    with pytest.raises(ValueError, match="does not exist"):
        produce_video(FakeEngine(before_step=fail), TIMELINE, steps, tmp_path / "nowhere" / "clip.mp4", ignore)


def test_a_card_opens_its_engine() -> None:
    assert isinstance(open_engine(PROCEDURAL_CARD), DioramaEngine)
    engine = open_engine(ModelCard("tiny", Path("somewhere")))
    assert isinstance(engine, NativeEngine)
    assert (engine.name, engine.procedural) == ("tiny", False)


def test_the_frames_and_the_sound_of_a_kept_video_are_its_own(tmp_path: Path) -> None:
    source = Video(make_clip(15, 120, 160, seed=9), 15.0, make_tone(1.0, hertz=880.0))
    encode_video(source, tmp_path / "source.mp4")
    kept = decode_video(tmp_path / "source.mp4")
    timeline = replace(TIMELINE, pins=(Pin(str(tmp_path / "source.mp4"), "video"),))  # 1 s of 2 s
    video = generate_clip(FakeEngine(frozenset({"video_pin"})), timeline, GenerationSettings(), ignore)
    np.testing.assert_array_equal(video.frames[:15], kept.frames)
    without = generate_clip(FakeEngine(), TIMELINE, GenerationSettings(), ignore)
    np.testing.assert_array_equal(video.frames[18:], without.frames[18:])
    assert video.audio is not None
    assert [int(np.abs(np.fft.rfft(part)).argmax()) for part in (video.audio[0, :48000], video.audio[0, 48000:])] == [
        880, 440,
    ]  # fmt: skip


def test_a_clip_that_shows_nothing_is_no_result() -> None:
    class Blank(FakeEngine):
        def generate(self, *arguments: Any, **options: Any) -> Video:
            made = super().generate(*arguments, **options)
            return replace(made, frames=np.full_like(made.frames, 17))

    with pytest.raises(InvalidOutput, match="all 24 frames are of one colour"):
        generate_clip(Blank(), TIMELINE, GenerationSettings(), ignore)


def test_little_is_not_nothing() -> None:
    frames = np.full((3, 64, 64, 3), 17, np.uint8)
    assert shows_nothing(Video(frames, 24.0))
    frames[1, 5, 5, 2] = 40
    assert not shows_nothing(Video(frames, 24.0))
