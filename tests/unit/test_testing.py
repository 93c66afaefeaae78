from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from daybreak.catalog import find_model
from daybreak.generation_settings import GenerationSettings
from daybreak.shapes import VideoSpec
from daybreak.testing import FakeEngine, make_clip, make_tone, tiny_model
from daybreak.timeline import text_to_video


def test_a_made_clip_moves_and_its_seed_picks_its_colours() -> None:
    clip = make_clip(5, 32, 48)
    assert clip.shape == (5, 32, 48, 3)
    # One frame later the picture is two pixels further to the right.
    np.testing.assert_array_equal(clip[1, :, 2:], clip[0, :, :-2])
    np.testing.assert_array_equal(clip, make_clip(5, 32, 48))
    assert (make_clip(5, 32, 48, seed=1) != clip).any()


def test_a_made_tone_has_its_length_and_pitch() -> None:
    tone = make_tone(1.0, 8000, 440)
    assert tone.shape == (2, 8000)
    assert tone.dtype == np.float32
    assert np.abs(np.fft.rfft(tone[0])).argmax() == 440


def test_a_tiny_model_is_a_whole_model_that_its_seed_picks(tmp_path: Path) -> None:
    first = tiny_model(tmp_path / "first")
    assert find_model("first", tmp_path).path == first
    again, other = tiny_model(tmp_path / "again"), tiny_model(tmp_path / "other", seed=1)
    weights = [(folder / "transformer.safetensors").read_bytes() for folder in (first, again, other)]
    assert weights[0] == weights[1] != weights[2]
    assert sum(file.stat().st_size for file in first.iterdir()) < 400_000


def test_a_tiny_model_takes_as_many_steps_as_it_is_told(tmp_path: Path) -> None:
    tiny_model(tmp_path / "slow", steps=300)
    assert find_model("slow", tmp_path).details["num_inference_steps"] == 300


def test_the_fake_engine_goes_on_after_a_step() -> None:
    states: list[Any] = []
    steps: list[int] = []
    timeline = text_to_video("a dog", VideoSpec(6, 64, 96, 12.0))
    whole = FakeEngine().generate(timeline, GenerationSettings(), lambda *_, state, **__: states.append(state()))
    rest = FakeEngine().generate(timeline, GenerationSettings(), lambda done, *_, **__: steps.append(done), states[1])
    assert steps == [3, 4]
    np.testing.assert_array_equal(rest.frames, whole.frames)
