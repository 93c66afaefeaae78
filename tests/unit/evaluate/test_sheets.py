"""Contact sheets and the page that shows them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont

from daybreak.evaluate.clips import Sampling
from daybreak.evaluate.page import BEGIN, END, percent, tables, write_page
from daybreak.evaluate.probes import ATTRIBUTES
from daybreak.evaluate.reconstruction import FirstFrameFidelity, VAEFidelity
from daybreak.evaluate.report import Cost, Evaluation, Report, Score
from daybreak.evaluate.sheets import LINE, MARGIN, Row, contact_sheet, save_sheet, shorten, thumbnails

SCORES = {name: Score(3, 4) for name in (*ATTRIBUTES, "overall")}
REPORT = Report(
    model="tiny",
    sampling=Sampling(30, 4.0),
    device="cpu",
    ceiling={**SCORES, "colour": Score(39, 40)},
    reconstructed={**SCORES, "colour": Score(1, 2)},
    captions=SCORES,
    hand_written={**SCORES, "camera": Score(0, 0)},
    vae=VAEFidelity(28.14, 0.87, 22.0, 12),
    first_frame=FirstFrameFidelity(27.0, 51.0, 8),
    cost=Cost(4.0, 2.5, 1_500_000_000),
)


def row(colour: int = 0, *lines: str) -> Row:
    return Row(np.full((5, 10, 20, 3), colour, np.uint8), lines)


def test_thumbnails_are_evenly_spaced() -> None:
    frames = np.stack([np.full((64, 112, 3), i, np.uint8) for i in range(49)])
    small = thumbnails(frames)
    assert small.shape == (5, 101, 176, 3)
    assert small[:, 0, 0, 0].tolist() == [0, 12, 24, 36, 48]


def test_rows_stand_below_their_lines() -> None:
    sheet = np.asarray(contact_sheet([row(10, "one", "two"), row(20)]))
    assert sheet.shape == (2 * LINE + 10 + MARGIN + 10 + MARGIN, 100, 3)
    assert (sheet[2 * LINE : 2 * LINE + 10] == 10).all()
    assert (sheet[2 * LINE + 10 + MARGIN :][:10] == 20).all()
    assert (sheet[: 2 * LINE] < 128).any(), "nothing is written above the first row"


def test_a_long_line_is_cut_to_the_sheet() -> None:
    font = ImageFont.load_default(11)
    short = shorten("word " * 100, 200, font)
    assert short.endswith("…")
    assert font.getlength(short) <= 194
    assert shorten("word", 200, font) == "word"


def test_a_sheet_needs_clips(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one"):
        save_sheet([], tmp_path / "sheet.png")


def test_tables_hold_every_figure() -> None:
    text = tables(REPORT)
    assert "| colour | 97.5 % of 40 | 50.0 % of 2 | 75.0 % of 4 | 75.0 % of 4 |" in text
    assert "| time of day | 75.0 % of 4 |" in text
    assert "| camera | 75.0 % of 4 | 75.0 % of 4 | 75.0 % of 4 | - |" in text
    for figure in ("28.1 dB", "22.0 dB", "0.870", "27.0 dB", "51.0 dB", "| 4.0 |", "| 2.5 |", "1.50 GB", "30 steps"):
        assert figure in text


def test_a_share_of_nothing_is_a_dash() -> None:
    assert percent(Score(0, 0)) == "-"
    assert percent(Score(1, 3)) == "33.3 % of 3"


def test_the_page_changes_between_its_markers_only(tmp_path: Path) -> None:
    page = tmp_path / "model.md"
    page.write_text(f"# Dawn\n\n{BEGIN}\nold\n{END}\n\nThe end.\n")
    evaluation = Evaluation(REPORT, [row(1, "good")], [], [row(3, "pinned")])
    assert write_page(evaluation, tmp_path) == page
    text = page.read_text()
    assert text.startswith(f"# Dawn\n\n{BEGIN}\n\n`tiny` on cpu")
    assert text.endswith(f"{END}\n\nThe end.\n")
    assert "old" not in text
    assert "sheets/good.png" in text
    assert "sheets/bad.png" not in text, "a sheet without clips is not shown"
    with Image.open(tmp_path / "sheets" / "pinned.png") as sheet:
        assert sheet.size == (100, LINE + 10 + MARGIN)
    write_page(evaluation, tmp_path)
    assert page.read_text() == text


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "model.md").write_text(f"{END} {BEGIN}")
    with pytest.raises(ValueError, match="no <!-- report -->"):
        write_page(Evaluation(REPORT, [], [], []), tmp_path)
    assert (tmp_path / "model.md").read_text() == f"{END} {BEGIN}"
