"""Clients that are too slow, too long or too many, over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import Server

from daybreak.server.patience import Patience, PatientProtocol, patient_protocol

PATIENCE = Patience(head=0.3, window=0.3, trickle=1000, max_head=2000, max_fields=20, max_connections=8)
GOOD = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = 32 * 2**20  # bytes: more than the sockets' buffers hold


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Reads the whole body, and answers `/large` with many bytes."""
    assert scope["type"] == "http"
    size = 0
    while scope["path"] != "/unread":
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message["body"])
        if not message["more_body"]:
            break
    length = LARGE if scope["path"] == "/large" else len(str(size))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % length)]})
    if scope["path"] == "/large":
        for _ in range(LARGE // 2**18):
            await send({"type": "http.response.body", "body": bytes(2**18), "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    else:
        await send({"type": "http.response.body", "body": str(size).encode()})


class Often(Server):
    async def on_tick(self, counter: int) -> bool:
        for connection in list(self.server_state.connections):
            assert isinstance(connection, PatientProtocol)
            connection.check(asyncio.get_running_loop().time())
        return await super().on_tick(counter)


@pytest.fixture(scope="module")
def dropped() -> list[str]:
    return []


@pytest.fixture(scope="module")
def port(dropped: list[str]) -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    protocol = patient_protocol(PATIENCE, dropped.append)
    server = Often(Config(app, http=protocol, ws="none", lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()
    listener.close()


def until_closed(connection: socket.socket) -> bytes:
    got = b""
    try:
        while piece := connection.recv(2**16):
            got += piece
    except ConnectionResetError:
        pass
    return got


def exchange(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """What the server says to pieces that are sent with pauses, until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
                if pause:
                    threading.Event().wait(pause)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return until_closed(connection)


def refused(answer: bytes, status: int) -> str:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    assert b"connection: close" in head
    return str(json.loads(body)["error"]["code"])


def test_a_client_that_says_nothing_is_let_go(port: int, dropped: list[str]) -> None:
    assert exchange(port) == b""
    assert dropped[-1] == "head"


def test_headers_that_trickle_time_out(port: int) -> None:
    answer = exchange(port, *[b"G", b"E", b"T", b" ", b"/", b" "] * 3, pause=0.1)
    assert refused(answer, 408) == "timeout"


def test_a_body_that_trickles_times_out(port: int, dropped: list[str]) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
    assert refused(exchange(port, head, *[b"x"] * 12, pause=0.1), 408) == "timeout"
    assert dropped[-1] == "body"


def test_a_slow_body_that_moves_is_read_to_its_end(port: int) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000\r\nConnection: close\r\n\r\n"
    answer = exchange(port, head, *[b"x" * 800] * 10, pause=0.08)
    assert answer.endswith(b"\r\n\r\n8000")


def test_a_reader_that_takes_nothing_is_let_go(port: int, dropped: list[str]) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        before = len(dropped)
        while len(dropped) == before:
            threading.Event().wait(0.05)
        assert dropped[-1] == "reader"
        assert len(until_closed(connection)) < LARGE


def test_a_body_that_nobody_reads_is_not_taken_for_long(port: int, dropped: list[str]) -> None:
    head = b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"
    answer = exchange(port, head, *[b"x" * 2000] * 12, pause=0.1)
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 3000 + b"\r\n\r\n",
        b"GET /" + b"y" * 3000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"X%d: y\r\n" % number for number in range(40)) + b"\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 100_000,
    ],
)
def test_long_heads_are_refused(port: int, head: bytes) -> None:
    assert refused(exchange(port, head), 431) == "headers_too_large"


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused_in_the_envelope(port: int, raw: bytes) -> None:
    assert refused(exchange(port, raw), 400) == "invalid_request"


def test_good_requests_share_a_connection(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        for _ in range(3):
            connection.sendall(GOOD)
            assert connection.recv(2**16).endswith(b"\r\n\r\n0")


def test_there_are_only_so_many_connections(port: int) -> None:
    held = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(PATIENCE.max_connections)]
    try:
        assert refused(exchange(port), 503) == "too_many_connections"
    finally:
        for connection in held:
            connection.close()
