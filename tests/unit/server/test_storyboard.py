import base64
import json

import pytest

from daybreak.shapes import VideoSpec
from daybreak.timeline import Pin, Shot, Timeline
from serving import png, serve


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("storyboard")) as served:
        yield served


@pytest.fixture(scope="module")
def source(served):
    return served.finished()  # one second


PICTURE = "data:image/png;base64," + base64.b64encode(png()).decode()


def create(served, timeline, **fields):
    return served.job(served.post("/v1/videos", {"timeline": timeline, "size": "96x64", **fields})["id"])


def refused(served, timeline, status=400, **fields):
    return served.error(
        served.client.post("/v1/videos", json={"timeline": timeline, "size": "96x64", **fields}), status
    )


def test_shots_one_after_the_other(served):
    job = create(served, {"shots": [{"prompt": "a dog"}, {"prompt": "a cat", "start": 2}]})
    assert [(shot["prompt"], shot["start"], shot["end"]) for shot in job.timeline["shots"]] == [
        ("a dog", 0.0, None),
        ("a cat", 2.0, None),
    ]
    assert job.prompt == "a dog\na cat"


def test_the_prompt_goes_until_the_first_shot(served):
    job = create(served, {"shots": [{"prompt": "a cat", "start": 2}]}, prompt="a dog")
    assert [shot["prompt"] for shot in job.timeline["shots"]] == ["a dog", "a cat"]
    job = create(served, {"shots": [{"prompt": "a cat"}]}, prompt="a title")
    assert ([shot["prompt"] for shot in job.timeline["shots"]], job.prompt) == (["a cat"], "a title")


def test_media_of_every_kind(served, source):
    clip = ("clip.mp4", served.clip().read_bytes(), "video/mp4")
    file_id = served.form("/v1/files", {"purpose": "user_data", "file": clip}).json()["id"]
    character = served.form("/v1/videos/characters", {"name": "Rex", "video": clip}).json()["id"]
    pins = [
        {"media": PICTURE},
        {"media": source.id, "start": 1, "end": 2},
        {"media": {"video_id": source.id}, "start": 2, "strength": 0.5},
        {"media": file_id, "start": 3, "media_start": 0.5},
        {"media": {"file_id": file_id}, "start": 3.5, "end": 4},
        {"media": {"character_id": character}, "start": 1.5},
        {"media": {"url": PICTURE}, "start": 2.5, "kind": "image"},
    ]
    job = create(served, {"pins": pins}, prompt="a dog")
    kinds = ["image", "video", "video", "video", "video", "video", "image"]
    assert [pin["kind"] for pin in job.timeline["pins"]] == kinds
    assert all(pin["media"].startswith("asset:") and len(pin["sha256"]) == 64 for pin in job.timeline["pins"])
    assert job.source_id == source.id
    assert len({pin["media"] for pin in job.timeline["pins"]}) == 5  # the same media is kept once


def test_a_blend_is_two_clips_over_the_same_span(served, source):
    pins = [
        {"media": source.id, "end": 1, "strength": 1, "strength_end": 0},
        {"media": source.id, "end": 1, "strength": 0, "strength_end": 1},
    ]
    job = create(served, {"pins": pins}, prompt="a dog becomes a dog", seconds=1)
    assert [(pin["strength"], pin["strength_end"]) for pin in job.timeline["pins"]] == [(1.0, 0.0), (0.0, 1.0)]


def test_a_timeline_that_was_written_by_us(served, source):
    timeline = Timeline(
        (Shot("a dog"), Shot("a cat", 1.0)), VideoSpec(48, 64, 96, 24.0), (Pin(source.id, "video", end=1.0),), "rain"
    )
    answer = served.client.post("/v1/videos", json={"prompt": "a dog", "timeline": timeline.to_dict()})
    assert answer.status_code == 200, answer.text
    job = served.job(answer.json()["id"])
    assert (job.size, job.seconds) == ("96x64", "2")
    made = Timeline.from_dict(job.timeline)
    assert (made.shots, made.spec, made.negative_prompt) == (timeline.shots, timeline.spec, "rain")


def test_a_form_sends_it_as_text_or_in_brackets(served):
    text = json.dumps({"shots": [{"prompt": "a"}, {"prompt": "b", "start": 2}]})
    one = served.form("/v1/videos", {"timeline": text, "size": "96x64"}).json()
    two = served.form(
        "/v1/videos",
        [("size", "96x64"), ("timeline[shots][0][prompt]", "a"), ("timeline[shots][1][prompt]", "b"),
         ("timeline[shots][1][start]", "2")],
    ).json()  # fmt: skip
    assert served.job(one["id"]).timeline["shots"] == served.job(two["id"]).timeline["shots"]


