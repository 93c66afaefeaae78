from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from daybreak.fetch import FetchedFile, FetchPolicy, FetchRefused, fetch_url, post_json, requests

CERTIFICATE = Path(__file__).with_name("certificate.pem")
PICTURE = bytes(range(256)) * 300
OK = b"HTTP/1.1 200 OK\r\nContent-Type: Image/PNG; charset=x\r\n"
WHOLE = OK + b"Content-Length: %d\r\n\r\n" % len(PICTURE) + PICTURE
Serve = Callable[..., Any]


def fetch(url: str, path: Path, policy: FetchPolicy, max_bytes: int = 100_000, timeout: float = 20.0) -> FetchedFile:
    return fetch_url(url, path / "fetched", max_bytes=max_bytes, timeout=timeout, policy=policy)


def ask(use: str, url: str, path: Path, policy: FetchPolicy, timeout: float) -> object:
    if use == "post":
        return post_json(url, b"{}", {}, timeout, policy)
    return fetch(url, path, policy, timeout=timeout)


def redirect(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    yield
    if "refused" in request.node.name:
        assert not (tmp_path / "fetched").exists()


@pytest.mark.parametrize("length", [b"Content-Length: %d\r\n" % len(PICTURE), b"", b"Transfer-Encoding: chunked\r\n"])
def test_what_is_there_is_fetched(length: bytes, serve: Serve, tmp_path: Path) -> None:
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(PICTURE), PICTURE) if b"chunked" in length else PICTURE
    server = serve(OK + length + b"\r\n" + body)
    fetched = fetch(server.url("/a/b.png?c=d#e"), tmp_path, server.policy())
    assert fetched == FetchedFile(len(PICTURE), "image/png")
    assert (tmp_path / "fetched").read_bytes() == PICTURE
    first, *headers = server.requests[0].decode().rstrip().split("\r\n")
    assert first == "GET /a/b.png?c=d HTTP/1.1"
    assert f"host: media.test:{server.port}" in headers
    assert "accept-encoding: identity" in headers
    assert not any(header.lower().startswith(("cookie", "authorization", "referer")) for header in headers)


