from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.shapes import VideoSpec
from daybreak.timeline import MAX_PROMPT, Pin, Shot, Timeline, text_to_video

SPEC = VideoSpec(48, 256, 448)  # two seconds
prompts = st.text(min_size=1, max_size=40).filter(
    lambda text: bool(text.strip()) and not any(0xD800 <= ord(letter) < 0xE000 for letter in text)
)
strengths = st.floats(0, 1)
pins = st.builds(
    Pin,
    media=st.just("a.png"),
    kind=st.sampled_from(["image", "video"]),
    start=st.floats(0, 1.9),
    strength=strengths,
    strength_end=st.none() | strengths,
    sha256=st.none() | st.just("ab" * 32),
)
timelines = st.builds(
    Timeline,
    shots=prompts.map(lambda text: (Shot(text, 0, 1), Shot(text, 1))),
    spec=st.just(SPEC),
    pins=st.lists(pins, max_size=3).map(tuple),
    negative_prompt=prompts,
    loop=st.booleans(),
)


@given(timelines)
def test_json_and_back_is_the_identity(timeline: Timeline) -> None:
    assert Timeline.from_json(timeline.to_json()) == timeline


def test_text_to_video_is_one_shot_that_needs_nothing_special() -> None:
    timeline = text_to_video("a dog", SPEC)
    assert timeline.prompt == "a dog"
    assert timeline.seconds == 2
    assert timeline.features() == frozenset()


@pytest.mark.parametrize(
    ("change", "feature"),
    [
        ({"pins": (Pin("a.png"),)}, {"image_pin"}),
        ({"pins": (Pin("a.mp4", "video"),)}, {"video_pin"}),
        ({"pins": (Pin("a.png", start=1),)}, {"image_pin", "later_pin"}),
        ({"pins": (Pin("a.png", strength=0.5),)}, {"image_pin", "partial_strength"}),
        ({"pins": (Pin("a.png", strength_end=0.0),)}, {"image_pin", "partial_strength"}),
        ({"loop": True}, {"loop"}),
        ({"negative_prompt": "rain"}, {"negative_prompt"}),
        ({"negative_prompt": "  "}, set()),
        ({"shots": (Shot("a", 0, 1), Shot("b", 1))}, {"shots"}),
        ({"shots": (Shot("a", 0.5),)}, {"shots"}),
    ],
)
def test_features_name_what_an_engine_must_honour(change: dict[str, Any], feature: set[str]) -> None:
    assert Timeline(**{"shots": (Shot("a dog"),), "spec": SPEC, **change}).features() == feature


@pytest.mark.parametrize("prompt", ["", "  ", "\n\t"])
def test_an_empty_prompt_is_refused(prompt: str) -> None:
    with pytest.raises(ValueError, match="the prompt is empty"):
        Shot(prompt)


def test_a_prompt_that_is_not_text_is_refused() -> None:
    with pytest.raises(ValueError, match="not valid text"):
        Shot("a dog \udcff")


def test_a_prompt_may_be_as_long_as_the_limit_and_no_longer() -> None:
    Shot("x" * MAX_PROMPT)
    with pytest.raises(ValueError, match=f"at most {MAX_PROMPT}"):
        Shot("x" * (MAX_PROMPT + 1))


@pytest.mark.parametrize(
    ("shots", "message"),
    [
        ((), "at least one shot"),
        ((Shot("a", 1), Shot("b", 0)), "in order"),
        ((Shot("a"), Shot("b")), "in order"),
        ((Shot("a", 0, 1.5), Shot("b", 1)), "overlap"),
        ((Shot("a"), Shot("b", 2)), "2 s lies outside the clip of 2 s"),
        ((Shot("a", 0, 3),), "0 s to 3 s lies outside"),
    ],
)
def test_shots_that_do_not_fit_the_clip_are_refused(shots: tuple[Shot, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Timeline(shots, SPEC)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"media": ""}, "needs a media file"),
        ({"kind": "sound"}, "one of image, video"),
        ({"start": -1.0}, "starts at 0 s or later"),
        ({"start": float("nan")}, "starts at 0 s or later"),
        ({"start": 1.0, "end": 1.0}, "ends after its start"),
        ({"strength": 1.5}, "strength must be from 0 to 1"),
        ({"strength_end": -0.1}, "strength must be from 0 to 1"),
        ({"media_start": -1.0}, "media_start must be 0 or more"),
    ],
)
def test_pins_that_make_no_sense_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Pin(**{"media": "a.png", **arguments})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "red"}, "no field 'colour'"),
        ({"shots": "a dog"}, "shots must be a list"),
        ({"shots": ["a dog"]}, "a Shot is written as an object"),
        ({"shots": [{"prompt": 7}]}, "prompt must be str, not 7"),
        ({"shots": [{"prompt": "a", "start": "0"}]}, "start must be float"),
        ({"shots": [{}]}, "not a timeline"),
        ({"spec": {"num_frames": 4.5, "height": 64, "width": 64}}, "num_frames must be int"),
        ({"spec": 7}, "a VideoSpec is written as an object"),
        ({"loop": 1}, "loop must be bool"),
        ({"negative_prompt": None}, "negative_prompt must be str"),
        ({"pins": [{"media": "a.png", "strength": True}]}, "strength must be float"),
    ],
)
def test_json_that_is_no_timeline_is_refused(change: dict[str, Any], message: str) -> None:
    plain = {**text_to_video("a dog", SPEC).to_dict(), **change}
    with pytest.raises(ValueError, match=message):
        Timeline.from_json(json.dumps(plain))


@pytest.mark.parametrize("text", ["", "[]", "7", "{", "null"])
def test_text_that_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the JSON reader's own messages differ
        Timeline.from_json(text)