@pytest.mark.parametrize(
    ("timeline", "param"),
    [
        ("{", None),
        ([], "timeline"),
        ({"shot": []}, "timeline.shot"),
        ({"shots": {}}, "timeline.shots"),
        ({"shots": [3]}, "timeline.shots[0]"),
        ({"shots": [{}]}, "timeline.shots[0].prompt"),
        ({"shots": [{"prompt": ""}]}, "timeline.shots[0].prompt"),
        ({"shots": [{"prompt": "a", "start": -1}]}, "timeline.shots[0].start"),
        ({"shots": [{"prompt": "a", "start": 4}]}, "timeline.shots[0].start"),
        ({"shots": [{"prompt": "a", "end": 5}]}, "timeline.shots[0].end"),
        ({"shots": [{"prompt": "a", "start": 2, "end": 2}]}, "timeline.shots[0].end"),
        ({"shots": [{"prompt": "a"}, {"prompt": "b"}]}, "timeline.shots[1].start"),
        ({"shots": [{"prompt": "a", "end": 3}, {"prompt": "b", "start": 2}]}, "timeline.shots[1].start"),
        ({"shots": [{"prompt": "a", "zoom": 2}]}, "timeline.shots[0].zoom"),
        ({"pins": [{}]}, "timeline.pins[0].media"),
        ({"pins": [{"media": "picture.png"}]}, "timeline.pins[0].media"),
        ({"pins": [{"media": "/etc/passwd"}]}, "timeline.pins[0].media"),
        ({"pins": [{"media": "asset:asset_1"}]}, "timeline.pins[0].media"),
        ({"pins": [{"media": {}}]}, "timeline.pins[0].media"),
        ({"pins": [{"media": "data:image/png;base64,!"}]}, "timeline.pins[0].media"),
        ({"pins": [{"media": PICTURE, "strength": 1.5}]}, "timeline.pins[0].strength"),
        ({"pins": [{"media": PICTURE, "strength_end": -1}]}, "timeline.pins[0].strength_end"),
        ({"pins": [{"media": PICTURE, "start": "soon"}]}, "timeline.pins[0].start"),
        ({"pins": [{"media": PICTURE}, {"media": PICTURE, "start": 9}]}, "timeline.pins[1].start"),
        ({"pins": [{"media": PICTURE, "end": 9}]}, "timeline.pins[0].end"),
        ({"pins": [{"media": PICTURE, "media_start": 1}]}, "timeline.pins[0].media_start"),
        ({"pins": [{"media": PICTURE, "kind": "video"}]}, "timeline.pins[0].media"),
        ({"pins": [{"media": PICTURE, "kind": "sound"}]}, "timeline.pins[0].kind"),
        ({"pins": [{"media": PICTURE, "sha256": "0" * 64}]}, "timeline.pins[0].sha256"),
        ({"pins": [{"media": PICTURE}] * 33}, "timeline.pins"),
        ({"loop": "maybe"}, "timeline.loop"),
        ({"spec": {"width": 96}}, "timeline.spec.height"),
        ({"spec": {"width": 96, "height": 65, "num_frames": 9}}, "timeline.spec"),
        ({"negative_prompt": 3}, "timeline.negative_prompt"),
    ],
)
def test_each_mistake_is_named(served, timeline, param):
    before = served.stored()
    assert refused(served, timeline, prompt="a dog")["param"] == param
    assert served.stored() == before


def test_a_prompt_or_a_shot_is_needed(served):
    assert refused(served, {"loop": True})["param"] == "prompt"


def test_a_clip_has_an_end(served, source):
    pin = {"media": source.id, "media_start": 1.0}
    assert refused(served, {"pins": [pin]}, prompt="a")["param"] == "timeline.pins[0].media_start"
    pin = {"media": source.id, "kind": "image"}
    assert refused(served, {"pins": [pin]}, prompt="a")["param"] == "timeline.pins[0].kind"


def test_two_negative_prompts(served):
    error = refused(served, {"negative_prompt": "rain"}, prompt="a", negative_prompt="snow")
    assert error["param"] == "negative_prompt"


def test_what_a_model_lacks_is_named(served):
    error = refused(served, {"pins": [{"media": PICTURE, "strength": 0.5}], "loop": True}, prompt="a", model="diorama")
    assert error["code"] == "unsupported_by_model"
    for lacking in ("a loop", "an image", "a strength below 1"):
        assert lacking in error["message"]
