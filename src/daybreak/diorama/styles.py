"""The looks that are laid over finished frames: noir, sepia, pixel art, cartoon and pencil. Toy is the frame itself."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Window = tuple[int, int, int, int]  # top, bottom, left, right in pixels, ends excluded

_LUMA = (299, 587, 114)  # Rec. 601, in thousandths: integers give the same bits in every window
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
        styled: Bytes = _CURVES[style][_luma(frames)]
        return styled
    if style == "pixel":
        return _blocks(frames, block_size(height))
    if style == "cel":
        return np.stack([_cartoon(frame, line_width(height)) for frame in frames])
    if style == "sketch":
        strokes = _strokes(frames.shape[1], frames.shape[2], hatch_period(height))
        return np.stack([_pencil(frame, line_width(height), strokes) for frame in frames])
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


def _extreme(values: Bytes, reach: int, pick: np.ufunc) -> Bytes:
    """The largest or smallest (`pick`) of each pixel and of those up to `reach` below and right of it, (h, w, 3)."""
    for axis in (0, 1):
        padded = np.pad(values, [(0, reach) if other == axis else (0, 0) for other in range(3)], mode="edge")
        size = values.shape[axis]
        for shift in range(1, reach + 1):
            beside = padded[shift : shift + size] if axis == 0 else padded[:, shift : shift + size]
            values = pick(values, beside)
    return values


def _outlines(frame: Bytes, reach: int) -> NDArray[np.float32]:
    """Where something ends and something else begins, 0..1, (h, w); in the dark, small steps count as well."""
    high, low = (
        _extreme(frame, reach, np.maximum),
        _extreme(frame, reach, np.minimum),
    )  # as bytes: a quarter of the time
    step = _of_channels(high - low).astype(np.float32) / (_of_channels(high).astype(np.float32) + 70)
    lines: NDArray[np.float32] = np.clip((step - 0.13) / 0.15, 0, 1)
    return lines


def _of_channels(frame: Bytes) -> Bytes:
    """The largest of each pixel's channels, (h, w); quicker than numpy's own way along so short an axis."""
    largest: Bytes = np.maximum(np.maximum(frame[..., 0], frame[..., 1]), frame[..., 2])
    return largest


def _luma(frames: Bytes) -> NDArray[np.int32]:
    """The brightness 0..255 of every pixel, in integers."""
    wide = frames.astype(np.int32)
    luma: NDArray[np.int32] = (_LUMA[0] * wide[..., 0] + _LUMA[1] * wide[..., 1] + _LUMA[2] * wide[..., 2]) // 1000
    return luma


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
    flat = frame * _FLAT[_of_channels(frame)][..., None]
    grey = (flat[..., 0] + flat[..., 1] + flat[..., 2]) * np.float32(1 / 3)
    lines = np.float32(0.9) * _outlines(frame, reach)
    plain = 1 - lines
    strong = np.float32(1.3) * plain[..., None] * flat
    strong += (18 * lines - np.float32(0.3) * plain * grey)[..., None]
    inked: Bytes = np.clip(strong, 0, 255).astype(np.uint8)
    return inked


_PAPER = np.array((246, 243, 234), np.float32)


def _strokes(height: int, width: int, period: int) -> list[NDArray[np.float32]]:
    """How far each pixel is from the middle of a stroke, 0..1, for both slants, (h, w) each."""
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    half = np.abs(np.arange(period, dtype=np.float32) / period - np.float32(0.5)) * 2
    return [half[places % period] for places in (rows + columns, rows - columns)]


def _pencil(frame: Bytes, reach: int, strokes: list[NDArray[np.float32]]) -> Bytes:
    """Grey on paper: outlines, and slanted strokes that are the broader the darker it is, crossed where it is dark."""
    light = _luma(frame).astype(np.float32) / 255
    ink = np.float32(0.40) * (1 - light)
    for stroke, least in zip(strokes, (0.62, 0.24), strict=True):
        ink += np.float32(0.20) * np.clip(((least - light) * np.float32(1.1) - stroke) * 2 + np.float32(0.5), 0, 1)
    ink = np.maximum(ink, np.float32(0.85) * _outlines(frame, reach))[..., None]
    drawn: Bytes = np.clip(_PAPER - ink * (_PAPER - 52), 0, 255).astype(np.uint8)
    return drawn
