"""Takes the pictures of docs/studio.md: a fresh server, a few clips of the procedural world, every page.

`make studio-pictures` runs it; it needs the built studio, Playwright and Chromium.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

TARGET = Path(__file__).parents[2] / "docs" / "studio"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
PROMPTS = (
    "a penguin dances on the snow",
    "a red car drives through the town at night",
    "a yellow bird flies over the sea",
    "a brown dog runs across a meadow at sunset",
    "a white horse walks on a green hill in the rain",
    "a small boat drifts on a calm lake at dawn",
)
SHOTS = (
    "a small boat drifts on a calm lake at dawn, wide shot",
    "a white bird flies over the lake",
    "the boat reaches the shore",
)

_PICTURES_ARE_THERE = """() => [...document.images].every((image) => image.complete
    || image.getBoundingClientRect().top > window.innerHeight)"""


class Server:
    """A running `daybreak serve` of its own data folder."""

    def __init__(self, root: str) -> None:
        self.root = root

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.root + path, timeout=30) as answer:
            return json.loads(answer.read())

    def post(self, path: str, body: Any) -> Any:
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self.root + path, json.dumps(body).encode(), headers, method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def settle(self) -> None:
        """Waits until nothing is queued."""
        while self.get("/v1/library/queue")["data"]:
            time.sleep(0.5)


@contextmanager
def server() -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "DAYBREAK_DATA_DIR": folder, "DAYBREAK_MODEL": "diorama"}
        command = [sys.executable, "-m", "daybreak", "serve", "--port", str(port)]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        running = Server(f"http://127.0.0.1:{port}")
        try:
            for _ in range(120):
                try:
                    running.get("/livez")
                    break
                except OSError:
                    time.sleep(0.5)
            yield running
        finally:
            process.terminate()
            process.wait()


def fill(running: Server) -> dict[str, str]:
    """A library to show; returns addresses of pages by name."""
    for prompt in PROMPTS:
        running.post("/v1/videos", {"model": "diorama", "prompt": prompt, "size": "448x256", "seconds": "2"})
    running.settle()
    ids = [item["id"] for item in running.get("/v1/library")["data"]]
    running.post("/v1/library/bulk", {"action": "favourite", "ids": ids[1:3]})
    for clip, stars in zip(ids, (5, 3, 0, 4), strict=False):
        running.post("/v1/library/bulk", {"action": "rate", "ids": [clip], "rating": stars})
    folder = running.post("/v1/library/folders", {"name": "Trailer"})["id"]
    running.post("/v1/library/bulk", {"action": "move", "ids": ids[:2], "folder_id": folder})
    shots = [{"id": f"s{n}", "prompt": text, "start": 2.5 * n, "length": 2} for n, text in enumerate(SHOTS)]
    content = {"model": "diorama", "width": 448, "height": 256, "fps": 24, "seconds": 8, "shots": shots, "media": []}
    board = running.post("/v1/library/documents", {"kind": "storyboard", "name": "The lake", "content": content})["id"]
    clip = ids[1]
    tools = {tool: f"/clip/{clip}?tool={tool}" for tool in ("remix", "recut", "extend", "loop", "blend", "export")}
    sections = ("look", "models", "connect", "keys", "webhooks", "storage", "shortcuts", "about")
    return {
        "create": "/",
        "library": "/library",
        "clip": f"/clip/{clip}",
        **tools,
        "compare": f"/compare?clips={ids[0]},{ids[2]}",
        "storyboards": "/storyboard",
        "storyboard": f"/storyboard/{board}",
        "characters": "/characters",
        **{f"settings-{section}": f"/settings?section={section}" for section in sections},
    }


def take(page: Page, name: str) -> None:
    page.wait_for_timeout(700)
    page.wait_for_function(_PICTURES_ARE_THERE)
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.convert("RGB").save(TARGET / f"{name}.webp", quality=78, method=6)


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    with server() as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)

        def window(theme: str = "dark", width: int = 1280, height: int = 800) -> Page:
            context = browser.new_context(
                base_url=running.root, viewport={"width": width, "height": height}, reduced_motion="reduce"
            )
            chosen = json.dumps(json.dumps({"state": {"theme": theme}}))
            context.add_init_script(f"try {{ localStorage['daybreak.preferences'] = {chosen} }} catch {{}}")
            return context.new_page()

        page = window()
        page.goto("/")
        take(page, "first-run")
        addresses = fill(running)
        for name, address in addresses.items():
            page.goto(address)
            take(page, name)
        page.goto(addresses["settings-models"])
        page.get_by_role("heading", name="Models to get").evaluate("(heading) => heading.scrollIntoView()")
        take(page, "settings-models-get")
        running.post("/v1/videos", {"prompt": "a fox runs in the snow", "size": "448x256", "seconds": "8"})
        running.post("/v1/videos", {"prompt": "rain falls on the town", "size": "448x256", "seconds": "2"})
        page.goto("/")
        page.get_by_role("button", name="Queue, ").click()
        page.wait_for_timeout(3000)
        take(page, "queue")
        page.keyboard.press("Shift+Q")
        take(page, "queue-paused")
        running.post("/v1/queue/resume", {})
        running.settle()  # or news of the last clips would lie over the next pictures
        light = window("light")
        phone = window("dark", 390, 844)
        for name in ("create", "library", "clip", "storyboard"):
            light.goto(addresses[name])
            take(light, f"{name}-light")
            phone.goto(addresses[name])
            take(phone, f"{name}-phone")
        browser.close()


if __name__ == "__main__":
    main()
