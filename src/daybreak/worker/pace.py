"""How often a worker does what, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds, but for `slow`.

    A job is a worker's for `lease` after each heartbeat. A step hangs when it takes longer than `step_limit`, and
    longer than `slow` times the average; anything else (loading, the first step, encoding) when it takes `stage_limit`.
    """

    lease: float = 15.0
    beat: float = 1.0
    checkpoint_every: float = 5.0
    preview_every: float = 1.0
    poll: float = 0.1  # between looks at whether the database changed
    claim_every: float = 2.0  # leases run out without a change
    sweep_every: float = 600.0
    step_limit: float = 60.0
    slow: float = 5.0
    stage_limit: float = 900.0
    retry: float = 1.0  # before storage or database are tried again; doubles
