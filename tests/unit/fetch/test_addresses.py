from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.fetch import FetchPolicy, FetchRefused, check_url, is_public
from daybreak.fetch.addresses import Target

POLICY = FetchPolicy()


def words(text: str) -> list[str]:
    return text.split()


NOT_PUBLIC = words("""
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.1.2.3
127.255.255.255 168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1
192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1
224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::7f00:1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1
::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::7f00:1 100::1 2001::1 2001:0:7f00:1::1
2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::1 2002:808:808::1 3fff::1 5f00::1 fc00::1 fd00::1 fd00:ec2::254
fe80::1 fe80::1%eth0 fec0::1 ff02::1 ff0e::1 2606:4700::1111%1
""")
PUBLIC = words("""
1.1.1.1 8.8.8.8 93.184.216.34 172.15.255.255 172.32.0.1 100.63.255.255 100.128.0.1 198.17.255.255 9.9.9.9
2606:4700:4700::1111 2001:4860:4860::8888 2a00:1450::1
""")


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_of_the_open_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_open_internet(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", ["", "localhost", "1", "8.8.8", "8.8.8.8/32", "0x8.8.8.8", "08.8.8.8", " 8.8.8.8"])
def test_what_is_no_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses())
def test_nothing_that_the_registries_call_special_is_public(address: ipaddress.IPv4Address) -> None:
    if is_public(str(address)):
        assert address.is_global
        assert not address.is_private | address.is_loopback | address.is_link_local | address.is_multicast


# Each way of writing an address that some resolver would take, and hosts that hide one.
ODD_HOSTS = words("""
2130706433 0x7f000001 0x7F.0.0.1 0x7f.1 0177.0.0.1 017700000001 127.1 127.0.1 127.0x0.0.1 0 0x0 00 127.0.0.01 0x
127.0.0.0x1 127.0.0.1.1 1.2.3.4.5 256.0.0.1 127.0.0.256 4294967296 0xa9fea9fe 0xa9.254.169.254 2852039166
0251.0376.0251.0376 127%2e0%2e0%2e1 %31%32%37.0.0.1 localhost%00.example.com 127.0.0.1%00 a..b .a a- -a
user@127.0.0.1 user:pass@example.com example.com@127.0.0.1 example.com%40127.0.0.1 a@b@c ①②⑦.⓪.⓪.① １２７.0.0.1
127。0。0。1 ⓛocalhost.example ex𝐚mple.com [::1 ::1] [::1]x [fe80::1%25eth0] [fe80::1%eth0] [v1.a] [127.0.0.1] []
[::ffff:127.0.0.1.] [1]
""")


@pytest.mark.parametrize("host", ODD_HOSTS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_host_that_is_written_oddly_is_refused_before_anybody_is_asked(scheme: str, host: str) -> None:
    with pytest.raises(FetchRefused) as caught:
        check_url(f"{scheme}://{host}/a.png", POLICY)
    assert "\n" not in str(caught.value)
    assert not str(caught.value).endswith(".")


ODD_URLS = [
    "",
    "a.png",
    "/a.png",
    "//example.com/a.png",
    "example.com/a.png",
    "http:",
    "http:/example.com",
    "http:example.com",
    "http://",
    "http:///a.png",
    "file:///etc/passwd",
    "ftp://example.com/a.png",
    "gopher://127.0.0.1:6379/_x",
    "dict://127.0.0.1:11211/",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "jar:http://example.com!/",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "\\\\127.0.0.1\\a",
    "http:\\\\example.com",
    "http://example.com\\@127.0.0.1/",
    "http://example.com /a.png",
    " http://example.com/a.png",
    "http://exam\tple.com/",
    "http://exam\nple.com/",
    "http://example.com/\r\nHost: 127.0.0.1",
    "http://example.com/\x00",
    "http://example.com:x/",
    "http://example.com:-1/",
    "http://example.com:65536/",
    "http://example.com:99999999999/",
    "http://example.com:22/",
    "http://example.com:0/",
    "http://example.com:8000/",
    "http://example.com:" + "8" * 5000 + "/",
    "http://" + "a" * 254 + "/",
    "http://example.com/" + "a" * 8192,
    "https://[::1]:22/",
    "http://example.com:80:80/",
]


@pytest.mark.parametrize("url", ODD_URLS)
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    with pytest.raises(FetchRefused):
        check_url(url, POLICY)


@pytest.mark.parametrize(
    ("url", "target", "header"),
    [
        ("http://example.com", Target("http", "example.com", 80, "/"), "example.com"),
        ("HTTPS://Example.COM./A?b=C#d", Target("https", "example.com", 443, "/A?b=C"), "example.com"),
        ("http://example.com:443/", Target("http", "example.com", 443, "/"), "example.com:443"),
        ("https://[2606:4700::0:1]/", Target("https", "2606:4700::1", 443, "/"), "[2606:4700::1]"),
        ("http://8.8.8.8/é ".strip(), Target("http", "8.8.8.8", 80, "/%C3%A9"), "8.8.8.8"),
        ("http://xn--bcher-kva.example/?q=ü%20", Target("http", "xn--bcher-kva.example", 80, "/?q=%C3%BC%20"), None),
        ("http://a.b/..//./%2e%2e/x;y", Target("http", "a.b", 80, "/..//./%2e%2e/x;y"), "a.b"),
    ],
)
def test_a_plain_url_is_taken_apart(url: str, target: Target, header: str | None) -> None:
    assert check_url(url, POLICY) == target
    assert header is None or target.header == header


@given(st.text(max_size=60))
def test_no_text_is_more_than_refused(text: str) -> None:
    for url in (text, f"http://{text}/", f"http://a{text}", f"https://a.b/{text}"):
        try:
            target = check_url(url, POLICY)
        except FetchRefused:
            continue
        assert f"{target.path}{target.host}".isascii()
        assert not set(target.path) & set(" \r\n\t\0")


def test_the_operators_own_hosts_may_have_any_port() -> None:
    policy = FetchPolicy(allow_private=frozenset({"media.internal", "10.0.0.5:9000"}))
    assert check_url("http://media.internal:8080/a", policy).port == 8080
    assert check_url("http://10.0.0.5:9000/a", policy).port == 9000
    for url in ("http://10.0.0.5:9001/a", "http://x.media.internal:8080/a", "http://media.internal.x:8080/a"):
        with pytest.raises(FetchRefused, match="only 80 and 443"):
            check_url(url, policy)
