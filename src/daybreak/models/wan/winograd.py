"""Convolutions with 3 x 3 kernels by a quarter of the products: Winograd's F(4 x 4, 3 x 3) (Lavin & Gray, 2016).

Tiles of 6 x 6 pixels that overlap by two are transformed, multiplied with the transformed kernel in 36 matrix products
over all channels (and, for clips, over all taps in time), and transformed back to 4 x 4 pixels. The result is that of
the plain sum but for rounding, about 1e-6 of its size. Transforms are Numba's, the products torch's, a band of
tiles at a time, so that what lies between stays in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, no_type_check

import numba
import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

TILE = 4  # pixels of the result, each way
_LEAST = 32  # channels: with fewer the transforms cost more than the products that they spare (docs/log.md)
_G = (
    (1 / 4, 0, 0), (-1 / 6, -1 / 6, -1 / 6), (-1 / 6, 1 / 6, -1 / 6),
    (1 / 24, 1 / 12, 1 / 6), (1 / 24, -1 / 12, 1 / 6), (0, 0, 1),
)  # fmt: skip
_Floats = NDArray[np.float32]


def is_quick(frame: Tensor, weight: Tensor) -> bool:
    """Whether a kernel (out, C, t, h, w) is worth transforming for frames like this one."""
    many = min(weight.shape[:2]) >= _LEAST and min(frame.shape[2:]) >= 2 * TILE
    return frame.device.type == "cpu" and frame.dtype == torch.float32 and weight.shape[3:] == (3, 3) and many


def transformed(weight: Float[Tensor, "O C t 3 3"]) -> Float[Tensor, "36 tC O"]:
    """A kernel as 36 matrices, taps in time below each other."""
    g = torch.tensor(_G, dtype=torch.float64)
    planes = torch.einsum("ih,jw,octhw->ijtco", g, g, weight.double())
    return planes.reshape(36, -1, weight.shape[0]).float().contiguous()


def convolve(frames: Sequence[Tensor], planes: Float[Tensor, "36 tC O"], bias: Tensor) -> Float[Tensor, "1 O H W"]:
    """What a transformed kernel makes of frames (1, C, H, W), one for each tap in time, padded with zeros in space."""
    pictures: list[_Floats] = [frame[0].permute(1, 2, 0).contiguous().numpy() for frame in frames]
    height, width, channels = pictures[0].shape
    count = -(-height // TILE) * -(-width // TILE)
    made = torch.empty(1, bias.numel(), height, width, memory_format=torch.channels_last)
    picture: _Floats = made[0].permute(1, 2, 0).numpy()
    band = min(count, _band(planes.shape[1]) * torch.get_num_threads())
    given, products = torch.empty(band, 36, planes.shape[1]), torch.empty(36, band, planes.shape[2])
    for first in range(0, count, band):
        tiles = min(band, count - first)
        for tap, seen in enumerate(pictures):
            _in_parts(tiles, _to_tiles, seen, given.numpy(), tap * channels, first)
        torch.bmm(given[:tiles].transpose(0, 1), planes, out=products[:, :tiles])
        _in_parts(tiles, _from_tiles, products.numpy(), bias.numpy(), picture, first)
    return made


def _band(columns: int) -> int:
    """Tiles that a thread transforms at once: few enough to stay in its cache, many enough for quick products."""
    return 64 if columns <= 6 * _LEAST else 128


def _in_parts(tiles: int, kernel: Callable[..., None], *given: Any) -> None:
    """Runs a kernel over the tiles of a band, on as many threads as torch has."""
    count = min(torch.get_num_threads(), tiles)
    ends = [tiles * part // count for part in range(count + 1)]
    if count == 1:
        kernel(*given, 0, tiles)
        return
    list(_threads(count).map(lambda part: kernel(*given, ends[part], ends[part + 1]), range(count)))


@cache
def _threads(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, "winograd")


_kernel = numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
_2, _4, _5, _8 = np.float32(2), np.float32(4), np.float32(5), np.float32(8)


@_kernel
@no_type_check  # Numba needs the plain function, so nothing may check its shapes
def _columns(picture: _Floats, top: int, left: int, half: _Floats) -> None:
    """Writes the 6 x 6 pixels of a tile, transformed from top to bottom."""
    for j in range(6):
        for c in range(picture.shape[2]):
            a, b, d = picture[top, left + j, c], picture[top + 1, left + j, c], picture[top + 2, left + j, c]
            e, f, g = picture[top + 3, left + j, c], picture[top + 4, left + j, c], picture[top + 5, left + j, c]
            half[0, j, c] = _4 * a - _5 * d + f
            half[1, j, c] = e + f - _4 * (b + d)
            half[2, j, c] = f - e + _4 * (b - d)
            half[3, j, c] = f - d + _2 * (e - b)
            half[4, j, c] = f - d + _2 * (b - e)
            half[5, j, c] = _4 * b - _5 * e + g


@_kernel
@no_type_check
def _to_tiles(picture: _Floats, tiles: _Floats, column: int, first: int, start: int, end: int) -> None:
    """Writes the transformed tiles `start` to `end` of a band that begins at tile `first` of the picture."""
    height, width, channels = picture.shape
    across = (width + 3) // 4
    edge = np.zeros((6, 6, channels), np.float32)
    half = np.zeros((6, 6, channels), np.float32)
    for place in range(start, end):
        top, left = (first + place) // across * 4 - 1, (first + place) % across * 4 - 1
        if top >= 0 and left >= 0 and top + 6 <= height and left + 6 <= width:
            _columns(picture, top, left, half)
        else:
            edge[:] = 0
            for y in range(max(top, 0), min(top + 6, height)):
                for x in range(max(left, 0), min(left + 6, width)):
                    for c in range(channels):
                        edge[y - top, x - left, c] = picture[y, x, c]
            _columns(edge, 0, 0, half)
        for i in range(6):
            for c in range(channels):
                a, b, d = half[i, 0, c], half[i, 1, c], half[i, 2, c]
                e, f, g = half[i, 3, c], half[i, 4, c], half[i, 5, c]
                tiles[place, i * 6, column + c] = _4 * a - _5 * d + f
                tiles[place, i * 6 + 1, column + c] = e + f - _4 * (b + d)
                tiles[place, i * 6 + 2, column + c] = f - e + _4 * (b - d)
                tiles[place, i * 6 + 3, column + c] = f - d + _2 * (e - b)
                tiles[place, i * 6 + 4, column + c] = f - d + _2 * (b - e)
                tiles[place, i * 6 + 5, column + c] = _4 * b - _5 * e + g


@_kernel
@no_type_check
def _from_tiles(tiles: _Floats, bias: _Floats, picture: _Floats, first: int, start: int, end: int) -> None:
    """Writes the pixels of tiles `start` to `end` of a band that begins at tile `first` of the picture."""
    height, width, channels = picture.shape
    across = (width + 3) // 4
    half = np.zeros((4, 6, channels), np.float32)
    made = np.zeros((4, 4, channels), np.float32)
    for place in range(start, end):
        top, left = (first + place) // across * 4, (first + place) % across * 4
        for j in range(6):
            for c in range(channels):
                a, b, d = tiles[j, place, c], tiles[6 + j, place, c], tiles[12 + j, place, c]
                e, f, g = tiles[18 + j, place, c], tiles[24 + j, place, c], tiles[30 + j, place, c]
                half[0, j, c] = a + b + d + e + f
                half[1, j, c] = b - d + _2 * (e - f)
                half[2, j, c] = b + d + _4 * (e + f)
                half[3, j, c] = b - d + _8 * (e - f) + g
        for i in range(4):
            for c in range(channels):
                a, b, d = half[i, 0, c], half[i, 1, c], half[i, 2, c]
                e, f, g = half[i, 3, c], half[i, 4, c], half[i, 5, c]
                made[i, 0, c] = a + b + d + e + f + bias[c]
                made[i, 1, c] = b - d + _2 * (e - f) + bias[c]
                made[i, 2, c] = b + d + _4 * (e + f) + bias[c]
                made[i, 3, c] = b - d + _8 * (e - f) + g + bias[c]
        for i in range(min(4, height - top)):
            for j in range(min(4, width - left)):
                for c in range(channels):
                    picture[top + i, left + j, c] = made[i, j, c]
