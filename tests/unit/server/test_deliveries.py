"""Webhooks on their way out, in virtual time: what is sent, when, to whom, and that nothing holds up anything else."""

from __future__ import annotations

import asyncio
import email.utils
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import patch

import openai
import pytest

from daybreak.database.connect import Database
from daybreak.database.webhooks import (
    Endpoint,
    add_endpoint,
    claim_due,
    get_endpoint,
    list_deliveries,
    next_due,
    replay,
    rotate_secret,
)
from daybreak.fetch import Answer, FetchPolicy, post_json
from daybreak.jobs.outbox import add_event
from daybreak.server.deliveries import (
    GAPS,
    LEASE,
    PER_ENDPOINT,
    Deliverer,
    attempt,
    headers_of,
    next_attempt,
    retry_after_seconds,
)

PROJECT = "proj_default"
HOUR = 3600.0
START = 1_800_000_000.0


@dataclass
class Sent:
    """One attempt as a receiver saw it."""

    url: str
    body: bytes
    headers: dict[str, str]
    at: float


@dataclass
class World:
    """A clock that only moves when told to, and receivers that answer as a script says."""

    db: Database
    now: float = START
    sent: list[Sent] = field(default_factory=list)
    answer: Callable[[Sent], Answer] = lambda _: Answer(200)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def post(self, url: str, body: bytes, headers: Mapping[str, str], _timeout: float) -> Answer:
        with self.lock:
            seen = Sent(url, body, dict(headers), self.now)
            self.sent.append(seen)
        return self.answer(seen)

    def run(self, until: float = START + 80 * HOUR, seed: int = 0) -> None:
        """Delivers everything that becomes due until then, jumping from one moment to the next."""

        async def work() -> None:
            deliverer = Deliverer(self.db, self.post, lambda: self.now, random.Random(seed), threads=8)
            try:
                while True:
                    await deliverer.start_due()
                    await deliverer.settled()
                    due = next_due(self.db)
                    if due is None or due > until:
                        break
                    self.now = max(self.now, due)
            finally:
                deliverer.close()

        asyncio.run(work())


@pytest.fixture
def world(sqlite_db: Database) -> World:
    return World(sqlite_db)


def an_endpoint(world: World, name: str = "mine") -> Endpoint:
    return add_endpoint(world.db, PROJECT, name, f"https://{name}.example/", ["video.completed"], world.now)


def an_event(world: World, subject: str = "video_1") -> None:
    with world.db.write() as connection:
        add_event(connection, PROJECT, "video.completed", subject, world.now)


def unwrap(seen: Sent, secret: str) -> object:
    client = openai.OpenAI(api_key="none", webhook_secret=secret)
    with patch("time.time", return_value=seen.at):  # it refuses what is older than five minutes
        return client.webhooks.unwrap(seen.body.decode(), seen.headers)


def test_the_sdk_accepts_what_is_sent(world: World) -> None:
    mine = an_endpoint(world)
    an_event(world, "video_123")
    world.run()
    [seen] = world.sent
    event = unwrap(seen, mine.secret)
    assert (event.type, event.data.id) == ("video.completed", "video_123")  # type: ignore[attr-defined]
    tampered = Sent(seen.url, seen.body + b" ", seen.headers, seen.at)
    with pytest.raises(openai.InvalidWebhookSignatureError):
        unwrap(tampered, mine.secret)


def test_both_secrets_sign_while_the_old_one_is_kept(world: World) -> None:
    mine = an_endpoint(world)
    rotated = rotate_secret(world.db, PROJECT, mine.id, True, world.now)
    assert rotated is not None
    an_event(world)
    world.run()
    for secret in (mine.secret, rotated.secret):
        unwrap(world.sent[0], secret)
    world.now += 24 * HOUR
    an_event(world)
    world.run(until=world.now)
    with pytest.raises(openai.InvalidWebhookSignatureError, match=r"too new|does not match"):
        unwrap(world.sent[1], mine.secret)
    assert len(world.sent[1].headers["webhook-signature"].split()) == 1


