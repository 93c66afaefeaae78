from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from daybreak.catalog import ModelUnavailable
from daybreak.generation import Cancelled, InvalidOutput, Preview, State, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.models.precision import autocast
from daybreak.models.transformer import Transformer
from daybreak.pipeline import (
    Canvas,
    Pipeline,
    empty_canvas,
    encode_texts,
    latent_strengths,
    load_pipeline,
    spread_points,
    window_seed,
)
from daybreak.shapes import VideoSpec
from daybreak.testing import make_clip, tiny_model
from daybreak.timeline import Shot, Timeline


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return load_pipeline(tiny_model(tmp_path_factory.mktemp("models") / "tiny"), "cpu")


def asked(num_frames: int = 9, prompt: str = "a brown dog runs", negative: str = "") -> Timeline:
    return Timeline((Shot(prompt),), VideoSpec(num_frames, 320, 320), negative_prompt=negative)


def silent(done: int, total: int, preview: Preview | None = None, state: object = None) -> None:
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
    return Canvas(make_clip(num_frames, 64, 64), strengths)


def unknown(num_frames: int) -> Canvas:
    return empty_canvas(VideoSpec(num_frames, 64, 64))


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
    with torch.inference_mode(), autocast("cpu"):
        still = pipeline.decode(pipeline.latents(Canvas(canvas.frames[:1], canvas.strengths[:1]), seed=99)[0])
    # Denoising left it alone, whatever the seed: it is only encoded and decoded (in half precision, hence 1).
    assert np.abs(video.frames[0].astype(int) - still[0]).max() <= 1
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
    frames = make_clip(9, 64, 64)
    with torch.inference_mode(), autocast("cpu"):
        kept = pipeline.decode(pipeline.latents(Canvas(frames, np.full(9, 1, np.float32)), seed=0)[0]).astype(int)

    def distance(strength: float) -> float:
        canvas = Canvas(frames, np.full(9, strength, np.float32))
        return float(np.abs(make(pipeline, canvas=canvas).frames - kept).mean())

    assert 0 < distance(0.9) < distance(0.3)


def test_progress_counts_every_step_and_decoding(pipeline: Pipeline) -> None:
    reports: list[tuple[int, int, bool]] = []

    def on_step(done: int, total: int, preview: Preview | None = None, state: object = None) -> None:
        reports.append((done, total, preview is not None))

    pipeline(asked(), GenerationSettings(0, 3), on_step)
    assert reports == [(1, 4, True), (2, 4, True), (3, 4, True), (4, 4, False)]


def test_a_preview_is_the_clip_so_far_made_small(pipeline: Pipeline) -> None:
    previews: list[np.ndarray] = []

    def on_step(done: int, total: int, preview: Preview | None = None, state: object = None) -> None:
        if preview:
            previews.append(preview())

    video = pipeline(asked(), GenerationSettings(3, 1), on_step)
    # After the only step, what is expected is what is made; of its nine frames, every fourth at half the size.
    assert previews[0].shape == (3, 160, 160, 3)
    assert np.abs(previews[0].astype(int) - video.frames[::4, ::2, ::2]).max() <= 1


def test_raising_in_on_step_stops_within_one_step(pipeline: Pipeline) -> None:
    steps = []

    def on_step(done: int, total: int, preview: Preview | None = None, state: object = None) -> None:
        steps.append(done)
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        pipeline(asked(), GenerationSettings(0, 50), on_step)
    assert steps == [1, 2]


def test_a_long_clip_is_made_window_by_window(pipeline: Pipeline) -> None:
    reports: list[tuple[int, int]] = []

    def on_step(done: int, total: int, preview: Preview | None = None, state: object = None) -> None:
        reports.append((done, total))

    video = pipeline(asked(57), GenerationSettings(0, 1), on_step, unknown(57))
    assert video.num_frames == 57
    assert reports == [(done, 4) for done in (1, 2, 3, 4)]
    # The first window is the clip of its own length, up to where the second begins...
    first = make(pipeline, asked(49), unknown(49), num_inference_steps=1).frames
    np.testing.assert_array_equal(video.frames[:32], first[:32])
    # ...which is a clip that begins with the first one's last frames, held.
    canvas = pinned(25, *range(17))
    canvas.frames[:17] = first[32:]
    second = make(pipeline, asked(25), canvas, seed=window_seed(0, 1), num_inference_steps=1).frames
    np.testing.assert_array_equal(video.frames[32:], second)


