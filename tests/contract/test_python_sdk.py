"""Every operation of the Videos API through the official Python package, blocking and asynchronous."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import openai
import pytest
from PIL import Image

from official import DRAWN, PROMPT, QUICK, Sdk, png
from receiver import Receiver


def test_create_and_poll_gives_a_finished_video(sdk: Sdk) -> None:
    video = sdk(sdk.client.videos.create_and_poll(prompt=PROMPT, **QUICK))
    assert (video.status, video.progress, video.error) == ("completed", 100, None)
    assert (video.object, video.model, video.size, video.seconds) == ("video", "sora-2", "96x64", "0.5")
    assert video.prompt == PROMPT
    assert video.completed_at >= video.created_at > 0
    assert (video.expires_at, video.remixed_from_video_id) == (None, None)


def test_the_built_in_model_answers(sdk: Sdk) -> None:
    few_steps = {"num_inference_steps": 2, "seed": 7}
    video = sdk.finished(
        sdk.client.videos.create(prompt=PROMPT, model="dawn", size="64x64", seconds="0.2", extra_body=few_steps)
    )
    assert video.model == "dawn"
    content = sdk(sdk.client.videos.download_content(video.id)).content
    assert content[4:8] == b"ftyp"


def test_create_answers_at_once_and_retrieve_says_when_to_ask_again(sdk: Sdk) -> None:
    created = sdk(sdk.client.videos.create(prompt=PROMPT, **QUICK))
    assert created.status == "queued"
    assert created.id.startswith("video_")
    raw = sdk(sdk.client.videos.with_raw_response.retrieve(created.id))
    polled = raw.parse()
    assert polled.id == created.id
    if polled.status in ("queued", "in_progress"):
        assert 100 <= int(raw.headers["openai-poll-after-ms"]) <= 10_000
    assert raw.headers["x-request-id"]
    sdk.finished(created)


def test_all_three_variants_are_there_when_it_is_completed(sdk: Sdk, video_id: str) -> None:
    video = sdk(sdk.client.videos.download_content(video_id)).content
    assert sdk(sdk.client.videos.download_content(video_id, variant="video")).content == video
    thumbnail = sdk(sdk.client.videos.download_content(video_id, variant="thumbnail")).content
    spritesheet = sdk(sdk.client.videos.download_content(video_id, variant="spritesheet")).content
    assert video[4:8] == b"ftyp"
    assert Image.open(io.BytesIO(thumbnail)).format == "WEBP"
    assert Image.open(io.BytesIO(spritesheet)).format == "JPEG"


def test_a_download_can_be_streamed_to_a_file(sdk: Sdk, video_id: str, tmp_path: Path) -> None:
    content = sdk(sdk.client.videos.download_content(video_id))
    content.write_to_file(tmp_path / "video.mp4")
    assert (tmp_path / "video.mp4").read_bytes() == content.content


def test_pages_lead_from_one_to_the_next(sdk: Sdk) -> None:
    made = [sdk(sdk.client.videos.create(prompt=f"{PROMPT} {i}", **QUICK)).id for i in range(5)]
    newest = sdk(sdk.client.videos.list(limit=2))
    assert [video.id for video in newest.data] == made[:-3:-1]
    assert newest.has_more
    listed = [video.id for video in sdk.all(sdk.client.videos.list(limit=2, after=made[4]))]
    assert listed[:4] == made[3::-1]
    assert len(listed) == len(set(listed))
    oldest_first = [video.id for video in sdk.all(sdk.client.videos.list(limit=100, order="asc"))]
    assert [video_id for video_id in oldest_first if video_id in made] == made
    for video_id in made:
        sdk(sdk.client.videos.delete(video_id))


def test_a_deleted_video_is_gone(sdk: Sdk) -> None:
    video = sdk(sdk.client.videos.create(prompt=PROMPT, **QUICK))
    deleted = sdk(sdk.client.videos.delete(video.id))
    assert (deleted.id, deleted.object, deleted.deleted) == (video.id, "video.deleted", True)
    for call in (sdk.client.videos.retrieve, sdk.client.videos.delete, sdk.client.videos.download_content):
        with pytest.raises(openai.NotFoundError):
            sdk(call(video.id))
    assert video.id not in [each.id for each in sdk.all(sdk.client.videos.list(limit=100))]


def test_a_file_is_the_first_frame_whatever_its_name_and_type_say(sdk: Sdk) -> None:
    for reference in (png(96, 64), ("dog.png", png(300, 300), "image/png")):
        video = sdk.finished(sdk.client.videos.create(prompt=PROMPT, input_reference=reference, **DRAWN))
        assert video.size == "96x64"


def test_references_by_url_data_url_and_file_id(sdk: Sdk, receiver: Receiver) -> None:
    uploaded = sdk(sdk.client.files.create(file=("dog.png", png(96, 64)), purpose="vision"))
    data_url = "data:image/png;base64," + base64.b64encode(png(96, 64)).decode()
    for reference in (
        {"file_id": uploaded.id},
        {"image_url": data_url},
        {"image_url": f"{receiver.url}/dog.png"},
    ):
        body = {"prompt": PROMPT, "input_reference": reference, **DRAWN}
        made = sdk(sdk.client.post("/videos", body=body, cast_to=dict))
        assert made["status"] == "queued"
        sdk(sdk.client.videos.delete(made["id"]))


def test_remix_edit_and_extend(sdk: Sdk, video_id: str, clip: Path) -> None:
    videos = sdk.client.videos
    remixed = sdk(videos.remix(video_id, prompt="a black dog", extra_body={"model": "tiny"}))
    assert (remixed.remixed_from_video_id, remixed.size, remixed.seconds) == (video_id, "96x64", "0.5")
    edited = sdk(videos.edit(prompt="at night", video=clip.read_bytes(), extra_body={"model": "tiny"}))
    assert (edited.remixed_from_video_id, edited.size, edited.seconds) == (None, "96x64", "1")
    body = {"prompt": "at night", "video": {"id": video_id}, "model": "tiny"}
    edited_by_id = sdk(sdk.client.post("/videos/edits", body=body, cast_to=dict))
    assert edited_by_id["daybreak"]["source_video_id"] == video_id
    extended = sdk(
        videos.extend(prompt="it barks", seconds="0.5", video=clip.read_bytes(), extra_body={"model": "diorama"})
    )
    assert extended.seconds == "1.5"
    body = {"prompt": "it barks", "seconds": "0.5", "video": {"id": video_id}}
    longer = sdk(sdk.client.post("/videos/extensions", body=body, cast_to=dict))
    assert (longer["seconds"], longer["model"]) == ("1", "sora-2")
    for made in (remixed, extended):
        assert sdk.finished(made).progress == 100
    for unused in (edited.id, edited_by_id["id"], longer["id"]):
        sdk(videos.delete(unused))


def test_characters(sdk: Sdk, clip: Path) -> None:
    videos = sdk.client.videos
    made = sdk(videos.create_character(name="Mossy", video=clip.read_bytes()))
    assert made.id.startswith("char_")
    fetched = sdk(videos.get_character(made.id))
    assert (fetched.id, fetched.name, fetched.created_at) == (made.id, "Mossy", made.created_at)
    body = {"characters": [{"id": made.id}]}
    video = sdk(videos.create(prompt="Mossy runs across a meadow", extra_body=body, **DRAWN))
    assert sdk.finished(video).status == "completed"
    with pytest.raises(openai.BadRequestError) as refused:
        sdk(videos.create(prompt="somebody runs across a meadow", extra_body=body, **DRAWN))
    assert (refused.value.param, refused.value.code) == ("characters", "character_not_in_prompt")
    listed = sdk(sdk.client.get("/videos/characters", cast_to=dict))
    assert made.id in [character["id"] for character in listed["data"]]
    gone = sdk(sdk.client.delete(f"/videos/characters/{made.id}", cast_to=dict))
    assert gone == {"id": made.id, "object": "character.deleted", "deleted": True}
    with pytest.raises(openai.NotFoundError):
        sdk(videos.get_character(made.id))


def test_models_are_found_by_their_old_names(sdk: Sdk) -> None:
    models = sdk.all(sdk.client.models.list())
    assert {"sora-2", "sora-2-pro", "dawn", "diorama", "tiny"} <= {model.id for model in models}
    assert models[0].id.startswith("sora")
    assert sdk(sdk.client.models.retrieve("sora-2")).id == "sora-2"
    with pytest.raises(openai.NotFoundError):
        sdk(sdk.client.models.retrieve("sora-9"))


def test_ours_are_reached_by_plain_calls(sdk: Sdk) -> None:
    timeline = {"shots": [{"prompt": "a red car", "start": 0}, {"prompt": "a penguin", "start": 0.25}]}
    body = {"timeline": timeline, "seed": 5, "metadata": {"film": "one"}, **QUICK}
    made = sdk(sdk.client.post("/videos", body=body, cast_to=dict))
    assert made["daybreak"]["metadata"] == {"film": "one"}
    cancelled = sdk(sdk.client.post(f"/videos/{made['id']}/cancel", cast_to=dict))
    assert cancelled["id"] == made["id"]
    ended = sdk(sdk.client.videos.poll(made["id"], poll_interval_ms=100))
    assert (ended.status, ended.error and ended.error.code) in {("failed", "cancelled"), ("completed", None)}
