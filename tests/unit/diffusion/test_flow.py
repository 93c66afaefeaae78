from __future__ import annotations

import pytest
import torch
from jaxtyping import TypeCheckError
from torch.testing import assert_close

from daybreak.diffusion.flow import add_noise, per_frame, to_data, velocity


def example() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    data, noise = torch.randn(2, 2, 4, 3, 2, 2, generator=generator, dtype=torch.float64)
    return data, noise


def test_sigma_0_is_data_and_sigma_1_is_noise() -> None:
    data, noise = example()
    assert torch.equal(add_noise(data, noise, torch.zeros(2, 3)), data)
    assert torch.equal(add_noise(data, noise, torch.ones(2, 3)), noise)


def test_every_frame_has_its_own_sigma() -> None:
    data, noise = example()
    sigmas = torch.tensor([[0, 0.25, 1], [0.5, 1, 0]], dtype=torch.float64)
    x = add_noise(data, noise, sigmas)
    for clip in range(2):
        for frame in range(3):
            sigma = sigmas[clip, frame]
            expected = (1 - sigma) * data[clip, :, frame] + sigma * noise[clip, :, frame]
            assert torch.equal(x[clip, :, frame], expected)


def test_velocity_is_the_slope_of_the_line() -> None:
    data, noise = example()
    sigmas = torch.tensor([[0.1, 0.5, 0.9]], dtype=torch.float64).expand(2, -1)
    slope = (add_noise(data, noise, sigmas + 0.05) - add_noise(data, noise, sigmas - 0.05)) / 0.1
    assert_close(velocity(data, noise), slope)


def test_the_true_velocity_points_to_the_data_from_anywhere_on_the_line() -> None:
    data, noise = example()
    sigmas = torch.rand(2, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert_close(to_data(add_noise(data, noise, sigmas), velocity(data, noise), sigmas), data)


def test_sigmas_must_match_the_clips() -> None:
    data, noise = example()
    assert per_frame(torch.rand(2, 3)).shape == (2, 1, 3, 1, 1)
    with pytest.raises(TypeCheckError):  # one sigma a clip would broadcast over the frames without a word
        add_noise(data, noise, torch.ones(2, 1))
