from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from daybreak import pipeline
from daybreak.catalog import ModelCard
from daybreak.engines.abilities import needed_abilities
from daybreak.engines.native import NativeEngine
from daybreak.generation import OnStep, Preview, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.shapes import VideoSpec
from daybreak.testing import make_clip
from daybreak.timeline import Pin, Timeline, text_to_video

SPEC = VideoSpec(30, 360, 640, 30.0)


def ignore(done: int, total: int, preview: Preview | None = None, state: object = None) -> None:
    """An on_step for who does not watch."""


class Recorder:
    """A pipeline that notes what it is given."""

    def __init__(self) -> None:
        self.canvases: list[Any] = []
        self.prompts: list[str] = []
        self.resumed: list[Any] = []
        self.loaded: list[tuple[Path, str]] = []

    def load(self, folder: Path, device: str) -> Recorder:
        self.loaded.append((folder, device))
        return self

    def __call__(
        self, timeline: Timeline, settings: GenerationSettings, on_step: OnStep, canvas: Any, resume: Any
    ) -> Video:
        self.prompts.append(timeline.prompt)
        self.canvases.append(canvas)
        self.resumed.append(resume)
        on_step(1, 1)
        return Video(make_clip(25, seed=settings.seed), 24.0)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(pipeline, "load_pipeline", recorder.load)
    return recorder


def test_weights_load_with_the_first_clip_and_stay(recorder: Recorder) -> None:
    engine = NativeEngine(ModelCard("tiny", Path("somewhere")), device="cpu")
    assert recorder.loaded == []
    state = {"step": np.array([3])}
    for resume in (None, state):
        engine.generate(text_to_video("a dog", SPEC), GenerationSettings(), ignore, resume)
    assert recorder.loaded == [(Path("somewhere"), "cpu")]
    assert [canvas.strengths.any() for canvas in recorder.canvases] == [False, False]
    assert recorder.resumed == [None, state]


WORLDLY = ModelCard("tiny", Path("somewhere"), details={"world": "diorama"})
PUPPY = "my puppy dashes through the grass, with a submarine, while the sun goes down"


def test_a_model_of_the_world_is_told_its_words_and_has_its_sound(recorder: Recorder) -> None:
    engine = NativeEngine(WORLDLY)
    assert {"enhance_prompt", "audio"} <= engine.abilities
    video = engine.generate(text_to_video(PUPPY, SPEC), GenerationSettings(seed=2), ignore)
    assert recorder.prompts == [video.metadata["revised_prompt"]]
    assert recorder.prompts[0].endswith("dog runs across a meadow at sunset")
    assert any("submarine" in words for words in video.metadata["not_followed"])
    assert video.audio is not None
    assert video.audio.shape == (2, round(video.seconds * 48_000))
    assert np.abs(video.audio).max() > 0


def test_what_is_turned_off_is_left_out(recorder: Recorder) -> None:
    settings = GenerationSettings(enhance_prompt=False, generate_audio=False)
    video = NativeEngine(WORLDLY).generate(text_to_video(PUPPY, SPEC), settings, ignore)
    assert recorder.prompts == [PUPPY]
    assert video.audio is None
    assert "revised_prompt" not in video.metadata
    assert any("submarine" in words for words in video.metadata["not_followed"])


def test_a_model_of_something_else_is_told_what_was_said(recorder: Recorder) -> None:
    engine = NativeEngine(ModelCard("tiny", Path("somewhere")))
    assert not {"enhance_prompt", "audio"} & engine.abilities
    video = engine.generate(text_to_video(PUPPY, SPEC), GenerationSettings(), ignore)
    assert recorder.prompts == [PUPPY]
    assert (video.audio, "not_followed" in video.metadata) == (None, False)
    missing = needed_abilities(text_to_video(PUPPY, SPEC), GenerationSettings(enhance_prompt=True, generate_audio=True))
    assert missing - engine.abilities == {"enhance_prompt", "audio"}


def test_an_image_reaches_the_pipeline_at_its_own_size_and_rate(recorder: Recorder, tmp_path: Path) -> None:
    Image.new("RGB", (100, 100), (10, 20, 30)).save(tmp_path / "a.png")
    timeline = text_to_video("a dog", SPEC, pins=(Pin(str(tmp_path / "a.png")),))
    engine = NativeEngine(ModelCard("tiny", Path("somewhere")))
    engine.generate(timeline, GenerationSettings(), ignore)
    (canvas,) = recorder.canvases
    assert canvas.frames.shape == (24, 256, 448, 3)  # one second at its own rate
    assert canvas.strengths.tolist() == [1.0] + [0.0] * 23
    assert canvas.points.tolist() == [True] + [False] * 23
    assert canvas.frames[0, 0, 0].tolist() == [10, 20, 30]
    assert needed_abilities(timeline, GenerationSettings(num_inference_steps=3)) <= engine.abilities
