"""What open models there are, whether they fit, and pulling one over the API."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daybreak.open_models import hub as pulling
from daybreak.open_models.catalogue import Entry, catalogue
from daybreak.open_models.memory import Machine
from daybreak.server import catalogue as routes
from fake_hub import FakeHub, serving
from live_server import until
from published import publish
from serving import Served

NAME = "wan2.1-t2v-1.3b"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.client.close()
    served.db.close()


def entries(served: Served) -> dict[str, Any]:
    return {entry["id"]: entry for entry in served.client.get("/v1/catalogue").json()["data"]}


def test_every_open_model_says_what_it_permits_and_needs(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "whole_machine", lambda: Machine(4 * 2**30))
    answer = served.client.get("/v1/catalogue").json()
    assert [entry["id"] for entry in answer["data"]] == list(catalogue())
    assert answer["machine"]["gpu"] == 0
    for entry in answer["data"]:
        assert entry["licence"]["permits"]
        assert entry["bytes"] > 10**8
        assert not entry["fits"]
        assert "GPU with" in entry["fix"]  # why not, and what would do
        assert entry["command"] == f"daybreak models pull {entry['id']}"
    monkeypatch.setattr(routes, "whole_machine", lambda: Machine(64 * 2**30, 80 * 2**30))
    found = entries(served)[NAME]
    assert (found["fits"], found["how"], found["installed"]) == (True, "fits on the GPU", False)


def test_what_there_is_not_cannot_be_pulled(served: Served) -> None:
    assert served.error(served.client.post("/v1/catalogue/sora-9/pull"), 404)["code"] == "not_found"
    assert served.error(served.client.delete("/v1/catalogue/sora-9/pull"), 404)["code"] == "not_found"


def test_pulling_takes_an_admin(served: Served) -> None:
    made = served.post("/v1/library/keys", {"name": "ci", "scopes": ["videos.read", "videos.write"]})
    headers = {"authorization": f"Bearer {made['secret']}"}
    assert served.client.get("/v1/catalogue", headers=headers).status_code == 200
    answer = served.client.post(f"/v1/catalogue/{NAME}/pull", headers=headers)
    assert served.error(answer, 403)["code"] == "missing_scope"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A hub that has one model, under the name of a real one."""
    pytest.importorskip("huggingface_hub", reason="needs the extra: diffusers")
    known: dict[str, Entry] = dict(catalogue())
    known[NAME] = dataclasses.replace(known[NAME], repository="someone/model")
    monkeypatch.setattr(routes, "catalogue", lambda: known)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    with serving(FakeHub(publish(tmp_path / "published"))) as hub:
        monkeypatch.setattr(pulling, "Source", functools.partial(pulling.Source, mirror=hub.url))
        yield hub


def finished(served: Served) -> Any:
    """The download as it ended."""

    def look() -> Any:
        pull = entries(served)[NAME]["pull"]
        return None if pull["state"] in ("running", "stopping") else pull

    return until(look)


def test_a_pull_is_followed_to_its_end(served: Served, hub: FakeHub) -> None:
    begun = served.post(f"/v1/catalogue/{NAME}/pull")
    assert begun["pull"]["state"] in ("running", "done")
    pull = finished(served)
    assert (pull["state"], pull["error"]) == ("done", None)
    assert pull["done"] == pull["total"]
    assert entries(served)[NAME]["installed"]
    assert NAME in [model["id"] for model in served.client.get("/v1/models").json()["data"]]
    again = served.client.post(f"/v1/catalogue/{NAME}/pull")
    assert served.error(again, 409)["code"] == "already_installed"


def test_a_pull_that_fails_says_why(served: Served, hub: FakeHub) -> None:
    hub.gated = True
    served.post(f"/v1/catalogue/{NAME}/pull")
    pull = finished(served)
    assert pull["state"] == "failed"
    assert "accept the licence" in pull["error"]
    assert not entries(served)[NAME]["installed"]


def test_one_at_a_time_and_it_can_be_stopped(served: Served, hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_source: Any, _name: str, _folder: Path, on_bytes: Any, _entry: Entry) -> None:
        for done in range(1, 10_000):
            on_bytes(done, 10_000)
            time.sleep(0.01)

    monkeypatch.setattr(pulling, "pull", slow)
    served.post(f"/v1/catalogue/{NAME}/pull")
    other = next(name for name in catalogue() if name != NAME)
    refused = served.error(served.client.post(f"/v1/catalogue/{other}/pull"), 409)
    assert refused["code"] == "pull_running"
    assert NAME in refused["message"]
    until(lambda: entries(served)[NAME]["pull"]["done"] > 1)
    assert served.client.delete(f"/v1/catalogue/{NAME}/pull").status_code == 200
    assert finished(served)["state"] == "stopped"
