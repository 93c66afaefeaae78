"""The looks that are laid over finished frames: noir, sepia and pixel art. The toy look is the frame itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Window = tuple[int, int, int, int]  # top, bottom, left, right in pixels, ends excluded

_LUMA = np.array((299, 587, 114))  # Rec. 601, in thousandths: integers give the same bits in every window
_TONES = np.arange(256)[:, None] / 255


def block_size(height: int) -> int:
    """The side of a block of the pixel style in a picture of that height."""
    return max(1, round(height / 64))


def grown_window(style: str, height: int, width: int, window: Window) -> Window:
    """The pixels that have to be drawn so that the style is right inside the window."""
    if style != "pixel":
        return window
    size = block_size(height)
    top, bottom, left, right = window
    return (
        top // size * size,
        min(height, -(-bottom // size) * size),
        left // size * size,
        min(width, -(-right // size) * size),
    )


def _curve(colours: NDArray[np.float64]) -> Bytes:
    curve: Bytes = np.clip(colours * 255 + 0.5, 0, 255).astype(np.uint8)
    return curve


_CURVES = {  # (256, 3): the colour of every grey
    "noir": _curve(np.clip(1.35 * _TONES - 0.16, 0, 1) ** 1.1 * np.ones(3)),
    "sepia": _curve(_TONES * np.array((1.08, 0.88, 0.64)) + np.array((0.05, 0.03, 0.02))),
}


def apply_style(frames: Bytes, style: str, height: int) -> Bytes:
    """The frames (F, h, w, 3) in a style; for "pixel" the first pixel must be a block's corner."""
    if style in _CURVES:
        styled: Bytes = _CURVES[style][frames.astype(np.int64) @ _LUMA // 1000]
        return styled
    if style == "pixel":
        return _blocks(frames, block_size(height))
    return frames


def _blocks(frames: Bytes, size: int) -> Bytes:
    """The mean of every block, in 16 levels a channel."""
    count, height, width = frames.shape[:3]
    rows, columns = np.arange(0, height, size), np.arange(0, width, size)
    sums = np.add.reduceat(np.add.reduceat(frames.astype(np.int64), rows, 1), columns, 2)
    area = np.outer(np.diff(np.append(rows, height)), np.diff(np.append(columns, width)))[..., None]
    levels = (sums // area * 15 + 127) // 255 * 17
    full = np.repeat(np.repeat(levels, size, 1), size, 2)[:, :height, :width]
    return full.astype(np.uint8).reshape(count, height, width, 3)
