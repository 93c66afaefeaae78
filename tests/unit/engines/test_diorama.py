from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from daybreak.catalog import PROCEDURAL_CARD
from daybreak.engines.abilities import abilities_of
from daybreak.engines.diorama import DioramaEngine, render_size
from daybreak.generation import Cancelled, Preview, Video
from daybreak.generation_settings import GenerationSettings
from daybreak.shapes import VideoSpec
from daybreak.timeline import Shot, Timeline, text_to_video

TIMELINE = text_to_video("a red cat walks on the beach at noon", VideoSpec(6, 64, 112, 12.0))


def ignore(done: int, total: int, preview: Preview | None = None, state: object = None) -> None:
    """An on_step for who does not watch."""


@pytest.fixture(scope="module")
def video() -> Video:
    return DioramaEngine().generate(TIMELINE, GenerationSettings(seed=4), ignore)


def test_a_prompt_becomes_the_scene_it_names_with_sound(video: Video) -> None:
    scene = video.metadata["scene"]
    assert (scene["subjects"][0]["kind"], scene["subjects"][0]["colour"]) == ("cat", "red")
    assert (scene["environment"], scene["time_of_day"]) == ("beach", "noon")
    assert video.metadata["not_followed"] == []
    assert video.frames.shape == (6, 64, 112, 3)
    assert video.fps == 12.0
    assert video.audio is not None
    assert video.audio.shape == (2, 24_000)
    assert np.abs(video.audio).max() > 0


def test_the_same_seed_gives_the_same_clip_and_another_seed_another(video: Video) -> None:
    again = DioramaEngine().generate(TIMELINE, GenerationSettings(seed=4), ignore)
    np.testing.assert_array_equal(again.frames, video.frames)
    other = DioramaEngine().generate(TIMELINE, GenerationSettings(seed=5), ignore)
    assert (other.frames != video.frames).any()


def test_what_the_world_does_not_have_is_said() -> None:
    video = DioramaEngine().generate(text_to_video("a submarine", TIMELINE.spec), GenerationSettings(), ignore)
    assert any("submarine" in text for text in video.metadata["not_followed"])


def test_it_stops_at_the_step_that_asks_for_it() -> None:
    steps = []

    def stop(done: int, total: int, preview: Preview | None = None, state: object = None) -> None:
        steps.append(done)
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        DioramaEngine().generate(TIMELINE, GenerationSettings(), stop)
    assert steps == [1, 2]


def test_it_says_that_it_is_procedural_and_claims_only_what_it_can_do() -> None:
    assert DioramaEngine.procedural
    assert DioramaEngine.abilities == abilities_of(PROCEDURAL_CARD) == {
        "shots", "video_pin", "later_pin", "enhance_prompt", "audio",
    }  # fmt: skip


def test_every_shot_is_a_scene_of_its_own_with_its_sound() -> None:
    timeline = Timeline((Shot("a red cat on the beach"), Shot("a blue dog in the snow", 0.25)), TIMELINE.spec)
    steps: list[int] = []
    video = DioramaEngine().generate(timeline, GenerationSettings(seed=4), lambda done, *_: steps.append(done))
    assert steps == [1, 2, 3, 4, 5, 6]
    assert [scene["subjects"][0]["kind"] for scene in video.metadata["scenes"]] == ["cat", "dog"]
    assert video.audio is not None
    assert video.audio.shape == (2, 24_000)
    alone = text_to_video("a blue dog in the snow", replace(TIMELINE.spec, num_frames=3))
    np.testing.assert_array_equal(
        DioramaEngine().generate(alone, GenerationSettings(seed=4), ignore).frames, video.frames[3:]
    )


@pytest.mark.parametrize(
    ("asked", "rendered"), [((256, 448), (256, 448)), ((1080, 1920), (360, 640)), ((1920, 1080), (640, 360))]
)
def test_large_clips_are_rendered_smaller_in_the_same_shape(asked: tuple[int, int], rendered: tuple[int, int]) -> None:
    assert render_size(*asked) == rendered
