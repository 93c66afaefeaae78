from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from daybreak.diffusion.windows import (
    OVERLAP_FRAMES,
    WINDOW_FRAMES,
    Segment,
    Window,
    plan_windows,
    segments_of,
    window_frames,
)
from daybreak.shapes import VideoSpec
from daybreak.timeline import Shot, Timeline


def held(num_frames: int, *spans: tuple[int, int]) -> np.ndarray:
    strengths = np.zeros(num_frames, np.float32)
    for first, end in spans:
        strengths[first:end] = 1
    return strengths


def one(num_frames: int) -> list[Segment]:
    return [Segment("a", 0, num_frames)]


def spans(windows: Sequence[Window]) -> list[tuple[int, int]]:
    return [(window.first, window.end) for window in windows]


@pytest.mark.parametrize("num_frames", [*range(1, 400, 8), 2, 48, 96, 287])
def test_windows_cover_a_clip_and_overlap(num_frames: int) -> None:
    windows = plan_windows(held(num_frames), one(num_frames))
    assert windows[0].first == 0
    assert windows[-1].kept_end == num_frames <= windows[-1].end < num_frames + 8
    for window in windows:
        assert 1 <= window.end - window.first <= WINDOW_FRAMES
        assert (window.end - window.first) % 8 == 1
        assert window.kept == window.first
    for earlier, later in itertools.pairwise(windows):
        assert earlier.kept_end - later.first == OVERLAP_FRAMES
        assert later.kept_end > earlier.kept_end


def test_what_is_known_is_left_out() -> None:
    assert plan_windows(held(97, (0, 97)), one(97)) == []
    # Lengthened at the end: the last 17 known frames, then what is new, with no frame before them made again.
    assert spans(plan_windows(held(144, (0, 96)), one(144))) == [(79, 128), (111, 144)]
    # Lengthened at the beginning: known frames begin with a latent frame, so the window begins before the clip.
    assert spans(plan_windows(held(144, (48, 144)), one(144))) == [(0, 49), (15, 64)]
    assert spans(plan_windows(held(60, (20, 60)), one(60))) == [(-5, 44)]
    # A gap between two known stretches.
    assert spans(plan_windows(held(144, (0, 60), (76, 144)), one(144))) == [(43, 92)]


@pytest.mark.parametrize("free", range(1, 150))
@pytest.mark.parametrize("before", [0, 1, 30])
def test_what_leads_to_known_frames_sees_them(before: int, free: int) -> None:
    num_frames = before + free + 40
    windows = plan_windows(held(num_frames, (0, before), (before + free, num_frames)), one(num_frames))
    last = windows[-1]
    assert last.end >= before + free + 8
    if before == 0 or len(windows) > 1:
        # A latent frame begins with the first known one.
        assert (before + free - last.first) % 8 == 1
    made = set(range(before))
    for window in windows:
        assert (window.end - window.first) % 8 == 1
        assert window.end - window.first <= WINDOW_FRAMES
        assert set(range(max(window.first, 0), window.kept)) <= made
        made |= set(range(window.kept, window.kept_end))
    assert made >= set(range(before + free))


def test_a_first_frame_that_is_known_is_the_window_s_first() -> None:
    assert spans(plan_windows(held(49, (0, 1)), one(49))) == [(0, 49)]
    assert spans(plan_windows(held(97, (0, 10)), one(97))) == [(1, 50), (33, 82), (65, 98)]


def test_a_single_known_frame_later_moves_nothing() -> None:
    assert spans(plan_windows(held(49, (24, 25)), one(49))) == [(0, 49)]


def test_a_cut_hides_what_is_before_it() -> None:
    cut = [Segment("a", 0, 50), Segment("b", 50, 100)]
    assert [(w.first, w.end, w.kept_end, w.segment) for w in plan_windows(held(100), cut)] == [
        (0, 49, 49, 0), (32, 57, 50, 0), (50, 99, 99, 1), (82, 107, 100, 1),
    ]  # fmt: skip
    flowing = [Segment("a", 0, 50), Segment("b", 50, 100, cut=False)]
    assert spans(plan_windows(held(100), flowing)) == [(0, 49), (32, 57), (33, 82), (65, 106)]


def test_segments_are_the_shots_from_start_to_start() -> None:
    shots = (Shot("a", 0.25, 1.0), Shot("b", 1.0), Shot("c", 1.5, 1.75), Shot("d", 2.0))
    assert segments_of(Timeline(shots, VideoSpec(72, 64, 64)), 72) == [
        Segment("a", 0, 24), Segment("b", 24, 36), Segment("c", 36, 48), Segment("d", 48, 72, cut=False),
    ]  # fmt: skip


def test_a_loop_is_closed_between_what_leads_there_and_its_beginning() -> None:
    *_, last = windows = plan_windows(held(96), one(96), loop=True)
    assert spans(windows) == [(0, 49), (32, 73), (55, 104)]
    assert [window.closes for window in windows] == [False, False, True]
    assert (windows[1].kept_end, last.kept, last.kept_end) == (72, 55, 96)
    numbers = window_frames(last, one(96)[0], 96)
    assert numbers.tolist() == [*range(55, 96), *range(8)]


@pytest.mark.parametrize("num_frames", range(16, 60))
def test_every_loop_ends_on_a_whole_latent_frame_of_its_beginning(num_frames: int) -> None:
    windows = plan_windows(held(num_frames), one(num_frames), loop=True)
    last = windows[-1]
    made = held(num_frames)
    for window in windows[:-1]:
        made[window.kept : window.kept_end] = 1
    strengths = made[window_frames(last, one(num_frames)[0], num_frames)]
    assert last.closes
    assert len(strengths) <= WINDOW_FRAMES
    assert (strengths[-8:] == 1).all()  # its last latent frame is known
    assert made[last.kept_end - 1] == 0


def test_a_loop_whose_end_is_held_needs_no_closing() -> None:
    windows = plan_windows(held(48, (40, 48)), one(48), loop=True)
    assert not any(window.closes for window in windows)
    with pytest.raises(ValueError, match="a loop needs"):
        plan_windows(held(15), one(15), loop=True)


def test_frames_outside_the_segment_are_unknown_before_and_held_after() -> None:
    segment = Segment("b", 50, 100)
    assert window_frames(Window(47, 56, 50, 56, 0), segment, 100).tolist() == [-1, -1, -1, *range(50, 56)]
    assert window_frames(Window(98, 103, 98, 100, 0), segment, 120).tolist() == [98, 99, 99, 99, 99]
