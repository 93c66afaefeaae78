import pytest

from daybreak.database.assets import get_asset, job_assets
from daybreak.jobs.job import JobError
from daybreak.jobs.queue import delete_job
from daybreak.server.auth import DEFAULT_PROJECT
from serving import serve


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("remix")) as served:
        yield served


@pytest.fixture(scope="module")
def source(served):
    return served.finished("a dog")


@pytest.fixture(scope="module")
def clip(served):
    return ("clip.mp4", served.clip(30, 128, 64, 12.0).read_bytes(), "video/mp4")


def test_a_remix_is_a_new_video_that_holds_its_source(served, source):
    video = served.post(f"/v1/videos/{source.id}/remix", {"prompt": "at night"})
    assert video["remixed_from_video_id"] == source.id
    assert (video["prompt"], video["size"], video["seconds"], video["model"]) == ("at night", "96x64", "1", "sora-2")
    job = served.job(video["id"])
    assert (job.kind, job.source_id, job.remixed_from_id) == ("remix", source.id, source.id)
    (pin,) = job.timeline["pins"]
    assert (pin["kind"], pin["start"], pin["end"], pin["strength"]) == ("video", 0.0, None, 0.5)
    original = job_assets(served.db, DEFAULT_PROJECT, source.id)["video"]
    held = get_asset(served.db, DEFAULT_PROJECT, pin["media"].removeprefix("asset:"))
    assert held.id != original.id
    assert held.key == original.key


def test_a_remix_as_multipart(served, source):
    answer = served.form(f"/v1/videos/{source.id}/remix", {"prompt": "at night", "strength": "subtle"})
    assert served.job(answer.json()["id"]).timeline["pins"][0]["strength"] == 0.7


@pytest.mark.parametrize(("said", "held"), [("strong", 0.3), (0.25, 0.75), ("0.25", 0.75), (1, 0.0)])
def test_how_much_a_remix_may_change(served, source, said, held):
    video = served.post(f"/v1/videos/{source.id}/remix", {"prompt": "at night", "strength": said})
    assert served.job(video["id"]).timeline["pins"][0]["strength"] == pytest.approx(held)


@pytest.mark.parametrize("said", ["wild", 0, 2, "2", -1, [1], {}, True, ""])
def test_a_strength_that_is_none(served, source, said):
    answer = served.client.post(f"/v1/videos/{source.id}/remix", json={"prompt": "at night", "strength": said})
    assert served.error(answer)["param"] == "strength"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": "a", "size": "64x64"}, "size"),
        ({"prompt": "a", "video": {"id": "x"}}, "video"),
    ],
)
def test_a_remix_takes_a_prompt_and_its_options(served, source, body, param):
    assert served.error(served.client.post(f"/v1/videos/{source.id}/remix", json=body))["param"] == param


def ways(video_id):
    return [
        (f"/v1/videos/{video_id}/remix", {"prompt": "a"}),
        (f"/v1/videos/{video_id}/edits", {"prompt": "a"}),
        ("/v1/videos/edits", {"prompt": "a", "video": {"id": video_id}}),
        ("/v1/videos/edits", {"prompt": "a", "video": video_id}),
        ("/v1/videos/extensions", {"prompt": "a", "video": {"id": video_id}}),
        ("/v1/videos/characters", {"name": "Mossy", "video": {"id": video_id}}),
        ("/v1/videos", {"prompt": "a", "timeline": {"pins": [{"media": video_id}]}}),
    ]


def test_a_source_that_is_not_there_is_a_404(served):
    for video_id in ("video_" + "0" * 32, "video_x"):
        for path, body in ways(video_id):
            error = served.error(served.client.post(path, json=body), 404)
            assert error["message"] == f"No video found with id '{video_id}'."


def test_a_source_that_is_not_done_or_failed_is_a_400(served):
    waiting = served.post("/v1/videos", {"prompt": "a", "size": "96x64", "priority": 50})["id"]
    for path, body in ways(waiting):
        assert served.error(served.client.post(path, json=body))["code"] == "video_not_ready"
    assert served.finish(error=JobError("out_of_memory", "no")).id == waiting
    for path, body in ways(waiting):
        assert served.error(served.client.post(path, json=body))["code"] == "video_failed"


def test_a_source_that_was_deleted_is_a_404_and_those_made_from_it_keep_its_bytes(served):
    source = served.finished(priority=50)
    video = served.post(f"/v1/videos/{source.id}/remix", {"prompt": "at night"})
    held = served.job(video["id"]).timeline["pins"][0]["media"].removeprefix("asset:")
    key = get_asset(served.db, DEFAULT_PROJECT, held).key
    assert delete_job(served.db, DEFAULT_PROJECT, source.id, served.now).keys == []
    for path, body in ways(source.id):
        served.error(served.client.post(path, json=body), 404)
    assert served.storage.size(key)
    assert delete_job(served.db, DEFAULT_PROJECT, video["id"], served.now).keys == [key]


