"""How close two clips are: PSNR and SSIM."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def psnr(ours: Tensor, target: Tensor, inside: Tensor | None = None) -> float:
    """Peak signal-to-noise ratio in dB of pixels (B, 3, F, H, W) in [-1, 1]; over `inside` (B, F, H, W) if given."""
    error = (ours.float() - target.float()).square().mean(1)
    mean = error.mean() if inside is None else error[inside].mean()
    return float(10 * torch.log10(4 / mean.clamp(min=1e-10)))


def ssim(ours: Tensor, target: Tensor) -> float:
    """Structural similarity (Wang et al., 2004) of pixels (B, 3, F, H, W) in [-1, 1].

    An 11x11 Gaussian window; the mean over frames and colours.
    """
    first, second = (_flatten(clip.float() / 2 + 0.5) for clip in (ours, target))
    window = _gaussian(11, 1.5).to(first)

    def blur(x: Tensor) -> Tensor:
        return F.conv2d(x, window)

    mean1, mean2 = blur(first), blur(second)
    variance1, variance2 = blur(first * first) - mean1**2, blur(second * second) - mean2**2
    covariance = blur(first * second) - mean1 * mean2
    small1, small2 = 0.01**2, 0.03**2  # the paper's constants for a range of 1
    top = (2 * mean1 * mean2 + small1) * (2 * covariance + small2)
    bottom = (mean1**2 + mean2**2 + small1) * (variance1 + variance2 + small2)
    return float((top / bottom).mean())


def _flatten(clip: Tensor) -> Tensor:
    return clip.permute(0, 2, 1, 3, 4).reshape(-1, 1, *clip.shape[3:])


def _gaussian(size: int, deviation: float) -> Tensor:
    position = torch.arange(size) - (size - 1) / 2
    line = torch.exp(-(position**2) / (2 * deviation**2))
    line = line / line.sum()
    return (line[:, None] * line[None])[None, None]
