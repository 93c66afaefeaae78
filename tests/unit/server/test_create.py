import base64

import pytest

from daybreak.database.assets import get_asset
from daybreak.server.auth import DEFAULT_PROJECT
from daybreak.server.create import prepare_create
from serving import png, serve


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("create")) as served:
        yield served


@pytest.fixture(scope="module")
def portrait():
    return png(720, 1280)


KEYS = [
    "id", "object", "model", "status", "progress", "created_at", "completed_at", "expires_at", "prompt", "size",
    "seconds", "remixed_from_video_id", "error",
]  # fmt: skip


def pins_of(served, video):
    return served.job(video["id"]).timeline["pins"]


def media_of(served, pin):
    return get_asset(served.db, DEFAULT_PROJECT, pin["media"].removeprefix("asset:"))


def test_text_alone_as_json(served):
    video = served.post("/v1/videos", {"prompt": "a dog"})
    assert [key for key in KEYS if key not in video] == []
    assert {key: video[key] for key in ("object", "model", "status", "progress", "prompt", "size", "seconds")} == {
        "object": "video", "model": "sora-2", "status": "queued", "progress": 0, "prompt": "a dog", "size": "720x1280",
        "seconds": "4",
    }  # fmt: skip
    nulls = ("completed_at", "expires_at", "remixed_from_video_id", "error")
    assert [video[key] for key in nulls] == [None] * 4
    job = served.job(video["id"])
    assert job.engine_model == "dawn"
    assert job.timeline["spec"] == {"num_frames": 96, "height": 1280, "width": 720, "fps": 24.0}


def test_multipart_without_a_file_is_the_same(served):
    answer = served.form("/v1/videos", {"prompt": "a dog", "seconds": "8", "size": "1280x720", "model": "sora-2-pro"})
    video = answer.json()
    assert (answer.status_code, video["seconds"], video["size"], video["model"]) == (200, "8", "1280x720", "sora-2-pro")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_file_is_known_by_its_bytes_whatever_it_is_called(served, kind):
    picture = ("upload", png(64, 96, kind), "application/octet-stream")
    video = served.form("/v1/videos", {"prompt": "it moves", "size": "64x96", "input_reference": picture}).json()
    (pin,) = pins_of(served, video)
    asset = media_of(served, pin)
    assert (pin["kind"], pin["start"], pin["end"], pin["strength"]) == ("image", 0.0, None, 1.0)
    assert (asset.variant, asset.width, asset.height, asset.sha256) == ("image", 64, 96, pin["sha256"])
    assert asset.content_type == f"image/{kind.lower()}"
    assert served.storage.size(asset.key) == asset.bytes == len(picture[1])


def test_a_reference_as_a_bracketed_object(served):
    data = "data:image/png;base64," + base64.b64encode(png()).decode()
    answer = served.form("/v1/videos", [("prompt", "it moves"), ("input_reference[image_url]", data)])
    assert len(pins_of(served, answer.json())) == 1


@pytest.mark.parametrize("wrap", [lambda url: {"image_url": url}, lambda url: url], ids=["object", "text"])
def test_a_reference_as_a_data_url(served, wrap):
    data = "data:image/png;base64," + base64.b64encode(png()).decode()
    video = served.post("/v1/videos", {"prompt": "it moves", "input_reference": wrap(data)})
    assert media_of(served, pins_of(served, video)[0]).content_type == "image/png"


def upload(served, content, name="picture.png"):
    answer = served.form("/v1/files", {"purpose": "vision", "file": (name, content, "application/octet-stream")})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


@pytest.mark.parametrize("wrap", [lambda file: {"file_id": file}, lambda file: file], ids=["object", "text"])
def test_a_reference_as_a_file(served, wrap):
    content = png(100, 80)
    file_id = upload(served, content)
    before = served.stored()
    video = served.post("/v1/videos", {"prompt": "it moves", "input_reference": wrap(file_id)})
    asset = media_of(served, pins_of(served, video)[0])
    assert (asset.width, asset.height) == (100, 80)
    assert served.stored() == before  # the same bytes, kept by one more row
    assert served.client.delete(f"/v1/files/{file_id}").status_code == 200
    assert b"".join(served.storage.read(asset.key)) == content


def test_a_file_that_is_not_there(served):
    for file_id in ("file-" + "0" * 32, "file-x"):
        answer = served.client.post("/v1/videos", json={"prompt": "a", "input_reference": {"file_id": file_id}})
        assert served.error(answer, 404)["message"] == f"No file found with id '{file_id}'."


