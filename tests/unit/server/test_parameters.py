import math

import pytest

from daybreak.server.errors import ApiError
from daybreak.server.parameters import Parameters


def refused(read):
    with pytest.raises(ApiError) as caught:
        read()
    assert caught.value.status == 400
    return caught.value


def test_null_is_the_same_as_leaving_a_field_out():
    parameters = Parameters({"prompt": None, "seed": None, "loop": None, "inner": None, "list": None})
    assert parameters.text("prompt", 10) is None
    assert parameters.whole("seed", 0, 9) is None
    assert parameters.flag("loop") is None
    assert parameters.child("inner") is None
    assert parameters.children("list", 3) == []
    parameters.finish()


def test_a_field_that_nobody_reads_is_unknown():
    parameters = Parameters({"prompt": "a", "widht": 3})
    parameters.text("prompt", 10)
    error = refused(parameters.finish)
    assert (error.message, error.param, error.code) == ("Unknown parameter: 'widht'.", "widht", "unknown_parameter")


def test_an_unknown_field_of_an_inner_object_is_named_in_full():
    (pin,) = Parameters({"pins": [{"strenght": 1}]}).children("pins", 3)
    assert refused(pin.finish).param == "pins[0].strenght"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "missing_required_parameter"),
        ({"prompt": ""}, "empty_string"),
        ({"prompt": " \n"}, "empty_string"),
        ({"prompt": "x" * 11}, "string_above_max_length"),
        ({"prompt": 3}, "invalid_type"),
        ({"prompt": ["a"]}, "invalid_type"),
    ],
)
def test_a_text_that_will_not_do(fields, code):
    error = refused(lambda: Parameters(fields).text("prompt", 10, required=True))
    assert (error.param, error.code) == ("prompt", code)


@pytest.mark.parametrize(
    ("value", "read"), [(3, 3.0), ("3", 3.0), (" 2.5 ", 2.5), ("1e1", 10.0), (0.5, 0.5), (".5", 0.5), ("-1", -1.0)]
)
def test_numbers_as_numbers_and_as_texts(value, read):
    assert Parameters({"x": value}).number("x", -10, 10) == read


@pytest.mark.parametrize(
    "value", [True, "", "nan", "inf", "1_0", "0x1", "٣", [], {}, math.nan, math.inf, 10**400, "1" * 400]
)
def test_what_is_no_number(value):
    assert refused(lambda: Parameters({"x": value}).number("x", -math.inf, math.inf)).param == "x"


@pytest.mark.parametrize(("value", "read"), [(3, 3), ("3", 3), (3.0, 3), ("+3", 3)])
def test_whole_numbers_as_numbers_and_as_texts(value, read):
    got = Parameters({"x": value}).whole("x", 0, 10)
    assert got == read
    assert isinstance(got, int)


@pytest.mark.parametrize("value", [False, 3.5, "3.5", "three", "", [3], "9" * 5000])
def test_what_is_no_whole_number(value):
    assert refused(lambda: Parameters({"x": value}).whole("x", 0, 10)).param == "x"


@pytest.mark.parametrize(
    ("value", "code"),
    [(11, "integer_above_max_value"), (-1, "integer_below_min_value"), (10**30, "integer_above_max_value")],
)
def test_whole_numbers_out_of_range(value, code):
    assert refused(lambda: Parameters({"x": value}).whole("x", 0, 10)).code == code


def test_numbers_out_of_range():
    error = refused(lambda: Parameters({"x": 1.5}, "timeline.pins[2]").number("x", 0, 1))
    assert error.message == (
        "Invalid 'timeline.pins[2].x': decimal above maximum value. Expected a value of at most 1, but got 1.5 instead."
    )


@pytest.mark.parametrize(
    ("value", "read"), [(True, True), ("true", True), ("False", False), ("1", True), (False, False)]
)
def test_flags(value, read):
    assert Parameters({"x": value}).flag("x") is read


@pytest.mark.parametrize("value", ["yes", 1, 0, []])
def test_what_is_no_flag(value):
    assert refused(lambda: Parameters({"x": value}).flag("x")).code == "invalid_type"


def test_a_choice():
    assert Parameters({"fit": "cover"}).choice("fit", ("cover", "contain")) == "cover"
    error = refused(lambda: Parameters({"fit": "squash"}).choice("fit", ("cover", "contain")))
    assert error.message == "Invalid value: 'squash'. Supported values are: 'cover' and 'contain'."
    assert refused(lambda: Parameters({"fit": 3}).choice("fit", ("cover",))).code == "invalid_type"


@pytest.mark.parametrize("value", ["a", 3, {"a": 1}])
def test_an_array_is_an_array(value):
    assert refused(lambda: Parameters({"x": value}).children("x", 3)).message.startswith(
        "Invalid type for 'x': expected an array, but got "
    )


def test_an_array_holds_objects_and_not_too_many():
    assert refused(lambda: Parameters({"x": [{}, "a"]}).children("x", 3)).param == "x[1]"
    assert refused(lambda: Parameters({"x": [{}, {}]}).children("x", 1)).code == "array_above_max_length"


@pytest.mark.parametrize("value", ["a", 3, []])
def test_an_object_is_an_object(value):
    assert refused(lambda: Parameters({"x": value}).child("x")).code == "invalid_type"
