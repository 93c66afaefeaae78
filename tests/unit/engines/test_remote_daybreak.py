"""The remote engine against Daybreak's own server: one installation works for another."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image

from daybreak.engines.abilities import REMOTE_ABILITIES
from daybreak.engines.remote import Place as Where
from daybreak.engines.remote import RemoteEngine
from daybreak.generation import Cancelled, EngineFailed
from daybreak.generation_settings import GenerationSettings
from daybreak.jobs.queue import list_jobs
from daybreak.shapes import VideoSpec
from daybreak.testing import make_clip
from daybreak.timeline import Pin, text_to_video
from daybreak.worker.loop import Worker
from serving import DEFAULT_PROJECT, Served, serve
from working import Place

TIMELINE = text_to_video("a dog", VideoSpec(24, 64, 96))


class Borrowed(httpx2.BaseTransport):
    """The way to an application in this process, which stays open when a client of the engine closes."""

    def __init__(self, served: Served) -> None:
        self._real: Any = served.client._transport

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        answer: httpx2.Response = self._real.handle_request(request)
        return answer


@pytest.fixture
def far(tmp_path: Path) -> Iterator[tuple[Served, Place]]:
    """A server, and the worker that does its jobs."""
    with serve(tmp_path / "far") as served:
        place = Place(tmp_path / "far", served.db)
        place.storage = served.storage
        thread = threading.Thread(target=Worker(place.tools(), "far").run)
        thread.start()
        yield served, place
        place.stopping.set()
        thread.join()


@pytest.fixture
def engine(far: tuple[Served, Place]) -> RemoteEngine:
    where = Where("http://localhost/v1", "diorama", daybreak=True)
    return RemoteEngine("far", where, REMOTE_ABILITIES, poll_every=0.02, transport=Borrowed(far[0]))


def test_a_clip_is_made_over_there_and_nothing_of_it_stays(far: tuple[Served, Place], engine: RemoteEngine) -> None:
    served, _ = far
    video = engine.generate(TIMELINE, GenerationSettings(seed=3), lambda *_, **__: None)
    assert (video.num_frames, video.height, video.width, video.fps) == (24, 64, 96, 24.0)
    # The seed went along: it is the stand-in's clip of that seed, every frame of it shown twice.
    assert np.abs(video.frames[::2].astype(int) - make_clip(12, seed=3)).mean() < 5
    assert served.stored() == []
    assert list_jobs(served.db, DEFAULT_PROJECT).jobs == []


def test_cancelling_here_stops_the_worker_there(far: tuple[Served, Place], engine: RemoteEngine) -> None:
    served, place = far
    begun = place.at_step(2, lambda: place.hung.wait(10))

    def cancel(done: int, total: int, preview: object = None, state: Callable[[], Any] | None = None) -> None:
        if len(begun) == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        engine.generate(TIMELINE, GenerationSettings(), cancel)
    assert list_jobs(served.db, DEFAULT_PROJECT).jobs == []
    place.hung.set()
    place.stopping.wait(0.3)
    assert begun == [1, 2]


def test_what_the_other_server_refuses_is_told_in_its_words(engine: RemoteEngine, tmp_path: Path) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    pinned = text_to_video("a dog", TIMELINE.spec, pins=(Pin(str(tmp_path / "a.png")),))
    with pytest.raises(
        EngineFailed, match="localhost answered 400: The model 'diorama' cannot use an image"
    ) as failure:
        engine.generate(pinned, GenerationSettings(), lambda *_, **__: None)
    assert failure.value.code == "unsupported_by_model"
