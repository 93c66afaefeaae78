"""Webhooks on their way out: signed as Standard Webhooks say, tried for three days, one endpoint apart from another.

What is due stands in the database; here are only the attempts under way. A process that dies during one leaves the
delivery due again, so a receiver may see an event twice, with the same `webhook-id`, and never not at all.
"""

from __future__ import annotations

import asyncio
import base64
import email.utils
import hashlib
import hmac
import random
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import ParamSpec, Protocol, TypeVar

import structlog

from daybreak import __version__
from daybreak.database.connect import Database
from daybreak.database.webhooks import (
    Delivery,
    Endpoint,
    claim_due,
    delivered,
    disable_endpoint,
    next_due,
    not_delivered,
)
from daybreak.fetch import FetchPolicy, post_json
from daybreak.server.context import ServerContext

log = structlog.get_logger()

# Seconds from one attempt to the next: 13 attempts over nearly 72 hours. The Standard Webhooks' example has fewer.
GAPS = (5, 30, 300, 1800, 3600, 7200, 14_400, 28_800, 36_000, 43_200, 57_600, 64_800)
JITTER = 0.1  # of a gap, both ways, so that what failed together doesn't come back together
TIMEOUT = 15.0  # seconds for an attempt
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
LEASE = 60.0  # seconds after which an attempt that nobody finished is due again
PER_ENDPOINT = 4  # attempts at once for one endpoint; 1 while it fails
THREADS = 64  # attempts at once: that many dead endpoints hold a thread each, for TIMEOUT
_LONGEST_RETRY_AFTER = 24 * 3600.0  # no receiver may put an event off for longer
_DRAIN = 5.0  # seconds that attempts have to end in when the server stops
_LOOK = 1.0  # seconds between looks for what has become due: also what another process wrote
_BREATH = 0.2  # seconds between looks while what is due has no room

P = ParamSpec("P")
T = TypeVar("T")

Posted = Callable[[str, bytes, Mapping[str, str], float], "Answer"]  # url, body, headers, seconds


class Answer(Protocol):
    """What a receiver said."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...


def policy_of(context: ServerContext) -> FetchPolicy:
    """Where events may go: to public addresses, to hosts that the server's owner named, and to the server's own machine
    while it serves nobody else."""
    policy = context.fetch_policy
    return replace(policy, allow_private=policy.allow_private | LOOPBACK) if context.loopback else policy


def poster(context: ServerContext) -> Posted:
    """How this server sends."""
    policy = policy_of(context)
    return lambda url, body, headers, timeout: post_json(url, body, headers, timeout, policy)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. `status` None: nobody answered. `retry_after` are seconds that the receiver asked for."""

    status: int | None
    error: str | None
    retry_after: float | None = None

    @property
    def delivered(self) -> bool:
        return self.error is None

    @property
    def gone(self) -> bool:
        return self.status == 410


def sign(secret: str, delivery_id: str, timestamp: int, body: bytes) -> str:
    """The signature of one secret, `v1,` and base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join((delivery_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def headers_of(delivery_id: str, body: bytes, secrets: tuple[str, ...], now: float) -> dict[str, str]:
    """The headers of an attempt at `now`: one signature for each secret."""
    timestamp = int(now)
    return {
        "content-type": "application/json",
        "user-agent": f"Daybreak-Webhooks/{__version__}",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(sign(secret, delivery_id, timestamp, body) for secret in secrets),
    }


def next_attempt(attempts: int, now: float, retry_after: float | None, chance: random.Random) -> float | None:
    """When to try again after `attempts` failed ones; None when that was the last."""
    if attempts > len(GAPS):
        return None
    gap = GAPS[attempts - 1] * chance.uniform(1 - JITTER, 1 + JITTER)
    return now + max(gap, min(retry_after or 0.0, _LONGEST_RETRY_AFTER))


def retry_after_seconds(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds of a Retry-After header, which may also be a date; None when there is no sensible one."""
    said = next((value.strip() for name, value in headers.items() if name.lower() == "retry-after"), "")
    if said.isdigit() and len(said) < 10:
        return float(said)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(said).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return None


