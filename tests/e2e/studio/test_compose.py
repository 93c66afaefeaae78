"""From an empty library to a playing clip, in the browser."""

from __future__ import annotations

import io
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from live_server import LiveServer
from studio_clips import finish, generate, newest

expect = pytest.importorskip("playwright.sync_api").expect


def small(page: Any) -> None:
    """Makes the next clip a quick one, by the controls that a user has."""
    page.get_by_role("button", name="More settings").click()
    page.get_by_label("Own size and length").fill("128x72")
    page.get_by_label("Seconds", exact=True).fill("1")
    page.get_by_label("Frames/s").fill("8")
    page.keyboard.press("Escape")


def test_a_sentence_becomes_a_clip_that_plays(fresh_page: Any, fresh: LiveServer) -> None:
    page, studio = fresh_page, fresh
    page.goto("/")
    expect(page.get_by_role("heading", name="Say what you want to see.")).to_be_visible()
    small(page)
    box = page.get_by_label("Prompt", exact=True)
    box.fill("a penguin dances on the snow")
    box.press("Control+Enter")
    tile = page.get_by_role("link", name="a penguin dances on the snow").first
    expect(tile).to_be_visible()
    expect(box).to_have_value("a penguin dances on the snow")  # ready for the next change
    item = finish(studio, newest(studio)["id"])
    assert (item["size"], item["seconds"], item["model"]) == ("128x72", "1", "diorama")
    expect(page.get_by_text("A clip is done")).to_be_visible()
    tile.click()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    expect(page.get_by_text("procedural", exact=True)).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_label("Time", exact=True)).not_to_contain_text("00:00:00")
    page.keyboard.press("k")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Time", exact=True)).to_contain_text("00:00:01")


def test_variations_have_seeds_that_count_up(page: Any, studio: LiveServer) -> None:
    page.goto("/")
    small(page)
    page.get_by_role("button", name="More settings").click()
    page.get_by_label("Seed", exact=True).fill("41")
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Variations").click()
    page.get_by_role("option", name="2 ×").click()
    page.get_by_label("Prompt", exact=True).fill("a boat on the lake")
    page.get_by_role("button", name="Generate 2").click()
    expect(page.get_by_role("link", name="a boat on the lake")).to_have_count(2)
    ids = [item["id"] for item in studio.get("/v1/library?q=boat")["data"]]
    assert sorted(studio.get(f"/v1/library/items/{video}")["settings"]["seed"] for video in ids) == [41, 42]


def test_a_dropped_picture_is_the_first_frame(page: Any, studio: LiveServer, clip: str) -> None:
    page.goto(f"/clip/{clip}")
    page.get_by_role("button", name="Use a frame").click()
    page.get_by_role("menuitem", name="Last frame as first frame").click()
    references = page.get_by_role("list", name="References")
    expect(references.get_by_text("First frame")).to_be_visible()
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name=re.compile("^tiny")).click()
    page.get_by_label("Prompt", exact=True).fill("and it goes on from here")
    page.get_by_role("button", name="More settings").click()
    page.get_by_label("Seconds", exact=True).fill("1")
    page.get_by_label("Frames/s").fill("8")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.get_by_role("link", name="and it goes on from here").first).to_be_visible()
    pins = finish(studio, newest(studio)["id"])["timeline"]["pins"]
    assert [(pin["kind"], pin["start"], pin["strength"]) for pin in pins] == [("image", 0.0, 1.0)]


def test_what_the_model_cannot_do_another_one_can(page: Any, studio: LiveServer, clip: str) -> None:
    page.goto(f"/clip/{clip}")
    page.get_by_role("button", name="Use a frame").click()
    page.get_by_role("menuitem", name="First frame as last frame").click()
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name=re.compile("^diorama")).click()
    page.get_by_label("Prompt", exact=True).fill("up to there")
    note = page.get_by_text("diorama cannot use pictures.")
    expect(note).to_be_visible()
    note.get_by_role("button", name="Use dawn").click()
    expect(note).to_have_count(0)
    expect(page.get_by_role("combobox", name="Model")).to_contain_text("dawn")


