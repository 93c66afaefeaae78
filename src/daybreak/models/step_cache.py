"""A step cache: most blocks of a transformer are left out at steps where they would say what they said before.

How much the first block's contribution changes from step to step tells how much the others' would: the indicator of
first-block caches (ParaAttention, Cheng, 2024). Changes are summed up since all blocks were last asked, as TeaCache
does (Liu et al., 2024), and while the sum is below a threshold, what the others added then is added once more. So it is
an approximation, with a loss that `bench/step_cache.py` prints; the first and the last step are always exact.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor


class StepCache:
    """What is remembered from step to step of one clip, by one network, of which `steps` are to come.

    A step may pass through the network several times, once for each branch of guidance: what is decided for the first
    holds for all. A run may be taken up at a step that was `full`, with a new cache: nothing older is looked at then.
    """

    def __init__(self, threshold: float, steps: int) -> None:
        self.full = True  # whether all blocks were asked at this step
        self._threshold, self._left, self._branch = threshold, steps, 0
        self._sum = 0.0
        self._first: Tensor | None = None  # what the first block added at the last step
        self._others: list[Tensor] = []  # what the others added when they were last asked, for each branch

    def next_step(self) -> None:
        """To be called before each step."""
        self._left -= 1
        self._branch = 0

    def through(self, given: Tensor, first: Tensor, others: Callable[[Tensor], Tensor]) -> Tensor:
        """What all blocks make of tokens `given` (B, N, D).

        The first block made `first` of them (B, N, D), and `others` says what the rest makes of that.
        """
        branch, self._branch = self._branch, self._branch + 1
        if branch == 0:
            self._decide(first - given)
        if not self.full:
            return first + self._others[branch]
        after = others(first)
        self._others.append(after - first)
        return after

    def _decide(self, added: Tensor) -> None:
        if self._first is not None:
            self._sum += float((added - self._first).abs().mean() / self._first.abs().mean())
        self.full = self._first is None or self._left <= 0 or self._sum >= self._threshold
        self._first = added
        if self.full:
            self._sum = 0.0
            self._others.clear()
