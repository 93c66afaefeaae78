"""Stages: seconds by name, nested ones counted once, nothing without a listener."""

from __future__ import annotations

import time

import pytest

from daybreak import stages
from daybreak.stages import stage, timed_stages


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "perf_counter", clock)
    return clock


def test_a_stage_within_another_is_counted_once(clock: Clock) -> None:
    with timed_stages() as times:
        clock.now += 5  # between stages: nobody's
        with stage("outer"):
            clock.now += 1
            with stage("inner"):
                clock.now += 2
            clock.now += 4
        with stage("inner"):
            clock.now += 8
    assert times.seconds == {"outer": 5, "inner": 10}


def fails(clock: Clock) -> None:
    with stage("first"):
        clock.now += 1
        raise ValueError("no")


def test_a_stage_that_fails_is_closed(clock: Clock) -> None:
    with timed_stages() as times:
        with pytest.raises(ValueError, match="no"):
            fails(clock)
        with stage("second"):
            clock.now += 2
    assert times.seconds == {"first": 1, "second": 2}


def test_without_a_listener_nothing_is_kept() -> None:
    with stage("unheard"):
        assert stages._listener.get() is None
    with timed_stages() as times:
        pass
    with stage("too late"):
        pass
    assert times.seconds == {}
