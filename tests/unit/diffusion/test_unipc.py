from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from daybreak.diffusion.unipc import History, flow_schedule, timestep, unipc_step


def run(field: object, latents: Tensor, sigmas: list[float], order: int = 2) -> Tensor:
    history = History()
    for step in range(len(sigmas) - 1):
        velocity = field(latents, sigmas[step])  # type: ignore[operator]
        latents, history = unipc_step(velocity, latents, sigmas, step, history, order)
    return latents


@pytest.mark.parametrize("steps", [1, 2, 7, 30])
def test_a_straight_line_is_exact_in_any_number_of_steps(steps: int) -> None:
    data, noise = torch.randn(1, 2, 3, 4, 4), torch.randn(1, 2, 3, 4, 4)
    sigmas = flow_schedule(steps, 3.0)
    start = (1 - sigmas[0]) * data + sigmas[0] * noise
    assert torch.allclose(run(lambda _x, _s: noise - data, start, sigmas), data, atol=1e-5)


def test_more_steps_come_nearer_and_by_a_higher_order_than_the_first() -> None:
    """Gaussian data of deviation s: the field is known, and its end is s times the noise it came from."""
    s, noise = 0.5, torch.randn(1, 1, 1, 8, 8, dtype=torch.float64)

    def field(x: Tensor, sigma: float) -> Tensor:
        return x * (sigma - (1 - sigma) * s**2) / (((1 - sigma) * s) ** 2 + sigma**2)

    def error(steps: int, order: int) -> float:
        sigmas = flow_schedule(steps, 1.0)
        return float((run(field, noise, sigmas, order) - s * noise).abs().max())

    assert error(40, 2) < error(20, 2) / 2
    assert error(20, 2) < error(20, 1)


@pytest.mark.parametrize(
    ("steps", "shift", "begin", "order"), [(8, 3.0, 0, 2), (50, 5.0, 0, 2), (9, 3.0, 4, 2), (20, 3.0, 0, 3)]
)
def test_it_is_the_scheduler_of_diffusers(steps: int, shift: float, begin: int, order: int) -> None:
    diffusers = pytest.importorskip("diffusers", reason="needs the extra: pip install 'daybreak[diffusers]'")
    theirs = diffusers.UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift, solver_order=order
    )
    theirs.set_timesteps(steps)
    theirs.set_begin_index(begin)
    sigmas, history = flow_schedule(steps, shift), History()
    assert [timestep(sigma) for sigma in sigmas[:-1]] == theirs.timesteps.tolist()
    expected = found = torch.randn(1, 4, 2, 3, 3)
    mixed = torch.randn(4, 4) / 2
    for step, moment in enumerate(theirs.timesteps[begin:], begin):
        velocity = [torch.einsum("ij,bj...->bi...", mixed, x.tanh()) + moment / 1000 for x in (expected, found)]
        expected = theirs.step(velocity[0], moment, expected, return_dict=False)[0]
        found, history = unipc_step(velocity[1], found, sigmas, step, history, order)
    assert (found - expected).abs().max() < 5e-5 * expected.abs().max()


def test_a_schedule_falls_from_noise_to_data() -> None:
    sigmas = flow_schedule(12, 3.0)
    assert sigmas == sorted(sigmas, reverse=True)
    assert len(set(sigmas)) == 13
    assert sigmas[-1] == 0
    assert math.isclose(sigmas[0], 1, abs_tol=2e-6)
    with pytest.raises(ValueError, match="0 inference steps"):
        flow_schedule(0, 3.0)
