"""Conditional and range requests as RFC 9110 says: which answer an unchanging object's request gets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime

# More ranges than a player or a download manager asks for: the whole object is the cheaper answer.
MAX_RANGES = 32
_SPEC = re.compile(r"(\d*)-(\d*)", re.ASCII)
_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from `start` up to and without `end`."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Plan:
    """An answer: its status (200, 206, 304, 412, 416) and the spans of a 206."""

    status: int
    spans: tuple[Span, ...] = ()


def plan_answer(headers: Mapping[str, str], *, size: int, etag: str, modified: int | None, is_head: bool) -> Plan:
    """The answer to GET or HEAD of an object of `size` bytes; `headers` by lower-case name, `modified` in Unix seconds.

    The order of the preconditions is that of RFC 9110, 13.2.2. Ranges are for GET alone; one that can't be read is
    as if it weren't there.
    """
    if "if-match" in headers:
        if not _matches(headers["if-match"], etag, strong=True):
            return Plan(412)
    elif _changed_since(headers.get("if-unmodified-since"), modified):
        return Plan(412)
    if "if-none-match" in headers:
        if _matches(headers["if-none-match"], etag, strong=False):
            return Plan(304)
    elif _changed_since(headers.get("if-modified-since"), modified) is False:
        return Plan(304)
    if is_head or "range" not in headers or not _same(headers.get("if-range"), etag, modified):
        return Plan(200)
    spans = parse_ranges(headers["range"], size)
    if spans is None:
        return Plan(200)
    return Plan(206, spans) if spans else Plan(416)


def parse_ranges(header: str, size: int) -> tuple[Span, ...] | None:
    """The spans that a Range header asks for, in its order; none when it asks only for bytes that aren't there.

    None: another unit, not a range, more than MAX_RANGES, or more bytes than the object has; the header is ignored.
    """
    unit, equals, specs = header.partition("=")
    if unit.strip().lower() != "bytes" or not equals:
        return None
    spans: list[Span] = []
    asked = 0
    for spec in (part.strip(" \t") for part in specs.split(",")):
        if not spec:
            continue  # an empty element of a list means nothing
        asked += 1
        match = _SPEC.fullmatch(spec)
        if asked > MAX_RANGES or match is None or match[0] == "-":
            return None
        if match[1]:
            start = _number(match[1])
            end = _number(match[2]) + 1 if match[2] else size
            if match[2] and end <= start:
                return None
        else:
            start, end = max(0, size - _number(match[2])), size
        if start < size and start < end:
            spans.append(Span(start, min(end, size)))
    if not asked or sum(span.length for span in spans) > size:
        return None
    return tuple(spans)


def http_date(moment: float) -> str:
    return formatdate(moment, usegmt=True)


def _number(digits: str) -> int:
    """A number, or one beyond any object's size: converting thousands of digits would take long, or fail."""
    return int(digits) if len(digits) < 20 else 10**20


def _matches(header: str, etag: str, *, strong: bool) -> bool:
    if header.strip() == "*":
        return True
    return any(tag == etag and not (strong and weak) for weak, tag in _TAG.findall(header))


def _changed_since(header: str | None, modified: int | None) -> bool | None:
    """Whether the object changed after a date; None when no date is given, or what is given is none."""
    moment = _moment(header) if header is not None and modified is not None else None
    return None if moment is None or modified is None else modified > moment


def _same(if_range: str | None, etag: str, modified: int | None) -> bool:
    """Whether If-Range lets the Range count: a strong tag that is ours, or exactly the date that we sent."""
    if if_range is None:
        return True
    if '"' in if_range:
        return if_range.strip() == etag
    return modified is not None and _moment(if_range) == modified


def _moment(text: str) -> int | None:
    try:
        return int(parsedate_to_datetime(text).timestamp())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
