"""Every tool on a clip, from its form to the finished clip and its lineage."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from live_server import LiveServer, until
from studio_clips import finish, newest

expect = pytest.importorskip("playwright.sync_api").expect


def queued(page: Any, studio: LiveServer, before: str) -> dict[str, Any]:
    """The finished clip that was made by the last click."""
    expect(page.get_by_text("Queued").first).to_be_visible()
    video = newest(studio)["id"]
    assert video != before
    return finish(studio, video)


def pins(item: dict[str, Any]) -> list[tuple[float, float | None, float, float]]:
    return [(pin["start"], pin["end"], pin["strength"], pin["media_start"]) for pin in item["timeline"]["pins"]]


def test_remix(page: Any, studio: LiveServer, clip: str) -> None:
    before = newest(studio)["id"]
    page.goto(f"/clip/{clip}?tool=remix")
    page.get_by_text("Strong", exact=True).click()
    page.get_by_label("What should be seen instead").fill("a black cat runs across a meadow")
    page.get_by_role("button", name="Remix").click()
    item = queued(page, studio, before)
    [pin] = item["timeline"]["pins"]
    assert (pin["start"], round(pin["strength"], 6), item["kind"]) == (0.0, 0.3, "remix")
    assert item["source_id"] == clip
    page.goto(f"/clip/{item['id']}")
    tree = page.get_by_role("region", name="Where it comes from, and what came of it")
    expect(tree.get_by_role("link").first).to_contain_text("a brown dog")
    expect(tree.locator("[aria-current]")).to_contain_text("a black cat")


@pytest.mark.parametrize(("direction", "start"), [("After", 0.0), ("Before", 1.0)])
def test_extend(page: Any, studio: LiveServer, clip: str, direction: str, start: float) -> None:
    before = newest(studio)["id"]
    page.goto(f"/clip/{clip}?tool=extend")
    page.get_by_text(direction, exact=True).click()
    page.get_by_label("How much more").fill("1")
    page.get_by_role("button", name=re.compile("^Extend the")).click()
    item = queued(page, studio, before)
    [pin] = item["timeline"]["pins"]
    assert (pin["start"], pin["strength"], item["kind"]) == (start, 1.0, "extend")
    assert float(item["seconds"]) == 2.0


def test_loop_of_the_part_between_in_and_out(page: Any, studio: LiveServer, clip: str) -> None:
    before = newest(studio)["id"]
    page.goto(f"/clip/{clip}?tool=loop")
    page.get_by_label("In, seconds").fill("0.25")
    page.get_by_role("button", name="Make it loop").click()
    item = queued(page, studio, before)
    assert item["timeline"]["loop"] is True
    assert pins(item) == [(0.0, 0.75, 1.0, 0.25)]
    assert float(item["seconds"]) == 2.75


def test_recut_keeps_two_parts_and_fills_the_gap(page: Any, studio: LiveServer, clip: str) -> None:
    before = newest(studio)["id"]
    page.goto(f"/clip/{clip}?tool=recut")
    expect(page.get_by_role("button", name="Generate the gaps")).to_be_disabled()
    page.get_by_label("Position", exact=True).fill("0.5")
    page.get_by_role("button", name="Cut here").click()
    page.get_by_label("Length of the new clip").fill("2")
    parts = page.get_by_role("listbox", name="Parts of the new clip").get_by_role("option")
    expect(parts).to_have_count(2)
    parts.nth(1).focus()
    page.keyboard.press("Shift+ArrowRight")
    page.get_by_role("button", name="Generate the gaps").click()
    item = queued(page, studio, before)
    assert pins(item) == [(0.0, 0.5, 1.0, 0.0), (1.0, 1.5, 1.0, 0.5)]


def test_blend_with_a_curve_of_ones_own(page: Any, studio: LiveServer, clip: str, other: str) -> None:
    before = newest(studio)["id"]
    page.goto(f"/clip/{clip}?tool=blend")
    page.get_by_role("button", name="Second clip").click()
    page.get_by_role("dialog").get_by_role("link", name="a red car drives through the town").first.click()
    page.get_by_label("Overlap", exact=True).fill("0.5")
    page.get_by_role("slider", name="Point 1 of 2").focus()
    page.keyboard.press("Enter")  # a point in the middle
    page.get_by_role("slider", name="Point 2 of 3").focus()
    page.keyboard.press("Shift+ArrowUp")
    page.get_by_role("button", name="Blend", exact=True).click()
    item = queued(page, studio, before)
    curve = [(pin["start"], pin["end"], pin["strength"], pin["strength_end"]) for pin in item["timeline"]["pins"]]
    assert curve == [
        (0.0, 0.5, 1.0, None), (0.5, 0.75, 1.0, 0.4), (0.5, 0.75, 0.0, 0.6),
        (0.75, 1.0, 0.4, 0.0), (0.75, 1.0, 0.6, 1.0), (1.0, 1.5, 1.0, None),
    ]  # fmt: skip
    family = studio.get(f"/v1/library/items/{item['id']}/lineage")["data"]
    assert {other, clip} <= {source for kin in family for source in kin["sources"]}


def test_stitch_from_the_library(page: Any, studio: LiveServer, clip: str, other: str) -> None:
    before = newest(studio)["id"]
    page.goto("/library?q=drives through the town")
    page.get_by_role("checkbox", name="Select a red car drives through the town").last.click()
    page.get_by_label("Search in prompts").fill("brown dog runs across a meadow")
    page.goto("/library")
    for name in ("a red car drives through the town", "a brown dog runs across a meadow"):
        page.get_by_role("checkbox", name=f"Select {name}").last.click()
    page.get_by_role("button", name="Stitch into one clip").click()
    page.get_by_role("dialog").get_by_role("button", name="Stitch", exact=True).click()
    item = queued(page, studio, before)
    assert len(item["timeline"]["pins"]) == 2
    assert all(pin["strength"] == 1.0 for pin in item["timeline"]["pins"])


@pytest.mark.parametrize(("name", "suffix", "magic"), [("GIF", "gif", b"GIF89a"), ("PNG frames", "zip", b"PK")])
def test_export(page: Any, studio: LiveServer, clip: str, name: str, suffix: str, magic: bytes) -> None:
    page.goto(f"/clip/{clip}?tool=export")
    page.get_by_text(name, exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export", exact=True).click()
    assert download.value.suggested_filename.endswith(f".{suffix}")
    assert Path(download.value.path()).read_bytes().startswith(magic)


def test_compare_plays_two_in_step(page: Any, studio: LiveServer, clip: str, other: str) -> None:
    page.goto(f"/compare?clips={clip},{other}")
    page.get_by_label("Position").fill("0.5")
    times = "Array.from(document.querySelectorAll('video'), (video) => video.currentTime)"
    until(lambda: [round(time, 1) for time in page.evaluate(times)] == [0.5, 0.5])
    page.keyboard.press("b")
    expect(page.locator("figure").nth(0)).to_be_hidden()
    expect(page.locator("figure").nth(1)).to_be_visible()


def test_storyboard_of_three_shots_becomes_one_clip(page: Any, studio: LiveServer, clip: str) -> None:
    before = clip
    page.goto("/storyboard")
    page.get_by_role("button", name=re.compile("New storyboard|Begin with one shot")).click()
    page.get_by_role("button", name="Shot list as text").click()
    page.get_by_label("Shot list", exact=True).fill("1. (1 s) a dog runs\n2. (0.5 s) it stops\n3. (1 s) it sleeps")
    page.get_by_role("button", name="Lay them out").click()
    shots = page.get_by_role("listbox", name="Shots").get_by_role("option")
    expect(shots).to_have_count(3)
    shots.nth(1).focus()
    page.keyboard.press("Alt+ArrowRight")  # a quarter longer, the third moves along
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Shift+z")
    page.get_by_role("combobox", name="Size").click()
    page.get_by_role("option", name="320×320").click()
    page.get_by_label("Name of the storyboard").fill("Three shots")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_label("Name of the storyboard")).to_have_value("Three shots")
    expect(shots).to_have_count(3)
    page.get_by_role("button", name=re.compile("^Generate 2.8 s")).click()
    item = queued(page, studio, before)
    spans = [(shot["prompt"], shot["start"], shot["end"]) for shot in item["timeline"]["shots"]]
    assert spans == [("a dog runs", 0.0, 1.0), ("it stops", 1.0, 1.75), ("it sleeps", 1.75, 2.75)]