def test_a_last_frame_of_another_shape_is_seen_whole(page: Any, studio: LiveServer, tmp_path: Path) -> None:
    picture = tmp_path / "tall.png"
    tall = Image.new("RGB", (32, 128), "blue")
    tall.paste("red", (0, 0, 32, 64))
    tall.save(picture)
    page.goto("/")
    page.get_by_role("button", name="More settings").click()
    page.get_by_label("Own size and length").fill("256x128")
    page.get_by_label("Seconds", exact=True).fill("1")
    page.get_by_label("Frames/s").fill("8")
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name=re.compile("^tiny")).click()
    page.locator("[data-compose] input[type=file]").set_input_files(picture)
    page.get_by_label("Use as").get_by_text("Last frame").click()
    page.get_by_label("Fit", exact=True).get_by_text("Fit", exact=True).click()
    page.get_by_label("Prompt", exact=True).fill("red above blue")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.get_by_role("link", name="red above blue").first).to_be_visible()
    (pin,) = studio.get(f"/v1/library/items/{newest(studio)['id']}")["timeline"]["pins"]
    assert pin["start"] == pytest.approx(7 / 8)
    file = next(file for file in studio.get("/v1/files")["data"] if file["filename"] == "tall.png")
    with urllib.request.urlopen(f"{studio.url}/files/{file['id']}/content") as answer:
        sent = Image.open(io.BytesIO(answer.read())).convert("RGB")
    assert sent.size == (256, 128)
    # All of its height is there: a crop to this shape would show only what is around its middle.
    assert sent.getpixel((128, 4)) == (255, 0, 0)
    assert sent.getpixel((128, 123)) == (0, 0, 255)


def test_a_clip_of_ours_brings_its_settings_back(page: Any, studio: LiveServer, clip: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.mp4"
    file.write_bytes(urllib.request.urlopen(f"{studio.url}/videos/{clip}/content").read())
    page.goto("/")
    page.get_by_role("button", name="Add a picture or clip").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="From this computer").click()
    chooser.value.set_files(file)
    expect(page.get_by_text("Settings restored")).to_be_visible()
    expect(page.get_by_label("Prompt", exact=True)).to_have_value("a brown dog runs across a meadow")
    expect(page.get_by_role("combobox", name="Size")).to_contain_text("128×128")


def test_characters_are_named_with_an_at(page: Any, studio: LiveServer, clip: str) -> None:
    page.goto(f"/clip/{clip}")
    page.get_by_role("button", name="Save as character").click()
    page.get_by_label("Name", exact=True).fill("Rex")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Rex can be named in prompts")).to_be_visible()
    page.goto("/")
    box = page.get_by_label("Prompt", exact=True)
    box.fill("")
    box.press_sequentially("see @re")
    expect(page.get_by_role("option", name="@Rex")).to_be_visible()
    box.press("Enter")
    expect(box).to_have_value("see @Rex ")
    page.goto("/characters")
    page.get_by_role("button", name="Delete Rex").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("Nobody is here yet")).to_be_visible()


def test_an_error_is_said_in_words_with_its_request_id(page: Any, studio: LiveServer, watched: Any) -> None:
    watched.expected.append("status of 400")
    page.goto("/")
    page.get_by_role("button", name="More settings").click()
    page.get_by_label("Own size and length").fill("128x128")
    page.get_by_label("Guidance").fill("7")
    page.keyboard.press("Escape")
    page.get_by_label("Prompt", exact=True).fill("with guidance that this model has not")
    expect(page.get_by_text("diorama cannot use guidance.")).to_be_visible()
    page.get_by_role("button", name="Generate", exact=True).click()
    notice = page.get_by_role("alert").filter(has_text="Not queued").first
    expect(notice).to_contain_text("guidance")
    expect(notice).to_contain_text("req_")
    assert studio.get("/v1/library?q=guidance")["total"] == 0
    assert generate(studio, "the next one works")
