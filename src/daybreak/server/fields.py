"""Names such as `characters[][id]` of a form become the lists and objects that JSON would have said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from daybreak.server.errors import ApiError, invalid

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_MAX_INDEX = 1000  # of a list written with numbers
_MAX_DEPTH = 32  # of nested objects and lists: ten times what any request needs
_MAX_VALUES = 20_000  # in one body


def parse_json(raw: bytes) -> Any:
    """The value of a JSON text, strictly: UTF-8, no NaN, no lone surrogates, no NUL. Raises ApiError 400."""
    try:
        value = json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse_constant, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise _not_json(f"it is not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise _not_json("it is nested too deeply") from error
    except ValueError as error:
        raise _not_json(str(error)) from error
    check_value(value)
    return value


def check_value(value: Any) -> None:
    """Raises ApiError 400 unless a parsed value is small enough, and all its texts can be stored and sent back."""
    waiting, seen = [(value, 0)], 0
    while waiting:
        item, depth = waiting.pop()
        seen += 1
        if depth > _MAX_DEPTH:
            raise _not_json("it is nested too deeply")
        if seen > _MAX_VALUES:
            raise _not_json(f"it holds more than {_MAX_VALUES} values")
        if isinstance(item, str):
            check_text(item)
        elif isinstance(item, dict):
            waiting.extend((name, depth + 1) for name in item)
            waiting.extend((inner, depth + 1) for inner in item.values())
        elif isinstance(item, list):
            waiting.extend((inner, depth + 1) for inner in item)


def check_text(text: str) -> None:
    """Raises ApiError 400 for text that is not Unicode, or that PostgreSQL can't keep."""
    if "\0" in text:
        raise _not_json("it holds a NUL character")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise _not_json(f"it holds half of a surrogate pair: {error.reason}") from error


def nest(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The object that a form's fields say.

    `a[b]=1` is {"a": {"b": 1}}; `a[]=1&a[]=2` is {"a": [1, 2]}; `a[][id]=1&a[][id]=2` is two objects, because an
    object that has its `id` already is followed by the next one; `a[0]` counts. Raises ApiError 400 for a name
    that can't be read, or a plain field that comes twice.
    """
    root: dict[str, Any] = {}
    for name, value in pairs:
        match = _NAME.fullmatch(name)
        if not match:
            raise invalid(name[:100], f"Invalid field name: '{name[:100]}'.")
        path = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
        if len(path) > _MAX_DEPTH:
            raise invalid(name[:100], f"Invalid field name: '{name[:100]}' is nested too deeply.")
        _place(root, path, value, name)
    return root


def _place(root: dict[str, Any], path: list[str], value: Any, name: str) -> None:
    here: Any = root
    for position, step in enumerate(path):
        rest = path[position + 1 :]
        inside: Any = value if not rest else [] if _is_index(rest[0]) else {}
        if isinstance(here, list):
            if not _is_index(step):
                raise _clash(name)
            here = _into_list(here, step, inside, rest, name)
        elif isinstance(here, dict):
            if step == "" or (step in here and (not rest or type(here[step]) is not type(inside))):
                raise _clash(name)
            here = here.setdefault(step, inside)
        else:
            raise _clash(name)


def _into_list(here: list[Any], step: str, inside: Any, rest: list[str], name: str) -> Any:
    """The element that a step names, made when it isn't there yet."""
    if step:
        index = int(step)
        if index == len(here):
            here.append(inside)
        elif index > len(here) or not rest or type(here[index]) is not type(inside):
            raise _clash(name)
        return here[index]
    last = here[-1] if here else None
    if rest and isinstance(last, dict) and isinstance(inside, dict) and not _has(last, rest):
        return last
    here.append(inside)
    return inside


def _has(value: Any, path: list[str]) -> bool:
    """Whether an object already holds what a path names, so that the next element begins."""
    for step in path:
        if not isinstance(value, dict):
            return False
        if step not in value:
            return False
        value = value[step]
    return True


def _is_index(step: str) -> bool:
    return step == "" or (step.isdecimal() and step.isascii() and int(step[:5]) < _MAX_INDEX)


def _clash(name: str) -> ApiError:
    return invalid(name[:100], f"The field '{name[:100]}' is given twice, or contradicts another field.")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:40]} is too large")
    return number


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


def _not_json(why: str) -> ApiError:
    return invalid(None, f"We could not parse the body of your request: {why}.", "invalid_body")
