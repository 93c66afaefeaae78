from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from daybreak.models.step_cache import StepCache


class Others:
    """The blocks after the first: they add their number of calls, and remember it."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, x: Tensor) -> Tensor:
        self.calls += 1
        return x + self.calls


def steps(cache: StepCache, added: list[float], others: Callable[[Tensor], Tensor]) -> list[tuple[bool, float]]:
    """For each step whether all blocks were asked, and what all of them made of 0, when the first block adds this."""
    made = []
    for number in added:
        cache.next_step()
        given = torch.zeros(1, 2, 3)
        result = cache.through(given, given + number, others)
        made.append((cache.full, float(result.mean())))
    return made


def test_changes_add_up_until_all_blocks_are_asked_again() -> None:
    # Each change is a quarter of what the first block added before; two of them reach the threshold.
    added = [1.0, 1.25, 1.5625, 1.953125, 2.44140625]
    made = steps(StepCache(0.5, 100), added, Others())
    assert made == [(True, 2.0), (False, 2.25), (True, 3.5625), (False, 3.953125), (True, 5.44140625)]


def test_the_first_and_the_last_step_are_exact() -> None:
    assert [full for full, _ in steps(StepCache(2.0, 4), [1.0] * 4, Others())] == [True, False, False, True]


def test_a_threshold_of_zero_asks_all_blocks_at_every_step() -> None:
    others = Others()
    assert all(full for full, _ in steps(StepCache(0.0, 100), [1.0] * 5, others))
    assert others.calls == 5


def test_a_new_cache_goes_on_from_a_full_step_as_the_old_one_does() -> None:
    added = [1.0, 1.1, 1.3, 1.6, 2.0, 2.2, 2.3, 2.4]
    whole = steps(StepCache(0.3, len(added)), added, lambda x: x * 2)
    starts = [number for number, (full, _) in enumerate(whole) if full]
    assert 2 < len(starts) < len(added)
    for start in starts:
        cache = StepCache(0.3, len(added) - start)
        assert steps(cache, added[start:], lambda x: x * 2) == whole[start:]


def test_the_first_branch_decides_for_all() -> None:
    cache, others = StepCache(0.5, 100), Others()
    found = []
    for number in (1.0, 1.1):
        cache.next_step()
        for branch in (1.0, 100.0 * number**9):  # what the other branch's first block adds changes by far more
            given = torch.zeros(1, 2, 3)
            found.append(float(cache.through(given, given + number * branch, others).mean()))
    assert others.calls == 2
    # Each branch is added what its own blocks added.
    assert found == pytest.approx([1 + 1, 100 + 2, 1.1 + 1, 1.1 * 100 * 1.1**9 + 2])