def test_a_reference_of_another_size_is_covered_unless_said_otherwise(served, portrait):
    picture = ("a.png", portrait, "image/png")
    fields = {"prompt": "it moves", "size": "640x360", "input_reference": picture}
    for more in ({}, {"input_reference_fit": "cover"}):
        asset = media_of(served, pins_of(served, served.form("/v1/videos", fields | more).json())[0])
        assert (asset.width, asset.height) == (720, 1280)  # the engine crops it
    contained = served.form("/v1/videos", fields | {"input_reference_fit": "contain"}).json()
    asset = media_of(served, pins_of(served, contained)[0])
    assert (asset.width, asset.height, asset.content_type) == (640, 360, "image/png")


def test_exact_takes_the_size_that_was_asked_for_and_no_other(served, portrait):
    fields = {"prompt": "it moves", "input_reference": ("a.png", portrait, "image/png"), "input_reference_fit": "exact"}
    assert served.form("/v1/videos", fields | {"size": "720x1280"}).status_code == 200
    error = served.error(served.form("/v1/videos", fields | {"size": "1280x720"}))
    assert error == {
        "message": "Inpaint image must match the requested width and height",
        "type": "invalid_request_error",
        "param": None,
        "code": None,
    }


def test_the_collected_errors_word_for_word(served):
    cases = [
        ({"size": "640x361"}, "size", "invalid_value", "Invalid value: '640x361'. Supported values are: '720x1280', "),
        ({"seconds": 121}, "seconds", "invalid_value", "Invalid value: '121'. Supported values are: '4', '8', '12', "),
        ({"seconds": True}, "seconds", "invalid_type", "Invalid type for 'seconds': expected one of '4', '8', '12', "),
        ({"widht": 3}, "widht", "unknown_parameter", "Unknown parameter: 'widht'."),
    ]
    for fields, param, code, message in cases:
        error = served.error(served.client.post("/v1/videos", json={"prompt": "a", **fields}))
        assert (error["param"], error["code"], error["type"]) == (param, code, "invalid_request_error")
        assert error["message"].startswith(message)


def test_a_reference_that_is_only_a_text(served):
    answer = served.form("/v1/videos", {"prompt": "a", "input_reference": "picture.png"})
    assert served.error(answer) == {
        "message": "Invalid type for 'input_reference': expected a file, but got a string instead.",
        "type": "invalid_request_error",
        "param": "input_reference",
        "code": "invalid_type",
    }
    answer = served.client.post("/v1/videos", json={"prompt": "a", "input_reference": "/etc/passwd"})
    assert served.error(answer)["message"] == (
        "Invalid type for 'input_reference': expected an object, but got a string instead."
    )


@pytest.mark.parametrize(
    "reference",
    [{}, {"image_url": None}, {"image_url": "https://a.b/c.png", "file_id": "file-1"}, {"image_url": "ftp://a/b"},
     {"image_url": "x"}, {"url": "https://a.b/c"}, {"video_id": "video_1"}, [], [{}, {}], {"image_url": 3}, 3, True],
)  # fmt: skip
def test_a_reference_that_points_nowhere(served, reference):
    answer = served.client.post("/v1/videos", json={"prompt": "a", "input_reference": reference})
    if reference == []:
        assert served.error(answer)["code"] == "invalid_type"
    else:
        assert served.error(answer)["param"].startswith("input_reference")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/a.png", "http://169.254.169.254/latest", "http://localhost/a.png"])
def test_an_address_inside_is_not_fetched(served, url):
    before = served.stored()
    answer = served.client.post("/v1/videos", json={"prompt": "a", "input_reference": {"image_url": url}})
    assert served.error(answer)["param"] == "input_reference"
    assert served.stored() == before


@pytest.mark.parametrize(
    "content", [b"", b"hello", png()[:200], b"GIF89a" + b"\0" * 50, b"\x00\x00\x00\x18ftypisom" + b"\0" * 100]
)
def test_an_upload_that_is_no_picture_leaves_nothing(served, content):
    before = served.stored()
    answer = served.form("/v1/videos", {"prompt": "a", "input_reference": ("a.png", content, "image/png")})
    error = served.error(answer)
    assert error["param"] == "input_reference"
    assert "Invalid file 'input_reference'" in error["message"]
    assert served.stored() == before


def test_a_clip_is_not_a_reference(served):
    clip = ("a.png", served.clip().read_bytes(), "image/png")
    error = served.error(served.form("/v1/videos", {"prompt": "a", "input_reference": clip}))
    assert error["message"] == (
        "Invalid file 'input_reference': unsupported mimetype ('video/mp4'). Supported file formats are 'image/jpeg', "
        "'image/png', and 'image/webp'."
    )


