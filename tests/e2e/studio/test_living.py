"""What must not get lost: reloads, a killed server, other windows; and ten thousand clips."""

from __future__ import annotations

import time
from typing import Any

import pytest

from live_server import LiveServer
from studio_clips import finish, generate, many

expect = pytest.importorskip("playwright.sync_api").expect


def test_a_reload_and_a_killed_server_lose_nothing(page: Any, studio: LiveServer, watched: Any) -> None:
    watched.expected += ["Failed to load resource", "ERR_CONNECTION", "ERR_INCOMPLETE", "status of 5", "event-stream"]
    fields = {"model": "tiny", "size": "128x128", "seconds": "1", "fps": 8}
    ids = [
        studio.post("/v1/videos", {**fields, "prompt": f"job {number}", "num_inference_steps": steps})["id"]
        for number, steps in enumerate((200, 2))
    ]
    page.goto("/")
    expect(page.get_by_role("link", name="job 1")).to_be_visible()
    page.get_by_role("button", name="Queue").click()
    expect(page.get_by_role("complementary", name="Queue").get_by_text("job 0")).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="job 0")).to_be_visible()
    studio.kill()
    expect(page.get_by_text("The server does not answer.").first).to_be_visible()
    studio.start()
    expect(page.get_by_text("The server does not answer.")).to_have_count(0)
    for video in ids:
        finish(studio, video)
    expect(page.get_by_role("link", name="job 1").locator("img")).to_be_visible()


def test_two_windows_show_the_same(window: Any, studio: LiveServer) -> None:
    video = generate(studio, "seen in both windows")
    first, second = window.new_page(), window.new_page()
    first.goto(f"/clip/{video}")
    second.goto("/library?favourite=true")
    expect(second.get_by_text("No clip is like this")).to_be_visible()
    expect(first.get_by_role("heading", level=1)).to_contain_text("seen in both windows")
    first.keyboard.press("f")
    expect(second.get_by_role("link", name="seen in both windows")).to_be_visible()
    first.keyboard.press("Delete")
    expect(second.get_by_text("No clip is like this")).to_be_visible()
    first.get_by_role("button", name="Undo").click()
    expect(second.get_by_role("link", name="seen in both windows")).to_be_visible()


def test_cancel_takes_a_waiting_clip_out(page: Any, studio: LiveServer) -> None:
    fields = {"model": "tiny", "size": "128x128", "seconds": "1", "fps": 8, "num_inference_steps": 1000}
    ids = [studio.post("/v1/videos", {**fields, "prompt": f"waiting {number}"})["id"] for number in range(3)]
    page.goto("/")
    page.get_by_role("button", name="Queue, ").click()
    queue = page.get_by_role("complementary", name="Queue")
    last = queue.get_by_role("listitem").filter(has_text="waiting 2")
    last.get_by_role("button", name="Move").click()
    page.get_by_role("menuitem", name="Run next").click()
    expect(queue.get_by_role("listitem").nth(1)).to_contain_text("waiting 2")
    queue.get_by_role("listitem").filter(has_text="waiting 1").get_by_role("button", name="Cancel").click()
    expect(queue.get_by_text("Cancelled")).to_be_visible()
    assert studio.get(f"/v1/videos/{ids[1]}")["error"]["code"] == "cancelled"
    for video in (ids[0], ids[2]):
        studio.post(f"/v1/videos/{video}/cancel", {})


