"""What a prompt means in the world: captions, what could not be followed, and the sound of each shot."""

from __future__ import annotations

import numpy as np
import pytest

from daybreak.diorama.parse import parse
from daybreak.engines.world import (
    SAMPLE_RATE,
    in_captions,
    read_timeline,
    reading_record,
    shot_frames,
    soundtrack,
)
from daybreak.shapes import VideoSpec
from daybreak.timeline import Pin, Shot, Timeline

SPEC = VideoSpec(48, 256, 448, 24.0)


def of(*prompts: str, pins: tuple[Pin, ...] = ()) -> Timeline:
    return Timeline(tuple(Shot(text, float(start)) for start, text in enumerate(prompts)), SPEC, pins)


@pytest.mark.parametrize(
    ("prompt", "caption"),
    [
        ("a brown dog runs across a meadow at sunset", "a brown dog runs across a meadow at sunset"),
        ("my little sister's red robot just can't stop dancing in the living room tonight",
         "a red robot dances in a room at night"),
        ("penguins love to swim, so show me a purple one swimming near the beach at dawn",
         "a purple penguin swims through the sea at dawn"),
        ("a car that is yellow, driving through the town while it rains, at midnight, pixel art",
         "a yellow car drives through a town at night in the rain, pixel art"),
    ],
)  # fmt: skip
def test_a_prompt_is_said_in_the_plainest_words(prompt: str, caption: str) -> None:
    [reading] = read_timeline(of(prompt), 3)
    assert reading.caption == caption


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_caption_is_read_as_the_scene_that_it_was_written_from(seed: int) -> None:
    """What was left open is in the caption: reading that again, with any other seed, changes nothing that shows."""
    [reading] = read_timeline(of("two cats"), seed)
    again = parse(reading.caption, seed + 100).spec
    assert [(s.kind, s.colour, s.action) for s in again.subjects] == [
        (s.kind, s.colour, s.action) for s in reading.scene.subjects
    ]
    assert (again.environment, again.time_of_day) == (reading.scene.environment, reading.scene.time_of_day)


def test_what_is_left_open_is_filled_in_only_where_nothing_else_answers_it() -> None:
    alone = read_timeline(of("a cat"), 5)[0].caption
    assert len(alone.split()) > 4
    pinned = read_timeline(of("a cat", pins=(Pin("a.png"),)), 5)[0].caption
    assert pinned == "a cat"
    assert [reading.caption for reading in read_timeline(of("a cat", "a red cat sleeps"), 5)] == [
        "a cat",
        "a red cat sleeps",
    ]


def test_seeds_fill_in_differently_and_always_the_same() -> None:
    captions = [read_timeline(of("a cat"), seed)[0].caption for seed in range(8)]
    assert len(set(captions)) > 4
    assert captions == [read_timeline(of("a cat"), seed)[0].caption for seed in range(8)]
    assert read_timeline(of("a cat"), 2**63 - 1)


def test_a_model_that_knows_fewer_words_is_told_the_nearest_and_the_record_says_so() -> None:
    words = {"subject": ("dog", "car"), "environment": ("meadow", "town")}
    [reading] = read_timeline(of("a grey fox runs through the city"), 3, words)
    assert reading.scene.subjects[0].kind == "dog"
    assert "dog" in reading.caption
    assert {"fox (shown: dog)", "city (shown: town)"} <= set(reading.not_followed)
    [whole] = read_timeline(of("a grey fox runs through the city"), 3)
    assert (whole.scene.subjects[0].kind, whole.not_followed) == ("fox", ())


def test_the_record_says_what_the_model_was_told_and_what_was_left_out() -> None:
    timeline = of("a purple submarine dives", "a red cat sleeps")
    readings = read_timeline(timeline, 0)
    record = reading_record(readings, enhanced=True)
    assert record["revised_prompts"] == [reading.caption for reading in readings]
    assert record["revised_prompt"] == readings[0].caption
    assert any("submarine" in words for words in record["not_followed"])
    assert set(reading_record(readings, enhanced=False)) == {"not_followed"}
    assert reading_record([], enhanced=False) == {}
    told = in_captions(timeline, readings)
    assert [(shot.prompt, shot.start) for shot in told.shots] == [
        (readings[0].caption, 0.0),
        ("a red cat sleeps", 1.0),
    ]


def test_shots_share_the_frames() -> None:
    assert shot_frames(of("a", "b"), 48, 24.0) == [slice(0, 24), slice(24, 48)]
    late = Timeline((Shot("a"), Shot("b", 1.999)), SPEC)
    assert shot_frames(late, 48, 24.0) == [slice(0, 48), slice(48, 48)]


def test_the_sound_is_as_long_as_the_clip_and_each_shot_has_its_own() -> None:
    timeline = of("a dog runs in the rain", "a cat sleeps in a room")
    readings, spans = read_timeline(timeline, 1), shot_frames(timeline, 48, 24.0)
    sound = soundtrack(readings, spans, 24.0, 448 / 256, 1)
    assert sound.shape == (2, 2 * SAMPLE_RATE)
    assert np.abs(sound[:, :SAMPLE_RATE]).max() > 0
    second = soundtrack(readings[1:], [slice(24, 48)], 24.0, 448 / 256, 1)
    np.testing.assert_array_equal(sound[:, SAMPLE_RATE:], second)
    none_of_the_second = soundtrack(readings, [slice(0, 48), slice(48, 48)], 24.0, 448 / 256, 1)
    assert none_of_the_second.shape == (2, 2 * SAMPLE_RATE)