def test_no_proxy_is_asked(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server, proxy = serve(WHOLE), serve(WHOLE)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    fetch(server.url(), tmp_path, server.policy())
    assert (server.connections, proxy.connections) == (1, 0)


def test_redirects_are_followed(serve: Serve, tmp_path: Path) -> None:
    server = serve(redirect("/b.png", 301), redirect("c.png?d", 307), redirect("//other.test:{port}/e", 308), WHOLE)
    server._talks = tuple(talk.replace(b"{port}", b"%d" % server.port) for talk in server._talks)
    fetch(server.url("/a/a.png"), tmp_path, server.policy("other.test"))
    asked = [request.split(b" ")[1] for request in server.requests]
    assert asked == [b"/a/a.png", b"/b.png", b"/c.png?d", b"/e"]
    assert f"host: other.test:{server.port}".encode() in server.requests[-1]


def test_endless_redirects_are_refused(serve: Serve, tmp_path: Path) -> None:
    server = serve(redirect("/a.png"))
    with pytest.raises(FetchRefused, match="more than 5 times"):
        fetch(server.url(), tmp_path, server.policy())
    assert server.connections == 6


FORBIDDEN = [
    *("http://127.0.0.1:{port}/", "http://127.0.0.1/", "http://localhost/", "http://localhost.:80/", "http://0/"),
    *("http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[64:ff9b::7f00:1]/"),
    *("http://[2002:7f00:1::]/", "http://[fd00:ec2::254]/", "http://[fe80::1]/", "http://[::]/"),
    *("http://169.254.169.254/latest/meta-data/", "http://metadata.google.internal/", "http://100.100.100.200/"),
    *("http://10.0.0.1/", "https://192.168.1.1/", "http://172.16.0.1/", "http://100.64.0.1/", "http://224.0.0.1/"),
    *("http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/", "http://168.63.129.16/"),
    *("file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:6379/_x", "http://a@127.0.0.1/", "http://a:22/"),
    *("//127.0.0.1:{port}/", "http://[::1", "\\\\127.0.0.1\\a", "http://mixed.test/"),
]


def resolver(host: str, _port: int) -> Sequence[str]:
    known = {
        "localhost": ["::1", "127.0.0.1"],
        "metadata.google.internal": ["169.254.169.254"],
        "mixed.test": ["93.184.216.34", "10.0.0.1"],
        "inside.test": ["10.0.0.1"],
        "six.test": ["2606:4700::1", "fd00::1"],
        "mapped.test": ["::ffff:10.0.0.1"],
        "link.test": ["fe80::1%eth0"],
        "odd.test": ["not an address"],
    }
    return known.get(host, ["127.0.0.1"])


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that connections were opened to; the first is opened, no other."""
    opened: list[str] = []
    real = requests.open_connection

    def open_connection(address: str, port: int, timeout: float) -> socket.socket:
        opened.append(address)
        assert len(opened) == 1
        return real(address, port, timeout)

    monkeypatch.setattr(requests, "open_connection", open_connection)
    return opened


@pytest.mark.parametrize("location", FORBIDDEN)
def test_a_redirect_to_the_inside_is_refused(location: str, serve: Serve, tmp_path: Path, connected: list[str]) -> None:
    server = serve(b"")
    server._talks = (redirect(location.replace("{port}", str(server.port))),)
    policy = FetchPolicy(frozenset({f"media.test:{server.port}"}), resolve=resolver)
    with pytest.raises(FetchRefused):
        fetch(server.url(), tmp_path, policy)
    assert connected == ["127.0.0.1"]  # that of the server that redirects


@pytest.mark.parametrize("url", [url.replace("{port}", "80") for url in FORBIDDEN])
@pytest.mark.parametrize("use", ["fetch", "post"])
def test_the_inside_is_refused(url: str, use: str, tmp_path: Path, connected: list[str]) -> None:
    policy = FetchPolicy(resolve=resolver)
    with pytest.raises(FetchRefused) as caught:
        ask(use, url, tmp_path, policy, 5.0)
    assert connected == []
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "mixed.test", "inside.test", "six.test", "mapped.test", "link.test"])
def test_a_name_with_one_address_inside_is_refused(host: str, tmp_path: Path, connected: list[str]) -> None:
    with pytest.raises(FetchRefused, match="is not at a public address"):
        fetch(f"http://{host}/", tmp_path, FetchPolicy(resolve=resolver))
    assert connected == []


def test_a_name_that_changes_its_address_gains_nothing(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when it is checked, loopback whenever somebody asks again."""
    server = serve(redirect("/again"), WHOLE)
    answers, asked, opened = [["93.184.216.34"], ["127.0.0.1"]], [], []

    def rebind(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return answers[min(len(asked), 2) - 1]

    def open_connection(address: str, port: int, timeout: float) -> socket.socket:
        opened.append((address, port))
        return socket.create_connection(("127.0.0.1", server.port), timeout)

    monkeypatch.setattr(requests, "open_connection", open_connection)
    with pytest.raises(FetchRefused, match=r"rebind\.test is not at a public address"):
        fetch("http://rebind.test/a.png", tmp_path, FetchPolicy(resolve=rebind))
    assert opened == [("93.184.216.34", 80)]  # what was checked, although the name had changed by then
    assert asked == ["rebind.test"] * 2  # once for each URL
    assert b"\r\nhost: rebind.test\r\n" in server.requests[0]


def test_trust_in_one_port_is_not_trust_in_another(serve: Serve, tmp_path: Path) -> None:
    trusted, other = serve(WHOLE), serve(WHOLE)
    policy = FetchPolicy(frozenset({f"127.0.0.1:{trusted.port}"}))
    fetch(trusted.url(host="127.0.0.1"), tmp_path, policy)
    with pytest.raises(FetchRefused, match="port"):
        fetch(other.url(host="127.0.0.1"), tmp_path / "other", policy)
    assert other.connections == 0


def test_the_second_address_is_tried_when_the_first_does_not_answer(serve: Serve, tmp_path: Path) -> None:
    server = serve(WHOLE)
    policy = FetchPolicy(frozenset({"media.test"}), resolve=lambda _host, _port: ["127.0.0.9", "127.0.0.1"])
    assert fetch(server.url(), tmp_path, policy).bytes == len(PICTURE)


@pytest.mark.parametrize("answer", [OSError("no such name"), UnicodeError("label too long"), []])
def test_an_unknown_name_is_refused(answer: Any, tmp_path: Path) -> None:
    def resolve(_host: str, _port: int) -> Sequence[str]:
        if isinstance(answer, Exception):
            raise answer
        return list(answer)

    with pytest.raises(FetchRefused, match=r"nowhere\.test is not known"):
        fetch("http://nowhere.test/", tmp_path, FetchPolicy(resolve=resolve))


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BROKEN = {
    "it is larger": [
        OK + b"Content-Length: 100001\r\n\r\n",
        OK + b"Content-Length: 99999999999999999999\r\n\r\n",
        OK + b"\r\n" + bytes(100_001),
        CHUNKED + b"186a1\r\n" + bytes(100_001) + b"\r\n0\r\n\r\n",
    ],
    "it is empty": [OK + b"\r\n", OK + b"Content-Length: 0\r\n\r\n", CHUNKED + b"0\r\n\r\n"],
    "before the end": [OK + b"Content-Length: 100\r\n\r\nhalf"],
    "the server broke off, or its answer is no HTTP": [
        b"",
        b"garbage\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 2000000 OK\r\n\r\n",
        b"HTTP/1.1 x OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\nx",
        b"HTTP/1.1 200 " + b"a" * 70_000,
        OK + b"a: b\r\n" * 101 + b"\r\nx",
        OK + b"a: " + b"b" * 70_000 + b"\r\n\r\nx",
        CHUNKED + b"zz\r\nx",
        CHUNKED + b"-5\r\nx",
        CHUNKED + b"-1\r\nx",
        CHUNKED + b"5\r\nx",
    ],
    "with status 404": [b"HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx"],
    "with status 206": [b"HTTP/1.1 206 Partial Content\r\nContent-Length: 1\r\n\r\nx"],
    "with status 304": [b"HTTP/1.1 304 Not Modified\r\n\r\n"],
    "with status 500": [b"HTTP/1.1 500 Oops\r\nContent-Length: 1\r\n\r\nx"],
    "with status 101": [b"HTTP/1.1 101 Switching Protocols\r\n\r\nx"],
    "compressed": [OK + b"Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"],
    "more than 5 times": [b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"],
}


@pytest.mark.parametrize(
    ("message", "answer"), [(said, answer) for said, answers in BROKEN.items() for answer in answers]
)
def test_an_answer_that_is_no_file_is_refused(message: str, answer: bytes, serve: Serve, tmp_path: Path) -> None:
    server = serve(answer)
    with pytest.raises(FetchRefused, match=message):
        fetch(server.url(), tmp_path, server.policy())


def test_a_file_of_exactly_the_limit_is_taken(serve: Serve, tmp_path: Path) -> None:
    for head in (OK + b"Content-Length: 100000\r\n\r\n", OK + b"\r\n"):
        server = serve(head + bytes(100_000))
        assert fetch(server.url(), tmp_path, server.policy()).bytes == 100_000


def drip(first: bytes, again: bytes) -> Callable[[socket.socket], None]:
    """Sends a little of what never ends, for ever."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(first)
        while True:
            connection.sendall(again)
            threading.Event().wait(0.02)

    return talk


@pytest.mark.parametrize("use", ["fetch", "post"])
@pytest.mark.parametrize(
    ("first", "again"),
    [
        (b"", b""),  # silence
        (b"HTTP/1.1 200 O", b"K"),
        (OK + b"X: ", b"y"),
        (OK + b"Content-Length: 99999\r\n\r\n", b"z"),
        (CHUNKED, b"1\r\nz\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_a_server_that_drips_is_refused_in_time(
    first: bytes, again: bytes, use: str, serve: Serve, tmp_path: Path
) -> None:
    server = serve(drip(first, again))
    with pytest.raises(FetchRefused, match="it took too long"):
        ask(use, server.url(), tmp_path, server.policy(), 0.3)


def test_a_resolver_that_hangs_is_refused_in_time(tmp_path: Path) -> None:
    released = threading.Event()

    def resolve(_host: str, _port: int) -> Sequence[str]:
        released.wait()
        return []

    with pytest.raises(FetchRefused, match="it took too long"):
        fetch("http://slow.test/", tmp_path, FetchPolicy(resolve=resolve), timeout=0.1)
    released.set()


def test_tls_asks_for_the_name_and_checks_it(serve: Serve, tmp_path: Path) -> None:
    server = serve(WHOLE, tls=True)
    trusting = ssl.create_default_context(cafile=str(CERTIFICATE))
    url = server.url(scheme="https")
    assert fetch(url, tmp_path, server.policy(tls=trusting)).bytes == len(PICTURE)
    assert server.names == ["media.test"]
    assert f"host: media.test:{server.port}".encode() in server.requests[0]
    (tmp_path / "fetched").unlink()
    for refused, policy in (
        (server.url(scheme="https", host="other.test"), server.policy("other.test", tls=trusting)),
        (server.url(scheme="https", host="127.0.0.1"), server.policy("127.0.0.1", tls=trusting)),
        (url, server.policy()),
    ):
        with pytest.raises(FetchRefused, match="has no valid certificate"):
            fetch(refused, tmp_path, policy)


@pytest.mark.parametrize("talk", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_a_server_that_speaks_no_tls_is_refused(talk: bytes, serve: Serve, tmp_path: Path) -> None:
    server = serve(talk)
    with pytest.raises(FetchRefused, match=r"cannot be reached over TLS|took too long"):
        fetch(server.url(scheme="https"), tmp_path, server.policy(), timeout=0.5)


def test_a_post_sends_exactly_these_bytes_and_headers(serve: Serve) -> None:
    server = serve(b"HTTP/1.1 202 Accepted\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nok")
    body = '{"prompt":"ü"}'.encode()
    answer = post_json(server.url("/hook?a=b"), body, {"Webhook-Id": "wh_1", "User-Agent": "D"}, 5.0, server.policy())
    assert (answer.status, answer.headers["retry-after"]) == (202, "7")
    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert sent == body
    first, *headers = head.decode().split("\r\n")
    assert first == "POST /hook?a=b HTTP/1.1"
    assert {"webhook-id: wh_1", "user-agent: D", "content-type: application/json"} < set(headers)
    assert f"content-length: {len(body)}" in headers
    assert len({header.partition(":")[0] for header in headers}) == len(headers)


def test_a_post_follows_no_redirect(serve: Serve) -> None:
    server = serve(redirect("http://169.254.169.254/", 307))
    assert post_json(server.url(), b"{}", {}, 5.0, server.policy()).status == 307
    assert server.connections == 1


def test_a_post_reads_little_of_a_long_answer(serve: Serve) -> None:
    sent = 0

    def talk(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(100):
            sent += connection.send(bytes(1_000_000))

    server = serve(talk)
    assert post_json(server.url(), b"{}", {}, 20.0, server.policy()).status == 200
    assert sent < 50_000_000


def test_a_full_disk_is_not_taken_for_the_server(serve: Serve, tmp_path: Path) -> None:
    server = serve(WHOLE)
    with pytest.raises(FileNotFoundError):
        fetch(server.url(), tmp_path / "nowhere", server.policy())
