from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from daybreak.evaluate.fidelity import psnr, ssim


def clip(seed: int = 0, frames: int = 2) -> torch.Tensor:
    """Smooth noise, (1, 3, F, 40, 48) in [-1, 1]."""
    coarse = torch.rand(3, frames, 10, 12, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return F.interpolate(coarse, size=(40, 48), mode="bilinear")[None]


def test_psnr_of_a_known_error() -> None:
    target = clip() * 0.5
    # The range is 2: an error of 0.2 everywhere is 20 dB down.
    assert psnr(target + 0.2, target) == pytest.approx(20, abs=1e-4)
    assert psnr(target - 0.02, target) == pytest.approx(40, abs=1e-3)


def test_psnr_of_equal_clips_is_large_and_finite() -> None:
    assert psnr(clip(), clip()) == pytest.approx(10 * np.log10(4 / 1e-10))


def test_psnr_counts_only_what_lies_inside() -> None:
    target = torch.zeros(1, 3, 2, 8, 8)
    ours = target.clone()
    ours[..., :4] = 0.2
    ours[..., 4:] = 2.0
    inside = torch.zeros(1, 2, 8, 8, dtype=torch.bool)
    inside[..., :4] = True
    assert psnr(ours, target, inside) == pytest.approx(20, abs=1e-4)
    assert psnr(ours, target, ~inside) == pytest.approx(0, abs=1e-4)


def test_ssim_is_1_for_equal_clips_only() -> None:
    assert ssim(clip(), clip()) == pytest.approx(1)
    assert ssim(clip(1), clip()) < 0.8
    assert ssim(clip(1), clip()) == pytest.approx(ssim(clip(), clip(1)))


def test_ssim_of_flat_pictures_is_the_paper_s_luminance_term() -> None:
    # Grey 0.25 and 0.75 on a scale of 0 to 1, no structure in either.
    first, second = torch.full((1, 3, 1, 16, 16), -0.5), torch.full((1, 3, 1, 16, 16), 0.5)
    expected = (2 * 0.25 * 0.75 + 1e-4) / (0.25**2 + 0.75**2 + 1e-4)
    assert ssim(first, second) == pytest.approx(expected, abs=1e-3)


def test_ssim_falls_with_blur_and_with_noise() -> None:
    target = clip()
    blurred = F.avg_pool3d(target, (1, 9, 9), 1, (0, 4, 4), count_include_pad=False)
    noisy = target + 0.2 * torch.randn(target.shape, generator=torch.Generator().manual_seed(1))
    assert ssim(noisy, target) < ssim(target + 0.01, target) < 1
    assert ssim(blurred, target) < 0.99
    # A clip's value is the mean of its frames'.
    frames = [ssim(noisy[:, :, i : i + 1], target[:, :, i : i + 1]) for i in range(2)]
    assert ssim(noisy, target) == pytest.approx(sum(frames) / 2, abs=1e-5)
