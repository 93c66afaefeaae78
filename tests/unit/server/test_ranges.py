"""Ranges and conditions against RFC 9110, and against an oracle that knows every byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.server.ranges import MAX_RANGES, Plan, Span, http_date, parse_ranges, plan_answer

SIZE, TAG, CHANGED = 1000, '"abc"', 1_700_000_000


def plan(headers: dict[str, str], *, size: int = SIZE, is_head: bool = False) -> Plan:
    return plan_answer(headers, size=size, etag=TAG, modified=CHANGED, is_head=is_head)


@pytest.mark.parametrize(
    ("header", "spans"),
    [
        ("bytes=0-499", [(0, 500)]),
        ("bytes=500-", [(500, 1000)]),
        ("bytes=-500", [(500, 1000)]),
        ("bytes=-5000", [(0, 1000)]),
        ("bytes=0-0", [(0, 1)]),
        ("bytes=999-99999999999999999999999999", [(999, 1000)]),
        ("BYTES=0-1, 5-6", [(0, 2), (5, 7)]),
        ("bytes=,0-1,,5-6,", [(0, 2), (5, 7)]),
        ("bytes=0-1,2000-3000", [(0, 2)]),
        ("bytes=1000-", []),
        ("bytes=-0", []),
    ],
)
def test_what_a_range_asks_for(header: str, spans: list[tuple[int, int]]) -> None:
    assert parse_ranges(header, SIZE) == tuple(Span(*span) for span in spans)


@pytest.mark.parametrize(
    "header",
    [
        "items=0-5", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=0-1;2-3", "bytes=1 - 2",
        "bytes=--1", "bytes=٣-٤", "bytes=0-1,x", "0-5", "bytes=" + ",".join(["0-0"] * (MAX_RANGES + 1)), "bytes=0-,0-",
    ],
)  # fmt: skip
def test_what_is_no_range_is_ignored(header: str) -> None:
    assert parse_ranges(header, SIZE) is None
    assert plan({"range": header}) == Plan(200)


@given(
    st.integers(0, 40),
    st.lists(
        st.tuples(st.none() | st.integers(0, 50), st.none() | st.integers(0, 50)), min_size=1, max_size=MAX_RANGES
    ),
)
def test_spans_are_the_bytes_that_an_oracle_names(size: int, asked: list[tuple[int | None, int | None]]) -> None:
    header = "bytes=" + ",".join(f"{'' if a is None else a}-{'' if b is None else b}" for a, b in asked)
    expected: list[list[int]] = []
    for first, last in asked:
        if (first is None and last is None) or (first is not None and last is not None and last < first):
            assert parse_ranges(header, size) is None
            return
        wanted = set(range(first, last + 1 if last is not None else 99)) if first is not None else None
        there = [at for at in range(size) if (at in wanted if wanted is not None else at >= size - (last or 0))]
        if there:
            expected.append(there)
    if sum(map(len, expected)) > size:
        assert parse_ranges(header, size) is None
        return
    found = parse_ranges(header, size)
    assert found is not None
    assert [list(range(span.start, span.end)) for span in found] == expected


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"if-none-match": TAG}, 304),
        ({"if-none-match": f'W/{TAG}, "other"'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"other"'}, 200),
        ({"if-none-match": '"other"', "if-modified-since": http_date(CHANGED)}, 200),
        ({"if-modified-since": http_date(CHANGED)}, 304),
        ({"if-modified-since": http_date(CHANGED - 1)}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-match": TAG}, 200),
        ({"if-match": "*"}, 200),
        ({"if-match": f"W/{TAG}"}, 412),
        ({"if-match": '"other"'}, 412),
        ({"if-unmodified-since": http_date(CHANGED)}, 200),
        ({"if-unmodified-since": http_date(CHANGED - 1)}, 412),
        ({"range": "bytes=0-1"}, 206),
        ({"range": "bytes=2000-"}, 416),
        ({"range": "bytes=0-1", "if-range": TAG}, 206),
        ({"range": "bytes=0-1", "if-range": f"W/{TAG}"}, 200),
        ({"range": "bytes=2000-", "if-range": '"other"'}, 200),
        ({"range": "bytes=0-1", "if-range": http_date(CHANGED)}, 206),
        ({"range": "bytes=0-1", "if-range": http_date(CHANGED + 1)}, 200),
        ({"range": "bytes=0-1", "if-range": "nonsense"}, 200),
        ({"range": "bytes=0-1", "if-none-match": TAG}, 304),
    ],
)
def test_conditions_come_before_ranges(headers: dict[str, str], status: int) -> None:
    assert plan(headers).status == status


def test_head_has_no_ranges() -> None:
    assert plan({"range": "bytes=0-1"}, is_head=True) == Plan(200)
    assert plan({"if-none-match": TAG}, is_head=True) == Plan(304)
