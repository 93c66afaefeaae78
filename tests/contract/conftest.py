"""One `daybreak serve` for all contract tests, with a worker, and what they ask of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from openai import AsyncOpenAI, OpenAI

from daybreak.generation import Video
from daybreak.media.encode import encode_video
from daybreak.testing import make_clip, make_tone, tiny_model
from live_server import LiveServer, live_server
from official import PROMPT, QUICK, Sdk, finished, png
from receiver import Receiver

# All of them in one process of a parallel run, so that there is one server.
GROUP = pytest.mark.xdist_group("live")
# The SDK says at every call that the service which it was made for has ended.
DEPRECATED = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(GROUP)
            item.add_marker(DEPRECATED)


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """Who takes webhooks, and serves /dog.png."""
    with Receiver({"/dog.png": png(96, 64)}) as running:
        yield running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("live")
    tiny_model(folder / "data" / "models" / "tiny")
    with live_server(folder, sora_model="diorama", fetch_allow=f"127.0.0.1:{receiver.port}") as running:
        yield running


@pytest.fixture(scope="session")
def other_key(server: LiveServer) -> str:
    """A key of another project than the one that needs none."""
    return server.key("other")


@pytest.fixture(params=["sync", "async"])
def sdk(request: pytest.FixtureRequest, server: LiveServer) -> Iterator[Sdk]:
    """The official client, in its default configuration but for the two lines that a developer changes."""
    if request.param == "sync":
        with OpenAI(base_url=server.url, api_key="any-word-will-do") as client:
            yield Sdk(client)
        return
    with asyncio.Runner() as runner:
        client = AsyncOpenAI(base_url=server.url, api_key="any-word-will-do")
        yield Sdk(client, runner)
        runner.run(client.close())


@pytest.fixture(scope="session")
def http(server: LiveServer) -> Iterator[httpx2.Client]:
    """A plain client, for what the official ones don't do."""
    with httpx2.Client(base_url=server.root, timeout=60) as client:
        yield client


@pytest.fixture(scope="session")
def video_id(http: httpx2.Client) -> str:
    """A finished video that nobody changes."""
    made = http.post("/v1/videos", json={"prompt": PROMPT, **QUICK})
    assert made.status_code == 200, made.text
    return finished(http, made.json()["id"])["id"]


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An mp4 file of one second, with sound."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    encode_video(Video(make_clip(12, 64, 96), 12.0, make_tone(1.0)), path)
    return path
