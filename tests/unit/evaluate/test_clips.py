"""Batched generation against the pipeline, and pinned first frames."""

from __future__ import annotations

import numpy as np
import torch

from daybreak.checkpoint import Components
from daybreak.evaluate.clips import Sampling, generate_clips, to_frames, to_pixels
from daybreak.generation_settings import GenerationSettings
from daybreak.models.deblock import level_seams
from daybreak.pipeline import Pipeline
from daybreak.shapes import VideoSpec
from daybreak.timeline import text_to_video

PROMPTS = ["a dog runs", "a red car at night, seen from very far away", "a cat"]


def test_each_clip_is_what_the_pipeline_makes_of_that_seed(components: Components) -> None:
    clips = list(generate_clips(components, PROMPTS, [3, 4, 5], Sampling(2, 3.0, batch=2)))
    pipeline = Pipeline(components, torch.device("cpu"))
    assert [clip.shape for clip in clips] == [(49, 256, 448, 3)] * 3
    for prompt, seed, clip in zip(PROMPTS, [3, 4, 5], clips, strict=True):
        timeline = text_to_video(prompt, VideoSpec(49, 256, 448, 24.0))
        alone = pipeline(timeline, GenerationSettings(seed), lambda *_args, **_kwargs: None).frames
        # The same but for the rounding of bfloat16 in a batch.
        assert np.abs(clip.astype(int) - alone).mean() < 1


def test_different_seeds_give_different_clips(components: Components) -> None:
    first, second = generate_clips(components, ["a dog"] * 2, [1, 2], Sampling(1, 1.0))
    assert np.abs(first.astype(int) - second).mean() > 1


def test_a_pinned_first_frame_comes_back_as_the_vae_sees_it(components: Components) -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 256, 448, 3)).astype(np.uint8)
    for image, clip in zip(
        images, generate_clips(components, ["a", "b"], [0, 1], Sampling(2, 3.0), images), strict=True
    ):
        with torch.inference_mode():
            seen = components.vae.decode(components.vae.encode(to_pixels(image[None, None])))
        expected = level_seams(seen).clamp(-1, 1)
        torch.testing.assert_close(to_pixels(clip[None, :1]), expected, atol=0.02, rtol=0)


def test_frames_survive_the_way_to_pixels_and_back() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 3)).astype(np.uint8)
    np.testing.assert_array_equal(to_frames(to_pixels(frames[None])[0]), frames)
