"""A socket whose every operation ends at one moment, however slowly its peer drips."""

from __future__ import annotations

import io
import socket
import time
from typing import Any


class TooSlow(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """The time for a whole request is over."""


class BrokenOff(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """A connection failed. It is no OSError, so that it is not taken for one of the file that is being written."""


class Deadline:
    """A moment that is so many seconds from now."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds until then, more than 0. Raises TooSlow."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TooSlow
        return left


class TimedSocket(io.RawIOBase):
    """As much of a connected socket as http.client uses. Raises TooSlow after the deadline, BrokenOff.

    http.client closes a socket while it still reads from the file that it made of it, so only `hang_up` closes.
    """

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._connected, self._deadline = connected, deadline

    def sendall(self, content: bytes) -> None:
        try:
            self._connected.settimeout(self._deadline.left())
            self._connected.sendall(content)
        except TimeoutError:
            raise TooSlow from None
        except OSError as error:
            raise BrokenOff(str(error)) from error

    def makefile(self, _mode: str) -> io.BufferedReader:
        return _Reader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            self._connected.settimeout(self._deadline.left())
            return self._connected.recv_into(buffer)
        except TimeoutError:
            raise TooSlow from None
        except OSError as error:
            raise BrokenOff(str(error)) from error

    def close(self) -> None:
        """Does nothing: see above."""

    def hang_up(self) -> None:
        self._connected.close()


class _Reader(io.BufferedReader):
    """A reader that never reads "all there is": http.client asks for that when a chunk claims a size below 0."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            raise BrokenOff("a chunk of negative size")
        return super().read(size)