def attempt(delivery_id: str, body: str, endpoint: Endpoint, now: float, post: Posted) -> Outcome:
    """One attempt. Anything but a 2xx has failed, a redirect too: it would lead signed events elsewhere."""
    content = body.encode()
    headers = headers_of(delivery_id, content, endpoint.secrets_at(now), now)
    try:
        answer = post(endpoint.url, content, headers, TIMEOUT)
    except Exception as error:  # whatever keeps an event from its receiver is this endpoint's trouble alone
        return Outcome(None, f"{type(error).__name__}: {error}"[:500])
    if 200 <= answer.status < 300:
        return Outcome(answer.status, None)
    return Outcome(answer.status, f"answered {answer.status}", retry_after_seconds(answer.headers, now))


def settle(
    db: Database, delivery: Delivery, endpoint: Endpoint, outcome: Outcome, now: float, chance: random.Random
) -> None:
    """Notes how an attempt ended. An endpoint that is gone (410) is disabled."""
    if outcome.delivered:
        delivered(db, delivery.id, outcome.status or 200, now)
        return
    again = None if outcome.gone else next_attempt(delivery.attempts, now, outcome.retry_after, chance)
    not_delivered(db, delivery.id, outcome.status, outcome.error or "", again, now)
    if outcome.gone:
        disable_endpoint(db, endpoint.project_id, endpoint.id, "the endpoint answered 410: it is gone", now)
    log.info(
        "webhook not delivered",
        delivery=delivery.id,
        endpoint=endpoint.id,
        attempts=delivery.attempts,
        why=outcome.error,
        again_in=None if again is None else round(again - now),
    )


class Deliverer:
    """The attempts under way in this process. An endpoint that fails gets one at a time, and never holds up others."""

    def __init__(
        self, db: Database, post: Posted, clock: Callable[[], float], chance: random.Random, threads: int = THREADS
    ) -> None:
        self.db, self.post, self.clock, self.chance = db, post, clock, chance
        self.under_way: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()
        self._failing: set[str] = set()
        self._threads = threads
        # Two more than there are attempts: the book-keeping must not wait for a dead receiver.
        self._pool = ThreadPoolExecutor(threads + 2, "daybreak-webhook")

    async def start_due(self) -> int:
        """How many attempts were begun: all that are due and have room."""
        begun = 0
        while (room := self._threads - len(self.under_way)) > 0:
            full = [name for name, count in self._busy.items() if count >= self._limit(name)]
            claimed = await self._run(claim_due, self.db, self.clock(), LEASE, full, room, 1)
            if not claimed:
                break
            for delivery, endpoint in claimed:
                self._begin(delivery, endpoint)
            begun += len(claimed)
        return begun

    async def settled(self) -> None:
        """Returns when no attempt is under way."""
        while self.under_way:
            await asyncio.wait(set(self.under_way))

    async def run(self, stop: asyncio.Event) -> None:
        """Delivers until `stop`."""
        stopped = asyncio.ensure_future(stop.wait())
        try:
            while not stop.is_set():
                await self.start_due()
                due = await self._run(next_due, self.db)
                pause = _LOOK if due is None else min(_LOOK, max(_BREATH, due - self.clock()))
                await asyncio.wait({stopped, *self.under_way}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            await self._drain()
        finally:
            stopped.cancel()
            self.close()

    async def _drain(self) -> None:
        """Lets the attempts under way end, if they are quick about it: the others are made again after their lease."""
        if self.under_way:
            await asyncio.wait(set(self.under_way), timeout=_DRAIN)

    def close(self) -> None:
        """Starts no attempt any more, and waits for none."""
        for task in self.under_way:
            task.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _limit(self, endpoint_id: str) -> int:
        return 1 if endpoint_id in self._failing else PER_ENDPOINT

    def _begin(self, delivery: Delivery, endpoint: Endpoint) -> None:
        self._busy[endpoint.id] += 1
        task = asyncio.get_running_loop().create_task(self._deliver(delivery, endpoint))
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    async def _deliver(self, delivery: Delivery, endpoint: Endpoint) -> None:
        try:
            outcome = await self._run(attempt, delivery.id, delivery.body, endpoint, self.clock(), self.post)
            if outcome.delivered:
                self._failing.discard(endpoint.id)
            else:
                self._failing.add(endpoint.id)
            await self._run(settle, self.db, delivery, endpoint, outcome, self.clock(), self.chance)
        except Exception:  # it stays claimed and is due again after the lease
            log.exception("webhook attempt not noted", delivery=delivery.id)
        finally:
            self._busy[endpoint.id] -= 1
            if not self._busy[endpoint.id]:
                del self._busy[endpoint.id]

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: work(*args, **kwargs))
