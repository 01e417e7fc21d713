import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steadyhand.simulation.instance import instance
from tests.support.examples import in_proportion

NAMES = st.sampled_from(["name", "age", "city", "items", "kind", "when"])


def scalars() -> st.SearchStrategy[dict[str, Any]]:
    bounds = st.tuples(st.integers(-50, 50), st.integers(0, 50)).map(
        lambda pair: {"minimum": pair[0], "maximum": pair[0] + pair[1]}
    )
    lengths = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(
        lambda pair: {"minLength": pair[0], "maxLength": pair[0] + pair[1]}
    )
    return st.one_of(
        st.just({"type": "boolean"}),
        st.just({"type": "null"}),
        bounds.map(lambda b: {"type": "integer", **b}),
        bounds.map(lambda b: {"type": "number", **b}),
        lengths.map(lambda b: {"type": "string", **b}),
        st.integers(2, 9).map(lambda step: {"type": "integer", "multipleOf": step}),
        st.integers(-9, 9).map(lambda low: {"type": "number", "exclusiveMinimum": low}),
        st.integers(-9, 9).map(lambda high: {"type": "integer", "exclusiveMaximum": high}),
        st.sampled_from(["date", "date-time", "email", "uuid", "uri", "ipv4"]).map(
            lambda name: {"type": "string", "format": name}
        ),
        st.lists(st.integers() | st.text(max_size=5), min_size=1, max_size=3).map(
            lambda values: {"enum": values}
        ),
        (st.integers() | st.text(max_size=5)).map(lambda value: {"const": value}),
        st.permutations(["string", "null", "integer"]).map(lambda kinds: {"type": kinds}),
    )


def containers(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    objects = st.dictionaries(NAMES, inner, max_size=4).flatmap(
        lambda properties: st.lists(
            st.sampled_from(sorted(properties)) if properties else st.nothing(), unique=True
        ).map(
            lambda required: {
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": False,
            }
        )
    )
    arrays = st.tuples(inner, st.integers(0, 3), st.integers(0, 3)).map(
        lambda parts: {
            "type": "array",
            "items": parts[0],
            "minItems": parts[1],
            "maxItems": parts[1] + parts[2],
        }
    )
    choices = st.tuples(st.sampled_from(["anyOf", "oneOf"]), inner).map(
        lambda parts: {parts[0]: [parts[1], {"not": {}}]}
    )
    tuples = st.lists(inner, min_size=1, max_size=3).map(
        lambda parts: {"type": "array", "prefixItems": parts, "items": False}
    )
    return st.one_of(objects, arrays, choices, tuples)


SCHEMAS = st.recursive(scalars(), containers, max_leaves=12)


@settings(max_examples=in_proportion(100))
@given(SCHEMAS)
def test_an_instance_is_valid_under_its_schema(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema).validate(instance(schema))


NODE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "required": ["value", "next", "children"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/node",
}


@pytest.mark.parametrize(
    "schema",
    [
        NODE,
        {"properties": {"a": {"type": "string"}}, "required": ["a", "b"]},
        {"items": {"type": "integer"}, "minItems": 2},
        {"prefixItems": [{"const": 1}, {"const": 2}]},
        {"type": "array", "items": {"type": "string"}, "minItems": 3, "uniqueItems": True},
        {"type": "array", "items": {"type": "number"}, "minItems": 3, "uniqueItems": True},
        {"type": "array", "items": {"enum": [1, 2]}, "minItems": 2, "uniqueItems": True},
        {"type": "array", "prefixItems": [{}, {"const": 2}], "uniqueItems": True},
        {"type": "array", "items": {"type": "boolean"}, "uniqueItems": True},
        {"type": "array", "items": False},
        {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3}$"},
        {"type": "string", "pattern": "^[a-z]+$"},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "number", "exclusiveMaximum": -3},
        {"type": "number", "minimum": 0.1, "multipleOf": 0.25},
        {"type": "integer", "minimum": 7, "maximum": 9, "multipleOf": 4},
        {"type": "integer", "minimum": 0.5, "maximum": 1.5},
        {"type": ["object", "null"], "properties": {"a": {"type": ["array", "null"]}}},
        {"allOf": [{"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]},
                   {"properties": {"b": {"const": 2}}, "required": ["b"]}]},
        {"$defs": {"a/b": {"const": 1}, "a~b": {"const": 2}},
         "properties": {"x": {"$ref": "#/$defs/a~1b"}, "y": {"$ref": "#/$defs/a~0b"}},
         "required": ["x", "y"]},
        {"$defs": {"m": {"type": "string"}}, "$ref": "#/$defs/m", "description": "beside it"},
        {}, True,
    ],
)  # fmt: skip
def test_schemas_that_people_write(schema: Any) -> None:
    made = instance(schema)
    jsonschema.Draft202012Validator(schema).validate(made)
    json.dumps(made, allow_nan=False)


def test_both_parts_of_all_of_are_there() -> None:
    parts = [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]
    assert instance({"allOf": parts}) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$ref": "#/nowhere/at/all"},
        {"$ref": "#/text/x", "text": "no schema"},
        {"$ref": "#/text", "text": "no schema"},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"type": "object", "properties": {"self": {"$ref": "#"}}, "required": ["self"]},
        {"type": "array", "items": {"$ref": "#"}, "minItems": 1},
        {
            "anyOf": [
                {"type": "object", "properties": {"x": {"$ref": "#"}}, "required": ["x"]},
                {"type": "array", "items": {"$ref": "#"}, "minItems": 1},
            ]
        },
        {"type": "string", "pattern": "(unclosed"},
        {"type": "string", "pattern": "^nothing of ours fits this$"},
    ],
)
def test_impossible_schemas_end(schema: dict[str, Any]) -> None:
    json.dumps(instance(schema))


def test_recursion_stops_at_a_depth() -> None:
    assert len(json.dumps(instance(NODE))) < 5_000
