"""Schedules: functions that give the sigmas of a sampling run."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def shifted_schedule(num_inference_steps: int, shift: float = 40.0) -> Float[Tensor, "steps_plus_1"]:
    """Sigmas from 1 to 0, spending more steps near noise the larger `shift` is (Esser et al., 2024, eq. 23).

    Raises ValueError for less than one step or a shift that is not positive.
    """
    if num_inference_steps < 1:
        raise ValueError(f"{num_inference_steps} inference steps, at least 1 is needed")
    if shift <= 0:
        raise ValueError(f"shift {shift} must be positive")
    uniform = torch.linspace(1, 0, num_inference_steps + 1, dtype=torch.float64)
    return (shift * uniform / (1 + (shift - 1) * uniform)).float()