def test_files_under_another_name_are_unknown(served):
    answer = served.form("/v1/videos", {"prompt": "a", "picture": ("a.png", png(), "image/png")})
    assert served.error(answer)["message"] == "Unknown parameter: 'picture'."


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing_required_parameter"),
        ({"prompt": None}, "missing_required_parameter"),
        ({"prompt": ""}, "empty_string"),
        ({"prompt": "x" * 32_001}, "string_above_max_length"),
        ({"prompt": 7}, "invalid_type"),
    ],
)
def test_a_prompt_is_required(served, body, code):
    error = served.error(served.client.post("/v1/videos", json=body))
    assert (error["param"], error["code"]) == ("prompt", code)


def test_a_prompt_of_every_length_and_script(served):
    for prompt in ("x", "犬が草原を走る 🐕", "y" * 32_000):
        assert served.post("/v1/videos", {"prompt": prompt})["prompt"] == prompt


def test_a_model_that_is_not_here(served):
    answer = served.client.post("/v1/videos", json={"prompt": "a", "model": "sora-3"})
    assert served.error(answer, 404)["code"] == "model_not_found"


def test_what_the_model_cannot_do_is_refused_at_once(served):
    before = served.stored()
    answer = served.form(
        "/v1/videos", {"prompt": "a", "model": "diorama", "guidance_scale": "3", "negative_prompt": "rain"}
    )
    error = served.error(answer)
    assert error["code"] == "unsupported_by_model"
    assert "guidance scale" in error["message"]
    assert "negative prompt" in error["message"]
    assert served.stored() == before


def test_settings_are_kept_with_the_job(served):
    video = served.post(
        "/v1/videos",
        {"prompt": "a", "seed": 7, "num_inference_steps": 3, "guidance_scale": 2.5, "negative_prompt": "rain",
         "priority": 4, "metadata": {"order": "66"}, "expires_after": 3600, "fps": 12},
    )  # fmt: skip
    job = served.job(video["id"])
    assert job.settings == {"seed": 7, "num_inference_steps": 3, "guidance_scale": 2.5}
    assert (job.priority, job.metadata, job.expires_after) == (4, {"order": "66"}, 3600)
    assert (job.timeline["negative_prompt"], job.timeline["spec"]["fps"]) == ("rain", 12)
    assert job.cost > 0
    assert job.expires_at is None


def test_what_load_testers_of_other_servers_send(served):
    answer = served.form(
        "/v1/videos/generations",
        {"prompt": "a", "width": "832", "height": "480", "num_frames": "33", "fps": "16", "num_inference_steps": "4",
         "guidance_scale": "1.0", "seed": "42", "negative_prompt": "blur"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["size"], answer.json()["seconds"]) == (200, "832x480", "2.062")


def test_a_create_without_http_is_the_same(served):
    new = served.client.portal.call(prepare_create, served.context, DEFAULT_PROJECT, {"prompt": "a", "seed": 1}, {})
    assert (new.kind, new.model, new.engine_model, new.settings["seed"]) == ("create", "sora-2", "dawn", 1)


def character(served, name):
    clip = ("clip.mp4", served.clip().read_bytes(), "video/mp4")
    answer = served.form("/v1/videos/characters", {"name": name, "video": clip})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def test_characters_are_shown_to_the_model_and_named_in_the_prompt(served):
    mossy, fern = character(served, "Mossy"), character(served, "Fern")
    pairs = [("prompt", "Mossy and fern dance"), ("characters[][id]", mossy), ("characters[][id]", fern)]
    pins = pins_of(served, served.form("/v1/videos", pairs).json())
    assert [(pin["kind"], pin["start"]) for pin in pins] == [("video", 0.0), ("video", 2.0)]
    assert served.post("/v1/videos", {"prompt": "MOSSY", "characters": [{"id": mossy}]})["status"] == "queued"
    for characters, prompt, code in (
        ([{"id": mossy}], "a frog", "character_not_in_prompt"),
        ([{"id": mossy}] * 3, "Mossy", "array_above_max_length"),
        ([{"name": "x"}], "Mossy", "missing_required_parameter"),
        ("Mossy", "Mossy", "invalid_type"),
    ):
        answer = served.client.post("/v1/videos", json={"prompt": prompt, "characters": characters})
        assert served.error(answer)["code"] == code
    answer = served.client.post("/v1/videos", json={"prompt": "a", "characters": [{"id": "char_" + "0" * 32}]})
    assert served.error(answer, 404)["code"] == "not_found"