def test_a_dead_receiver_is_tried_for_three_days_with_the_same_body_and_id(world: World) -> None:
    mine = an_endpoint(world)
    world.answer = lambda _: Answer(500)
    an_event(world)
    world.run()
    assert len(world.sent) == len(GAPS) + 1
    assert len({seen.body for seen in world.sent}) == 1
    assert len({seen.headers["webhook-id"] for seen in world.sent}) == 1
    assert [int(seen.headers["webhook-timestamp"]) for seen in world.sent] == [int(seen.at) for seen in world.sent]
    for earlier, later, gap in zip(world.sent, world.sent[1:], GAPS, strict=False):
        assert 0.9 * gap <= later.at - earlier.at <= 1.1 * gap
    [delivery] = list_deliveries(world.db, PROJECT, mine.id)[0]
    assert (delivery.attempts, delivery.next_attempt_at, delivery.last_status) == (len(GAPS) + 1, None, 500)
    assert delivery.exhausted_at is not None


def test_the_schedule_lasts_about_72_hours() -> None:
    assert 71 * HOUR < sum(GAPS) < 73 * HOUR
    assert list(GAPS) == sorted(GAPS)


def test_jitter_spreads_what_failed_together() -> None:
    moments = {next_attempt(3, 0.0, None, random.Random(seed)) for seed in range(50)}
    assert len(moments) == 50
    assert next_attempt(len(GAPS) + 1, 0.0, None, random.Random(0)) is None


def test_a_receiver_that_comes_back_gets_the_event(world: World) -> None:
    mine = an_endpoint(world)
    world.answer = lambda _: Answer(200 if len(world.sent) > 4 else 503)
    an_event(world)
    world.run()
    [delivery] = list_deliveries(world.db, PROJECT, mine.id)[0]
    assert (delivery.attempts, delivery.last_status, delivery.last_error) == (5, 200, None)
    assert delivery.delivered_at == int(world.now)


@pytest.mark.parametrize("status", [301, 307, 400, 404, 429, 504])
def test_only_2xx_is_success_and_a_redirect_is_not_followed(world: World, status: int) -> None:
    mine = an_endpoint(world)
    world.answer = lambda _: Answer(status, {"location": "https://elsewhere.example/"})
    an_event(world)
    world.run(until=world.now)
    assert [seen.url for seen in world.sent] == [mine.url]
    [delivery] = list_deliveries(world.db, PROJECT, mine.id)[0]
    assert (delivery.delivered_at, delivery.last_status, delivery.last_error) == (None, status, f"answered {status}")


def test_410_disables_the_endpoint_and_gives_up_the_rest(world: World) -> None:
    mine = an_endpoint(world)
    world.answer = lambda _: Answer(410)
    an_event(world, "video_1")
    world.run()
    assert len(world.sent) == 1
    endpoint = get_endpoint(world.db, PROJECT, mine.id)
    assert endpoint is not None
    assert endpoint.disabled_at is not None
    an_event(world, "video_2")
    assert next_due(world.db) is None
    assert [delivery.exhausted_at is not None for delivery in list_deliveries(world.db, PROJECT, mine.id)[0]] == [True]


def test_retry_after_is_honoured_where_it_is_longer(world: World) -> None:
    an_endpoint(world)
    world.answer = lambda _: Answer(429, {"retry-after": "600"} if len(world.sent) == 1 else {})
    an_event(world)
    world.run(until=START + 2 * HOUR)
    first, second, third = (seen.at for seen in world.sent[:3])
    assert second - first == 600
    assert 27 <= third - second <= 33


def test_retry_after_may_be_a_date_and_is_bounded() -> None:
    date = email.utils.formatdate(START + 120, usegmt=True)
    assert retry_after_seconds({"Retry-After": date}, START) == 120
    assert retry_after_seconds({"retry-after": "soon"}, START) is None
    assert retry_after_seconds({}, START) is None
    year = next_attempt(1, START, 365 * 24 * HOUR, random.Random(0))
    assert year == START + 24 * HOUR


def test_an_exception_is_a_failed_attempt(world: World) -> None:
    mine = an_endpoint(world)

    def broken(_: Sent) -> Answer:
        raise ConnectionResetError("reset by peer")

    world.answer = broken
    an_event(world)
    world.run(until=world.now)
    [delivery] = list_deliveries(world.db, PROJECT, mine.id)[0]
    assert (delivery.last_status, delivery.last_error) == (None, "ConnectionResetError: reset by peer")


