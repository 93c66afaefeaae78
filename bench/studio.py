"""The studio's figures in Chromium: how soon a first visit can be used, and frames while 10,000 clips are scrolled."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from live_server import LiveServer, live_server
from studio_clips import generate, many

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip
CLIPS = 10_000
WINDOW = {"width": 1280, "height": 800}
NOTCH, EVERY = 120, 1 / 30  # pixels of a mouse wheel's notch, and seconds between two: a hand in a hurry

# When what a page is for is there, in milliseconds since the navigation began; asked at every frame.
_USABLE = """(selector) => new Promise((done) => {
    const look = () => {
        const found = document.querySelector(selector);
        if (found && !found.disabled && found.getClientRects().length && (!("complete" in found) || found.complete))
            done(performance.now());
        else requestAnimationFrame(look);
    };
    look();
})"""
_RECORD = """() => {
    window.frames = [];
    const note = (now) => { window.frames.push(now); window.recording = requestAnimationFrame(note); };
    window.recording = requestAnimationFrame(note);
}"""
_STOP = "() => { cancelAnimationFrame(window.recording); return window.frames; }"


def main() -> None:
    """Prints each figure on a line, beside the load that the machine had."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=4.0, help="how long to scroll, each way [4]")
    arguments.add_argument("--visits", type=int, default=3, help="first visits that are timed [3]")
    arguments.add_argument("--profile", action="store_true", help="say what the main thread did while it scrolled")
    options = arguments.parse_args()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sys.exit("there is no playwright: `make test` installs it")
    with tempfile.TemporaryDirectory() as folder, live_server(Path(folder), model="diorama") as server:
        many(server, CLIPS, like=generate(server, "a brown dog runs", model="diorama", size="448x256"))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            visit(browser, server, options.visits)
            scroll(browser, server, options.seconds, profile=options.profile)
            browser.close()


def show(name: str, figure: str) -> None:
    print(f"{name}: {figure}; load {os.getloadavg()[0]:.1f}", flush=True)


def visit(browser: Any, server: LiveServer, visits: int) -> None:
    """First visits, each with an empty cache: the prompt can be typed into, the library's first picture is there."""
    for name, path, selector in (
        ("first screen usable", "/", "[data-compose] textarea"),
        (f"library of {CLIPS} usable", "/library", "[data-index='0'] img"),
    ):
        times = []
        for _ in range(visits):
            context = browser.new_context(base_url=server.root, viewport=WINDOW)
            page = context.new_page()
            page.goto(path, wait_until="commit")
            times.append(page.evaluate(_USABLE, selector) / 1000)
            context.close()
        show(name, f"{statistics.median(times):.2f} s ({', '.join(f'{each:.2f}' for each in times)})")


def scroll(browser: Any, server: LiveServer, seconds: float, *, profile: bool) -> None:
    """Turns the wheel down and up again over the library."""
    context = browser.new_context(base_url=server.root, viewport=WINDOW)
    page = context.new_page()
    page.goto("/library")
    page.locator("[data-index='0'] img").wait_for()
    page.wait_for_timeout(2000)  # what a page loads ahead for later is not of the scrolling
    page.mouse.move(700, 500)
    session = context.new_cdp_session(page)
    session.send("Performance.enable")
    for name, notch in (("scrolling down", NOTCH), ("scrolling up", -NOTCH)):
        before, used = _spent(session), _processor_time()
        page.evaluate(_RECORD)
        began = time.monotonic()
        turned = 0
        while (now := time.monotonic() - began) < seconds:
            if now >= turned * EVERY:
                page.mouse.wheel(0, notch)
                turned += 1
            else:
                time.sleep(turned * EVERY - now)
        frames = page.evaluate(_STOP)
        at = page.locator("[data-grid]").evaluate("(grid) => grid.scrollTop")
        each = 1000 * (_processor_time() - used) / len(frames)
        turns = f"{turned / seconds:.0f} notches a second, at {at:.0f} px"
        show(name, f"{_said(frames)}, {each:.1f} ms of processor a frame; {turns}")
        if profile:
            spent = {part: round(after - before[part], 2) for part, after in _spent(session).items()}
            print("  seconds of the main thread:", spent)
    context.close()


def _said(frames: list[float]) -> str:
    """Frames a second, and milliseconds between two of them."""
    gaps = sorted(later - sooner for sooner, later in itertools.pairwise(frames))
    rate = 1000 * len(gaps) / (frames[-1] - frames[0])
    p95 = gaps[int(0.95 * (len(gaps) - 1))]
    return f"{rate:.1f} frames/s, median {statistics.median(gaps):.1f} ms, p95 {p95:.1f} ms, longest {gaps[-1]:.0f} ms"


def _processor_time() -> float:
    """Seconds of processor that Chromium's processes took so far: what it costs, whatever else the machine does."""
    ticks, parents, taken = os.sysconf("SC_CLK_TCK"), {}, {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            name, _, rest = (process / "stat").read_text().rpartition(")")
            fields = rest.split()
            parents[int(process.name)] = int(fields[1])
            taken[int(process.name)] = (int(fields[11]) + int(fields[12])) / ticks if "chrom" in name else 0.0
    total = 0.0
    for process_id, seconds in taken.items():
        ancestor = process_id
        while ancestor not in (0, os.getpid()):
            ancestor = parents.get(ancestor, 0)
        total += seconds if ancestor else 0.0
    return total


def _spent(session: Any) -> dict[str, float]:
    wanted = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "TaskDuration")
    found = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
    return {name: found[name] for name in wanted}


if __name__ == "__main__":
    main()
