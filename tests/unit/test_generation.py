from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from daybreak.generation import Video
from daybreak.generation_settings import GenerationSettings
from daybreak.testing import make_clip, make_tone


def test_settings_to_plain_values_and_back() -> None:
    settings = GenerationSettings(7, 12, 3.5)
    assert GenerationSettings.from_dict(settings.to_dict()) == settings


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed must be from 0"),
        ({"seed": 2**63}, "seed must be from 0"),
        ({"seed": 1.5}, "seed must be a whole number, not 1.5"),
        ({"seed": True}, "seed must be a whole number"),
        ({"num_inference_steps": 0}, "steps must be from 1 to 1000"),
        ({"num_inference_steps": 2.0}, "steps must be a whole number"),
        ({"guidance_scale": float("nan")}, "guidance must be from 0 to 100"),
        ({"guidance_scale": -1.0}, "guidance must be from 0 to 100"),
        ({"temperature": 1.0}, "not generation settings"),
    ],
)
def test_settings_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GenerationSettings.from_dict(arguments)


def test_a_video_knows_its_shape() -> None:
    video = Video(make_clip(12, 64, 96), 24.0, make_tone(0.5))
    assert (video.num_frames, video.height, video.width, video.seconds) == (12, 64, 96, 0.5)


@pytest.mark.parametrize(
    ("frames", "audio", "message"),
    [
        (np.zeros((2, 8, 8), np.uint8), None, "frames must be"),
        (np.zeros((2, 8, 8, 3), np.float32), None, "frames must be"),
        (np.zeros((0, 8, 8, 3), np.uint8), None, "at least one frame"),
        (np.zeros((2, 8, 8, 3), np.uint8), np.zeros(10, np.float32), "audio must be"),
        (np.zeros((2, 8, 8, 3), np.uint8), np.zeros((1, 10), np.float32), "audio must be"),
    ],
)
def test_arrays_of_another_shape_are_refused(frames: Any, audio: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Video(frames, 24.0, audio)
