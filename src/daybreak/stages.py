"""Where the time goes: named stages of a generation, timed while somebody asks for it.

Code says `with stage("decoding"):` whether anybody listens or not; inside `timed_stages` the seconds add up by name.
A stage within another is not counted in the outer one, so that the sum is the time that was spent.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class StageTimes:
    """Seconds by stage, in the order in which the stages were first entered."""

    seconds: dict[str, float] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)
    _since: float = 0.0

    def _switch(self) -> None:
        """Books the time since the last switch to the stage that is open."""
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now


_listener: ContextVar[StageTimes | None] = ContextVar("stage_times", default=None)


@contextmanager
def timed_stages() -> Iterator[StageTimes]:
    """Collects the seconds of every stage that this thread goes through inside."""
    times = StageTimes()
    token = _listener.set(times)
    try:
        yield times
    finally:
        _listener.reset(token)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """The body is a stage called `name`; free of charge when nobody listens."""
    times = _listener.get()
    if times is None:
        yield
        return
    times._switch()
    times.seconds.setdefault(name, 0.0)
    times._open.append(name)
    try:
        yield
    finally:
        times._switch()
        times._open.pop()
