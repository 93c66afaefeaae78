"""What the tests' farm makes: in a module that its processes can import by name."""

from __future__ import annotations

import numpy as np

from daybreak.train.farm import Arrays, Task


def make_item(task: Task) -> Arrays:
    """Arrays of several types and shapes, functions of the task's number; "bad" ones fail, "large" ones do not fit."""
    kind, number = task
    if kind == "bad":
        raise ValueError(f"no item {number}")
    if kind == "large":
        return {"bytes": np.zeros(10_000, np.uint8)}
    rng = np.random.default_rng(number)
    return {
        "bytes": rng.integers(0, 256, (2, 3, 5), np.uint8),  # 30 of them: the next begin at a multiple of 64
        "transposed": rng.random((3, 4), np.float32).T,
        "number": np.array(number),
        "none": np.zeros((0, 7), np.int16),
    }
