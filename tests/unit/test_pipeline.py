from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from daybreak.catalog import ModelUnavailable
from daybreak.generation import Cancelled, GenerationSettings, Preview, Video
from daybreak.pipeline import (
    OVERLAP_FRAMES,
    WINDOW_FRAMES,
    Canvas,
    Pipeline,
    encode_texts,
    latent_strengths,
    load_pipeline,
    window_seed,
    window_spans,
)
from daybreak.shapes import VideoSpec
from daybreak.testing import make_clip, tiny_model
from daybreak.timeline import Shot, Timeline


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return load_pipeline(tiny_model(tmp_path_factory.mktemp("models") / "tiny"), "cpu")


def asked(num_frames: int = 9, prompt: str = "a brown dog runs", negative: str = "") -> Timeline:
    return Timeline((Shot(prompt),), VideoSpec(num_frames, 320, 320), negative_prompt=negative)


def silent(done: int, total: int, preview: Preview | None = None) -> None:
    """Progress that nobody watches."""


def make(
    pipeline: Pipeline, timeline: Timeline | None = None, canvas: Canvas | None = None, **settings: object
) -> Video:
    chosen = GenerationSettings(**{"num_inference_steps": 2, **settings})  # type: ignore[arg-type]
    return pipeline(timeline or asked(), chosen, silent, canvas)


def pinned(num_frames: int, *held: int) -> Canvas:
    """A drifting gradient of which some frames are held."""
    strengths = np.zeros(num_frames, np.float32)
    strengths[list(held)] = 1
    return Canvas(make_clip(num_frames, 320, 320), strengths)


def test_the_same_seed_gives_the_same_clip_bit_for_bit(pipeline: Pipeline) -> None:
    first = make(pipeline, seed=7)
    np.testing.assert_array_equal(make(pipeline, seed=7).frames, first.frames)
    assert (make(pipeline, seed=8).frames != first.frames).any()
    assert len(np.unique(first.frames)) > 20


def test_prompt_negative_prompt_and_guidance_change_the_clip(pipeline: Pipeline) -> None:
    clips = [
        make(pipeline),
        make(pipeline, asked(prompt="a meadow at sunset")),
        make(pipeline, asked(negative="a dog")),
        make(pipeline, guidance_scale=1.0),
        make(pipeline, guidance_scale=0.0),
    ]
    for first, second in itertools.combinations(clips, 2):
        assert (first.frames != second.frames).any()
    # With guidance 0 the prompt says nothing any more.
    other = make(pipeline, asked(prompt="a meadow at sunset"), guidance_scale=0.0)
    np.testing.assert_array_equal(other.frames, clips[-1].frames)


@pytest.mark.parametrize(
    ("width", "height", "native"), [(1280, 720, (256, 448)), (720, 1280, (448, 256)), (512, 512, (320, 320))]
)
def test_the_clip_has_the_bucket_nearest_in_aspect(
    pipeline: Pipeline, width: int, height: int, native: tuple[int, int]
) -> None:
    video = pipeline(Timeline((Shot("a dog"),), VideoSpec(1, height, width)), GenerationSettings(0, 1), silent)
    assert video.frames.shape == (1, *native, 3)
    assert video.fps == 24


@pytest.mark.parametrize(("num_frames", "made"), [(1, 1), (2, 9), (9, 9), (10, 17)])
def test_the_clip_is_at_least_as_long_as_asked(pipeline: Pipeline, num_frames: int, made: int) -> None:
    assert make(pipeline, asked(num_frames), num_inference_steps=1).num_frames == made


def test_steps_and_guidance_default_to_the_model_s_own(pipeline: Pipeline) -> None:
    video = pipeline(asked(1), GenerationSettings(), silent)
    assert video.metadata == {"num_inference_steps": 2, "guidance_scale": 3.0}


def test_a_pinned_first_frame_is_what_the_vae_makes_of_it(pipeline: Pipeline) -> None:
    canvas = pinned(9, 0)
    video = make(pipeline, canvas=canvas)
    still = make(pipeline, asked(1), Canvas(canvas.frames[:1], canvas.strengths[:1]), seed=99)
    # Denoising left it alone, whatever the seed: it is only encoded and decoded (in half precision, hence 1).
    assert np.abs(video.frames[0].astype(int) - still.frames[0]).max() <= 1
    assert (make(pipeline, seed=5, canvas=canvas).frames[0] == video.frames[0]).all()
    assert (make(pipeline, seed=5, canvas=canvas).frames[1:] != video.frames[1:]).any()
    # And another picture gives another first frame.
    other = Canvas(255 - canvas.frames, canvas.strengths)
    assert (make(pipeline, canvas=other).frames[0] != video.frames[0]).any()


