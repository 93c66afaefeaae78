"""Refusals as the official Python package sees them, and each case that Sora's users have met."""

from __future__ import annotations

import base64
from typing import Any

import httpx2
import openai
import pytest

from live_server import LiveServer
from official import DRAWN, PROMPT, QUICK, Sdk, png

KEYS = {"message", "type", "param", "code"}
SIZES = "Supported values are: '720x1280', '1280x720', '1024x1792', '1792x1024'"
SECONDS = "Supported values are: '4', '8', '12'"


def test_exceptions_have_the_right_class_and_say_what_is_wrong(sdk: Sdk, video_id: str) -> None:
    videos = sdk.client.videos
    with pytest.raises(openai.BadRequestError) as bad:
        sdk(videos.create(prompt=PROMPT, size="1x1"))
    assert bad.value.message.startswith("Error code: 400")
    assert (bad.value.param, bad.value.code, bad.value.type) == ("size", "invalid_value", "invalid_request_error")
    assert bad.value.request_id
    with pytest.raises(openai.NotFoundError) as absent:
        sdk(videos.retrieve("video_" + "0" * 32))
    assert (absent.value.code, absent.value.param) == ("not_found", None)
    key = {"Idempotency-Key": f"key-{video_id}-{sdk.runner is None}"}
    first = sdk(videos.create(prompt=PROMPT, extra_headers=key, **QUICK))
    assert sdk(videos.create(prompt=PROMPT, extra_headers=key, **QUICK)).id == first.id
    with pytest.raises(openai.UnprocessableEntityError) as reused:
        sdk(videos.create(prompt="another", extra_headers=key, **QUICK))
    assert reused.value.code == "idempotency_key_reused"


def test_a_wrong_key_is_an_authentication_error(sdk: Sdk) -> None:
    stranger = sdk.client.with_options(api_key="sk-daybreak-" + "x" * 43)
    with pytest.raises(openai.AuthenticationError) as refused:
        sdk(stranger.videos.list())
    assert (refused.value.code, refused.value.type) == ("invalid_api_key", "authentication_error")


def test_a_key_without_the_scope_is_denied(sdk: Sdk, server: LiveServer) -> None:
    reader = sdk.client.with_options(api_key=server.key("readers", "videos.read"))
    assert sdk.all(reader.videos.list()) == []
    with pytest.raises(openai.PermissionDeniedError) as refused:
        sdk(reader.videos.create(prompt=PROMPT, **QUICK))
    assert refused.value.code == "missing_scope"


