from __future__ import annotations

import contextlib
import signal

import pytest

from daybreak.cli.progress import half_blocks, progress_bar
from daybreak.testing import make_clip


def test_a_pipe_gets_at_most_ten_plain_lines_and_the_last_step(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("working") as on_step:
        for step in range(1, 96):
            on_step(step, 95)
    captured = capsys.readouterr()
    lines = captured.err.split("\n")[:-1]
    assert captured.out == ""
    assert len(lines) <= 12
    assert lines[-1] == "working: step 95 of 95"


def test_a_picture_is_drawn_as_half_blocks_two_pixels_high() -> None:
    segments = list(half_blocks(make_clip(3, 64, 128), columns=16).segments)
    blocks = [segment for segment in segments if segment.text == "▀"]
    assert len(blocks) == 16 * 4
    assert all(segment.style is not None and segment.style.bgcolor is not None for segment in blocks)


def test_a_ctrl_c_whose_exception_got_lost_stops_at_the_next_step() -> None:
    before = signal.getsignal(signal.SIGINT)
    with progress_bar("generating") as on_step:
        on_step(1, 10)
        with contextlib.suppress(KeyboardInterrupt):  # as native code does that takes it for an error of its own
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            on_step(2, 10)
    assert signal.getsignal(signal.SIGINT) is before
