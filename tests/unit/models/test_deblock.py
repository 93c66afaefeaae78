from __future__ import annotations

import pytest
import torch

from daybreak.models.deblock import LIMIT, level_seams


def step_at(column: int, height: float, width: int = 128) -> torch.Tensor:
    """Pixels that rise by `height` at a column."""
    pixels = torch.zeros(1, 3, 2, 64, width)
    pixels[..., column:] = height
    return pixels


@pytest.mark.parametrize("turned", [False, True])
def test_a_step_between_blocks_becomes_a_slope(turned: bool) -> None:
    pixels = step_at(64, 0.1)
    levelled = level_seams(pixels.transpose(-1, -2)).transpose(-1, -2) if turned else level_seams(pixels)
    steps = (levelled[..., 1:] - levelled[..., :-1])[0, 0, 0, 0]
    assert steps.max() < 0.02
    assert steps.sum().item() == pytest.approx(0.1, abs=1e-6)
    assert torch.equal(levelled[..., :48], pixels[..., :48])  # from the block's middle on, nothing changes
    assert torch.equal(levelled[..., 80:], pixels[..., 80:])


def test_a_step_inside_a_block_stays() -> None:
    pixels = step_at(50, 0.1)
    assert torch.equal(level_seams(pixels), pixels)


def test_a_slope_across_blocks_stays() -> None:
    ramp = torch.linspace(-1, 1, 128).expand(1, 3, 2, 64, 128)
    assert torch.allclose(level_seams(ramp), ramp, atol=1e-6)


def test_a_horizon_on_a_seam_stays() -> None:
    pixels = step_at(64, 4 * LIMIT)
    assert torch.allclose(level_seams(pixels), pixels, atol=1e-5)


def test_a_picture_of_one_block_is_left_alone() -> None:
    pixels = torch.rand(1, 3, 1, 32, 32)
    assert torch.equal(level_seams(pixels), pixels)
