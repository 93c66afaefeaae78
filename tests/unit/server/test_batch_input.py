"""The input file of a batch, line by line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.server import batch_input
from daybreak.server.batch_input import check_input, read_request, split_lines

ENDPOINT = "/v1/videos"


def a_line(custom_id: str = "a", **changes: object) -> bytes:
    request = {"custom_id": custom_id, "method": "POST", "url": ENDPOINT, "body": {"prompt": "a dog"}}
    return json.dumps({name: value for name, value in {**request, **changes}.items() if value != "absent"}).encode()


def test_a_good_file_says_where_each_request_lies() -> None:
    raw = a_line("a") + b"\n" + a_line("b") + b"\r\n\n" + a_line("c")
    checked = check_input([raw], ENDPOINT)
    assert checked.errors == []
    assert [(line.line, line.custom_id) for line in checked.lines] == [(1, "a"), (2, "b"), (4, "c")]
    for line in checked.lines:
        request = read_request(raw[line.position : line.position + line.length], ENDPOINT)
        assert request["custom_id"] == line.custom_id


@pytest.mark.parametrize(
    ("line", "code", "param"),
    [
        (b"{", "invalid_json_line", None),
        (b"[1]", "invalid_json_line", None),
        (b"\xff\xfe", "invalid_json_line", None),
        (b'{"custom_id": NaN}', "invalid_json_line", None),
        (a_line(custom_id="absent"), "missing_required_parameter", "custom_id"),
        (a_line(method="absent"), "missing_required_parameter", "method"),
        (a_line(url="absent"), "missing_required_parameter", "url"),
        (a_line(body="absent"), "missing_required_parameter", "body"),
        (a_line(custom_id=7), "invalid_type", "custom_id"),  # type: ignore[arg-type]
        (a_line(body=[1]), "invalid_type", "body"),
        (a_line(custom_id=""), "invalid_value", "custom_id"),
        (a_line(custom_id="x" * 513), "invalid_value", "custom_id"),
        (a_line(method="GET"), "invalid_method", "method"),
        (a_line(url="/v1/chat/completions"), "invalid_url", "url"),
        (a_line(url="/v1/videos/edits"), "invalid_url", "url"),
        (a_line(priority=1), "unknown_parameter", "priority"),
    ],
)
def test_a_bad_line_is_told_with_its_number(line: bytes, code: str, param: str | None) -> None:
    checked = check_input([a_line("good") + b"\n" + line], ENDPOINT)
    [error] = checked.errors
    assert (error["code"], error["param"], error["line"]) == (code, param, 2)
    assert sorted(error) == ["code", "line", "message", "param"]


def test_a_custom_id_is_used_once() -> None:
    [error] = check_input([a_line("x") + b"\n" + a_line("x")], ENDPOINT).errors
    assert (error["code"], error["line"]) == ("duplicate_custom_id", 2)
    assert "'x'" in error["message"]


@pytest.mark.parametrize("raw", [b"", b"\n\n", b"  \n"])
def test_a_file_without_requests_is_refused(raw: bytes) -> None:
    [error] = check_input([raw], ENDPOINT).errors
    assert (error["code"], error["line"]) == ("empty_file", None)


def test_too_many_and_too_long_lines_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_input, "MAX_LINES", 2)
    monkeypatch.setattr(batch_input, "MAX_LINE_BYTES", 200)
    three = b"\n".join(a_line(name) for name in "abc")
    assert [error["code"] for error in check_input([three], ENDPOINT).errors] == ["too_many_requests"]
    long = a_line("a", body={"prompt": "x" * 300}) + b"\n" + a_line("b")
    checked = check_input([long], ENDPOINT)
    assert [error["code"] for error in checked.errors] == ["line_too_long"]
    assert [line.custom_id for line in checked.lines] == ["b"]


def test_the_list_of_errors_is_bounded() -> None:
    assert len(check_input([b"{\n" * 5000], ENDPOINT).errors) == batch_input.MAX_ERRORS


@given(st.lists(st.binary(max_size=40)), st.integers(1, 7))
def test_lines_are_the_same_however_the_bytes_arrive(lines: list[bytes], size: int) -> None:
    raw = b"\n".join(lines)
    pieces = [raw[start : start + size] for start in range(0, len(raw), size)]
    whole, cut = list(split_lines([raw])), list(split_lines(pieces))
    assert whole == cut
    for number, position, line in whole:
        assert raw[position : position + len(line)] == line
        assert raw[:position].count(b"\n") == number - 1
    assert b"\n".join(line for _, _, line in whole) == raw.removesuffix(b"\n")
