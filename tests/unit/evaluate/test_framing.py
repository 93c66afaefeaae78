"""Windows around the subject: found where it is, moved, moved back, and cut out."""

from __future__ import annotations

import math

import pytest
import torch

from daybreak.evaluate.framing import crops, moved, offsets, places, windows


def test_an_even_box_is_found_where_it_is() -> None:
    share = torch.zeros(1, 1, 8, 14)
    share[..., 2:6, 3:5] = 1 / 8  # rows 2 to 5, columns 3 and 4: pixels 32 to 96 and 48 to 80
    found = places(share.flatten(2))[0, 0].tolist()
    expected = [(64 - 112) / 112, 0, 0.5 * 16 / 112, math.sqrt(1.25) * 16 / 112]
    assert found == pytest.approx(expected, abs=1e-6)


def test_a_crop_holds_what_is_at_its_place() -> None:
    x = torch.zeros(1, 1, 128, 224)
    x[..., 48:80, 16:48] = 1  # a square of 32 pixels around (32, 64)
    window = windows(torch.tensor([[(32 - 112) / 112, 0.0, 0.06, 0.0]]))
    half = (2.1 * 0.06 + 0.05) * 112  # pixels from the crop's middle to its edge
    crop = crops(x, window)[0, 0]
    assert crop.shape == (64, 64)
    assert crop[32, 32] == 1
    assert crop.mean().item() == pytest.approx((16 / half) ** 2, rel=0.03)
    torch.testing.assert_close(crop, crop.flip(0), atol=0.02, rtol=0)
    torch.testing.assert_close(crop, crop.flip(1), atol=0.02, rtol=0)


def test_an_offset_leads_from_a_window_to_its_target() -> None:
    window = torch.tensor([[0.1, -0.2, 0.3], [0.0, 0.0, 0.2]])
    target = torch.tensor([[0.0, 0.1, 0.2], [-0.3, 0.2, 0.4]])
    torch.testing.assert_close(moved(window, offsets(window, target)), target)
    torch.testing.assert_close(offsets(window, window), torch.zeros(2, 3))


def test_a_window_stays_between_a_speck_and_the_picture() -> None:
    window = torch.tensor([[0.0, 0.0, 0.3], [0.0, 0.0, 0.3]])
    half = moved(window, torch.tensor([[0.0, 0.0, -9.0], [0.0, 0.0, 9.0]]))[:, 2]
    assert half.tolist() == pytest.approx([0.08, 0.9])
