"""Which stretches of a clip are denoised together, and in which order.

The model makes windows of at most 49 frames. A window begins on frames that are known, whether they were given or made
before, and goes on from there; where nothing is known, at a hard cut, it begins afresh. What is wholly known is left
out: lengthening a clip costs what is added. In a loop the last window ends on the clip's first frames.

A window's own first frame is a latent frame by itself, then every 8 are one. So windows are placed such that what is
known ends with a latent frame, and what is known next begins with one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daybreak.generation import Unsupported
from daybreak.shapes import NATIVE_FPS, TEMPORAL_COMPRESSION, native_frames
from daybreak.timeline import Timeline

WINDOW_FRAMES = 49  # the clips that the model was trained on: two seconds
OVERLAP_FRAMES = 17  # how much of what is known a window sees before what it makes: three latent frames
CLOSING_FRAMES = 24  # of a loop's end, made last, between what leads there and the clip's beginning
_MOST_BEFORE = WINDOW_FRAMES - TEMPORAL_COMPRESSION  # frames of a window before the known ones on which it ends
MIN_LOOP = 16  # frames; the end of a shorter clip would have to be made before its beginning

Strengths = NDArray[np.float32]  # (F,): how strongly each frame is held, 0 to 1


@dataclass(frozen=True, slots=True)
class Segment:
    """The frames from `first` to `end` that a prompt is for; `cut` when they have nothing to do with those before."""

    prompt: str
    first: int
    end: int
    cut: bool = True


@dataclass(frozen=True, slots=True)
class Window:
    """The frames from `first` to `end`, 8k + 1 of them, that are made at once for one segment.

    Some may lie before or after the clip; those from `kept` to `kept_end` become the clip's. A window that closes a
    loop ends on the clip's first frames.
    """

    first: int
    end: int
    kept: int
    kept_end: int
    segment: int
    closes: bool = False


def segments_of(timeline: Timeline, num_frames: int, fps: float = NATIVE_FPS) -> list[Segment]:
    """The segments of a clip of `num_frames`.

    A shot that ends where the next begins is cut off hard; one that ends earlier flows over into the next.
    """
    starts = [0]
    for shot in timeline.shots[1:]:
        starts.append(min(max(round(shot.start * fps), starts[-1] + 1), num_frames))
    ends = [*starts[1:], num_frames]
    cuts = [True, *(shot.end is None or round(shot.end * fps) >= start
                    for shot, start in zip(timeline.shots, starts[1:], strict=False))]  # fmt: skip
    parts = zip(timeline.shots, starts, ends, cuts, strict=True)
    return [Segment(shot.prompt, start, end, cut) for shot, start, end, cut in parts if end > start]


def plan_windows(strengths: Strengths, segments: list[Segment], *, loop: bool = False) -> list[Window]:
    """The windows of a clip, in the order in which they are made; none when all of it is known.

    Raises Unsupported for a loop that is too short.
    """
    num_frames = len(strengths)
    if loop and num_frames < MIN_LOOP:
        raise Unsupported(f"a loop needs at least {MIN_LOOP / NATIVE_FPS:.2f} s, not {num_frames / NATIVE_FPS:.2f} s")
    closing = _closing_frames(strengths, segments[-1]) if loop else 0
    windows: list[Window] = []
    floor = 0
    for number, segment in enumerate(segments):
        floor = segment.first if segment.cut else floor
        end = min(segment.end, num_frames - closing)
        for first, stop, kept_end in _spans(strengths, floor, segment.first, end):
            windows.append(Window(first, stop, max(first, floor), kept_end, number))
    if closing:
        free = num_frames - closing
        first = free - _context(free - floor) if free > floor else free - _lead(closing)
        stop = first + native_frames(num_frames + TEMPORAL_COMPRESSION - first)
        windows.append(Window(first, stop, max(first, floor), num_frames, len(segments) - 1, closes=True))
    return windows


def window_frames(window: Window, segment: Segment, num_frames: int) -> NDArray[np.int64]:
    """Which frame of the clip each of a window's frames is; -1 for those that nothing is known of."""
    numbers = np.arange(window.first, window.end)
    inside = numbers % num_frames if window.closes else np.minimum(numbers, segment.end - 1)
    return np.where(numbers < window.kept, -1, inside)


def _spans(strengths: Strengths, floor: int, first: int, end: int) -> Iterator[tuple[int, int, int]]:
    """First, end and last kept frame of the windows that make what is free from `first` to `end`.

    They look back to `floor` at most. Where known frames follow, the last window before them sees some of them.
    """
    made = first
    while (free := made + np.flatnonzero(strengths[made:end] < 1)).size:
        begin = int(free[0])
        bound = _known_again(strengths[:end], begin)
        start = begin - _context(begin - floor) if begin > floor else begin
        if bound is not None and begin == floor and bound - begin + _lead(bound - begin) <= _MOST_BEFORE:
            start -= _lead(bound - begin)
        last = int(free[free < start + WINDOW_FRAMES][-1])
        stop = start + min(WINDOW_FRAMES, native_frames(min(end, last + 1 + OVERLAP_FRAMES) - start))
        made = min(stop, end)
        if bound is not None and stop < bound + TEMPORAL_COMPRESSION:
            # Not all of this window is kept: enough is left for the next one, which so ends with a latent frame.
            made = min(stop, bound - 2 * TEMPORAL_COMPRESSION)
            made -= (made - bound) % TEMPORAL_COMPRESSION
        yield start, stop, made


def _known_again(strengths: Strengths, begin: int) -> int | None:
    """Where, after `begin`, as many known frames follow as a latent frame has."""
    if len(strengths) - begin < TEMPORAL_COMPRESSION:
        return None
    known = np.lib.stride_tricks.sliding_window_view(strengths[begin:] >= 1, TEMPORAL_COMPRESSION).all(1)
    return begin + int(known.argmax()) if known.any() else None


def _context(known: int) -> int:
    """How many of the known frames before it a window sees: whole latent frames."""
    return min(OVERLAP_FRAMES, (known - 1) // TEMPORAL_COMPRESSION * TEMPORAL_COMPRESSION + 1)


def _lead(free: int) -> int:
    """How many frames before the clip a window begins so that a latent frame ends after `free` frames of it."""
    return (1 - free) % TEMPORAL_COMPRESSION


def _closing_frames(strengths: Strengths, segment: Segment) -> int:
    """How many frames at the end of a loop are made last; 0 when its last frame is held."""
    held = np.flatnonzero(strengths[segment.first :] >= 1)
    free = segment.end - segment.first - (int(held[-1]) + 1 if held.size else 0)
    # Before them lie at least the frames on which the closing window ends.
    most = min(free, segment.end - TEMPORAL_COMPRESSION, CLOSING_FRAMES)
    return most // TEMPORAL_COMPRESSION * TEMPORAL_COMPRESSION or most
