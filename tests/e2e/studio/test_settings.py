"""Models that can be had: why one does not fit, and getting one with the browser as witness."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daybreak.open_models.catalogue import catalogue
from fake_hub import FakeHub, serving
from live_server import LiveServer, live_server
from published import publish

expect = pytest.importorskip("playwright.sync_api").expect
SMALLEST = min(catalogue().values(), key=lambda entry: entry.size)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    """A hub that has one real model's name, and small weights for it."""
    pytest.importorskip("huggingface_hub", reason="needs the extra: diffusers")
    with serving(FakeHub(publish(tmp_path / "published"), SMALLEST.repository)) as hub:
        yield hub


@pytest.fixture
def fresh(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveServer]:
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    with live_server(tmp_path / "fresh", model="diorama") as server:
        yield server


@pytest.mark.skipif(shutil.disk_usage("/tmp").free < 1.5 * SMALLEST.size, reason="no room for the smallest open model")
def test_an_open_model_says_what_it_takes_and_comes(fresh_page: Any, fresh: LiveServer, hub: FakeHub) -> None:
    page = fresh_page
    page.goto("/settings?section=models")
    models = page.get_by_role("region", name="Models to get")
    expect(models.get_by_role("listitem")).to_have_count(len(catalogue()))
    large = models.get_by_role("listitem").filter(has_text="Wan 2.2, text to video, two experts")
    if large.get_by_text("It does not fit this machine.").count():
        expect(large).to_contain_text(re.compile("It takes a GPU with .* GiB"))
    large.get_by_text("what it permits").click()
    expect(large).to_contain_text("Use, change and sell it")
    wanted = models.get_by_role("listitem").filter(has_text=SMALLEST.title)
    expect(wanted).to_contain_text(f"daybreak models pull {SMALLEST.name}")
    hub.gated = True
    wanted.get_by_role("button", name="Get it").click()
    expect(wanted.get_by_role("alert")).to_contain_text("accept the licence")
    hub.gated = False
    wanted.get_by_role("button", name="Go on").click()
    expect(page.get_by_text(f"{SMALLEST.name} is installed")).to_be_visible()
    expect(wanted).to_have_count(0)
    expect(page.get_by_role("heading", name=SMALLEST.name, exact=True)).to_be_visible()
    assert SMALLEST.name in [model["id"] for model in fresh.get("/v1/models")["data"]]


def test_a_key_shows_its_secret_once_and_is_revoked(fresh_page: Any, fresh: LiveServer, watched: Any) -> None:
    watched.expected.append("status of 400")
    page = fresh_page
    page.goto("/settings?section=keys")
    page.get_by_role("button", name="New key").click()
    page.get_by_label("Name", exact=True).fill("the shop")
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_role("heading", name="Your new key")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_text("sk-daybreak-")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Revoke").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("revoked", exact=True)).to_be_visible()
    page.goto("/settings?section=webhooks")
    page.get_by_role("button", name="New webhook").click()
    page.get_by_label("Name", exact=True).fill("mine")
    page.get_by_label("Address").fill("https://not an address")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="Not added")).to_contain_text("req_")
    page.get_by_label("Address").fill("https://films.example/hook")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Its signing secret")).to_be_visible()
    page.get_by_role("button", name="Done").click()
    page.get_by_role("button", name="Delete mine").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nobody is called yet")).to_be_visible()
