import pytest

from daybreak.generation_settings import GenerationSettings
from daybreak.jobs.operations import (
    CHARACTER_STRENGTH,
    InvalidRequest,
    Media,
    change_of,
    create_timeline,
    estimate_cost,
    extend_timeline,
    format_seconds,
    free_seconds,
    missing_names,
    remix_timeline,
    spec_of,
)
from daybreak.shapes import VideoSpec
from daybreak.timeline import Pin, Shot, Timeline

SPEC = VideoSpec(96, 720, 1280, 24.0)
PICTURE = Media("asset:picture", "image", 1280, 720)
CLIP = Media("asset:clip", "video", 1280, 720, 96, 24.0)


def test_text_alone_is_one_shot_without_pins():
    timeline = create_timeline((Shot("a dog"),), SPEC)
    assert timeline == Timeline((Shot("a dog"),), SPEC)
    assert timeline.features() == frozenset()


def test_a_reference_is_the_first_frame_and_characters_follow_it():
    timeline = create_timeline((Shot("Mossy runs"),), SPEC, reference=PICTURE, characters=[CLIP])
    first, introduced = timeline.pins
    assert first == Pin("asset:picture", "image")
    assert (introduced.kind, introduced.start, introduced.strength) == ("video", 2.0, CHARACTER_STRENGTH)
    assert introduced.end is not None
    assert round((introduced.end - introduced.start) * SPEC.fps) == 1
    assert introduced.media_start == 2.0  # the middle of its clip


def test_characters_alone_begin_the_clip_and_are_spread_over_it():
    one, two = create_timeline((Shot("Mossy and Fern"),), SPEC, characters=[CLIP, CLIP]).pins
    assert (one.start, two.start) == (0.0, 2.0)


def test_characters_of_the_shortest_clip_stay_inside_of_it():
    spec = VideoSpec(1, 64, 64, 24.0)
    pins = create_timeline((Shot("Mossy"),), spec, reference=PICTURE, characters=[CLIP, CLIP]).pins
    assert all(pin.start < spec.seconds for pin in pins)


def test_a_remix_holds_its_source_over_the_whole_clip():
    timeline = remix_timeline("at night", CLIP, change_of("subtle"), "blurry")
    assert timeline.spec == SPEC
    assert timeline.pins == (Pin("asset:clip", "video", strength=0.7),)
    assert timeline.negative_prompt == "blurry"


@pytest.mark.parametrize(("said", "change"), [("subtle", 0.3), ("mild", 0.5), ("strong", 0.7), (0.25, 0.25), (1, 1)])
def test_how_much_a_remix_changes(said, change):
    assert change_of(said) == change


@pytest.mark.parametrize("said", ["wild", "", 0, -0.1, 1.01, float("nan")])
def test_a_remix_changes_something_and_at_most_everything(said):
    with pytest.raises(InvalidRequest) as caught:
        change_of(said)
    assert caught.value.param == "strength"


@pytest.mark.parametrize(("direction", "start"), [("forward", 0.0), ("backward", 8.0)])
def test_an_extension_is_the_whole_stitched_clip(direction, start):
    timeline = extend_timeline("it lands", CLIP, 8, direction)
    (pin,) = timeline.pins
    assert timeline.spec == VideoSpec(288, 720, 1280, 24.0)
    assert (pin.start, pin.end, pin.strength) == (start, start + 4.0, 1.0)
    assert free_seconds(timeline) == 8.0


def test_an_extension_keeps_the_frame_rate_of_its_source():
    source = Media("asset:clip", "video", 640, 360, 61, 29.97)
    timeline = extend_timeline("on", source, 1, "backward")
    assert (timeline.spec.num_frames, timeline.spec.fps) == (91, 29.97)
    assert round(timeline.pins[0].start * 29.97) == 30


def test_an_extension_is_at_most_as_long_as_one_generation():
    source = Media("asset:clip", "video", 640, 360, 100 * 24, 24.0)
    assert extend_timeline("on", source, 20, "forward").seconds == 120
    with pytest.raises(InvalidRequest, match=r"would have 120\.5 s: it may have 120 s at most") as caught:
        extend_timeline("on", source, 20.5, "forward")
    assert caught.value.param == "seconds"


def test_an_odd_side_of_a_source_loses_a_pixel():
    spec = spec_of(Media("asset:clip", "video", 641, 361, 10, 24.0))
    assert (spec.width, spec.height) == (640, 360)


@pytest.mark.parametrize(
    "source",
    [
        Media("asset:clip", "video", 32, 360, 10, 24.0),
        Media("asset:clip", "video", 4096, 360, 10, 24.0),
        Media("asset:clip", "video", 640, 360, 24 * 121, 24.0),
        Media("asset:clip", "video", 1920, 1080, 24 * 40, 24.0),  # too much memory
        Media("asset:clip", "video", 640, 360, 10, 0.5),
    ],
)
def test_a_source_that_cannot_be_made_is_refused(source):
    with pytest.raises(InvalidRequest) as caught:
        spec_of(source)
    assert caught.value.param == "video"


def test_a_source_faster_than_anything_made_is_slowed_to_what_is():
    assert spec_of(Media("asset:clip", "video", 640, 360, 240, 240.0)).fps == 120


def test_names_are_found_whatever_their_capitals():
    assert missing_names(["Mossy", "Fern"], ["MOSSY the frog", "sleeps"]) == ["Fern"]


def test_what_is_held_as_it_is_costs_little():
    whole = create_timeline((Shot("a"),), SPEC)
    extended = extend_timeline("a", CLIP, 1, "forward")
    assert free_seconds(whole) == 4
    assert estimate_cost(extended, GenerationSettings()) < estimate_cost(whole, GenerationSettings())


def test_overlapping_spans_are_free_only_once():
    pins = (Pin("a", "video", 0, 2), Pin("b", "video", 1, 3), Pin("c", "video", 3, 4, strength=0.5))
    assert free_seconds(Timeline((Shot("a"),), SPEC, pins)) == 1


@pytest.mark.parametrize("longer", [VideoSpec(192, 720, 1280, 24.0), VideoSpec(96, 1440, 1280, 24.0)])
def test_more_pixels_cost_more(longer):
    for procedural in (False, True):
        costs = [
            estimate_cost(create_timeline((Shot("a"),), spec), GenerationSettings(), procedural=procedural)
            for spec in (SPEC, longer)
        ]
        assert costs[0] < costs[1]


def test_more_steps_cost_more():
    timeline = create_timeline((Shot("a"),), SPEC)
    few, many = (estimate_cost(timeline, GenerationSettings(num_inference_steps=steps)) for steps in (4, 40))
    assert few < many


@pytest.mark.parametrize(("seconds", "written"), [(4.0, "4"), (7.5, "7.5"), (81 / 16, "5.062"), (60, "60"), (10, "10")])
def test_seconds_are_written_as_the_wire_has_them(seconds, written):
    assert format_seconds(seconds) == written
