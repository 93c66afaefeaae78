from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.fetch import FetchRefused, decode_data_url


@given(st.binary(min_size=1, max_size=300), st.sampled_from(["image/png", "video/mp4", "", "image/svg+xml"]))
def test_bytes_come_back(content: bytes, content_type: str) -> None:
    encoded = base64.b64encode(content).decode()
    assert decode_data_url(f"data:{content_type};base64,{encoded}", 300) == content
    assert decode_data_url(f"DATA:{content_type};name=a.png;BASE64,{encoded.rstrip('=')}", 300) == content


def test_percent_encoded_bytes_come_back() -> None:
    assert decode_data_url("data:text/plain,a%20b%ff", 300) == b"a b\xff"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a data URL"),
        ("data", "not a data URL"),
        ("data:image/png;base64", "not a data URL"),
        ("http://example.com/a.png", "not a data URL"),
        ("data:" + "a" * 2000 + ",AAAA", "not a data URL"),
        ("data:image/png;base64,", "it is empty"),
        ("data:image/png;base64,A", "base64 is broken"),
        ("data:image/png;base64,AA A", "base64 is broken"),
        ("data:image/png;base64,AA\nAA", "base64 is broken"),
        ("data:image/png;base64,AA-_", "base64 is broken"),
        ("data:image/png;base64,ÄÄÄÄ", "base64 is broken"),
        ("data:image/png;base64," + "AAAA" * 1000, "more than 300 bytes"),
        ("data:image/png," + "A" * 301, "more than 300 bytes"),
        ("data:image/png," + "%41" * 1000, "more than 300 bytes"),
    ],
)
def test_what_is_no_data_url_is_refused(text: str, message: str) -> None:
    with pytest.raises(FetchRefused, match=message):
        decode_data_url(text, 300)


def test_the_limit_is_exact() -> None:
    assert decode_data_url("data:;base64," + base64.b64encode(bytes(300)).decode(), 300) == bytes(300)
    with pytest.raises(FetchRefused, match="more than 300 bytes"):
        decode_data_url("data:;base64," + base64.b64encode(bytes(301)).decode(), 300)
