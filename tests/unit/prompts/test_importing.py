"""Prompts of other tools become files that we can read, with nothing lost in silence."""

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.prompts.importing import (
    ExportUnreadable,
    Imported,
    of_langfuse,
    of_mlflow,
    of_text,
)
from steadyhand.prompts.parsing import parse
from steadyhand.prompts.rendering import Renderer
from steadyhand.prompts.settings import PromptSettings

CRITIC = {
    "name": "movie-critic",
    "type": "text",
    "prompt": "As a {{criticLevel}} movie critic, do you like {{ movie }}?",
    "config": {"model": "gpt-4o", "temperature": 0.5, "seed": True, "supported_languages": ["en"]},
    "version": 1,
    "labels": ["production", "latest"],
    "commitMessage": "Kinder critics.\n\nMore.",
}
CHAT = {
    "name": "Team/Support Bot",
    "type": "chat",
    "version": 4,
    "prompt": [
        {"role": "system", "content": "Help with {{product}}."},
        {"type": "placeholder", "name": "history"},
        {"role": "user", "content": "{{question}}"},
    ],
    "config": {},
}


def read(imported: Imported) -> tuple[PromptSettings, str]:
    _, table, body = imported.text.split("+++\n", 2)
    return PromptSettings.model_validate(tomllib.loads(table)), body


def said(imported: Imported, values: dict[str, str]) -> list[tuple[str, str]]:
    settings, body = read(imported)
    variables = {name: one.variable() for name, one in settings.variables.items()}
    parsed = parse(body.strip(), variables, lambda _: None)
    assert parsed.mistakes == []
    messages = Renderer(parsed.templates, variables).messages(values)
    return [(message.role, message.text) for message in messages]


def test_a_prompt_of_langfuse() -> None:
    [imported] = of_langfuse(json.dumps(CRITIC), "film team")
    settings, _ = read(imported)
    assert imported.name == "movie-critic"
    assert imported.notes == ("variable 'criticLevel' is now called 'criticlevel'",)
    assert (settings.description, settings.owner, settings.model) == (
        "Kinder critics.",
        "film team",
        "gpt-4o",
    )
    assert settings.parameters.model_dump(exclude_none=True) == {"temperature": 0.5}
    assert settings.metadata == {
        "imported_from": "Langfuse",
        "version": "1",
        "labels": "production latest",
    }
    assert settings.variables["movie"].variable().trust == "untrusted"
    values = {"criticlevel": "strict", "movie": "M"}
    assert said(imported, values) == [("system", "As a strict movie critic, do you like M?")]


def test_a_chat_of_langfuse_keeps_its_roles_and_says_what_was_left_out() -> None:
    [imported] = of_langfuse(json.dumps({"data": [CHAT]}), "us all")
    assert imported.name == "team-support-bot"
    assert imported.notes == (
        "a message of role 'none' was left out",
        "'Team/Support Bot' is now called 'team-support-bot'",
    )
    assert said(imported, {"product": "X", "question": "Why?"}) == [
        ("system", "Help with X."),
        ("user", "Why?"),
    ]


@pytest.mark.parametrize(
    ("versions", "taken"),
    [
        ([{"version": 1}, {"version": 3}, {"version": 2}], "3"),
        ([{"version": 1, "labels": ["production"]}, {"version": 3}], "1"),
        ([{"version": "x"}, {"version": 2}], "2"),
    ],
)
def test_of_several_versions_the_one_in_production_is_taken(
    versions: list[dict[str, object]], taken: str
) -> None:
    lines = "\n".join(json.dumps({**CRITIC, "labels": [], **one}) for one in versions)
    [imported] = of_langfuse(lines, "o")
    assert read(imported)[0].metadata["version"] == taken


def test_prompts_of_mlflow_in_both_forms() -> None:
    plain = {
        "name": "summary",
        "version": 2,
        "template": "Sum up {{ text }} in {{n}} words.",
        "commit_message": "Shorter.",
        "model_config": {"model_name": "gpt-5", "temperature": 0},
    }
    rest = {
        "name": "chatty",
        "version": "7",
        "aliases": ["production"],
        "tags": [
            {"key": "mlflow.prompt.is_prompt", "value": "true"},
            {
                "key": "mlflow.prompt.text",
                "value": json.dumps([{"role": "user", "content": "Hi {{x}}"}]),
            },
        ],
    }
    [summary] = of_mlflow(json.dumps([plain]), "o")
    assert read(summary)[0].model == "gpt-5"
    assert said(summary, {"text": "it", "n": "3"}) == [("system", "Sum up it in 3 words.")]
    [chatty] = of_mlflow(json.dumps({"model_versions": [rest]}), "o")
    assert said(chatty, {"x": "you"}) == [("user", "Hi you")]
    [bracket] = of_mlflow(json.dumps({"name": "b", "template": "[not json"}), "o")
    assert said(bracket, {}) == [("system", "[not json")]


@pytest.mark.parametrize(
    ("placeholders", "text", "became"),
    [
        ("double", "Hi {{ a }} {b} {{#if}} {% x %} {# y #}", "Hi A {b} {{#if}} {% x %} {# y #}"),
        ("single", 'Hi {a} {{b}} {"c": 1}', 'Hi A {{b}} {"c": 1}'),
        ("none", "Hi {{a}} {a}", "Hi {{a}} {a}"),
        ("double", "{{ user.name }} {{ _1 }}", "U O"),
    ],
)
def test_texts_say_what_they_said(placeholders: str, text: str, became: str) -> None:
    values = {"a": "A", "user_name": "U", "_1": "O"}
    assert said(of_text("t", text, "o", placeholders), values) == [("system", became)]


def test_a_name_of_nothing_usable_still_is_one() -> None:
    assert of_text("«»", "x", "o").name == "prompt"


def test_an_owner_with_quotes_is_one_string() -> None:
    owner = 'a "b" \\ \x7f ü'
    assert read(of_text("t", "x", owner))[0].owner == owner


@pytest.mark.parametrize(
    "export",
    [
        "",
        "{",
        "[]",
        "[3]",
        "3",
        '{"data": []}',
        "{}",
        '{"name": "a"}',
        '{"name": "a", "prompt": 3}',
        "[" * 100_000,
    ],
)
def test_what_is_no_export_is_refused(export: str) -> None:
    for read_export in (of_langfuse, of_mlflow):
        with pytest.raises(ExportUnreadable):
            read_export(export, "o")


@given(st.text(alphabet="{}%# ab_\n", max_size=40))
def test_any_text_survives_as_it_is(text: str) -> None:
    became = said(of_text("t", text, "o", "none"), {})
    assert "".join(content for _, content in became) == text.strip()
