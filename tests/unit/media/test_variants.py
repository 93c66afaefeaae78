from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from daybreak.generation import Video
from daybreak.media.encode import encode_video
from daybreak.media.probe import UnreadableVideo
from daybreak.media.variants import MAX_TILES, SheetLayout, preview_image, spritesheet, thumbnail
from daybreak.testing import make_clip


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def written(frames: np.ndarray, path: Path, fps: float = 24.0) -> Path:
    encode_video(Video(frames, fps), path)
    return path


def greys(levels: list[int], height: int = 64, width: int = 96) -> np.ndarray:
    frames = np.array(levels, np.uint8)[:, None, None, None]
    return np.broadcast_to(frames, (len(levels), height, width, 3))


def test_a_thumbnail_is_a_webp_of_the_first_frame(tmp_path: Path) -> None:
    clip = make_clip(12, 64, 96)
    picture = opened(thumbnail(written(clip, tmp_path / "a.mp4")))
    assert (picture.format, picture.size) == ("WEBP", (96, 64))
    assert np.abs(np.asarray(picture.convert("RGB")).astype(int) - clip[0]).mean() < 4


def test_a_thumbnail_is_at_most_640_pixels_long(tmp_path: Path) -> None:
    assert opened(thumbnail(written(make_clip(1, 720, 1280), tmp_path / "a.mp4"))).size == (640, 360)
    assert opened(thumbnail(written(make_clip(1, 1280, 720), tmp_path / "b.mp4"))).size == (360, 640)


def test_a_clip_that_begins_in_the_dark_shows_its_first_picture(tmp_path: Path) -> None:
    clip = np.concatenate([greys([0] * 20), make_clip(20)])
    picture = np.asarray(opened(thumbnail(written(clip, tmp_path / "a.mp4"))).convert("RGB"))
    assert np.abs(picture.astype(int) - clip[20]).mean() < 6


def test_a_clip_that_shows_nothing_has_a_thumbnail_too(tmp_path: Path) -> None:
    picture = np.asarray(opened(thumbnail(written(greys([200] * 130), tmp_path / "a.mp4"))).convert("L"))
    assert abs(int(picture.mean()) - 200) < 4


def test_a_spritesheet_shows_even_moments_in_order(tmp_path: Path) -> None:
    """Frames of rising grey: each tile's grey says which frame it is."""
    levels = [index * 4 for index in range(60)]
    sheet = opened(spritesheet(written(greys(levels), tmp_path / "a.mp4", 24.0)))
    assert (sheet.format, sheet.size) == ("JPEG", (3 * 96, 2 * 64))  # 2.5 s: five tiles
    pixels = np.asarray(sheet.convert("L")).astype(int)
    tiles = [
        pixels[row * 64 + 8 : row * 64 + 56, column * 96 + 8 : column * 96 + 88]
        for row in range(2)
        for column in range(3)
    ]
    for number, tile in enumerate(tiles[:5]):
        assert abs(tile.mean() - levels[number * 12]) < 3
    assert tiles[5].mean() < 3  # bare


def test_tiles_are_small(tmp_path: Path) -> None:
    sheet = opened(spritesheet(written(make_clip(24, 180, 320), tmp_path / "a.mp4")))
    assert sheet.size == (2 * 160, 90)


@given(st.integers(1, 5000), st.floats(1, 120), st.integers(64, 2048), st.integers(64, 2048))
def test_a_layout_holds_its_tiles_in_different_frames(num_frames: int, fps: float, width: int, height: int) -> None:
    layout = SheetLayout.of(num_frames, fps, width, height)
    assert 1 <= layout.tiles <= MAX_TILES
    assert (layout.rows - 1) * layout.columns < layout.tiles <= layout.rows * layout.columns
    shown = [layout.frame_of(tile, num_frames) for tile in range(layout.tiles)]
    assert shown == sorted(set(shown))
    assert shown[0] == 0
    assert shown[-1] < num_frames
    assert max(layout.tile_width, layout.tile_height) <= 160
    assert layout.tile_width / layout.tile_height == pytest.approx(width / height, rel=0.12)


def test_a_preview_is_a_small_webp() -> None:
    frame = make_clip(1, 256, 448)[0]
    picture = opened(preview_image(frame))
    assert (picture.format, picture.size) == ("WEBP", (320, 183))
    assert opened(preview_image(make_clip(1, 64, 96)[0])).size == (96, 64)


@pytest.mark.parametrize("make", [thumbnail, spritesheet])
def test_what_is_no_video_is_refused(make: object, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"not a video")
    with pytest.raises(UnreadableVideo):
        make(tmp_path / "a.mp4")  # type: ignore[operator]
