from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from daybreak.models.wan.causal import CausalConv, Past
from daybreak.models.wan.winograd import convolve, is_quick, transformed


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    ("channels", "out", "height", "width", "taps"),
    [(3, 5, 8, 8, 3), (17, 4, 19, 21, 3), (8, 8, 4, 33, 1), (2, 3, 1, 2, 2), (2, 3, 58, 61, 3)],
)
def test_it_is_a_convolution(channels: int, out: int, height: int, width: int, taps: int, threads: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    frames = [torch.randn(1, channels, height, width) for _ in range(taps)]
    weight, bias = torch.randn(out, channels, taps, 3, 3), torch.randn(out)
    clip = torch.cat(frames).transpose(0, 1)[None]
    expected = F.conv3d(clip, weight, bias, padding=(0, 1, 1))[:, :, 0]
    found = convolve(frames, transformed(weight), bias)
    torch.set_num_threads(before)
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < 1e-4 * expected.abs().max()


def test_wide_layers_take_it_and_give_what_narrow_ones_would() -> None:
    torch.manual_seed(0)
    layer, past = CausalConv(64, 64), Past()
    torch.nn.init.normal_(layer.weight, std=0.02)
    frames = torch.randn(3, 64, 9, 12)
    assert is_quick(frames, layer.weight)
    assert not is_quick(frames[:, :16], layer.weight[:, :16])
    assert not is_quick(frames.double(), layer.weight)
    found = torch.cat([layer(frames[:1], past), layer(frames[1:], past)])
    padded = F.pad(frames.transpose(0, 1)[None], (0, 0, 0, 0, 2, 0))
    expected = F.conv3d(padded, layer.weight, layer.bias, padding=(0, 1, 1))[0].transpose(0, 1)
    assert (found - expected).abs().max() < 1e-4 * expected.abs().max()
    torch.nn.init.zeros_(layer.bias)
    layer.weight = torch.nn.Parameter(torch.zeros_like(layer.weight))
    assert not layer(frames[:1], past).any()