def test_an_edit_by_id_in_every_encoding(served, source):
    by_json = served.post("/v1/videos/edits", {"prompt": "in snow", "video": {"id": source.id}})
    by_form = served.form("/v1/videos/edits", {"prompt": "in snow", "video[id]": source.id}).json()
    by_path = served.post(f"/v1/videos/{source.id}/edits", {"prompt": "in snow"})
    for video in (by_json, by_form, by_path):
        assert video["remixed_from_video_id"] is None
        job = served.job(video["id"])
        assert (job.kind, job.source_id, len(job.timeline["pins"])) == ("edit", source.id, 1)


def test_an_edit_of_an_upload(served, clip):
    answer = served.form("/v1/videos/edits", {"prompt": "in snow", "model": "sora-2", "video": clip})
    video = answer.json()
    assert (video["size"], video["seconds"], video["model"]) == ("128x64", "2.5", "sora-2")
    job = served.job(video["id"])
    assert job.timeline["spec"] == {"num_frames": 30, "height": 64, "width": 128, "fps": 12.0}
    assert job.source_id is None


def test_an_edit_without_a_video(served):
    assert served.error(served.client.post("/v1/videos/edits", json={"prompt": "a"})) == {
        "message": "Missing required parameter: 'video'.",
        "type": "invalid_request_error",
        "param": "video",
        "code": "missing_required_parameter",
    }


def test_an_edit_of_two_videos_or_of_none(served, source, clip):
    answer = served.form("/v1/videos/edits", [("prompt", "a"), ("video", clip), ("video[id]", source.id)])
    assert served.error(answer)["param"] == "video"
    for video in ({}, {"id": source.id, "file_id": "file-1"}, "clip.mp4", 3, [], {"name": "x"}):
        answer = served.client.post("/v1/videos/edits", json={"prompt": "a", "video": video})
        assert served.error(answer)["param"].startswith("video")


@pytest.mark.parametrize("content", [b"", b"\x00\x00\x00\x18ftypisom" + b"\0" * 100, b"#EXTM3U\n/etc/passwd\n"])
def test_an_upload_that_is_no_video_leaves_nothing(served, content):
    before = served.stored()
    for path, fields in (
        ("/v1/videos/edits", {"prompt": "a"}),
        ("/v1/videos/extensions", {"prompt": "a"}),
        ("/v1/videos/characters", {"name": "a"}),
    ):
        answer = served.form(path, {**fields, "video": ("a.mp4", content, "video/mp4")})
        assert served.error(answer)["param"] == "video"
    assert served.stored() == before


def test_an_extension_is_as_long_as_the_whole(served, source):
    video = served.post("/v1/videos/extensions", {"prompt": "it lands", "video": {"id": source.id}, "seconds": "8"})
    assert (video["seconds"], video["size"], video["remixed_from_video_id"]) == ("9", "96x64", None)
    job = served.job(video["id"])
    (pin,) = job.timeline["pins"]
    assert (pin["start"], pin["end"], pin["strength"]) == (0.0, 1.0, 1.0)
    assert (job.kind, job.source_id, job.timeline["spec"]["num_frames"]) == ("extend", source.id, 216)


def test_an_extension_backwards_as_multipart(served, source):
    fields = {"prompt": "it starts", "seconds": "4", "video[id]": source.id, "direction": "backward"}
    video = served.form("/v1/videos/extensions", fields).json()
    (pin,) = served.job(video["id"]).timeline["pins"]
    assert (video["seconds"], pin["start"], pin["end"]) == ("5", 4.0, 5.0)


def test_an_extension_of_an_upload(served, clip):
    video = served.form("/v1/videos/extensions", {"prompt": "on", "seconds": 4, "video": clip}).json()
    assert (video["seconds"], video["size"]) == ("6.5", "128x64")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"seconds": "120"}, "seconds"),
        ({"seconds": 0}, "seconds"),
        ({"seconds": [4]}, "seconds"),
        ({"direction": "up"}, "direction"),
        ({"size": "64x64"}, "size"),
        ({"characters": [{"id": "char_1"}]}, "characters"),
        ({"prompt": None}, "prompt"),
    ],
)
def test_an_extension_that_cannot_be_made(served, source, fields, param):
    body = {"prompt": "on", "video": {"id": source.id}, **fields}
    error = served.error(served.client.post("/v1/videos/extensions", json=body))
    assert error["param"] == param
    if fields == {"seconds": "120"}:
        assert "120 s at most" in error["message"]


def test_a_model_that_cannot_hold_a_source_says_so(served, source):
    answer = served.client.post(f"/v1/videos/{source.id}/remix", json={"prompt": "a", "model": "diorama"})
    error = served.error(answer)
    assert error["code"] == "unsupported_by_model"
    assert "'diorama'" in error["message"]


def test_what_was_made_by_a_model_is_made_again_by_it(served):
    source = served.finished(model="diorama", priority=60)
    error = served.error(served.client.post(f"/v1/videos/{source.id}/remix", json={"prompt": "a"}))
    assert "'diorama'" in error["message"]
    assert served.post(f"/v1/videos/{source.id}/remix", {"prompt": "a", "model": "sora-2"})["model"] == "sora-2"
