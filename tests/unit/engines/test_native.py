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
        self.resumed: list[Any] = []
        self.loaded: list[tuple[Path, str]] = []

    def load(self, folder: Path, device: str) -> Recorder:
        self.loaded.append((folder, device))
        return self

    def __call__(
        self, _timeline: Timeline, settings: GenerationSettings, on_step: OnStep, canvas: Any, resume: Any
    ) -> Video:
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