def test_the_canvas_itself_is_left_alone(pipeline: Pipeline) -> None:
    canvas = pinned(9, 0)
    before = canvas.frames.copy(), canvas.strengths.copy()
    make(pipeline, canvas=canvas)
    np.testing.assert_array_equal(canvas.frames, before[0])
    np.testing.assert_array_equal(canvas.strengths, before[1])


def test_a_weaker_pin_holds_less(pipeline: Pipeline) -> None:
    frames = make_clip(9, 320, 320)
    kept = make(pipeline, canvas=Canvas(frames, np.full(9, 1, np.float32))).frames.astype(int)

    def distance(strength: float) -> float:
        canvas = Canvas(frames, np.full(9, strength, np.float32))
        return float(np.abs(make(pipeline, canvas=canvas).frames - kept).mean())

    assert distance(1.0) == 0
    assert 0 < distance(0.9) < distance(0.3)


def test_progress_counts_every_step_and_decoding(pipeline: Pipeline) -> None:
    reports: list[tuple[int, int, bool]] = []

    def on_step(done: int, total: int, preview: Preview | None = None) -> None:
        reports.append((done, total, preview is not None))

    pipeline(asked(), GenerationSettings(0, 3), on_step)
    assert reports == [(1, 4, True), (2, 4, True), (3, 4, True), (4, 4, False)]


def test_a_preview_is_the_clip_so_far_made_small(pipeline: Pipeline) -> None:
    previews: list[np.ndarray] = []

    def on_step(done: int, total: int, preview: Preview | None = None) -> None:
        if preview:
            previews.append(preview())

    video = pipeline(asked(), GenerationSettings(3, 1), on_step)
    # After the only step, what is expected is what is made.
    np.testing.assert_array_equal(previews[0], video.frames[::4, ::2, ::2])


def test_raising_in_on_step_stops_within_one_step(pipeline: Pipeline) -> None:
    steps = []

    def on_step(done: int, total: int, preview: Preview | None = None) -> None:
        steps.append(done)
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        pipeline(asked(), GenerationSettings(0, 50), on_step)
    assert steps == [1, 2]


def test_a_long_clip_is_made_window_by_window(pipeline: Pipeline) -> None:
    reports: list[tuple[int, int]] = []

    def on_step(done: int, total: int, preview: Preview | None = None) -> None:
        reports.append((done, total))

    video = pipeline(asked(57), GenerationSettings(0, 1), on_step)
    assert video.num_frames == 57
    assert reports == [(done, 4) for done in (1, 2, 3, 4)]
    # The first window is the clip of its own length, up to where the second begins...
    first = make(pipeline, asked(49), num_inference_steps=1).frames
    np.testing.assert_array_equal(video.frames[:32], first[:32])
    # ...which is a clip that begins with the first one's last frames, held.
    canvas = pinned(25, *range(17))
    canvas.frames[:17] = first[32:]
    second = make(pipeline, asked(25), canvas, seed=window_seed(0, 1), num_inference_steps=1).frames
    np.testing.assert_array_equal(video.frames[32:], second)


@pytest.mark.parametrize("num_frames", range(1, 400, 8))
def test_windows_cover_a_clip_and_overlap(num_frames: int) -> None:
    spans = list(window_spans(num_frames))
    assert spans[0][0] == 0
    assert spans[-1][1] == num_frames
    for first, end in spans:
        assert 1 <= end - first <= WINDOW_FRAMES
        assert (end - first) % 8 == 1
    for (_, end), (first, next_end) in itertools.pairwise(spans):
        assert end - first == OVERLAP_FRAMES
        assert next_end > end


def test_a_latent_frame_is_held_as_its_least_held_pixel_frame() -> None:
    strengths = np.array([1, *[1] * 8, *[1] * 7, 0.5, *[0] * 8], np.float32)
    assert latent_strengths(strengths).tolist() == [1, 1, 0.5, 0]
    assert latent_strengths(np.array([0.3], np.float32)).tolist() == [pytest.approx(0.3)]


def test_texts_are_encoded_as_if_each_were_alone(pipeline: Pipeline) -> None:
    parts = pipeline.components
    with torch.no_grad():
        states, mask = encode_texts(parts.tokenizer, parts.text_encoder, ["a dog", "a brown dog runs"], pipeline.device)
        alone, alone_mask = encode_texts(parts.tokenizer, parts.text_encoder, ["a dog"], pipeline.device)
    assert len(states) == 2
    assert alone_mask.all()
    torch.testing.assert_close(states[0][mask[0]], alone[0])


def test_a_folder_without_a_whole_model_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        load_pipeline(tmp_path / "missing", "cpu")
    folder = tiny_model(tmp_path / "tiny")
    (folder / "vae.safetensors").unlink()
    with pytest.raises(ModelUnavailable):
        load_pipeline(folder, "cpu")
