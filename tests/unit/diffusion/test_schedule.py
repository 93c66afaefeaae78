from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from daybreak.diffusion.schedule import shifted_schedule
from daybreak.generation_settings import MAX_STEPS


@given(st.integers(1, MAX_STEPS), st.floats(0.2, 10))
def test_sigmas_fall_strictly_from_1_to_0(num_inference_steps: int, shift: float) -> None:
    sigmas = shifted_schedule(num_inference_steps, shift)
    assert sigmas.shape == (num_inference_steps + 1,)
    assert sigmas[0] == 1
    assert sigmas[-1] == 0
    assert (sigmas.diff() < 0).all()


def test_shift_1_is_uniform_and_more_spends_more_steps_near_noise() -> None:
    uniform = shifted_schedule(10, shift=1)
    assert_close(uniform, torch.linspace(1, 0, 11))
    assert (shifted_schedule(10, shift=3)[1:-1] > uniform[1:-1]).all()
    assert (shifted_schedule(10, shift=0.5)[1:-1] < uniform[1:-1]).all()


def test_the_middle_of_the_paper_s_formula() -> None:
    # Esser et al., 2024, eq. 23 at t = 1/2: shift / (1 + shift).
    assert shifted_schedule(2, shift=3).tolist() == [1, 0.75, 0]


@pytest.mark.parametrize(
    ("steps", "shift", "said"), [(0, 3, "0 inference steps"), (-1, 3, "at least 1"), (5, 0, "positive")]
)
def test_impossible_schedules_are_refused(steps: int, shift: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        shifted_schedule(steps, shift)