def test_a_dead_endpoint_holds_up_nobody_and_gets_one_attempt_at_a_time(world: World) -> None:
    dead, alive = an_endpoint(world, "dead"), an_endpoint(world, "alive")
    release = threading.Event()
    hanging = []

    def answer(seen: Sent) -> Answer:
        if seen.url == dead.url:
            hanging.append(seen)
            release.wait(10)
            return Answer(500)
        return Answer(200)

    world.answer = answer
    for number in range(20):
        an_event(world, f"video_{number}")

    async def work() -> None:
        deliverer = Deliverer(world.db, world.post, lambda: world.now, random.Random(0), threads=32)
        while len(list_deliveries(world.db, PROJECT, alive.id, limit=100)[0]) > len(
            [
                delivery
                for delivery in list_deliveries(world.db, PROJECT, alive.id, limit=100)[0]
                if delivery.delivered_at
            ]
        ):
            await deliverer.start_due()
            await asyncio.wait(deliverer.under_way, return_when=asyncio.FIRST_COMPLETED)
        assert len(hanging) == PER_ENDPOINT  # all that it ever held
        release.set()
        await deliverer.settled()
        release.clear()
        await deliverer.start_due()  # it has failed: from now on one at a time
        assert [task for task in deliverer.under_way if not task.done()]
        assert len(deliverer.under_way) == 1
        release.set()
        await deliverer.settled()
        deliverer.close()

    asyncio.run(work())


def test_an_attempt_that_was_cut_short_is_made_again_after_its_lease(world: World) -> None:
    mine = an_endpoint(world)
    an_event(world)
    claim_due(world.db, world.now, LEASE)  # by a process that then dies
    world.run(until=world.now + LEASE - 1)
    assert world.sent == []
    world.now = START + LEASE
    world.run()
    [delivery] = list_deliveries(world.db, PROJECT, mine.id)[0]
    assert (len(world.sent), delivery.attempts, delivery.last_status) == (1, 2, 200)


def test_a_replay_has_the_id_and_body_of_the_first_time(world: World) -> None:
    mine = an_endpoint(world)
    an_event(world)
    world.run()
    [delivery] = list_deliveries(world.db, PROJECT, mine.id)[0]
    replay(world.db, PROJECT, mine.id, delivery.id, world.now)
    world.run()
    first, second = world.sent
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])


def test_a_receiver_that_fails_half_the_time_still_hears_of_everything_exactly(world: World) -> None:
    mine = an_endpoint(world)
    chance, good = random.Random(7), []

    def answer(seen: Sent) -> Answer:
        with world.lock:
            status = chance.choice([200, 500, 302])
            if status == 200:
                good.append(seen)
            return Answer(status)

    world.answer = answer
    for number in range(25):
        an_event(world, f"video_{number}")
    world.run()
    assert len({seen.headers["webhook-id"] for seen in good}) == 25 == len(good)
    bodies: dict[str, set[bytes]] = {}
    for seen in world.sent:
        bodies.setdefault(seen.headers["webhook-id"], set()).add(seen.body)
    assert {len(same) for same in bodies.values()} == {1}
    assert len(list_deliveries(world.db, PROJECT, mine.id, limit=100)[0]) == 25


def test_over_a_real_connection_the_receiver_gets_the_signed_bytes(world: World) -> None:
    got: list[Sent] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append(Sent(self.path, body, {name.lower(): value for name, value in self.headers.items()}, world.now))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/hook"
        mine = add_endpoint(world.db, PROJECT, "local", url, ["video.completed"], world.now)
        policy = FetchPolicy(allow_private=frozenset({"127.0.0.1"}))
        an_event(world, "video_9")
        [(delivery, _)] = claim_due(world.db, world.now, LEASE)
        outcome = attempt(delivery.id, delivery.body, mine, world.now, lambda u, b, h, t: post_json(u, b, h, t, policy))
        refused = attempt(
            delivery.id, delivery.body, mine, world.now, lambda u, b, h, t: post_json(u, b, h, t, FetchPolicy())
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (outcome.status, outcome.delivered) == (204, True)
    assert (refused.status, refused.delivered) == (None, False)
    [seen] = got
    assert seen.headers["content-type"] == "application/json"
    assert unwrap(seen, mine.secret).data.id == "video_9"  # type: ignore[attr-defined]


def test_headers_name_the_moment_in_whole_seconds() -> None:
    headers = headers_of("wh_1", b"{}", ("whsec_" + "A" * 32,), 1234.9)
    assert headers["webhook-timestamp"] == "1234"
