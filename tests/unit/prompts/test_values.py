"""Values of a request against what a prompt declares."""

from typing import Any

import pytest

from steadyhand.prompts.values import (
    VariableInvalid,
    VariableMissing,
    checked,
    example_of,
    mistake,
)
from tests.support.prompts import variables_of

DECLARED: dict[str, dict[str, Any]] = {
    "text": {"max_chars": 5, "choices": ["red", "green"]},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "texts": {"type": "texts", "max_items": 2, "max_chars": 3},
    "records": {"type": "records", "fields": ["a", "b"], "max_chars": 3},
}
RIGHT: dict[str, Any] = {
    "text": "red",
    "integer": 3,
    "number": 3,
    "boolean": False,
    "texts": ["a", ""],
    "records": [{"a": "1", "b": "2"}],
}


def test_right_values_pass_as_they_are() -> None:
    assert checked(variables_of(DECLARED), {**RIGHT, "unknown": 1}) == RIGHT


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("text", 3, "must be text"),
        ("text", "yellow", "has 6 characters, and 5 are allowed"),
        ("text", "blue", "must be one of red, green"),
        ("integer", True, "must be of type integer"),
        ("integer", 1.0, "must be of type integer"),
        ("integer", 10**16, "must be a number between -1e15 and 1e15"),
        ("number", "1", "must be of type number"),
        ("number", float("inf"), "must be a number between -1e15 and 1e15"),
        ("boolean", 1, "must be of type boolean"),
        ("texts", "ab", "must be a list"),
        ("texts", ["a", "b", "c"], "has 3 items, and 2 are allowed"),
        ("texts", ["a", 2], "must be text"),
        ("texts", ["long"], "has 4 characters, and 3 are allowed"),
        ("records", [3], "must have the fields a, b in each record, and no others"),
        ("records", [{"a": "1"}], "must have the fields a, b in each record, and no others"),
        ("records", [{"a": "1", "b": 2}], "must be text"),
    ],
)
def test_a_wrong_value_is_told_by_name(name: str, value: Any, wrong: str) -> None:
    with pytest.raises(VariableInvalid) as caught:
        checked(variables_of(DECLARED), {**RIGHT, name: value})
    assert caught.value.message == f"variable {name!r} {wrong}"
    assert caught.value.param == f"steadyhand.variables.{name}"


def test_a_missing_value_is_told_with_the_name_that_was_meant() -> None:
    variables = variables_of({"product": {}})
    with pytest.raises(VariableMissing) as caught:
        checked(variables, {"prodcut": "x"})
    assert caught.value.hint == "did you mean 'product' by 'prodcut'?"
    with pytest.raises(VariableMissing, match=r"give steadyhand\.variables\.product"):
        checked(variables, {})
    with pytest.raises(VariableMissing):
        checked(variables, {"product": None})


@pytest.mark.parametrize("name", DECLARED)
def test_an_example_is_one_that_is_taken(name: str) -> None:
    variable = variables_of(DECLARED)[name]
    assert mistake(variable, example_of(variable)) == ""


def test_a_default_is_its_own_example() -> None:
    variables = variables_of({"n": {"type": "integer", "default": 7}})
    assert checked(variables, {}) == {"n": 7}
    assert example_of(variables["n"]) == 7


def test_all_that_is_missing_is_told_at_once() -> None:
    variables = variables_of({"order": {}, "shop": {}, "kind": {"default": "x"}})
    with pytest.raises(VariableMissing) as caught:
        checked(variables, {"shp": "x"})
    assert caught.value.message == "the route's prompt needs the variables 'order', 'shop'"
    assert caught.value.hint == "did you mean 'shop' by 'shp'?"
    assert caught.value.param == "steadyhand.variables.order"
