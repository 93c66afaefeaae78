"""How clips are sorted out: stars, dates, many at once."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from live_server import LiveServer
from studio_clips import generate

expect = pytest.importorskip("playwright.sync_api").expect


def stars(studio: LiveServer, *videos: str) -> list[int]:
    return [studio.get(f"/v1/library/items/{video}")["rating"] for video in videos]


def test_stars_by_keyboard_by_mouse_and_for_many(page: Any, studio: LiveServer) -> None:
    first, second = (generate(studio, f"to be rated {number}", seed=number) for number in (1, 2))
    page.goto("/library?q=to be rated")
    tile = page.get_by_role("grid").get_by_role("link", name="to be rated 1")
    tile.focus()
    page.keyboard.press("4")
    expect(tile).to_have_accessible_name("to be rated 1, 4 stars")
    page.get_by_role("combobox", name="Stars").click()
    page.get_by_role("option", name="3 stars or more").click()
    expect(page.get_by_role("grid").get_by_role("link")).to_have_count(1)
    expect(page).to_have_url(f"{studio.root}/library?q=to+be+rated&rating=3")
    page.get_by_role("button", name="Clear").click()
    for number in (1, 2):
        page.get_by_role("checkbox", name=f"Select to be rated {number}").click()
    page.get_by_role("button", name="Stars", exact=True).click()
    page.get_by_role("menuitem", name="2 stars").click()
    expect(page.get_by_role("grid").get_by_role("link", name="2 stars")).to_have_count(2)
    assert stars(studio, first, second) == [2, 2]
    page.goto(f"/clip/{first}")
    page.get_by_role("button", name="5 stars").click()
    expect(page.get_by_role("button", name="5 stars")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("3")
    expect(page.get_by_role("button", name="3 stars")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="3 stars").click()  # what is given already is taken away
    expect(page.get_by_role("button", name="3 stars")).to_have_attribute("aria-pressed", "false")
    assert stars(studio, first, second) == [0, 2]


def test_clips_by_their_date(page: Any, studio: LiveServer, clip: str) -> None:
    page.goto("/library")
    page.get_by_role("button", name="Date").click()
    page.get_by_role("button", name="Last 7 days").click()
    expect(page.get_by_role("grid").get_by_role("link").first).to_be_visible()
    expect(page).to_have_url(f"{studio.root}/library?made=week")
    page.get_by_role("button", name="Date: Last 7 days").click()
    yesterday = datetime.date.today() - datetime.timedelta(days=1)
    page.get_by_label("To", exact=True).fill(yesterday.isoformat())
    expect(page.get_by_text("No clip is like this")).to_be_visible()
    expect(page).to_have_url(f"{studio.root}/library?to={yesterday.isoformat()}")
    page.get_by_role("button", name="Any date").click()
    expect(page.get_by_role("grid").get_by_role("link").first).to_be_visible()
