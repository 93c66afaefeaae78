from __future__ import annotations

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
