"""Prompts out of a few words."""

from collections.abc import Mapping
from typing import Any

import msgspec

from steadyhand.prompts.model import Prompt, Template, Text, Variable
from steadyhand.prompts.parsed import is_template
from steadyhand.prompts.parsing import parse
from steadyhand.prompts.settings import VariableSettings
from steadyhand.prompts.values import example_of


def variables_of(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Variable]:
    """Return the variables that ``tables`` declare; they come from users unless they say so."""
    return {
        name: VariableSettings.model_validate({"origin": "user", **table}).variable()
        for name, table in tables.items()
    }


def templates_of(
    text: str,
    variables: Mapping[str, Variable],
    partials: Mapping[str, str] | None = None,
) -> tuple[Template, ...]:
    """Return what ``text`` says; it must be right."""
    if not is_template(text):
        return (Template("system", (Text(text),)),) if text else ()
    known = {name: (f"partials/{name}.md", one, 1) for name, one in (partials or {}).items()}
    parsed = parse(text, variables, known.get)
    assert parsed.mistakes == []
    return parsed.templates


def prompt_of(
    text: str,
    variables: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    locales: Mapping[str, str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    tools: tuple[Any, ...] = (),
    output: Any = None,
) -> Prompt | None:
    """Return a prompt, ``None`` for one that says and does nothing."""
    if not (text or parameters or tools or output):
        return None
    declared = variables_of(variables or {})
    raw = {key: msgspec.Raw(msgspec.json.encode(one)) for key, one in (parameters or {}).items()}
    return Prompt(
        name="p",
        messages=templates_of(text, declared),
        locales={tag: templates_of(one, declared) for tag, one in (locales or {}).items()},
        variables=declared,
        parameters=raw,
        tools=tuple(msgspec.Raw(msgspec.json.encode(one)) for one in tools),
        output=msgspec.json.encode(output).decode() if output is not None else "",
        example={name: example_of(one) for name, one in declared.items()},
    )