def states_of(pipeline: Pipeline, timeline: Timeline, canvas: Canvas) -> tuple[Video, list[State]]:
    """A clip of two steps a window, and the state after each step."""
    states: list[State] = []

    def on_step(done: int, total: int, preview: object = None, state: Any = None) -> None:
        states.append({name: array.copy() for name, array in state().items()})

    return pipeline(timeline, GenerationSettings(5, 2), on_step, canvas), states


def resumed(
    pipeline: Pipeline, timeline: Timeline, canvas: Canvas, state: State, seed: int = 5
) -> tuple[Video, list[int]]:
    """The clip made from a state, and the steps that were reported on the way."""
    steps: list[int] = []

    def on_step(done: int, total: int, preview: object = None, state: object = None) -> None:
        steps.append(done)

    return pipeline(timeline, GenerationSettings(seed, 2), on_step, canvas, state), steps


def test_a_clip_goes_on_from_every_step_bit_for_bit(pipeline: Pipeline) -> None:
    # The second shot flows on from the first: its window sees frames that the first one made.
    timeline = Timeline((Shot("a brown dog", 0, 0.5), Shot("a meadow", 0.75)), VideoSpec(32, 320, 320))
    whole, states = states_of(pipeline, timeline, pinned(32, 0))
    assert len(states) == 2 * 3  # two windows of two steps, each followed by decoding
    for done, state in enumerate(states, 1):
        rest, steps = resumed(pipeline, timeline, pinned(32, 0), state)
        assert steps == list(range(done + 1, 7))
        np.testing.assert_array_equal(rest.frames, whole.frames)


def test_a_state_of_another_clip_is_not_gone_on_from(pipeline: Pipeline) -> None:
    _, (state, *_) = states_of(pipeline, asked(), unknown(9))
    others = [
        (asked(prompt="a meadow"), unknown(9), 5), (asked(), unknown(9), 6), (asked(), unknown(17), 5),
        (asked(), pinned(9, 0), 5),
    ]  # fmt: skip
    for timeline, canvas, seed in others:
        made, steps = resumed(pipeline, timeline, canvas, state, seed)
        assert steps == [1, 2, 3]
        np.testing.assert_array_equal(made.frames, make(pipeline, timeline, canvas, seed=seed).frames)


def deeper(pipeline: Pipeline) -> Pipeline:
    """The same model with three blocks that have left their initial values."""
    parts = pipeline.components
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformer = Transformer(replace(parts.transformer.config, num_layers=3)).eval().requires_grad_(False)
        for parameter in transformer.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.3)
    return Pipeline(replace(parts, transformer=transformer), pipeline.device)


def test_a_step_cache_changes_a_clip_a_little_and_goes_on_from_every_state(pipeline: Pipeline) -> None:
    pipeline, asked_for, canvas = deeper(pipeline), asked(), unknown(9)
    plain = pipeline(asked_for, GenerationSettings(5, 8), silent, canvas)
    off = pipeline(asked_for, GenerationSettings(5, 8, step_cache=0.0), silent, canvas)
    np.testing.assert_array_equal(off.frames, plain.frames)
    states: list[State] = []

    def keep(done: int, total: int, preview: object = None, state: Any = None) -> None:
        states.append(state())

    settings = GenerationSettings(5, 8, step_cache=0.02)
    cached = pipeline(asked_for, settings, keep, canvas)
    assert 0 < np.abs(cached.frames.astype(int) - plain.frames).mean() < 30
    reached = [int(state["step"][0]) for state in states]
    assert reached == [0, 0, 0, 3, 3, 5, 5, 7, 0]  # a run is taken up before a step that asks all blocks
    for state in states:
        told: list[int] = []
        again = pipeline(asked_for, settings, lambda done, *_, told=told, **__: told.append(done), canvas, state)
        np.testing.assert_array_equal(again.frames, cached.frames)
    others = GenerationSettings(5, 8, step_cache=0.04)
    fresh = pipeline(asked_for, others, silent, canvas)
    np.testing.assert_array_equal(pipeline(asked_for, others, silent, canvas, states[-2]).frames, fresh.frames)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_latents_that_are_not_numbers_end_the_clip(pipeline: Pipeline, value: float) -> None:
    _, (first, *_) = states_of(pipeline, asked(), unknown(9))
    broken = {**first, "latents": np.full_like(first["latents"], value)}
    with pytest.raises(InvalidOutput, match="after step 2 of 3 the latents are not finite"):
        resumed(pipeline, asked(), unknown(9), broken)


