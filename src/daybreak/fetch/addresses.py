"""Which URLs and which addresses may be used."""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

Resolver = Callable[[str, int], Sequence[str]]  # a host name and a port to addresses; raises OSError

MOST_URL = 8192  # characters
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_PLACE = re.compile(r"(\[[0-9a-f:.]+\]|[^\[\]:@%]+)(:[0-9]{0,5})?", re.IGNORECASE)  # a URL's host and port
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)")
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")  # all that is routed; what maps IPv4 (::ffff:…, 64:ff9b::…) lies outside
_REFUSED = [
    ipaddress.ip_network(text)
    for text in (
        "168.63.129.16/32",  # Azure's own services, at a public address
        "192.0.0.0/24",  # of protocols; clouds use it too
        "192.88.99.0/24",  # 6to4 relays
        "2001::/23",  # Teredo and other tunnels
        "2002::/16",  # 6to4: carries an IPv4 address
        "2001:db8::/32",
        "3fff::/20",
    )
]


class FetchRefused(ValueError):  # noqa: N818 - reads as a sentence where it is raised
    """A URL may not be used, or did not give what it should; the message is one line for whoever named it."""


def system_resolver(host: str, port: int) -> Sequence[str]:
    """The addresses that the system's resolver has for a name. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True)
class FetchPolicy:
    """Where requests may go.

    `allow_private` holds hosts, or `HOST:PORT`, whose address need not be public and whose port is free: the operator's
    own. `resolve` and `tls` are for tests.
    """

    allow_private: frozenset[str] = frozenset()
    ports: frozenset[int] = frozenset({80, 443})
    redirects: int = 5
    resolve: Resolver = system_resolver
    tls: ssl.SSLContext | None = None

    def trusts(self, host: str, port: int) -> bool:
        return host in self.allow_private or f"{host}:{port}" in self.allow_private


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart: `host` without brackets, in lower case; `path` with its query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def header(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"http": 80, "https": 443}[self.scheme] else f"{host}:{self.port}"


def check_url(url: str, policy: FetchPolicy) -> Target:
    """A URL taken apart, without asking anybody where it leads. Raises FetchRefused for one that no policy allows."""
    if len(url) > MOST_URL:
        raise FetchRefused(f"the URL has more than {MOST_URL} characters")
    if any(character <= " " or character in "\\\x7f" for character in url):
        raise FetchRefused("the URL holds spaces, backslashes or control characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise FetchRefused("it is not a URL") from None
    if parts.scheme not in ("http", "https"):
        raise FetchRefused("only http and https URLs can be used")
    if not _PLACE.fullmatch(parts.netloc):
        raise FetchRefused("the URL's host is not written plainly")
    port = port if port is not None else (443 if parts.scheme == "https" else 80)
    host = _check_host(host)
    if port not in policy.ports and not policy.trusts(host, port):
        raise FetchRefused(f"port {port} is not allowed, only {' and '.join(map(str, sorted(policy.ports)))}")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = "?" + quote(parts.query, safe="/?%:@!$&'()*+,;=~-._[]") if parts.query else ""
    return Target(parts.scheme, host, port, path + query)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, and not one that stands for another address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and (ip not in _PUBLIC_V6 or ip.scope_id):
        return False
    refused = any(ip.version == network.version and ip in network for network in _REFUSED)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not refused


def _check_host(host: str) -> str:
    """The host of a URL as it is compared and resolved. Raises FetchRefused for one that is written oddly."""
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            raise FetchRefused("the URL's host is no IPv6 address") from None
    host = host.removesuffix(".")
    if len(host) > 253 or ".." in host or not _HOST.fullmatch(host):
        raise FetchRefused("the URL's host is not a host name: write other alphabets as xn--…")
    if _NUMBER.fullmatch(host.rpartition(".")[2]):  # 0x7f.1, 2130706433, 127.1, 0177.0.0.1: all mean an address
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise FetchRefused("the URL's host is an address that is not written plainly") from None
    return host


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
