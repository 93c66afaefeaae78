"""The small pictures that go with a video: a thumbnail, a sheet of moments, a preview while it is being made."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from daybreak.media.probe import UnreadableVideo, count_frames

THUMBNAIL_SIDE = 640  # pixels: the longer side at most
PREVIEW_SIDE = 320
TILE_SIDE = 160
TILES_A_SECOND = 2
MAX_TILES = 64
_FLAT = 4.0  # standard deviation of a picture, of 255, below which it shows nothing
_QUALITY = 80


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """Where the moments of a clip are in its spritesheet: rows of tiles, left to right, evenly spaced in time."""

    tiles: int
    columns: int
    rows: int
    tile_width: int
    tile_height: int

    @classmethod
    def of(cls, num_frames: int, fps: float, width: int, height: int) -> SheetLayout:
        """Two tiles a second, 64 at most, in a grid that is about square in tiles."""
        wanted = math.ceil(num_frames / fps * TILES_A_SECOND) if fps else 1
        tiles = min(max(wanted, 1), MAX_TILES, num_frames)
        columns = math.ceil(math.sqrt(tiles))
        tile_width, tile_height = _within(width, height, TILE_SIDE)
        return cls(tiles, columns, math.ceil(tiles / columns), tile_width, tile_height)

    def frame_of(self, tile: int, num_frames: int) -> int:
        """The frame that a tile shows: the first of its share of the clip."""
        return tile * num_frames // self.tiles


def thumbnail(path: Path) -> bytes:
    """A WebP of the first frame that shows something; of the first, when none does. Raises UnreadableVideo."""
    first = None
    for index, picture in _pictures(path, THUMBNAIL_SIDE, every=4):
        first = first or picture
        if float(np.asarray(picture.convert("L")).std()) >= _FLAT:
            return _webp(picture)
        if index > 100:
            break
    if first is None:
        raise UnreadableVideo(f"{path} holds no frame")
    return _webp(first)


def spritesheet(path: Path) -> bytes:
    """A JPEG of moments of the clip, as `SheetLayout` places them. Raises UnreadableVideo."""
    num_frames = count_frames(path)
    width, height, fps = _shape(path)
    layout = SheetLayout.of(num_frames, fps, width, height)
    sheet = Image.new("RGB", (layout.columns * layout.tile_width, layout.rows * layout.tile_height))
    tile_of = {layout.frame_of(tile, num_frames): tile for tile in range(layout.tiles)}
    for index, picture in _pictures(path, TILE_SIDE, wanted=frozenset(tile_of)):
        row, column = divmod(tile_of[index], layout.columns)
        sheet.paste(picture, (column * layout.tile_width, row * layout.tile_height))
    written = io.BytesIO()
    sheet.save(written, "JPEG", quality=_QUALITY, optimize=True)
    return written.getvalue()


def preview_image(frame: NDArray[np.uint8]) -> bytes:
    """A small WebP of one frame, (H, W, 3)."""
    picture = Image.fromarray(frame)
    picture.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    return _webp(picture)


def _webp(picture: Image.Image) -> bytes:
    written = io.BytesIO()
    picture.save(written, "WEBP", quality=_QUALITY, method=4)
    return written.getvalue()


def _within(width: int, height: int, side: int) -> tuple[int, int]:
    """The size of the same shape whose longer side is at most `side`."""
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _shape(path: Path) -> tuple[int, int, float]:
    """Width, height and frames a second of a video."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            return stream.width, stream.height, float(stream.average_rate or 0)
    except (av.error.FFmpegError, OSError) as error:
        raise UnreadableVideo(f"{path} cannot be read as a video: {error.strerror}") from error


def _pictures(
    path: Path, side: int, *, every: int = 1, wanted: frozenset[int] | None = None
) -> Iterator[tuple[int, Image.Image]]:
    """Every so many frames of a video, or those that are wanted, with their numbers, scaled to fit in `side`."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise UnreadableVideo(f"{path} holds no video")
            container.streams.video[0].thread_type = "AUTO"
            for index, frame in enumerate(container.decode(video=0)):
                if index in wanted if wanted is not None else index % every == 0:
                    yield index, _small(frame, side)
    except (av.error.FFmpegError, OSError) as error:
        raise UnreadableVideo(f"{path} cannot be read as a video: {error.strerror}") from error


def _small(frame: Any, side: int) -> Image.Image:
    width, height = _within(frame.width, frame.height, side)
    picture: Image.Image = frame.to_image()
    return picture.resize((width, height), Image.Resampling.LANCZOS)
