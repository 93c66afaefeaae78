from __future__ import annotations

import numpy as np
import pytest

from daybreak.diorama.scene import STYLES
from daybreak.diorama.styles import apply_style, block_size, grown_window


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


def test_a_window_of_pixel_art_grows_to_whole_blocks_within_the_picture() -> None:
    assert grown_window("pixel", 130, 201, (3, 130, 5, 201)) == (2, 130, 4, 201)
    assert grown_window("noir", 130, 201, (3, 130, 5, 201)) == (3, 130, 5, 201)
