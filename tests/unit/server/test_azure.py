"""Azure's two ways to the same videos: its paths and its key header, and the older generation jobs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from PIL import Image

from daybreak.database.assets import NewAsset, get_asset
from daybreak.database.keys import create_key
from daybreak.jobs.job import Job, JobError
from daybreak.jobs.queue import claim, complete
from daybreak.server.auth import DEFAULT_PROJECT
from serving import Served, png

JOBS = "/openai/v1/video/generations/jobs"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.client.close()
    served.db.close()


def ask(served: Served, status: int = 201, **changes: Any) -> Any:
    body = {"model": "sora", "prompt": "a dog", "width": "96", "height": 64, "n_seconds": "1", **changes}
    answer = served.client.post(f"{JOBS}?api-version=preview", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def pins_of(served: Served, task: Any) -> list[dict[str, Any]]:
    [job] = [job for job in jobs_of(served) if job.batch_id == task["id"]]
    pins: list[dict[str, Any]] = job.timeline["pins"]
    return pins


def jobs_of(served: Served) -> list[Job]:
    return [served.job(video["id"]) for video in served.client.get("/v1/videos").json()["data"]]


@pytest.mark.parametrize("prefix", ["/openai/v1", "/openai", "/openai/deployments/my-sora"])
def test_azure_paths_lead_to_the_same_videos(served: Served, prefix: str) -> None:
    made = served.client.post(f"{prefix}/videos?api-version=preview", json={"prompt": "a dog", "model": "sora-2"})
    assert made.status_code == 200, made.text
    video = made.json()
    assert served.client.get(f"/v1/videos/{video['id']}").json()["id"] == video["id"]
    assert served.client.get(f"{prefix}/videos?api-version=preview").json()["data"][0]["id"] == video["id"]
    served.finish()
    assert served.client.get(f"{prefix}/videos/{video['id']}/content?api-version=preview").status_code == 200
    assert served.client.delete(f"{prefix}/videos/{video['id']}?api-version=preview").json()["deleted"] is True
    assert served.client.get("/openai/v2/videos").status_code == 404


def test_the_azure_client_of_the_sdk_with_its_key(served: Served) -> None:
    _, secret = create_key(served.db, DEFAULT_PROJECT, "azure", ("videos.read", "videos.write"), served.now)
    served.context.open_access = False
    client = openai.AzureOpenAI(
        azure_endpoint="http://localhost",
        api_key=secret,
        api_version="preview",
        http_client=served.client,
        max_retries=0,
    )
    with pytest.warns(DeprecationWarning, match="Sora"):
        assert client.videos.create(prompt="a dog").status == "queued"
    wrong = client.with_options(api_key="wrong")
    with pytest.raises(openai.AuthenticationError), pytest.warns(DeprecationWarning, match="Sora"):
        wrong.videos.list()


def test_a_job_from_creation_to_deletion(served: Served) -> None:
    task = ask(served, n_variants="2")
    assert task == {
        "object": "video.generation.job",
        "id": task["id"],
        "status": "queued",
        "created_at": int(served.now),
        "finished_at": None,
        "expires_at": None,
        "generations": [],
        "prompt": "a dog",
        "model": "sora",
        "n_variants": 2,
        "n_seconds": 1,
        "height": 64,
        "width": 96,
        "failure_reason": None,
    }
    assert task["id"].startswith("task_")
    seeds = {job.settings["seed"] for job in jobs_of(served)}
    assert len(seeds) == 2
    served.finish()
    assert served.client.get(f"{JOBS}/{task['id']}").json()["status"] == "running"
    served.finish()
    ended = served.client.get(f"{JOBS}/{task['id']}").json()
    assert (ended["status"], ended["finished_at"], len(ended["generations"])) == ("succeeded", int(served.now), 2)
    made = ended["generations"][0]
    assert served.client.get(f"/openai/v1/video/generations/{made['id']}").json() == made
    assert (made["object"], made["job_id"], made["width"], made["height"]) == ("video.generation", task["id"], 96, 64)
    content = f"/openai/v1/video/generations/{made['id']}/content/video"
    video = served.client.get(f"{content}?quality=high&api-version=preview")
    assert (video.headers["content-type"], video.content[4:8]) == ("video/mp4", b"ftyp")
    head = served.client.head(content)
    assert (head.headers["content-length"], head.headers["accept-ranges"]) == (str(len(video.content)), "bytes")
    assert served.client.delete(f"{JOBS}/{task['id']}").status_code == 204
    assert served.client.get(f"{JOBS}/{task['id']}").status_code == 404
    assert served.client.get(content).status_code == 404
    assert jobs_of(served) == []


def test_a_thumbnail_is_a_jpeg(served: Served) -> None:
    task = ask(served)
    claimed = claim(served.db, "worker", served.now, 15)
    assert claimed is not None
    picture = png(96, 64, "WEBP")
    stored = served.storage.put_bytes(f"videos/{claimed.job.id}/1/thumbnail.webp", picture, "image/webp")
    asset = NewAsset(
        DEFAULT_PROJECT, "thumbnail", stored.key, "image/webp", stored.bytes, stored.sha256, claimed.job.id
    )
    assert complete(served.db, claimed, [asset], served.now, 1.0)
    [made] = served.client.get(f"{JOBS}/{task['id']}").json()["generations"]
    answer = served.client.get(f"/openai/v1/video/generations/{made['id']}/content/thumbnail")
    assert answer.headers["content-type"] == "image/jpg"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.format, image.size) == ("JPEG", (96, 64))
    lost = served.client.get(f"/openai/v1/video/generations/{made['id']}/content/video")
    served.error(lost, 404)


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("out_of_memory", "failed", "internal_error"),
        ("moderation_blocked", "failed", "input_moderation"),
        ("cancelled", "cancelled", None),
    ],
)
def test_how_a_failure_is_told(served: Served, code: str, status: str, reason: str | None) -> None:
    task = ask(served)
    served.finish(error=JobError(code, "no"))
    shown = served.client.get(f"{JOBS}/{task['id']}").json()
    assert (shown["status"], shown["failure_reason"], shown["generations"]) == (status, reason, [])


def test_jobs_are_listed_newest_first_between_cursors_and_by_status(served: Served) -> None:
    ids = [ask(served, n_variants=2)["id"] for _ in range(3)]
    served.post("/v1/videos", {"prompt": "not one of them"})

    def listed(query: str) -> tuple[list[str], bool]:
        page = served.client.get(f"{JOBS}?{query}").json()
        return [job["id"] for job in page["data"]], page["has_more"]

    assert listed("") == (ids[::-1], False)
    assert listed("limit=2") == ([ids[2], ids[1]], True)
    assert listed(f"limit=2&after={ids[1]}") == ([ids[0]], False)
    assert listed(f"before={ids[1]}") == ([ids[2]], False)
    served.finish()
    assert listed("statuses=running") == ([ids[0]], False)
    assert listed("statuses=queued&statuses=succeeded") == ([ids[2], ids[1]], False)
    served.finish()
    assert listed("statuses=succeeded,failed") == ([ids[0]], False)
    assert served.error(served.client.get(f"{JOBS}?statuses=done"))["param"] == "statuses"
    assert served.error(served.client.get(f"{JOBS}?after=task_none"))["param"] == "after"


def test_inpaint_items_are_pins(served: Served) -> None:
    items = [
        {"type": "image", "file_name": "cat.png", "frame_index": 0},
        {
            "type": "image",
            "file_name": "cow.png",
            "frame_index": 12,
            "crop_bounds": {
                "left_fraction": 0.25,
                "top_fraction": 0.5,
                "right_fraction": 0.75,
                "bottom_fraction": 1,
            },
        },
    ]
    answer = served.form(
        JOBS,
        [
            ("prompt", "a cat"), ("model", "sora"), ("width", "64"), ("height", "64"), ("n_seconds", "2"),
            ("n_variants", "1"), ("inpaint_items", json.dumps(items)),
            ("files", ("cat.png", png(64, 64), "image/png")), ("files", ("cow.png", png(80, 40), "image/png")),
        ],
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    first, second = pins_of(served, answer.json())
    assert (first["kind"], first["start"], second["start"]) == ("image", 0, 0.5)
    sizes = []
    for pin in (first, second):
        asset = get_asset(served.db, DEFAULT_PROJECT, pin["media"].removeprefix("asset:"))
        assert asset is not None
        sizes.append((asset.width, asset.height))
    assert sizes == [(64, 64), (40, 20)]


def test_a_clip_can_be_what_the_video_begins_with(served: Served) -> None:
    clip = served.clip().read_bytes()
    items = [{"type": "video", "file_name": "in.mp4"}]
    fields = [
        ("prompt", "it goes on"), ("width", "96"), ("height", "64"), ("n_seconds", "2"),
        ("inpaint_items", json.dumps(items)), ("files", ("in.mp4", clip, "video/mp4")),
    ]  # fmt: skip
    answer = served.form(JOBS, fields)
    assert answer.status_code == 201, answer.text
    [pin] = pins_of(served, answer.json())
    assert (pin["kind"], pin["start"], pin["strength"]) == ("video", 0, 1)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"width": None}, "width"),
        ({"height": None}, "height"),
        ({"n_seconds": 21}, "n_seconds"),
        ({"n_seconds": "long"}, "n_seconds"),
        ({"n_variants": 6}, "n_variants"),
        ({"width": 97}, "size"),
        ({"model": "no-such-model"}, "model"),
        ({"inpaint_items": [{"type": "image", "file_name": "none.png"}]}, "inpaint_items[0].file_name"),
        ({"inpaint_items": [{"type": "sound", "file_name": "a"}]}, "inpaint_items[0].type"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_a_job_refuses(served: Served, changes: dict[str, Any], param: str) -> None:
    status = 404 if param == "model" else 400
    assert ask(served, status, **changes)["error"]["param"] == param
    assert jobs_of(served) == []


def test_all_variants_fit_into_the_queue_or_none_is_made(tmp_path: Path) -> None:
    served = Served(tmp_path, queue_limit=3)
    ask(served, n_variants=2)
    assert ask(served, 429, n_variants=2)["error"]["code"] == "queue_full"
    assert len(jobs_of(served)) == 2
    served.db.close()


def test_ids_that_are_none(served: Served) -> None:
    for path in (f"{JOBS}/task_{'0' * 32}", f"{JOBS}/x", "/openai/v1/video/generations/gen_x"):
        served.error(served.client.get(path), 404)
    served.error(served.client.delete(f"{JOBS}/task_{'0' * 32}"), 404)
    plain = served.finished()
    made = served.client.get(f"/openai/v1/video/generations/{plain.id.replace('video_', 'gen_')}").json()
    assert made["job_id"] == plain.id
