"""Contact sheets: a few frames of each clip, under what was asked and what the probes missed; small PNG files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from daybreak.generation import Frames

FRAME_WIDTH = 176  # pixels of one frame on a sheet
LINE = 14  # pixels of a line of text
FRAMES = 5  # of each clip
MARGIN = 4


@dataclass(frozen=True, slots=True)
class Row:
    """A clip's frames, evenly spaced (5, h, w, 3), and the lines above them."""

    frames: Frames
    lines: tuple[str, ...]


def thumbnails(frames: Frames) -> Frames:
    """Five evenly spaced frames of a clip (F, H, W, 3), scaled to the width of a sheet's frames."""
    chosen = np.linspace(0, len(frames) - 1, FRAMES).round().astype(int)
    height, width = frames.shape[1:3]
    size = FRAME_WIDTH, round(FRAME_WIDTH * height / width)
    return np.stack([np.asarray(Image.fromarray(frames[i]).resize(size, Image.Resampling.BOX)) for i in chosen])


def contact_sheet(rows: Sequence[Row]) -> Image.Image:
    """The rows above one another. Raises ValueError when there are none."""
    if not rows:
        raise ValueError("a contact sheet needs at least one clip")
    font = ImageFont.load_default(11)
    width = max(row.frames.shape[0] * row.frames.shape[2] for row in rows)
    heights = [len(row.lines) * LINE + row.frames.shape[1] + MARGIN for row in rows]
    sheet = Image.new("RGB", (width, sum(heights)), "white")
    draw = ImageDraw.Draw(sheet)
    top = 0
    for row, height in zip(rows, heights, strict=True):
        for number, line in enumerate(row.lines):
            draw.text((3, top + number * LINE), shorten(line, width, font), fill="black", font=font)
        strip = Image.fromarray(np.concatenate(list(row.frames), 1))
        sheet.paste(strip, (0, top + len(row.lines) * LINE))
        top += height
    return sheet


def shorten(line: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """`line`, cut so that it is at most `width` pixels wide."""
    if font.getlength(line) <= width - 6:
        return line
    while line and font.getlength(line + "…") > width - 6:
        line = line[:-1]
    return line + "…"


def save_sheet(rows: Sequence[Row], path: Path) -> None:
    """Writes the sheet with a palette of 256 colours: a third of the size, and toys have few colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet(rows).quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
