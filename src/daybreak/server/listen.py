"""The address that a server listens on, and who can reach it."""

from __future__ import annotations

import errno
import ipaddress
import socket

BACKLOG = 2048  # connections that wait to be accepted


class CannotServe(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """The server can't start; the message says why and what to do, in one line."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to a server that listens on `host`."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises CannotServe when the port is in use or the address isn't ours."""
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise CannotServe(f"{host!r} is not an address to listen on: {error.strerror}") from error
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise CannotServe(f"port {port} of {host} is in use: choose another with --port") from error
        raise CannotServe(f"can't listen on {host} port {port}: {error.strerror}") from error
    listener.setblocking(False)
    return listener


def base_url(listener: socket.socket, root_path: str = "") -> str:
    """The base URL that clients of a listening socket use."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    prefix = f"/{root_path.strip('/')}" if root_path.strip("/") else ""
    return f"http://{shown}:{port}{prefix}/v1"
