from __future__ import annotations

from typing import Any

import pytest

from daybreak.server.errors import ApiError
from daybreak.server.fields import nest, parse_json


@pytest.mark.parametrize(
    ("pairs", "value"),
    [
        ([("a", "1"), ("b", "2")], {"a": "1", "b": "2"}),
        ([("input_reference[image_url]", "u")], {"input_reference": {"image_url": "u"}}),
        ([("characters[][id]", "x"), ("characters[][id]", "y")], {"characters": [{"id": "x"}, {"id": "y"}]}),
        (
            [("c[][id]", "x"), ("c[][name]", "n"), ("c[][id]", "y")],
            {"c": [{"id": "x", "name": "n"}, {"id": "y"}]},
        ),
        ([("c[0][id]", "x"), ("c[0][name]", "n"), ("c[1][id]", "y")], {"c": [{"id": "x", "name": "n"}, {"id": "y"}]}),
        ([("tags[]", "a"), ("tags[]", "b")], {"tags": ["a", "b"]}),
        ([("a[b][c][d]", "1")], {"a": {"b": {"c": {"d": "1"}}}}),
    ],
)
def test_bracketed_names_are_what_json_would_say(pairs: list[tuple[str, str]], value: dict[str, Any]) -> None:
    assert nest(pairs) == value


@pytest.mark.parametrize(
    "names",
    [
        ["a", "a"], ["a", "a[b]"], ["a[b]", "a"], ["a[]", "a[b]"], ["a[b]", "a[]"], ["[a]"], ["a[b"], ["a]b["], [""],
        ["a[2]"], ["a[0]", "a[0]"], ["a[9999999999999]" * 2], ["a" + "[b]" * 40], ["a[0][b]", "a[0][b]"],
    ],
)  # fmt: skip
def test_names_that_contradict_one_another_are_refused(names: list[str]) -> None:
    with pytest.raises(ApiError) as refused:
        nest([(name, "1") for name in names])
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"\xff\xfe", b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": 1e999}', b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}', b'{"a": "\\u0000"}', b"[" * 100_000, b"[" * 40 + b"]" * 40, b'{"a": ' + b"9" * 5000 + b"}",
        b"[" + b"0," * 30_000 + b"0]",
    ],
)  # fmt: skip
def test_what_is_not_strictly_json_is_refused(raw: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        parse_json(raw)
    assert refused.value.status == 400
    assert refused.value.message.encode()


def test_json_may_hold_any_text_and_numbers() -> None:
    assert parse_json('{"a": "\\ud83d\\ude00 ü", "b": [1, 2.5, null, true]}'.encode()) == {
        "a": "😀 ü",
        "b": [1, 2.5, None, True],
    }
