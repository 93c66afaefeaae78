"""A request's fields, read one by one in OpenAI's words: what is wrong is refused, what nobody reads is unknown.

Forms carry texts only and some clients write numbers as texts in JSON, too, so a number may come either way. null is
the same as leaving a field out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from daybreak.server.errors import invalid, invalid_choice, invalid_type, missing, quoted, unknown_parameter

_WHOLE = re.compile(r"[+-]?\d{1,20}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][+-]?\d{1,3})?", re.ASCII)
Number = TypeVar("Number", int, float)

_FLAGS = {"true": True, "1": True, "false": False, "0": False}


class Parameters:
    """Reads the fields of an object; `within` is the object's own name, as errors show it: timeline.pins[0]."""

    def __init__(self, fields: Mapping[str, Any], within: str = "") -> None:
        self._fields = {name: value for name, value in fields.items() if value is not None}
        self._left = set(fields)
        self._within = within

    def name(self, name: str) -> str:
        """A field's full name, as errors show it."""
        return f"{self._within}.{name}" if self._within else name

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def take(self, name: str) -> Any:
        """The value as it came, None without one; from now on the field counts as known."""
        self._left.discard(name)
        return self._fields.get(name)

    def text(self, name: str, maximum: int, *, required: bool = False) -> str | None:
        """A text of 1 to `maximum` characters. Raises ApiError."""
        value, full = self.take(name), self.name(name)
        if value is None:
            if required:
                raise missing(full)
            return None
        if not isinstance(value, str):
            raise invalid_type(full, "a string", value)
        if not value.strip():
            raise invalid(
                full,
                f"Invalid '{full}': empty string. Expected a string with minimum length 1, but got an empty string "
                "instead.",
                "empty_string",
            )
        if len(value) > maximum:
            raise invalid(
                full,
                f"Invalid '{full}': string too long. Expected a string with maximum length {maximum}, but got a "
                f"string with length {len(value)} instead.",
                "string_above_max_length",
            )
        return value

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number from `low` to `high`. Raises ApiError."""
        value = self.take(name)
        if value is None:
            return None
        number = _as_number(value)
        if number is None:
            raise self._not_a_number(name, "a number", value)
        return self._between(name, number, low, high)

    def whole(self, name: str, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`. Raises ApiError."""
        value = self.take(name)
        if value is None:
            return None
        number = _as_whole(value)
        if number is None:
            raise self._not_a_number(name, "an integer", value)
        return self._between(name, number, low, high)

    def choice(self, name: str, choices: Iterable[str]) -> str | None:
        """One of the given texts. Raises ApiError."""
        value, full = self.take(name), self.name(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise invalid_type(full, "a string", value)
        choices = list(choices)
        if value not in choices:
            raise invalid_choice(full, value, choices)
        return value

    def flag(self, name: str) -> bool | None:
        """True or false. Raises ApiError."""
        value, full = self.take(name), self.name(name)
        if isinstance(value, str):
            value = _FLAGS.get(value.lower(), value)
        if value is None or isinstance(value, bool):
            return value
        raise invalid_type(full, "a boolean", value)

    def child(self, name: str) -> Parameters | None:
        """The fields of an object. Raises ApiError."""
        value, full = self.take(name), self.name(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise invalid_type(full, "an object", value)
        return Parameters(value, full)

    def children(self, name: str, maximum: int) -> list[Parameters]:
        """The fields of each object of an array. Raises ApiError."""
        value, full = self.take(name), self.name(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise invalid_type(full, "an array", value)
        if len(value) > maximum:
            raise invalid(
                full,
                f"Invalid '{full}': array too long. Expected an array with maximum length {maximum}, but got an array "
                f"with length {len(value)} instead.",
                "array_above_max_length",
            )
        for index, entry in enumerate(value):
            if not isinstance(entry, dict):
                raise invalid_type(f"{full}[{index}]", "an object", entry)
        return [Parameters(entry, f"{full}[{index}]") for index, entry in enumerate(value)]

    def finish(self) -> None:
        """Raises ApiError for the first field that nobody has read."""
        if self._left:
            raise unknown_parameter(self.name(min(self._left)))

    def _between(self, name: str, number: Number, low: float, high: float) -> Number:
        if low <= number <= high:
            return number
        full = self.name(name)
        bound, code = (f"at least {low:g}", "below_min") if number < low else (f"at most {high:g}", "above_max")
        kind = "integer" if isinstance(number, int) else "decimal"
        raise invalid(
            full,
            f"Invalid '{full}': {kind} {'below minimum' if number < low else 'above maximum'} value. Expected a value "
            f"of {bound}, but got {str(number)[:40]} instead.",
            f"{kind}_{code}_value",
        )

    def _not_a_number(self, name: str, expected: str, value: object) -> Exception:
        full = self.name(name)
        if isinstance(value, str):
            return invalid(full, f"Invalid value: {quoted(value)}. Expected {expected} for '{full}'.")
        return invalid_type(full, expected, value)


def _as_whole(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value.strip()) else None


def _as_number(value: object) -> float | None:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
