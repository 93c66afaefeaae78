"""UniPC (Zhao et al., 2023, algorithm 2, B2(h), data prediction) for flow matching: the sampler Wan is published with.

A multistep method: what earlier evaluations said of the data raises the order of a step (the predictor), and the next
evaluation first corrects the step that led to it (the corrector). One evaluation a step. With lambda = log((1 - sigma)
/ sigma), as in DPM-Solver, everything is a function of differences of lambda.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

_TRAINED_STEPS = 1000
_EPSILON = 1e-6  # the first sigma is this much below 1, where lambda would be infinite


@dataclass(frozen=True, slots=True)
class History:
    """What a step needs of those before it: data that they expected, newest last; `before` and `order` of the last."""

    data: tuple[Tensor, ...] = ()
    before: Tensor | None = None
    order: int = 0


def flow_schedule(num_inference_steps: int, shift: float) -> list[float]:
    """Sigmas from just below 1 to 0, as Wan's schedule has them. Raises ValueError for less than one step."""
    if num_inference_steps < 1:
        raise ValueError(f"{num_inference_steps} inference steps, at least 1 is needed")
    uniform = torch.linspace(1, 1 / _TRAINED_STEPS, num_inference_steps + 1, dtype=torch.float64)[:-1]
    sigmas = shift * uniform / (1 + (shift - 1) * uniform)
    if abs(float(sigmas[0]) - 1) < _EPSILON:
        sigmas[0] -= _EPSILON
    return [*sigmas.tolist(), 0.0]


def timestep(sigma: float) -> int:
    """What a transformer that was trained on 1,000 steps is told of a sigma."""
    return int(sigma * _TRAINED_STEPS)


def unipc_step(
    velocity: Float[Tensor, "B C T H W"],
    latents: Float[Tensor, "B C T H W"],
    sigmas: Sequence[float],
    step: int,
    history: History,
    order: int = 2,
) -> tuple[Float[Tensor, "B C T H W"], History]:
    """Latents at `sigmas[step + 1]`, from those at `sigmas[step]` and the velocity there."""
    data = latents - sigmas[step] * velocity
    if history.before is not None:
        latents = _towards(history.before, history.data, sigmas, step - 1, history.order, data)
    known = (*history.data, data)[-order:]
    order = min(order, len(known), len(sigmas) - 1 - step)  # the last step is of the first order
    return _towards(latents, known, sigmas, step, order), History(known, latents, order)


def _towards(
    x: Tensor, data: tuple[Tensor, ...], sigmas: Sequence[float], step: int, order: int, after: Tensor | None = None
) -> Tensor:
    """x at `sigmas[step]` taken to `sigmas[step + 1]` by the `order` newest `data`, corrected by the one `after`."""
    now, then = sigmas[step], sigmas[step + 1]
    if then == 0:
        return data[-1]
    h = _log_ratio(then) - _log_ratio(now)
    ratios = [(_log_ratio(sigmas[step - back]) - _log_ratio(now)) / h for back in range(1, order)]
    changes = [(data[-1 - back] - data[-1]) / ratio for back, ratio in zip(range(1, order), ratios, strict=True)]
    if after is not None:
        ratios, changes = [*ratios, 1.0], [*changes, after - data[-1]]
    phi = math.expm1(-h)
    x = then / now * x - (1 - then) * phi * data[-1]
    for weight, change in zip(_weights(h, ratios), changes, strict=True):
        x = x - (1 - then) * phi * weight * change
    return x


def _weights(h: float, ratios: Sequence[float]) -> list[float]:
    """How much each change counts, so that the step is exact for data that is a polynomial in lambda."""
    if len(ratios) < 2:
        return [0.5] * len(ratios)  # as the authors simplify the first two orders
    right, phi_k, factorial = [], math.expm1(-h) / -h - 1, 1
    for power in range(1, len(ratios) + 1):
        right.append(phi_k * factorial / math.expm1(-h))
        factorial *= power + 1
        phi_k = phi_k / -h - 1 / factorial
    left = torch.tensor([[ratio**power for ratio in ratios] for power in range(len(ratios))], dtype=torch.float64)
    solved: list[float] = torch.linalg.solve(left, torch.tensor(right, dtype=torch.float64)).tolist()
    return solved


def _log_ratio(sigma: float) -> float:
    return math.log(1 - sigma) - math.log(sigma)
