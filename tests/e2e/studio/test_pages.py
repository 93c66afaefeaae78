"""Every page in both themes: accessible, within its window at every width, and unmoved by hostile texts."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from live_server import LiveServer
from studio_clips import generate

expect = pytest.importorskip("playwright.sync_api").expect

AXE = Path(__file__).parents[3] / "studio" / "node_modules" / "axe-core" / "axe.min.js"
WIDTHS = (390, 768, 1280, 2560)
HOSTILE = [
    "<img src=x onerror=\"window.hacked='img'\">",
    "<script>window.hacked='script'</script>",
    '"><svg onload="window.hacked=\'svg\'">',
    "javascript:window.hacked='url'",
    "{{constructor.constructor('window.hacked=1')()}}",
    "\u202egpj.exe\u200b<iframe srcdoc=\"<script>parent.hacked='frame'</script>\">",
]


def pages(clip: str, other: str, board: str) -> dict[str, str]:
    tools = ("details", "remix", "recut", "extend", "loop", "blend", "export")
    sections = ("look", "models", "connect", "keys", "webhooks", "storage", "shortcuts", "about")
    return {
        "create": "/",
        "library": "/library",
        "trash": "/library?trashed=true",
        "storyboards": "/storyboard",
        "storyboard": f"/storyboard/{board}",
        "characters": "/characters",
        "compare": f"/compare?clips={clip},{other}",
        **{f"clip, {tool}": f"/clip/{clip}?tool={tool}" for tool in tools},
        **{f"settings, {section}": f"/settings?section={section}" for section in sections},
    }


@pytest.fixture(scope="module")
def board(studio: LiveServer) -> str:
    shots = [{"id": f"s{n}", "prompt": f"shot {n}", "start": 2.0 * n, "length": 2.0} for n in range(3)]
    content = {"model": "tiny", "width": 448, "height": 256, "fps": 24, "seconds": 8, "shots": shots, "media": []}
    made = studio.post("/v1/library/documents", {"kind": "storyboard", "name": "A board", "content": content})
    return str(made["id"])


def graves(page: Any, rules: str) -> list[Any]:
    """What axe finds serious or critical on the page as it is shown."""
    page.evaluate(AXE.read_text())
    found = page.evaluate(f"axe.run(document, {{resultTypes: ['violations'], {rules}}})")["violations"]
    return [
        (one["id"], [node["target"] for node in one["nodes"]][:3])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def settled(wide: Callable[[], int]) -> int:
    """By how many pixels a page is too wide once it has laid itself out anew: at once, or within a second."""
    for _ in range(10):
        if wide() <= 0:
            return 0
        time.sleep(0.1)
    return wide()


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: `make studio` installs it")
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_pages_are_accessible_and_keep_within_the_window(
    window: Any, clip: str, other: str, board: str, theme: str
) -> None:
    # Not in documents without an origin, such as the empty one that a window begins with.
    chosen = f"localStorage['daybreak.preferences'] = JSON.stringify({{state: {{theme: '{theme}'}}}})"
    window.add_init_script(f"try {{ {chosen} }} catch {{}}")
    page = window.new_page()
    page.emulate_media(reduced_motion="reduce")
    over = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - window.innerWidth"
    found: dict[str, Any] = {}
    for name, path in pages(clip, other, board).items():
        page.goto(path, wait_until="domcontentloaded")
        expect(page.locator("main h1, main h2").first).to_be_attached()
        page.wait_for_timeout(150)
        # A theme changes colours and nothing else.
        if grave := graves(page, "" if theme == "dark" else "runOnly: ['color-contrast']"):
            found[name] = grave
        for width in WIDTHS if theme == "dark" else ():
            page.set_viewport_size({"width": width, "height": 800})
            if (wide := settled(lambda: page.evaluate(over))) > 0:
                found[f"{name} at {width}"] = wide
        page.set_viewport_size({"width": 1280, "height": 800})
    assert found == {}


def test_a_dialog_begins_where_one_writes_and_escape_closes_it(page: Any) -> None:
    page.goto("/settings?section=keys")
    page.get_by_role("button", name="New key").click()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_an_address_that_nobody_has_leads_back(page: Any, watched: Any) -> None:
    watched.expected.append("status of 404")
    page.goto("/nowhere")
    expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    page.get_by_role("link", name="Back to where clips are made").click()
    expect(page.get_by_label("Prompt", exact=True)).to_be_visible()


def test_hostile_texts_are_texts(page: Any, studio: LiveServer, other: str) -> None:
    text = " ".join(HOSTILE)
    video = generate(studio, text)
    studio.post("/v1/library/bulk", {"action": "tag", "ids": [video], "tag": HOSTILE[0]})
    folder = studio.post("/v1/library/folders", {"name": HOSTILE[1]})["id"]
    studio.post("/v1/library/bulk", {"action": "move", "ids": [video], "folder_id": folder})
    content = {"shots": [{"id": "s", "prompt": text, "start": 0, "length": 2}], "seconds": 2}
    board = studio.post("/v1/library/documents", {"kind": "storyboard", "name": HOSTILE[2], "content": content})["id"]
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
    paths = ["/", "/library", f"/library?folder={folder}", f"/clip/{video}", f"/compare?clips={video},{other}"]
    for path in (*paths, "/storyboard", f"/storyboard/{board}", f"/clip/{video}?tool=remix"):
        page.goto(path)
        page.wait_for_timeout(300)
        assert page.evaluate("window.hacked") is None
    expect(page.get_by_label("What should be seen instead")).to_have_value(text)
    assert page.evaluate("document.querySelectorAll('iframe, script:not([src])').length") == 0
