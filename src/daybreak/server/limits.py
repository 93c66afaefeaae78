"""Bounds on what one client may take: requests a minute, and connections that stay open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_MAX_BUCKETS = 10_000  # projects remembered; a forgotten one starts with a full bucket again


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a token bucket said: whether the request may go on, and what the client should know."""

    allowed: bool
    limit: int
    remaining: int
    reset_after: float  # seconds until the bucket is full again
    retry_after: float  # seconds until the next request is let in; 0 when this one was

    def headers(self) -> dict[str, str]:
        """The x-ratelimit headers as OpenAI sends them."""
        return {
            "x-ratelimit-limit-requests": str(self.limit),
            "x-ratelimit-remaining-requests": str(self.remaining),
            "x-ratelimit-reset-requests": f"{self.reset_after:.3f}s",
        }


class RateLimiter:
    """A token bucket for each name: `per_minute` requests at once, and as many again every minute."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._buckets: dict[str, tuple[float, float]] = {}  # tokens left, and when that was

    def take(self, name: str, now: float) -> Allowance | None:
        """Takes one request's token; None where there is no limit. `now` is in seconds of any steady clock."""
        if self.per_minute <= 0:
            return None
        rate = self.per_minute / 60
        tokens, since = self._buckets.pop(name, (float(self.per_minute), now))
        tokens = min(self.per_minute, tokens + max(0.0, now - since) * rate)
        allowed = tokens >= 1
        tokens -= allowed
        self._buckets[name] = (tokens, now)
        if len(self._buckets) > _MAX_BUCKETS:
            del self._buckets[next(iter(self._buckets))]  # the one that was used longest ago
        return Allowance(
            allowed,
            self.per_minute,
            int(tokens),
            (self.per_minute - tokens) / rate,
            0.0 if allowed else (1 - tokens) / rate,
        )


class Full(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """All seats are taken."""


class Seats:
    """A fixed number of places, and a smaller number for each name."""

    def __init__(self, total: int, each: int) -> None:
        self._total, self._each = total, each
        self._taken: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        return self._taken.total()

    @contextmanager
    def seat(self, name: str) -> Iterator[None]:
        """Holds a place. Raises Full when there is none."""
        if self.taken >= self._total or self._taken[name] >= self._each:
            raise Full
        self._taken[name] += 1
        try:
            yield
        finally:
            self._taken[name] -= 1
            if not self._taken[name]:
                del self._taken[name]
