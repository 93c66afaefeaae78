"""One request over one connection, to an address that was checked, within one deadline."""

from __future__ import annotations

import http.client
import queue
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import cast
from urllib.parse import urljoin

from daybreak import __version__
from daybreak.fetch.addresses import FetchPolicy, FetchRefused, Target, check_url, is_address, is_public
from daybreak.fetch.timed import BrokenOff, Deadline, TimedSocket, TooSlow

MOST_ADDRESSES = 8  # of one name that are tried
CONNECT_SECONDS = 10.0
MOST_ANSWER = 64 * 2**10  # bytes of a webhook receiver's answer that are read
PIECE = 64 * 2**10
_REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """What was fetched: its size, and the content type that the server claims, in lower case, "" for none."""

    bytes: int
    content_type: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a webhook's receiver said; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


def fetch_url(url: str, path: Path, *, max_bytes: int, timeout: float, policy: FetchPolicy) -> FetchedFile:
    """Leaves what is at a URL in a file. Raises FetchRefused, or OSError when the file can't be written: none is left.

    `timeout` is in seconds and covers everything, redirects too.
    """
    deadline = Deadline(timeout)
    for _ in range(policy.redirects + 1):
        target = check_url(url, policy)
        with _Request(target, deadline, policy) as request:
            answer = request.send("GET", b"", {"accept": "image/*, video/*, */*;q=0.1"})
            if answer.status not in _REDIRECTS:
                return _save(answer, path, max_bytes)
            url = _redirected(url, answer.headers.get("location"))
    raise FetchRefused(f"it redirects more than {policy.redirects} times")


def post_json(url: str, body: bytes, headers: Mapping[str, str], timeout: float, policy: FetchPolicy) -> Answer:
    """What a receiver answers to a POST of exactly these bytes. Redirects are not followed. Raises FetchRefused."""
    deadline = Deadline(timeout)
    with _Request(check_url(url, policy), deadline, policy) as request:
        answer = request.send("POST", body, {"content-type": "application/json", **_lower(headers)})
        read = 0
        while read < MOST_ANSWER and (piece := answer.read(min(PIECE, MOST_ANSWER - read))):
            read += len(piece)
        return Answer(answer.status, _lower(dict(answer.headers.items())))


class _Request:
    """One request over one connection to an address that was checked."""

    def __init__(self, target: Target, deadline: Deadline, policy: FetchPolicy) -> None:
        self._target, self._deadline, self._policy = target, deadline, policy
        self._connection = http.client.HTTPConnection(target.host, target.port)
        self._socket: TimedSocket | None = None

    def __enter__(self) -> _Request:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if self._socket is not None:
            self._socket.hang_up()
        if isinstance(error, TooSlow):
            raise FetchRefused("it took too long") from error
        if isinstance(error, http.client.HTTPException | BrokenOff):
            raise FetchRefused("the server broke off, or its answer is no HTTP") from error

    def send(self, method: str, body: bytes, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        """The answer, its body unread."""
        connection = self._connection
        # http.client would connect by name; this socket is connected already, to the address that was checked.
        self._socket = TimedSocket(self._connect(), self._deadline)
        connection.sock = cast(socket.socket, self._socket)
        connection.putrequest(method, self._target.path, skip_host=True, skip_accept_encoding=True)
        own = {"host": self._target.header, "accept-encoding": "identity", "connection": "close"}
        if method != "GET":
            own["content-length"] = str(len(body))
        for name, value in ({"user-agent": f"Daybreak/{__version__}"} | dict(headers) | own).items():
            connection.putheader(name, value)
        connection.endheaders(body or None)
        return connection.getresponse()

    def _connect(self) -> socket.socket:
        """A connected socket, with TLS for the target's name where the URL says so."""
        target, connected = self._target, None
        for address in self._addresses()[:MOST_ADDRESSES]:
            try:
                connected = open_connection(address, target.port, min(CONNECT_SECONDS, self._deadline.left()))
                break
            except OSError:
                self._deadline.left()
        if connected is None:
            raise FetchRefused(f"{target.host} cannot be reached")
        if target.scheme == "http":
            return connected
        try:
            connected.settimeout(self._deadline.left())
            return (self._policy.tls or _tls()).wrap_socket(connected, server_hostname=target.host)
        except ssl.SSLCertVerificationError as error:
            connected.close()
            raise FetchRefused(f"{target.host} has no valid certificate") from error
        except OSError as error:
            connected.close()
            self._deadline.left()
            raise FetchRefused(f"{target.host} cannot be reached over TLS") from error

    def _addresses(self) -> list[str]:
        """Where the target's name leads, resolved once. Raises FetchRefused when one of them is not public."""
        target = self._target
        try:
            found = [target.host] if is_address(target.host) else _resolve(self._policy, target, self._deadline)
        except (OSError, UnicodeError) as error:
            raise FetchRefused(f"{target.host} is not known") from error
        addresses = list(dict.fromkeys(found))
        if not addresses:
            raise FetchRefused(f"{target.host} is not known")
        if not self._policy.trusts(target.host, target.port) and not all(map(is_public, addresses)):
            raise FetchRefused(f"{target.host} is not at a public address")
        return addresses


def open_connection(address: str, port: int, timeout: float) -> socket.socket:
    """A socket that is connected to an IP address. Raises OSError."""
    return socket.create_connection((address, port), timeout)


def _resolve(policy: FetchPolicy, target: Target, deadline: Deadline) -> Sequence[str]:
    """The addresses of a name. The system's resolver may take its time, so it is left behind when time is up."""
    answers: queue.SimpleQueue[Sequence[str] | BaseException] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(policy.resolve(target.host, target.port))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True, name="resolve").start()
    try:
        answer = answers.get(timeout=deadline.left())
    except queue.Empty:
        raise TooSlow from None
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _save(answer: http.client.HTTPResponse, path: Path, max_bytes: int) -> FetchedFile:
    """Leaves the body of an answer in a file."""
    if answer.status != 200:
        raise FetchRefused(f"the server answers with status {answer.status}")
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise FetchRefused("the server sends it compressed, which nobody asked for")
    expected = answer.length
    if expected is not None and expected > max_bytes:
        raise FetchRefused(f"it is larger than {max_bytes} bytes")
    size = 0
    try:
        with path.open("wb") as target:
            while piece := answer.read(min(PIECE, max_bytes + 1 - size)):
                size += len(piece)
                if size > max_bytes:
                    raise FetchRefused(f"it is larger than {max_bytes} bytes")
                target.write(piece)
        if not size:
            raise FetchRefused("it is empty")
        if expected is not None and size < expected:
            raise FetchRefused("the server broke off before the end")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return FetchedFile(size, answer.headers.get("content-type", "").partition(";")[0].strip().lower()[:100])


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@lru_cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _redirected(url: str, location: str | None) -> str:
    """Where a redirect leads."""
    try:
        return urljoin(url, location or "")
    except ValueError:
        raise FetchRefused("it redirects to what is no URL") from None
