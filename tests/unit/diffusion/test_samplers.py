from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from daybreak.diffusion.flow import add_noise, per_frame, velocity
from daybreak.diffusion.samplers import SAMPLERS, Sampler, euler, heun
from daybreak.diffusion.schedule import shifted_schedule

MEAN, DEVIATION = 2.0, 0.5  # of the Gaussian data below
both_samplers = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS.keys())


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gaussian_velocity(x: Tensor, sigmas: Tensor) -> Tensor:
    """E[noise - data | x] for data of N(MEAN, DEVIATION^2)."""
    sigma = per_frame(sigmas)
    variance = (1 - sigma) ** 2 * DEVIATION**2 + sigma**2
    residual = (x - (1 - sigma) * MEAN) / variance
    return sigma * residual - (MEAN + (1 - sigma) * DEVIATION**2 * residual)


@both_samplers
@pytest.mark.parametrize("steps", [1, 2, 50])
def test_a_straight_line_is_followed_exactly(sampler: Sampler, steps: int) -> None:
    data, noise = normal(2, 4, 3, 2, 2), normal(2, 4, 3, 2, 2, seed=1)
    ceiling = torch.ones(2, 3, dtype=torch.float64)
    made = sampler(lambda _x, _sigmas: velocity(data, noise), noise, shifted_schedule(steps), ceiling, None)
    assert_close(made, data, rtol=0, atol=1e-13)


@both_samplers
def test_a_straight_line_is_followed_from_every_frame_s_own_ceiling(sampler: Sampler) -> None:
    data, noise = normal(2, 4, 3, 2, 2), normal(2, 4, 3, 2, 2, seed=1)
    ceiling = torch.tensor([[0, 0.3, 1], [0.8, 0, 0.5]], dtype=torch.float64)
    start = add_noise(data, noise, ceiling)
    made = sampler(lambda _x, _sigmas: velocity(data, noise), start, shifted_schedule(7), ceiling, None)
    assert_close(made, data, rtol=0, atol=1e-13)


def error(sampler: Sampler, steps: int) -> float:
    """How far Gaussian samples end from where the exact flow takes them: noise z to MEAN + DEVIATION z."""
    noise = normal(1, 1, 1, 40, 50)
    ceiling = torch.ones(1, 1, dtype=torch.float64)
    made = sampler(gaussian_velocity, noise, shifted_schedule(steps, shift=1), ceiling, None)
    return float((made - (MEAN + DEVIATION * noise)).square().mean().sqrt())


def test_euler_is_of_first_order_and_heun_of_second() -> None:
    assert error(euler, 128) / error(euler, 256) == pytest.approx(2, rel=0.05)
    assert error(heun, 128) / error(heun, 256) == pytest.approx(4, rel=0.1)
    assert error(heun, 20) < error(euler, 40)  # as many evaluations


def test_gaussian_samples_have_the_data_s_mean_and_deviation() -> None:
    noise = normal(1, 1, 1, 100, 200)
    made = heun(gaussian_velocity, noise, shifted_schedule(50, 1), torch.ones(1, 1, dtype=torch.float64))
    assert made.mean() == pytest.approx(MEAN, abs=0.02)
    assert made.std() == pytest.approx(DEVIATION, abs=0.01)


@both_samplers
def test_pinned_frames_come_out_untouched(sampler: Sampler) -> None:
    latents = normal(2, 4, 3, 2, 2)
    ceiling = torch.tensor([[0, 1, 0.5], [1, 1, 0]], dtype=torch.float64)
    seen: list[Tensor] = []

    def denoise(x: Tensor, sigmas: Tensor) -> Tensor:
        seen.append(sigmas)
        return normal(*x.shape, seed=len(seen))

    made = sampler(denoise, latents, shifted_schedule(9), ceiling, None)
    assert torch.equal(made[0, :, 0], latents[0, :, 0])
    assert torch.equal(made[1, :, 2], latents[1, :, 2])
    assert (made[0, :, 1:] != latents[0, :, 1:]).all()
    # The denoiser is told that they are known, and nothing is ever noisier than its ceiling.
    assert all((sigmas <= ceiling).all() for sigmas in seen)
    assert torch.equal(seen[0], ceiling)


@both_samplers
def test_each_step_reports_the_data_it_expects(sampler: Sampler) -> None:
    data, noise = normal(1, 2, 2, 2, 2), normal(1, 2, 2, 2, 2, seed=1)
    reports: list[tuple[int, int, Tensor]] = []
    sampler(
        lambda _x, _sigmas: velocity(data, noise),
        noise,
        shifted_schedule(5),
        torch.ones(1, 2, dtype=torch.float64),
        lambda done, steps, expected, _latents: reports.append((done, steps, expected)),
    )
    assert [(done, steps) for done, steps, _ in reports] == [(step, 5) for step in range(1, 6)]
    for _, _, expected in reports:
        assert_close(expected, data, rtol=0, atol=1e-13)


@pytest.mark.parametrize(("sampler", "evaluations"), [(euler, 6), (heun, 11)])
def test_evaluations_a_run(sampler: Sampler, evaluations: int) -> None:
    calls = []
    ceiling = torch.ones(1, 1, dtype=torch.float64)
    sampler(lambda x, _s: calls.append(1) or x, normal(1, 1, 1, 1, 1), shifted_schedule(6), ceiling, None)
    assert len(calls) == evaluations


@both_samplers
def test_raising_in_a_report_stops_at_once(sampler: Sampler) -> None:
    calls = []

    def stop(done: int, _steps: int, _expected: Tensor, _latents: Tensor) -> None:
        if done == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        sampler(
            lambda x, _sigmas: calls.append(1) or x,
            normal(1, 1, 1, 1, 1),
            shifted_schedule(50),
            torch.ones(1, 1, dtype=torch.float64),
            stop,
        )
    assert len(calls) == {euler: 3, heun: 6}[sampler]


@both_samplers
@pytest.mark.parametrize("stopped", [0, 1, 4, 8, 9])
def test_a_run_goes_on_from_any_step_bit_for_bit(sampler: Sampler, stopped: int) -> None:
    noise = normal(1, 2, 3, 4, 4)
    ceiling = torch.tensor([[0, 1, 0.5]], dtype=torch.float64)
    reported = {0: noise}
    whole = sampler(
        gaussian_velocity,
        noise,
        shifted_schedule(9),
        ceiling,
        lambda done, _steps, _expected, latents: reported.__setitem__(done, latents),
    )
    steps: list[int] = []
    rest = sampler(
        gaussian_velocity,
        reported[stopped],
        shifted_schedule(9),
        ceiling,
        lambda done, *_rest: steps.append(done),
        stopped,
    )
    assert torch.equal(rest, whole)
    assert steps == list(range(stopped + 1, 10))
