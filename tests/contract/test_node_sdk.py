"""Every operation of the Videos API through the official Node package, which writes objects in forms as `video[id]`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from platformdirs import user_cache_path

from live_server import LiveServer
from official import png
from receiver import Receiver

VERSION = "7.57.0"  # the newest that was there; it asks for Node 22 and runs on Node 20 all the same
PROGRAM = Path(__file__).with_name("node_client.mjs")


@pytest.fixture(scope="module")
def package() -> Path:
    """A folder with the package, installed once for this machine. Skips where that can't be done."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs node and npm")
    folder = user_cache_path("daybreak") / "tests" / f"openai-node-{VERSION}"
    if not (folder / "node_modules" / "openai" / "index.mjs").is_file():
        making = folder.with_name(f"{folder.name}-{os.getpid()}")
        making.mkdir(parents=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--no-save", "--prefix", ".", f"openai@{VERSION}"]
        done = subprocess.run(command, cwd=making, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            shutil.rmtree(making)
            pytest.skip(f"npm could not install openai {VERSION}: {done.stderr[-300:]}")
        if not folder.exists():
            making.rename(folder)
    return folder


@pytest.fixture(scope="module")
def said(
    package: Path, server: LiveServer, clip: Path, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What the client program got back."""
    picture = tmp_path_factory.mktemp("node") / "dog.png"
    picture.write_bytes(png(96, 64))
    hook = f"{receiver.url}/node-{time.monotonic_ns()}"
    command = ["node", PROGRAM, package, server.url, clip, picture, hook, f"{receiver.url}/posts"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_create_retrieve_and_list(said: dict[str, Any]) -> None:
    created, done = said["create"]["created"], said["create"]["done"]
    assert (created["status"], done["status"], done["progress"]) == ("queued", "completed", 100)
    assert done["error"] is None
    assert done["id"] in said["listed"]
    assert len(set(said["listed"])) == len(said["listed"])


def test_content_in_its_three_variants(said: dict[str, Any]) -> None:
    content = said["content"]
    assert content["default"] == content["video"]
    assert {name: each["type"] for name, each in content.items() if name != "default"} == {
        "video": "video/mp4", "thumbnail": "image/webp", "spritesheet": "image/jpeg",
    }  # fmt: skip
    assert content["video"]["head"][4:8] == "ftyp"
    assert content["thumbnail"]["head"].startswith("RIFF")


def test_references_as_files_and_as_objects(said: dict[str, Any]) -> None:
    assert said["file_reference"]["status"] == "completed"
    assert (said["file"]["purpose"], said["file"]["filename"]) == ("vision", "dog.png")
    assert [said[name]["status"] for name in ("url_reference", "id_reference")] == ["queued", "queued"]


def test_remix_edit_and_extend(said: dict[str, Any]) -> None:
    source = said["create"]["done"]["id"]
    assert said["remix"]["remixed_from_video_id"] == source
    assert said["edit"]["daybreak"]["source_video_id"] == source
    assert (said["edit_file"]["seconds"], said["edit_file"]["model"]) == ("1", "tiny")
    assert said["extend"]["seconds"] == said["extended"]["seconds"] == "1"
    assert said["extended"]["status"] == "completed"


def test_characters(said: dict[str, Any]) -> None:
    assert said["character"]["made"] == said["character"]["fetched"]
    assert said["character"]["made"]["name"] == "Mossy"
    assert said["starring"]["status"] == "completed"


def test_a_batch(said: dict[str, Any]) -> None:
    assert (said["batch"]["status"], said["batch"]["request_counts"]["completed"]) == ("completed", 1)
    assert said["batch_output"]["response"]["body"]["status"] == "completed"


def test_webhooks_are_unwrapped(said: dict[str, Any]) -> None:
    assert said["webhook"]["type"] == "video.completed"
    assert said["webhook"]["data"] == {"id": said["webhook_video"]}
    assert said["forged"]["kind"] == "InvalidWebhookSignatureError"
    assert "video.failed" in said["event_types"]
    assert said["webhook_deleted"]["deleted"] is True


def test_models(said: dict[str, Any]) -> None:
    assert {"sora-2", "sora-2-pro", "tiny"} <= set(said["models"])


def test_errors_are_the_right_classes(said: dict[str, Any]) -> None:
    assert {name: said[name]["kind"] for name in ("bad_size", "absent", "stranger", "gone")} == {
        "bad_size": "BadRequestError", "absent": "NotFoundError", "stranger": "AuthenticationError",
        "gone": "NotFoundError",
    }  # fmt: skip
    assert (said["bad_size"]["param"], said["bad_size"]["code"]) == ("size", "invalid_value")
    assert said["bad_size"]["id"]
    assert said["deleted"]["object"] == "video.deleted"