def test_a_pause_holds_what_waits_in_every_window_and_over_a_restart(
    fresh_page: Any, fresh: LiveServer, watched: Any
) -> None:
    watched.expected += ["Failed to load resource", "ERR_CONNECTION", "ERR_INCOMPLETE", "status of 5", "event-stream"]
    page, studio = fresh_page, fresh
    page.goto("/")
    expect(page.get_by_role("textbox", name="Prompt")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Queue", exact=True).click()
    queue = page.get_by_role("complementary", name="Queue")
    queue.get_by_role("button", name="Pause the queue").click()
    expect(queue.get_by_text("Paused since")).to_be_visible()
    video = studio.post("/v1/videos", {"prompt": "held back", "size": "128x72", "seconds": "1", "fps": 8})["id"]
    expect(queue.get_by_role("listitem")).to_contain_text("Paused")
    queue.get_by_role("button", name="Close").click()
    expect(page.get_by_text("The queue is paused. 1 clip waits.")).to_be_visible()
    expect(page.get_by_role("button", name="Queue, 1 job, paused")).to_be_visible()
    other = page.context.new_page()
    other.goto("/library")
    expect(other.get_by_text("The queue is paused.")).to_be_visible()
    studio.stop()
    studio.start()
    page.wait_for_timeout(2000)
    assert studio.get(f"/v1/videos/{video}")["status"] == "queued"
    expect(page.get_by_text("The queue is paused. 1 clip waits.")).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    finish(studio, video)
    expect(page.get_by_text("The queue is paused.")).to_have_count(0)
    expect(other.get_by_text("The queue is paused.")).to_have_count(0)


def test_the_library_by_keyboard_alone(page: Any, studio: LiveServer) -> None:
    video = generate(studio, "reached by keyboard")
    page.goto("/")
    expect(page.get_by_role("textbox", name="Prompt")).to_be_visible()  # the page listens to keys from here on
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Find anything")).to_be_focused()
    page.keyboard.type("reached by")
    expect(page.get_by_role("option", name="reached by keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Alt+3")
    expect(page).to_have_url(f"{studio.root}/library")
    expect(page.get_by_role("searchbox", name="Search in prompts")).to_be_visible()  # the page came after its address
    page.keyboard.press("/")
    page.keyboard.type("reached by keyboard")
    expect(page).to_have_url(f"{studio.root}/library?q=reached+by+keyboard")  # another search selects nothing
    tile = page.get_by_role("grid").get_by_role("link", name="reached by keyboard")
    expect(tile).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(tile).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_role("toolbar", name="Selected clips")).to_contain_text("1 selected")
    page.keyboard.press("Escape")
    tile.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{studio.root}/clip/{video}")
    expect(page.locator("video")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{studio.root}/library?q=reached+by+keyboard")


def test_a_search_that_waits_does_not_call_the_reader_back(page: Any, studio: LiveServer) -> None:
    video = generate(studio, "left before the search began")
    page.goto("/library")
    tile = page.get_by_role("grid").get_by_role("link", name="left before the search began")
    expect(tile).to_be_visible()
    # The next page comes late, as it may: until then the library is still shown, and its clock runs.
    page.route("**/assets/ClipPage-*.js", lambda route: (time.sleep(0.5), route.continue_()))
    box = page.get_by_role("searchbox", name="Search in prompts")
    # In one go, so that less time passes than the search waits for the next letter.
    box.evaluate(
        """(box) => {
            Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(box, "left");
            box.dispatchEvent(new Event("input", { bubbles: true }));
            document.querySelector("[data-grid] a").click();
        }"""
    )
    expect(page).to_have_url(f"{studio.root}/clip/{video}")
    page.wait_for_timeout(400)
    expect(page).to_have_url(f"{studio.root}/clip/{video}")
    expect(page.locator("video")).to_be_visible()


def test_ten_thousand_clips_scroll_with_few_elements(fresh_page: Any, fresh: LiveServer, watched: Any) -> None:
    page, studio = fresh_page, fresh
    watched.expected.append("status of 404")  # the rows have no pictures
    many(studio, 10_000)
    page.goto("/library?q=clip number")
    expect(page.get_by_role("link", name="clip number 9999", exact=True)).to_be_visible()
    page.keyboard.press("Tab")
    grid = page.locator("[data-grid]")
    grid.evaluate("(element) => element.scrollTo({ top: element.scrollHeight / 2 })")
    expect(page.get_by_role("gridcell").filter(has_text="clip number 5").first).to_be_visible()
    grid.evaluate("(element) => element.scrollTo({ top: element.scrollHeight })")
    expect(page.get_by_role("link", name="clip number 0", exact=True)).to_be_visible()
    assert page.get_by_role("gridcell").count() < 150
    assert studio.get("/v1/library?q=clip%20number&limit=1")["total"] == 10_000