CASES: dict[str, tuple[dict[str, Any], str | None, str | None, str]] = {
    "a bad size": ({"size": "640x361"}, "size", "invalid_value", f"Invalid value: '640x361'. {SIZES}"),
    "bad seconds": ({"seconds": "150"}, "seconds", "invalid_value", f"Invalid value: '150'. {SECONDS}"),
    "seconds of another type": ({"seconds": ["4"]}, "seconds", "invalid_type", "Invalid type for 'seconds': expected"),
    "a text as reference": (
        {"input_reference": "dog.png"}, "input_reference", "invalid_type",
        "Invalid type for 'input_reference': expected an object, but got a string instead.",
    ),
    "a reference of another size": (
        {"input_reference": {"image_url": "data:image/png;base64," + base64.b64encode(png(60, 60)).decode()},
         "input_reference_fit": "exact", **DRAWN},
        None, None, "Inpaint image must match the requested width and height",
    ),
    "an unknown parameter": ({"widht": 5}, "widht", "unknown_parameter", "Unknown parameter: 'widht'."),
    "no prompt": (
        {"prompt": None}, "prompt", "missing_required_parameter", "Missing required parameter: 'prompt'.",
    ),
    "a prompt that is too long": (
        {"prompt": "x" * 32_001}, "prompt", "string_above_max_length", "Invalid 'prompt': string too long.",
    ),
    "a reference that is no image": (
        {"input_reference": {"image_url": "data:image/png;base64,aGVsbG8="}, **DRAWN}, "input_reference",
        "unsupported_file", "Invalid file 'input_reference': unsupported mimetype",
    ),
    "what the model can't do": (
        {"negative_prompt": "rain", "model": "diorama"}, "negative_prompt", "unsupported_by_model",
        "The model 'diorama' cannot use",
    ),
    "a model that isn't there": (
        {"model": "sora-9"}, "model", "model_not_found", "The model 'sora-9' does not exist or you do not have access",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_refusals_read_as_they_did(http: httpx2.Client, case: str) -> None:
    changes, param, code, message = CASES[case]
    answer = http.post("/v1/videos", json={"prompt": PROMPT, **QUICK, **changes})
    error = refusal(answer, 404 if code == "model_not_found" else 400)
    assert error["message"].startswith(message), error
    assert (error["param"], error["code"], error["type"]) == (param, code, "invalid_request_error")


@pytest.mark.parametrize("seconds", [4, 4.0, "4", "15"])
def test_what_sora_refused_and_clients_send_is_taken(http: httpx2.Client, seconds: Any) -> None:
    made = http.post("/v1/videos", json={"prompt": PROMPT, "size": "640x360", "seconds": seconds})
    assert made.status_code == 200, made.text
    assert made.json()["seconds"] == f"{float(seconds):g}"
    http.delete(f"/v1/videos/{made.json()['id']}")


def test_a_text_as_reference_in_a_form(http: httpx2.Client) -> None:
    form = [("prompt", (None, PROMPT)), ("input_reference", (None, "dog.png"))]
    error = refusal(http.post("/v1/videos", files=form), 400)
    assert error["message"] == "Invalid type for 'input_reference': expected a file, but got a string instead."
    assert (error["param"], error["code"]) == ("input_reference", "invalid_type")


def test_content_before_there_is_any(http: httpx2.Client) -> None:
    made = http.post("/v1/videos", json={"prompt": PROMPT, "size": "1920x1080", "seconds": 8}).json()
    answer = http.get(f"/v1/videos/{made['id']}/content")
    assert refusal(answer, 400)["code"] == "video_not_ready"
    assert answer.headers["x-should-retry"] == "false"
    http.delete(f"/v1/videos/{made['id']}")


def test_azures_missing_deployment(http: httpx2.Client) -> None:
    path = "/openai/v1/videos?api-version=preview"
    answer = http.post(path, json={"prompt": PROMPT, "model": "sora-9"}, headers={"api-key": "x"})
    assert refusal(answer, 404)["param"] == "model"


def test_routes_and_methods_that_are_not_there(http: httpx2.Client) -> None:
    refusal(http.get("/v1/nothing"), 404)
    answer = http.put("/v1/videos")
    refusal(answer, 405)
    assert "POST" in answer.headers["allow"]


def test_names_of_files_are_only_shown(http: httpx2.Client, server: LiveServer) -> None:
    name = "../../../evil\x01.png"
    made = http.post("/v1/files", data={"purpose": "vision"}, files={"file": (name, png(8, 8), "image/png")}).json()
    assert "/" not in made["filename"]
    assert list(server.folder.rglob("*evil*")) == []
    http.delete(f"/v1/files/{made['id']}")


def test_prompts_are_kept_as_they_were(http: httpx2.Client) -> None:
    prompt = '<script>alert("1")</script> {{7*7}} ’ 🐕 ‮ \\ %s'
    made = http.post("/v1/videos", json={"prompt": prompt, **QUICK}).json()
    assert http.get(f"/v1/videos/{made['id']}").json()["prompt"] == prompt
    assert http.delete(f"/v1/videos/{made['id']}").json()["deleted"] is True


def refusal(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """The error of an answer whose envelope has its four keys and nothing else."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == KEYS
    assert answer.headers["x-request-id"]
    error: dict[str, Any] = body["error"]
    return error
