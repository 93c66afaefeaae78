"""When a step counts as hung, in virtual time."""

from __future__ import annotations

import pytest

from daybreak.worker.heart import Watch
from daybreak.worker.pace import Pace

PACE = Pace(step_limit=60.0, slow=5.0, stage_limit=900.0)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> Watch:
    return Watch(PACE, lambda _seconds: None, clock)


def hangs_after(watch: Watch, clock: Clock, most: int = 2000) -> int | None:
    """Seconds from now until it counts as hung, looked at every second."""
    for second in range(1, most):
        clock.now += 1
        if watch.look():
            return second
    return None


def test_loading_and_the_first_step_may_take_long(watch: Watch, clock: Clock) -> None:
    assert hangs_after(watch, clock) == 901


def test_a_step_may_take_a_minute_or_five_times_the_average(watch: Watch, clock: Clock) -> None:
    watch.step()
    assert hangs_after(watch, clock) == 61
    watch.stage()
    watch.step()
    for _ in range(40):
        for _ in range(30):
            clock.now += 1
            assert not watch.look()
        watch.step()
    assert hangs_after(watch, clock) == 151


def test_another_stage_may_take_long_again(watch: Watch, clock: Clock) -> None:
    watch.step()
    watch.stage()
    assert hangs_after(watch, clock) == 901


def test_time_in_which_the_whole_process_was_stopped_does_not_count(watch: Watch, clock: Clock) -> None:
    watch.step()
    clock.now += 1
    assert not watch.look()
    clock.now += 10_000
    assert not watch.look()
    assert hangs_after(watch, clock) == 60
