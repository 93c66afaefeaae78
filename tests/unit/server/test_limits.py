from __future__ import annotations

import pytest

from daybreak.server.limits import Full, RateLimiter, Seats


def test_a_bucket_empties_and_fills_again() -> None:
    limiter = RateLimiter(60)
    for left in range(59, -1, -1):
        allowance = limiter.take("a", 100.0)
        assert allowance is not None
        assert (allowance.allowed, allowance.remaining) == (True, left)
    refused = limiter.take("a", 100.25)
    assert refused is not None
    assert (refused.allowed, refused.remaining) == (False, 0)
    assert refused.retry_after == pytest.approx(0.75)
    assert refused.headers() == {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "59.750s",
    }
    again = limiter.take("a", 101.0)
    assert again is not None
    assert again.allowed
    other = limiter.take("b", 101.0)
    assert other is not None
    assert other.remaining == 59


def test_without_a_limit_nothing_is_counted() -> None:
    assert RateLimiter(0).take("a", 1.0) is None


def test_a_clock_that_goes_back_gives_no_tokens() -> None:
    limiter = RateLimiter(1)
    limiter.take("a", 1000.0)
    refused = limiter.take("a", 0.0)
    assert refused is not None
    assert not refused.allowed


def test_seats_are_bounded_in_all_and_for_each() -> None:
    seats = Seats(3, 2)
    with seats.seat("a"), seats.seat("a"):
        with pytest.raises(Full), seats.seat("a"):
            pass
        with seats.seat("b"):
            assert seats.taken == 3
            with pytest.raises(Full), seats.seat("c"):
                pass
    assert seats.taken == 0
