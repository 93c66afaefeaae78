from __future__ import annotations

import numpy as np
import pytest

from daybreak.diorama.scene import STYLES
from daybreak.diorama.styles import apply_style, block_size, grown_window, hatch_period, line_width


def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, 128, 40, 3), np.uint8)


@pytest.mark.parametrize("style", STYLES)
def test_a_style_keeps_shape_and_type_and_reads_its_input_only(style: str) -> None:
    frames = noise()
    styled = apply_style(frames, style, 128)
    assert styled.shape == frames.shape
    assert styled.dtype == np.uint8
    np.testing.assert_array_equal(frames, noise())
    assert np.array_equal(styled, frames) == (style == "toy")


def test_noir_is_grey_with_more_contrast() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 1, 256, 3)
    styled = apply_style(ramp, "noir", 1)
    assert (styled == styled[..., :1]).all()
    assert (np.diff(styled[0, 0, :, 0].astype(int)) >= 0).all()
    assert styled[0, 0, 20, 0] == 0
    assert styled[0, 0, 235, 0] == 255


def test_sepia_is_brown() -> None:
    red, green, blue = apply_style(np.full((1, 1, 1, 3), 128, np.uint8), "sepia", 1)[0, 0, 0]
    assert red > green > blue


def test_pixel_art_is_flat_in_blocks_that_grow_with_the_picture() -> None:
    assert [block_size(height) for height in (64, 112, 128, 256)] == [1, 2, 2, 4]
    styled = apply_style(noise(), "pixel", 256)
    blocks = styled.reshape(2, 32, 4, 10, 4, 3)
    assert (blocks == blocks[:, :, :1, :, :1]).all()
    assert len(np.unique(styled)) <= 16


def half_and_half(left: int, right: int) -> np.ndarray:
    frames = np.full((1, 128, 64, 3), left, np.uint8)
    frames[:, :, 32:] = right
    return frames


def test_a_cartoon_has_few_tones_and_dark_outlines() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 1, 256, 3).repeat(8, 1)
    tones = apply_style(ramp, "cel", 128)[0, 4, 24:, 0].astype(int)
    assert (np.abs(np.diff(tones)) <= 1).mean() > 0.6
    row = apply_style(half_and_half(90, 220), "cel", 128)[0, 64, :, 0].astype(int)
    assert row[31] < 60
    assert min(row[10], row[50]) > 60


def test_a_sketch_is_grey_strokes_on_paper() -> None:
    white, dark = (apply_style(half_and_half(level, level), "sketch", 128)[0].astype(int) for level in (250, 40))
    assert white.min() > 225
    assert np.ptp(dark[..., 0]) > 30  # strokes
    assert dark.mean() < 170
    assert (np.abs(dark - dark[..., :1]) < 25).all()
    assert apply_style(half_and_half(200, 250), "sketch", 128)[0, 64, 30:34, 0].min() < 235
    assert apply_style(half_and_half(90, 250), "sketch", 128)[0, 64, 31, 0] < 120


def test_outlines_and_strokes_grow_with_the_picture() -> None:
    assert [line_width(height) for height in (64, 128, 256)] == [1, 1, 2]
    assert [hatch_period(height) for height in (64, 128, 256)] == [4, 8, 16]


def test_a_window_of_pixel_art_grows_to_whole_blocks_within_the_picture() -> None:
    assert grown_window("pixel", 130, 201, (3, 130, 5, 201)) == (2, 130, 4, 201)
    assert grown_window("cel", 256, 448, (20, 256, 0, 30)) == (18, 256, 0, 32)
    assert grown_window("sketch", 128, 224, (20, 30, 0, 30)) == (16, 32, 0, 32)
    assert grown_window("noir", 130, 201, (3, 130, 5, 201)) == (3, 130, 5, 201)
