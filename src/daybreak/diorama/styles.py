"""The looks that are laid over finished frames: noir, sepia, pixel art, cartoon and pencil. Toy is the frame itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Window = tuple[int, int, int, int]  # top, bottom, left, right in pixels, ends excluded

_LUMA = np.array((299, 587, 114))  # Rec. 601, in thousandths: integers give the same bits in every window
_TONES = np.arange(256)[:, None] / 255


def block_size(height: int) -> int:
    """The side of a block of the pixel style in a picture of that height."""
    return max(1, round(height / 64))


def line_width(height: int) -> int:
    """How many pixels wide a drawn outline is, beside the edge's own, in a picture of that height."""
    return max(1, round(height / 110))


def hatch_period(height: int) -> int:
    """The distance between two strokes of the pencil, along a row or a column."""
    return max(4, 2 * round(height / 32))


def grown_window(style: str, height: int, width: int, window: Window) -> Window:
    """The pixels that have to be drawn so that the style is right inside the window."""
    if style not in ("pixel", "cel", "sketch"):
        return window
    top, bottom, left, right = window
    size = {"pixel": block_size(height), "sketch": hatch_period(height)}.get(style, 1)
    if style != "pixel":  # an outline is found from what is beside it
        reach = line_width(height)
        top, bottom = max(0, top - reach), min(height, bottom + reach)
        left, right = max(0, left - reach), min(width, right + reach)
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
    """The frames (F, h, w, 3) in a style; the first pixel must be that of `grown_window`."""
    if style in _CURVES:
        styled: Bytes = _CURVES[style][frames.astype(np.int64) @ _LUMA // 1000]
        return styled
    if style == "pixel":
        return _blocks(frames, block_size(height))
    if style == "cel":
        return np.stack([_cartoon(frame, line_width(height)) for frame in frames])
    if style == "sketch":
        return np.stack([_pencil(frame, line_width(height), hatch_period(height)) for frame in frames])
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


def _extreme(values: NDArray[np.float32], reach: int, pick: np.ufunc) -> NDArray[np.float32]:
    """The largest or smallest (`pick`) of each pixel and of those up to `reach` below and right of it, (h, w, 3)."""
    for axis in (0, 1):
        size = values.shape[axis]
        padded = np.pad(values, [(0, reach) if other == axis else (0, 0) for other in range(3)], mode="edge")
        for shift in range(1, reach + 1):
            values = pick(values, np.take(padded, np.arange(size) + shift, axis))
    return values


def _outlines(colours: NDArray[np.float32], reach: int) -> NDArray[np.float32]:
    """Where something ends and something else begins, 0..1, (h, w, 1); in the dark, small steps count as well."""
    high, low = _extreme(colours, reach, np.maximum), _extreme(colours, reach, np.minimum)
    step = (high - low).max(2, keepdims=True) / (high.max(2, keepdims=True) + 70)
    lines: NDArray[np.float32] = np.clip((step - 0.13) / 0.15, 0, 1)
    return lines


_STEPS = np.array([0.16, 0.40, 0.66, 0.95], np.float32) * 255  # the tones of a cartoon


def _flat_tones() -> NDArray[np.float32]:
    """(256,) the factor that takes a brightness to its tone, with narrow ramps between the tones."""
    values = np.arange(256, dtype=np.float32)
    tones = np.full(256, _STEPS[0])
    for low, high in pairwise(_STEPS):
        tones += (high - low) * np.clip((values - (low + high) / 2) / 14 + 0.5, 0, 1)
    factors: NDArray[np.float32] = (tones / np.maximum(values, 24)).astype(np.float32)
    return factors


_FLAT = _flat_tones()


def _cartoon(frame: Bytes, reach: int) -> Bytes:
    """Few flat, strong tones inside dark outlines."""
    colours = frame.astype(np.float32)
    flat = colours * _FLAT[frame.max(2)][..., None]
    grey = flat.mean(2, keepdims=True)
    strong = grey + 1.3 * (flat - grey)
    lines = 0.9 * _outlines(colours, reach)
    inked: Bytes = np.clip(strong * (1 - lines) + 18 * lines, 0, 255).astype(np.uint8)
    return inked


_PAPER = np.array((246, 243, 234), np.float32)


def _pencil(frame: Bytes, reach: int, period: int) -> Bytes:
    """Grey on paper: outlines, and slanted strokes that are the broader the darker it is, crossed where it is dark."""
    light = (frame.astype(np.int64) @ _LUMA // 1000).astype(np.float32) / 255
    rows, columns = np.arange(frame.shape[0])[:, None], np.arange(frame.shape[1])[None]
    ink = 0.40 * (1 - light)
    for places, least in ((rows + columns, 0.62), (rows - columns, 0.24)):
        stroke = np.abs(places % period / np.float32(period) - np.float32(0.5)) * 2
        ink += 0.20 * np.clip(((least - light) * np.float32(1.1) - stroke) * 2 + np.float32(0.5), 0, 1)
    lines = 0.85 * _outlines(frame.astype(np.float32), reach)[..., 0]
    ink = np.maximum(ink, lines)[..., None]
    drawn: Bytes = np.clip(_PAPER * (1 - ink) + 52 * ink, 0, 255).astype(np.uint8)
    return drawn
