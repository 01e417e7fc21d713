"""A floor answers what it may, in the right shape, or says nothing at all."""

import json

import pytest
from pydantic import ValidationError

from steadyhand.core.chat import Modality
from steadyhand.routing.ports import RungPorts
from steadyhand.routing.rungs import error, schema, template
from steadyhand.routing.rungs.base import FloorRung

NOTHING = RungPorts({})
SCHEMA = {
    "type": "object",
    "properties": {"label": {"enum": ["spam", "ham"]}},
    "required": ["label"],
}
WANTED = json.dumps(SCHEMA).encode()
REORDERED = json.dumps(dict(reversed(SCHEMA.items())), indent=2).encode()
TEMPLATE = template.build(template.Settings(text="Back soon."), NOTHING)
JSON_FLOOR = schema.build(schema.Settings(json_schema=SCHEMA, answer={"label": "ham"}), NOTHING)
ERROR = error.build(error.Settings(), NOTHING)


@pytest.mark.parametrize(
    ("floor", "modality", "asked", "expected"),
    [
        (TEMPLATE, "text", None, "Back soon."),
        (TEMPLATE, "tools", None, None),
        (TEMPLATE, "schema", None, None),
        (TEMPLATE, "schema", WANTED, None),
        (TEMPLATE, "text", WANTED, None),
        (JSON_FLOOR, "schema", WANTED, '{"label": "ham"}'),
        (JSON_FLOOR, "schema", REORDERED, '{"label": "ham"}'),
        (JSON_FLOOR, "schema", WANTED.replace(b"spam", b"junk"), None),
        (JSON_FLOOR, "schema", None, None),
        (JSON_FLOOR, "text", None, None),
        (JSON_FLOOR, "tools", WANTED, None),
        (ERROR, "text", None, None),
        (ERROR, "schema", WANTED, None),
        (ERROR, "tools", None, None),
    ],
)
def test_a_floor_answers_only_what_it_may(
    floor: FloorRung, modality: Modality, asked: bytes | None, expected: str | None
) -> None:
    assert floor.speak(modality, asked) == expected


@pytest.mark.parametrize(
    "asked",
    [
        b'{"maximum":%b}' % (b"9" * 5_000),
        b"[" * 50_000 + b"]" * 50_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    ],
    ids=["a number of 5,000 digits", "brackets", "braces"],
)
def test_a_schema_that_cannot_be_read_is_another_one(asked: bytes) -> None:
    """A floor cannot fail, whatever a client sends for a schema."""
    assert JSON_FLOOR.speak("schema", asked) is None


def test_kinds_are_the_names_of_their_files() -> None:
    floors: list[FloorRung] = [TEMPLATE, JSON_FLOOR, ERROR]
    assert [floor.kind for floor in floors] == ["template", "schema", "error"]
    assert template.IS_FLOOR
    assert schema.IS_FLOOR
    assert error.IS_FLOOR


@pytest.mark.parametrize(
    "settings",
    [
        {"json_schema": SCHEMA, "answer": {"label": "eggs"}},
        {"json_schema": SCHEMA, "answer": None},
        {"json_schema": {"type": "no such type"}, "answer": {}},
        {"json_schema": SCHEMA},
    ],
)
def test_a_floor_that_could_not_stand_in_is_refused_at_load(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        schema.Settings.model_validate(settings)


def test_an_empty_text_is_refused_at_load() -> None:
    with pytest.raises(ValidationError):
        template.Settings(text="")
