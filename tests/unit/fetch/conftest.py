"""A server on loopback that says exactly what a test wants, byte for byte."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from daybreak.fetch import FetchPolicy

CERTIFICATE = Path(__file__).with_name("certificate.pem")
Talk = Callable[[socket.socket], None]  # what the server does with a connection whose request head it has read


class Server:
    """Answers each connection by the next of `talks`, the last for ever; `requests` holds what was asked."""

    def __init__(self, *talks: bytes | Talk, tls: bool = False) -> None:
        self.requests: list[bytes] = []
        self.names: list[str | None] = []  # that TLS clients asked for
        self.connections = 0
        self._talks = talks
        self._context = self._make_context() if tls else None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def url(self, path: str = "/a.png", host: str = "media.test", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def policy(self, *hosts: str, **options: object) -> FetchPolicy:
        """One that trusts `media.test` and `hosts`, all of which are here."""
        trusted = frozenset({"media.test", *hosts})
        return FetchPolicy(trusted, resolve=lambda _host, _port: ["127.0.0.1"], **options)  # type: ignore[arg-type]

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()
        self._thread.join()

    def _make_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        return context

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        talk = self._talks[min(self.connections, len(self._talks)) - 1]
        with suppress(OSError):
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            head = b""
            while b"\r\n\r\n" not in head and (piece := connection.recv(65536)):
                head += piece
            length = next((int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"content-length: ")), 0)
            while len(head.partition(b"\r\n\r\n")[2]) < length and (piece := connection.recv(65536)):
                head += piece
            self.requests.append(head)
            if isinstance(talk, bytes):
                connection.sendall(talk)
                connection.shutdown(socket.SHUT_RDWR)
            else:
                talk(connection)
        with suppress(OSError):
            connection.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts servers; they end with the test."""
    servers: list[Server] = []

    def start(*talks: bytes | Talk, tls: bool = False) -> Server:
        servers.append(Server(*talks, tls=tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
