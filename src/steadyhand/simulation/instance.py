"""Make an instance of a JSON schema: what a model that obeys its instructions would return.

Covers what structured outputs and tool definitions use: types, ``enum``, ``const``, nested objects
and arrays, ``$ref`` into the same document, ``anyOf``/``oneOf``/``allOf``, bounds, formats.
Recursion ends because optional parts are left out below a depth. Not honoured: ``not``,
``if``/``then``, ``patternProperties``, and a ``pattern`` that no sample fits.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_DEEP = 4
_DEEPEST = 40
_FORMATS = {
    "date-time": "2030-01-01T00:00:00Z",
    "date": "2030-01-01",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "reader@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_SAMPLES = (
    *_FORMATS.values(),
    *("a", "A", "0", "1", "Aa", "aa", "AA", "00", "abc", "ABC", "123", "aaaa", "AAAA", "0000"),
    *("a1", "A1", "AB-123", "abc-123", "abc_123", "12345", "+15550100", "00:00", "1.0.0"),
)


def instance(schema: Any, name: str = "value") -> Any:
    """Return a value that is valid under ``schema``; ``name`` flavours free text."""
    return _Maker(schema).make(schema, name, 0)


class _Maker:
    """Walks one document; holds its root for references."""

    def __init__(self, root: Any) -> None:
        self._root = root

    def make(self, schema: Any, name: str, depth: int) -> Any:
        if not isinstance(schema, Mapping):
            return f"sample {name}"
        schema = self._settled(schema, depth)
        if "const" in schema:
            return schema["const"]
        if schema.get("enum"):
            return schema["enum"][0]
        kind = _type(schema, depth)
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, name, depth)
        maker: Callable[[Mapping[str, Any], str], Any] = _SCALARS.get(kind, _string)
        return maker(schema, name)

    def _settled(self, schema: Mapping[str, Any], depth: int) -> Mapping[str, Any]:
        """Follow references and take one branch of each choice, until neither is left."""
        for _ in range(_DEEPEST):
            if "$ref" in schema:
                rest = {key: value for key, value in schema.items() if key != "$ref"}
                schema = _merged(rest, self._target(str(schema["$ref"])))
            elif "allOf" in schema:
                rest = {key: value for key, value in schema.items() if key != "allOf"}
                for part in schema["allOf"]:
                    rest = _merged(rest, self._settled(part, depth))
                schema = rest
            elif choice := next((key for key in ("anyOf", "oneOf") if schema.get(key)), None):
                rest = {key: value for key, value in schema.items() if key != choice}
                schema = _merged(rest, self._branch(schema[choice], depth))
            else:
                break
        return schema

    def _branch(self, branches: Sequence[Any], depth: int) -> Mapping[str, Any]:
        """Take the first branch, or below a depth the first that holds nothing further."""
        if depth >= _DEEP:
            for branch in branches:
                if _type(self._settled(branch, depth), depth) not in ("object", "array"):
                    return dict(branch)
        return dict(branches[0])

    def _target(self, reference: str) -> Mapping[str, Any]:
        found = self._root
        for step in filter(None, reference.lstrip("#").split("/")):
            key = step.replace("~1", "/").replace("~0", "~")
            found = found.get(key, {}) if isinstance(found, Mapping) else {}
        return found if isinstance(found, Mapping) else {}

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties") or {}
        required = schema.get("required") or ()
        names = [*properties, *(name for name in required if name not in properties)]
        if depth >= _DEEP:
            names = [name for name in names if name in required]
        if depth >= _DEEPEST:
            return {}
        return {name: self.make(properties.get(name, {}), name, depth + 1) for name in names}

    def _array(self, schema: Mapping[str, Any], name: str, depth: int) -> list[Any]:
        prefix = schema.get("prefixItems") or ()
        least = max(int(schema.get("minItems", 0)), len(prefix))
        count = least if depth >= _DEEP else max(least, 1)
        count = min(count, int(schema.get("maxItems", count)))
        if depth >= _DEEPEST or (schema.get("items") is False and not prefix):
            return []
        items = schema.get("items", {})
        made = [
            self.make(prefix[place] if place < len(prefix) else items, name, depth + 1)
            for place in range(count)
        ]
        if not schema.get("uniqueItems"):
            return made
        return [*made[: len(prefix)], *_distinct(made[len(prefix) :], items)]


def _merged(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    """Join two schemas that must both hold."""
    joined = {**right, **left}
    for key in ("properties", "$defs"):
        if key in left and key in right:
            joined[key] = {**right[key], **left[key]}
    if "required" in left and "required" in right:
        joined["required"] = [*left["required"], *right["required"]]
    return joined


def _type(schema: Mapping[str, Any], depth: int) -> str:
    declared = schema.get("type")
    if isinstance(declared, list):
        simple = [kind for kind in declared if kind not in ("object", "array")]
        return str(simple[-1] if depth >= _DEEP and simple else declared[0])
    if declared is None:
        if "properties" in schema or "required" in schema:
            return "object"
        return "array" if "items" in schema or "prefixItems" in schema else "string"
    return str(declared)


def _bounds(schema: Mapping[str, Any], step: float) -> tuple[float, float]:
    low = float(schema.get("minimum", -math.inf))
    high = float(schema.get("maximum", math.inf))
    if "exclusiveMinimum" in schema:
        low = max(low, float(schema["exclusiveMinimum"]) + step)
    if "exclusiveMaximum" in schema:
        high = min(high, float(schema["exclusiveMaximum"]) - step)
    return low, high


def _integer(schema: Mapping[str, Any], _name: str) -> int:
    low, high = _bounds(schema, 1)
    value = min(max(1.0, low), high)
    multiple = schema.get("multipleOf")
    if multiple:
        return int(_multiple(value, float(multiple), low, high))
    return int(math.ceil(value) if value >= low and math.ceil(value) <= high else value)


def _number(schema: Mapping[str, Any], _name: str) -> float:
    low, high = _bounds(schema, 0)
    value = min(max(1.5, low), high)
    if schema.get("multipleOf"):
        return _multiple(value, float(schema["multipleOf"]), low, high)
    open_low, open_high = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if value in (open_low, open_high):
        top = high if math.isfinite(high) else low + 1
        bottom = low if math.isfinite(low) else high - 1
        return (bottom + top) / 2
    return value


def _multiple(value: float, step: float, low: float, high: float) -> float:
    above = math.ceil(value / step) * step
    return above if low <= above <= high else math.floor(value / step) * step


def _string(schema: Mapping[str, Any], name: str) -> str:
    least, most = int(schema.get("minLength", 0)), int(schema.get("maxLength", 1_000_000))
    pattern = schema.get("pattern")
    if pattern:
        return next((text for text in _SAMPLES if _fits(text, pattern, least, most)), "sample")
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    return f"sample {name}".ljust(least, "x")[:most]


def _fits(text: str, pattern: str, least: int, most: int) -> bool:
    try:
        return least <= len(text) <= most and re.search(pattern, text) is not None
    except re.error:
        return False


def _boolean(_schema: Mapping[str, Any], _name: str) -> bool:
    return True


def _null(_schema: Mapping[str, Any], _name: str) -> None:
    return None


_SCALARS: dict[str, Callable[[Mapping[str, Any], str], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "null": _null,
}


def _distinct(values: list[Any], items: Any) -> list[Any]:
    """Make equal items differ, as far as their type allows."""
    options = items.get("enum") if isinstance(items, Mapping) else None
    if options:
        return list(options[: len(values)])
    return [_shifted(value, place) for place, value in enumerate(values)]


def _shifted(value: Any, place: int) -> Any:
    if isinstance(value, str):
        return f"{value} {place}" if place else value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value + place if is_number else value