def test_what_is_wholly_held_costs_nothing_and_is_itself(pipeline: Pipeline) -> None:
    canvas = pinned(57, *range(57))
    reports: list[tuple[int, int]] = []
    video = pipeline(asked(57), GenerationSettings(0, 2), lambda done, total, *_: reports.append((done, total)), canvas)
    assert reports == [(3, 3)]
    np.testing.assert_array_equal(video.frames, canvas.frames)


def test_lengthening_a_clip_costs_what_is_added(pipeline: Pipeline) -> None:
    # 50 of 58 frames are held: what is made sees the last 17 of them, and they end with a latent frame.
    canvas = pinned(58, *range(50))
    reports: list[tuple[int, int]] = []
    video = pipeline(
        asked(58), GenerationSettings(0, 1), lambda done, total, *_, **__: reports.append((done, total)), canvas
    )
    assert reports == [(1, 2), (2, 2)]
    np.testing.assert_array_equal(video.frames[:33], canvas.frames[:33])
    tail = make(pipeline, asked(25), Canvas(canvas.frames[33:], canvas.strengths[33:]), num_inference_steps=1)
    np.testing.assert_array_equal(video.frames[33:], tail.frames)


def test_each_shot_is_a_clip_of_its_own_text_cut_off_hard(pipeline: Pipeline) -> None:
    timeline = Timeline((Shot("a brown dog runs"), Shot("a meadow at sunset", 0.5)), VideoSpec(20, 320, 320))
    video = make(pipeline, timeline, unknown(20))
    assert video.num_frames == 20
    first = make(pipeline, asked(12), unknown(12))
    np.testing.assert_array_equal(video.frames[:12], first.frames)
    second = make(pipeline, asked(8, "a meadow at sunset"), unknown(8), seed=window_seed(0, 1))
    np.testing.assert_array_equal(video.frames[12:], second.frames)


def test_a_loop_s_last_window_ends_on_its_first_frames(pipeline: Pipeline) -> None:
    timeline = replace(asked(24), loop=True)
    video = make(pipeline, timeline, unknown(24))
    begun = make(pipeline, asked(8), unknown(8))
    np.testing.assert_array_equal(video.frames[:7], begun.frames[:7])
    # Frames 8 to 23 are made between the frame before and the first eight, which come again after the last.
    canvas = pinned(25, 0, *range(17, 25))
    canvas.frames[0], canvas.frames[17:] = begun.frames[7], begun.frames[:8]
    closing = make(pipeline, asked(25), canvas, seed=window_seed(0, 1))
    np.testing.assert_array_equal(video.frames[7:], closing.frames[:17])
    assert video.num_frames == 24
    with pytest.raises(ValueError, match=r"a loop needs at least 0\.67 s, not 0\.62 s"):
        make(pipeline, replace(asked(15), loop=True), unknown(15))


def test_a_point_stands_for_its_latent_frame_as_strongly_as_it_is_held() -> None:
    frames = make_clip(17, 64, 64)
    strengths = np.zeros(17, np.float32)
    strengths[[0, 3, 12, 14]] = 0.25, 1, 0.5, 0.75
    points = np.zeros(17, bool)
    points[[0, 3, 12, 14]] = True
    spread = spread_points(Canvas(frames, strengths, points))
    assert latent_strengths(spread.strengths).tolist() == [0.25, 1, 0.75]
    np.testing.assert_array_equal(spread.frames[1:9], np.broadcast_to(frames[3], (8, 64, 64, 3)))
    np.testing.assert_array_equal(spread.frames[9:], np.broadcast_to(frames[14], (8, 64, 64, 3)))
    np.testing.assert_array_equal(spread.frames[0], frames[0])


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
