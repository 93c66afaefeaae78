from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from daybreak.generation import Video
from daybreak.generation_settings import GenerationSettings, LoraUse
from daybreak.testing import make_clip, make_tone


def test_settings_to_plain_values_and_back() -> None:
    settings = GenerationSettings(7, 12, 3.5)
    assert GenerationSettings.from_dict(settings.to_dict()) == settings
    assert "loras" not in settings.to_dict()  # what was made before LoRAs has the same record
    plain = GenerationSettings(seed=1, enhance_prompt=False, generate_audio=True)
    assert GenerationSettings.from_dict(plain.to_dict()) == plain
    assert not {"enhance_prompt", "generate_audio"} & set(settings.to_dict())
    with pytest.raises(ValueError, match="enhance_prompt must be true or false, not 'yes'"):
        GenerationSettings.from_dict({"enhance_prompt": "yes"})
    quick = GenerationSettings(seed=1, step_cache=0.4)
    assert GenerationSettings.from_dict(quick.to_dict()) == quick
    assert "step_cache" not in settings.to_dict()
    mixed = GenerationSettings(7, loras=(LoraUse("ink", 0.5), LoraUse("snow")))
    assert mixed.to_dict()["loras"] == [{"name": "ink", "strength": 0.5}, {"name": "snow", "strength": 1.0}]
    assert GenerationSettings.from_dict(mixed.to_dict()) == mixed


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
        ({"step_cache": float("nan")}, "step_cache must be from 0 to 2, not nan"),
        ({"step_cache": 2.5}, "step_cache must be from 0 to 2"),
        ({"temperature": 1.0}, "not generation settings"),
        ({"loras": [{"name": "../x"}]}, "no LoRA can be called '../x'"),
        ({"loras": [{"name": "x", "strength": float("nan")}]}, "must be from -4 to 4, not nan"),
        ({"loras": [{"name": "x", "strength": "1"}]}, "must be a number"),
        ({"loras": [{"name": "x"}, {"name": "x"}]}, "'x' is named twice"),
        ({"loras": [{"name": f"x{number}"} for number in range(9)]}, "at most 8 LoRAs"),
        ({"loras": [{"strength": 1}]}, "not generation settings"),
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
