"""The input file of a batch, line by line: what is wrong with it, and where each request lies in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from daybreak.database.batches import Line
from daybreak.server.errors import ApiError, kind_of, quoted
from daybreak.server.fields import parse_json

MAX_LINES = 50_000
MAX_LINE_BYTES = 24 * 2**20  # what the body of a create may have, with its data URL
MAX_ERRORS = 100  # that a batch lists
_MAX_CUSTOM_ID = 512  # characters
_KEYS = ("custom_id", "method", "url", "body")


@dataclass(frozen=True, slots=True)
class Checked:
    """The lines of a good file, or what is wrong with a bad one, as the SDK's list of errors has it."""

    lines: list[Line]
    errors: list[dict[str, Any]]


def check_input(pieces: Iterable[bytes], endpoint: str) -> Checked:
    """What a batch's input holds. A file with any error is refused as a whole, before anything is made of it."""
    lines: list[Line] = []
    errors: list[dict[str, Any]] = []
    seen: set[str] = set()
    for number, position, raw in split_lines(pieces):
        if not raw.strip():
            continue  # most editors leave an empty line at the end
        if len(lines) >= MAX_LINES:
            message = f"The batch input file holds more than {MAX_LINES} requests."
            errors.append(_error("too_many_requests", message, number))
            break
        try:
            request = read_request(raw, endpoint)
            if request["custom_id"] in seen:
                message = f"The custom_id {quoted(request['custom_id'])} was already used for a request in this batch."
                raise _Wrong("duplicate_custom_id", message, "custom_id")
        except _Wrong as wrong:
            errors.append(_error(wrong.code, wrong.message, number, wrong.param))
            if len(errors) >= MAX_ERRORS:
                break
            continue
        seen.add(request["custom_id"])
        lines.append(Line(number, request["custom_id"], position, len(raw)))
    if not lines and not errors:
        errors.append(_error("empty_file", "The batch input file holds no requests.", None))
    return Checked(lines, errors)


def read_request(raw: bytes, endpoint: str) -> dict[str, Any]:
    """The request of one line: custom_id and body. Raises ValueError for a line that `check_input` would refuse."""
    if len(raw) > MAX_LINE_BYTES:
        raise _Wrong("line_too_long", f"This line is longer than {MAX_LINE_BYTES} bytes.")
    try:
        request = parse_json(raw)
    except ApiError as error:
        raise _Wrong("invalid_json_line", "This line is not parseable as valid JSON.") from error
    if not isinstance(request, dict):
        raise _Wrong("invalid_json_line", f"This line holds {kind_of(request)}: expected an object.")
    _check_fields(request)
    if request["method"] != "POST":
        message = f"Invalid method: {quoted(request['method'])}. A request of a batch uses 'POST'."
        raise _Wrong("invalid_method", message, "method")
    if request["url"] != endpoint:
        message = "The URL provided for this request does not match the batch endpoint."
        raise _Wrong("invalid_url", message, "url")
    return request


def split_lines(pieces: Iterable[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Number from 1, position in bytes, and bytes of each line, without its end.

    Of a line that is too long for a request, one byte more than the limit is kept.
    """
    number, position, length, kept = 1, 0, 0, bytearray()
    for piece in pieces:
        for index, part in enumerate(piece.split(b"\n")):
            if index:
                yield number, position, bytes(kept)
                number, position, length = number + 1, position + length + 1, 0
                kept.clear()
            length += len(part)
            kept += part[: max(0, MAX_LINE_BYTES + 1 - len(kept))]
    if length:
        yield number, position, bytes(kept)


class _Wrong(ValueError):  # noqa: N818 - reads as a sentence where it is raised
    """What is wrong with a line."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.param = code, message, param


def _check_fields(request: Mapping[str, Any]) -> None:
    for name, wanted in zip(_KEYS, (str, str, str, dict), strict=True):
        value = request.get(name)
        if value is None:
            raise _Wrong("missing_required_parameter", f"Missing required parameter: '{name}'.", name)
        if not isinstance(value, wanted):
            expected = "an object" if wanted is dict else "a string"
            message = f"Invalid type for '{name}': expected {expected}, but got {kind_of(value)} instead."
            raise _Wrong("invalid_type", message, name)
    unknown = sorted(set(request) - set(_KEYS))
    if unknown:
        raise _Wrong("unknown_parameter", f"Unknown parameter: {quoted(unknown[0])}.", unknown[0][:100])
    if not 0 < len(request["custom_id"]) <= _MAX_CUSTOM_ID:
        message = f"Invalid 'custom_id': expected 1 to {_MAX_CUSTOM_ID} characters."
        raise _Wrong("invalid_value", message, "custom_id")


def _error(code: str, message: str, line: int | None, param: str | None = None) -> dict[str, Any]:
    return {"code": code, "message": message, "param": param, "line": line}
