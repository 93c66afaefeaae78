"""How long the server waits for slow clients. uvicorn itself waits for ever: for headers, for a body, for a reader."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState


@dataclass(frozen=True, slots=True)
class Patience:
    """What a client must do, and in how many seconds; a socket that doesn't is closed within a second after."""

    head: float = 10.0  # from the first byte of a request, or the connection, to the end of its headers
    window: float = 10.0  # a body, or a reader, must move at least `trickle` bytes in each
    trickle: int = 4096
    max_head: int = 65_536  # bytes of a request's line and headers
    max_fields: int = 100
    max_connections: int = 8192


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with deadlines; `check` is to be called about once a second.

    What it refuses by itself is told in the API's own envelope.
    """

    patience = Patience()
    on_drop: Callable[[str], None] = staticmethod(lambda _why: None)

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._head_since: float | None = self.loop.time()  # None while no headers are awaited
        self._head_bytes = self._fields = self._field_bytes = 0
        self._too_long = False
        self._message_done = True
        self._moved = 0  # bytes of the body in this window
        self._window_since = 0.0
        self._unread = 0  # bytes that the client hadn't taken when the writing window began
        self._unread_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.patience.max_connections:
            self._refuse(503, "Too many connections are open.", "too_many_connections", "connections")

    def data_received(self, data: bytes) -> None:
        if self._head_since is None and self._message_done:
            self._head_since = self.loop.time()  # the first byte of the next request on this connection
        if self._head_since is not None:
            self._head_bytes += len(data)
        else:
            self._moved += len(data)
        super().data_received(data)
        if self._head_since is not None and self._head_bytes > self.patience.max_head:
            self._refuse_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._message_done = False
        self._fields = self._field_bytes = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._fields += 1
        self._count(len(name) + len(value))

    def on_headers_complete(self) -> None:
        self._head_since, self._head_bytes = None, 0
        self._moved, self._window_since = 0, self.loop.time()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._message_done = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._too_long:
            self._refuse_head()
        else:
            self._refuse(400, msg, "invalid_request", "malformed")

    def _refuse_head(self) -> None:
        self._refuse(431, "The request's headers are too large.", "headers_too_large", "head")

    def check(self, now: float) -> None:
        """Closes the connection when its client has been too slow; `now` is the loop's time."""
        if self.transport.is_closing() and not self.transport.get_write_buffer_size():
            return
        if self._reader_stalls(now):
            self._drop("reader")
        elif self._head_since is not None:
            if now - self._head_since > self.patience.head and not self._is_waiting_for_answer():
                self._refuse(408, "The request's headers took too long.", "timeout", "head")
        elif not self._message_done and self._body_stalls(now):
            self._refuse(408, "The request's body took too long.", "timeout", "body")

    def _is_waiting_for_answer(self) -> bool:
        """Whether an earlier request of this connection is being answered, so that the client isn't to blame."""
        return self.cycle is not None and not self.cycle.response_complete

    def _body_stalls(self, now: float) -> bool:
        if self.flow.read_paused or (self.cycle is not None and self.cycle.waiting_for_100_continue):
            self._moved, self._window_since = 0, now  # the client waits for us
            return False
        if now - self._window_since < self.patience.window:
            return False
        # After the answer, what is still sent of the body is thrown away; that is not done for long.
        if self._moved < self.patience.trickle or (self.cycle is not None and self.cycle.response_complete):
            return True
        self._moved, self._window_since = 0, now
        return False

    def _reader_stalls(self, now: float) -> bool:
        """Whether what was written lies here because the client takes too little of it."""
        unread = self.transport.get_write_buffer_size()
        if not unread or not (self.flow.write_paused or self.transport.is_closing()):
            self._unread_since = None
        elif self._unread_since is None or unread <= self._unread - self.patience.trickle or unread > self._unread:
            self._unread, self._unread_since = unread, now
        else:
            return now - self._unread_since > self.patience.window
        return False

    def _count(self, size: int) -> None:
        """Refuses a head that arrives whole and is too long; raising is how a parser's callback stops it."""
        self._field_bytes += size
        self._too_long = self._field_bytes > self.patience.max_head or self._fields > self.patience.max_fields
        if self._too_long:
            raise ValueError("too many or too long headers")

    def _refuse(self, status: int, message: str, code: str, why: str) -> None:
        """Answers by itself when nothing was answered yet, and closes the connection either way."""
        if self.transport.is_closing():
            return
        if self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete:
            self._drop(why)
            return
        fields = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
        body = json.dumps({"error": fields}).encode()
        if self._head_bytes or not self._message_done or status != 408:  # not to one that has said nothing
            self.transport.write(
                STATUS_LINE[status]
                + b"content-type: application/json\r\nconnection: close\r\n"
                + b"content-length: %d\r\n\r\n" % len(body)
                + body
            )
        self.on_drop(why)
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # whatever the application still answers goes nowhere
            self.cycle.message_event.set()
        self.transport.close()

    def _drop(self, why: str) -> None:
        self.on_drop(why)
        self.transport.abort()


def patient_protocol(patience: Patience, on_drop: Callable[[str], None]) -> type[PatientProtocol]:
    """A protocol class with these deadlines, for uvicorn's `http` option."""
    return type("PatientProtocol", (PatientProtocol,), {"patience": patience, "on_drop": staticmethod(on_drop)})
