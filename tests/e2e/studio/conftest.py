"""A real `daybreak serve` with the built studio, and Debian's Chromium on it. Nothing of the network is faked."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from daybreak.server.studio import DIST
from daybreak.testing import tiny_model
from live_server import LiveServer, live_server
from studio_clips import PATIENCE, generate

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip


def missing() -> str | None:
    """Why these tests cannot run here, if so."""
    if not (DIST / "index.html").is_file():
        return "the studio is not built: `make studio` needs Node 20.19 or newer"
    if CHROMIUM is None:
        return "there is no chromium: `make test` installs Debian's as root"
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "there is no playwright: `make test` installs it"
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = missing()
    here = str(Path(__file__).parent)
    for item in items:
        if reason and str(item.path).startswith(here):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server whose own model is the procedural world, beside a whole but tiny model that can do everything."""
    folder = tmp_path_factory.mktemp("studio")
    tiny_model(folder / "data" / "models" / "tiny")
    with live_server(folder, model="diorama") as server:
        yield server


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[LiveServer]:
    """A server that nobody has used yet."""
    with live_server(tmp_path / "fresh", model="diorama") as server:
        yield server


# Of a module: while Playwright is open an event loop runs in this thread, and other tests want one of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@dataclass
class Watched:
    """What a browser context did that it should not: errors, refusals by the policy, requests to elsewhere."""

    root: str = ""
    wrong: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)  # patterns of what a test provokes

    def watch(self, context: Any) -> None:
        context.on("console", self._message)
        context.on("weberror", lambda error: self.wrong.append(f"thrown: {error.error}"))
        context.on("request", self._request)

    def _message(self, message: Any) -> None:
        if message.type == "error":
            self.wrong.append(f"{message.text} {message.location.get('url', '')}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.root, "data:", "blob:")):
            self.wrong.append(f"a request to elsewhere: {request.url}")

    def unexpected(self) -> list[str]:
        return [text for text in self.wrong if not any(re.search(pattern, text) for pattern in self.expected)]


@pytest.fixture
def watched() -> Watched:
    return Watched()


@contextmanager
def watched_window(browser: Any, server: LiveServer, watched: Watched) -> Iterator[Any]:
    """A context of its own: 1280 x 800, dark. Fails the test if anything went wrong that it did not expect."""
    context = browser.new_context(base_url=server.root, viewport={"width": 1280, "height": 800}, accept_downloads=True)
    context.set_default_timeout(PATIENCE)
    watched.root = server.root
    watched.watch(context)
    yield context
    context.close()
    assert watched.unexpected() == []


@pytest.fixture
def window(browser: Any, studio: LiveServer, watched: Watched) -> Iterator[Any]:
    with watched_window(browser, studio, watched) as context:
        yield context


@pytest.fixture
def page(window: Any) -> Any:
    return window.new_page()


@pytest.fixture
def fresh_page(browser: Any, fresh: LiveServer, watched: Watched) -> Iterator[Any]:
    with watched_window(browser, fresh, watched) as context:
        yield context.new_page()


@pytest.fixture(scope="session")
def clip(studio: LiveServer) -> str:
    return generate(studio, "a brown dog runs across a meadow")


@pytest.fixture(scope="session")
def other(studio: LiveServer) -> str:
    return generate(studio, "a red car drives through the town", seed=2)
