"""Progress on standard error: a bar with the time left, and on a terminal a rough picture of the clip so far."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.segment import Segment, Segments
from rich.style import Style

from daybreak.generation import Frames, OnStep, Preview, State
from daybreak.media.fit import cover

PREVIEW_COLUMNS = 64


@contextlib.contextmanager
def remembered_interrupt() -> Iterator[threading.Event]:
    """Ctrl-C raises KeyboardInterrupt as always, and sets the event: the exception alone can get lost.

    Where it strikes while native code calls back into Python, that code may clear it as an error of its own.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # signals only ever reach the main thread
        yield asked
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        asked.set()
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def progress_bar(label: str, *, show_preview: bool = False) -> Iterator[OnStep]:
    """Yields the `on_step` that draws the bar; it stops at a Ctrl-C that nothing before it has stopped at."""
    console = Console(stderr=True)
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    task = progress.add_task(label, total=None)
    live = Live(progress, console=console, transient=True, refresh_per_second=8)
    with remembered_interrupt() as interrupted, live:

        def on_step(
            done: int,
            total: int,
            preview: Preview | None = None,
            state: Callable[[], State] | None = None,  # noqa: ARG001 - for a worker: a command isn't resumed
        ) -> None:
            if interrupted.is_set():
                raise KeyboardInterrupt
            progress.update(task, completed=done, total=total)
            if show_preview and preview is not None and console.is_terminal:
                live.update(Group(half_blocks(preview()), progress))
            elif not console.is_terminal and (done == total or done % max(1, total // 10) == 0):
                console.print(f"{label}: step {done} of {total}")

        yield on_step


def half_blocks(frames: Frames, columns: int = PREVIEW_COLUMNS) -> Segments:
    """The middle frame as coloured half blocks, two pixels to a character."""
    frame = frames[len(frames) // 2 : len(frames) // 2 + 1]
    rows = max(2, round(columns * frame.shape[1] / frame.shape[2] / 2) * 2)
    pixels = cover(frame, columns, rows)[0]
    segments: list[Segment] = []
    for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
        for top, bottom in zip(upper, lower, strict=True):
            colour = "rgb({},{},{})"
            segments.append(Segment("▀", Style.parse(f"{colour.format(*top)} on {colour.format(*bottom)}")))
        segments.append(Segment.line())
    return Segments(segments)
