"""Front matter that contradicts itself is refused where it stands."""

from typing import Any

import pytest
from pydantic import ValidationError

from steadyhand.prompts.settings import PromptSettings, VariableSettings

BASE = {"description": "d", "owner": "o"}


@pytest.mark.parametrize(
    ("origin", "trust"),
    [
        ("operator", "trusted"),
        ("application", "trusted"),
        ("user", "untrusted"),
        ("retrieved", "untrusted"),
        ("tool", "untrusted"),
    ],
)
def test_trust_follows_the_origin_unless_told(origin: str, trust: str) -> None:
    assert VariableSettings.model_validate({"origin": origin}).variable().trust == trust
    told = VariableSettings.model_validate({"origin": origin, "trust": "trusted"})
    assert told.variable().trust == "trusted"


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({}, "origin"),
        ({"origin": "nature"}, "origin"),
        ({"origin": "user", "type": "records"}, "records need them"),
        ({"origin": "user", "fields": ["a"]}, "records need them"),
        ({"origin": "user", "type": "records", "fields": ["A b"]}, "lower-case"),
        ({"origin": "user", "type": "integer", "choices": ["a"]}, "only text and texts"),
        ({"origin": "user", "type": "integer", "default": "a"}, "default: must be of type integer"),
        ({"origin": "user", "choices": ["a"], "default": "b"}, "default: must be one of a"),
        ({"origin": "user", "max_chars": 0}, "max_chars"),
    ],
)
def test_a_variable_that_cannot_be_is_refused(table: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        VariableSettings.model_validate(table)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"variables": {"loop": {"origin": "user"}}}, "'loop' cannot be the name"),
        ({"variables": {"A": {"origin": "user"}}}, "'A' cannot be the name"),
        ({"allow": {"P0102": " "}}, "say why P0102"),
        ({"passages": ["a"]}, "no corpus is named"),
        ({"parameters": {"temprature": 1}}, "temprature"),
        ({"parameters": {"temperature": 3}}, "temperature"),
    ],
)
def test_a_prompt_that_cannot_be_is_refused(table: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        PromptSettings.model_validate({**BASE, **table})
