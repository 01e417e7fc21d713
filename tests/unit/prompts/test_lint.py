"""What prompt lint finds, and what it leaves alone."""

from typing import Any

import pytest

from steadyhand.prompts.draft import Asked, Draft, Finding, Sample
from steadyhand.prompts.lint import RULES, fails, lint
from steadyhand.prompts.model import Prompt, Template, Text
from tests.support.prompts import prompt_of

DATED = Asked("support", "openai", "gpt-5-mini-2026-08-07")
SCHEMA = {
    "type": "object",
    "properties": {
        "kind": {"type": "string"},
        "parts": {"type": "array", "items": [{"type": "object", "properties": {"id": {}}}]},
    },
}


def draft(text: str, tables: dict[str, dict[str, Any]] | None = None, **more: Any) -> Draft:
    locales = more.pop("locales", {})
    prompt = prompt_of(text, tables, locales=locales) or Prompt("p", ())
    fields: dict[str, Any] = {
        "prompt": prompt,
        "path": "prompts/p.md",
        "body": text,
        "owner": "support team",
        "model": "",
        "schema": None,
        "budget_tokens": 0,
        "samples": (Sample("one", prompt.example),) if tables else (),
        "allow": {},
        "used": frozenset(tables or {}),
        "locale_uses": {},
        "asked": (DATED,),
        "line_of": line_of,
    }
    return Draft(**{**fields, **more})


def line_of(place: str) -> int:
    return 100 + int(place[1:]) if place.startswith("@") else 3


def codes(found: list[Finding]) -> list[str]:
    return [one.code for one in found]


def test_a_good_prompt_has_nothing_to_be_said_of() -> None:
    text = "Help with {{ product }}.\n{% role 'user' %}\n{{ said }}"
    tables = {"product": {"origin": "application"}, "said": {}}
    assert lint(draft(text, tables)) == []


FOUND: list[tuple[str, Draft, str]] = [
    ("P0101", draft("Hi", {"a": {}}, used=frozenset()), "variable 'a' is declared and not used"),
    (
        "P0102",
        draft("Hi {{ a }}", {"a": {}}),
        "untrusted text of user 'a' stands in a system message",
    ),
    (
        "P0102",
        draft("{% if a %}{{ a }}{% endif %}", {"a": {"origin": "tool"}}),
        "untrusted text of tool 'a' stands in a system message",
    ),
    (
        "P0102",
        draft(
            "{% for d in a %}{{ d.x }}{% endfor %}",
            {"a": {"type": "records", "fields": ["x"], "origin": "retrieved"}},
        ),
        "untrusted text of retrieved 'a' stands in a system message",
    ),
    (
        "P0102",
        draft("{% role 'user' %}\n{{ a }}", {"a": {}}, locales={"de": "{{ a }}"}),
        "untrusted text of user 'a' stands in a system message (in de)",
    ),
    ("P0103", draft("Hi", owner="TODO"), "'TODO' answers for nothing"),
    ("P0103", draft("Hi", owner=" "), "' ' answers for nothing"),
    (
        "P0104",
        draft("Hi", asked=(Asked("r", "openai", "gpt-4o"),)),
        "route r asks 'gpt-4o', which its provider may change at any time",
    ),
    (
        "P0104",
        draft("Hi", asked=(Asked("r", "openai", "mistral-large-latest"),)),
        "route r asks 'mistral-large-latest', which its provider may change at any time",
    ),
    ("P0105", draft("ok\nkey sk-abcdefghijklmnop1234"), "the text looks like it holds a secret"),
    (
        "P0106",
        draft("Answer in plain text.", schema=SCHEMA),
        "'Answer in plain text' contradicts the schema, which wants JSON",
    ),
    (
        "P0106",
        draft("Never write JSON.", schema=SCHEMA),
        "'Never write JSON' contradicts the schema, which wants JSON",
    ),
    (
        "P0106",
        draft('Say {"kind": "a", "urgency": 1}.', schema=SCHEMA),
        "the text speaks of a field 'urgency', which the schema does not have",
    ),
    (
        "P0106",
        draft("Fill the `mood` field.", schema=SCHEMA),
        "the text speaks of a field 'mood', which the schema does not have",
    ),
    (
        "P0107",
        draft("{% if a %}Return only JSON.{% endif %}", {"a": {"type": "boolean"}}),
        "'only JSON' is asked for, and no schema enforces it",
    ),
    ("P0108", draft("x" * 44, budget_tokens=10), "with sample 'made up' it has about 11 tokens"),
    (
        "P0109",
        draft("{% role 'user' %}\n{{ a }}", {"a": {}}, samples=()),
        "it has variables and no sample",
    ),
    (
        "P0110",
        draft("Hi", samples=(Sample("s", {}, "", ("Ho",)),)),
        "sample 's' lacks 'Ho'",
    ),
    (
        "P0110",
        draft("Hi", samples=(Sample("s", {}, "", (), ("Hi",)),)),
        "sample 's' must not contain 'Hi'",
    ),
    (
        "P0111",
        draft("{% role 'user' %}\n{{ a }}", {"a": {}}, locale_uses={"de": frozenset()}),
        "the translation into de does not use a",
    ),
    (
        "P0111",
        draft("Hi", locale_uses={"de": frozenset({"b"})}),
        "only the translation into de uses b",
    ),
    (
        "P0112",
        draft("Hi", model="other"),
        "it was written for 'other', and route support asks 'gpt-5-mini-2026-08-07'",
    ),
    ("P0113", draft("Hi", asked=()), "no route asks a model with it"),
    ("P0114", draft("Hi", allow={"P0102": "why"}), "P0102 is allowed here, and is not found"),
]


@pytest.mark.parametrize(
    ("code", "wrong", "message"), FOUND, ids=[f"{c}-{m[:30]}" for c, _, m in FOUND]
)
def test_a_mistake_is_found_alone(code: str, wrong: Draft, message: str) -> None:
    [found] = lint(wrong)
    assert (found.code, found.message, found.level) == (code, message, RULES[code].level)


def test_every_rule_is_shown_to_find_something() -> None:
    assert {code for code, _, _ in FOUND} == set(RULES)


@pytest.mark.parametrize(
    "good",
    [
        draft("Hi", asked=(Asked("r", "simulated", "steady"), Asked("r", "local", "small"))),
        draft('Answer in JSON with the `kind` field and "id": 1.', schema=SCHEMA),
        draft("x" * 40, budget_tokens=10),
        draft("Hi", samples=(Sample("s", {}, "", ("Hi",), ("Ho",)),)),
        draft("Hi", model=DATED.model),
    ],
)
def test_what_is_right_is_left_alone(good: Draft) -> None:
    assert lint(good) == []


def test_a_sample_that_does_not_fit_is_a_failing_sample_and_no_crash() -> None:
    bad = draft(
        "{% role 'user' %}\n{{ a }}", {"a": {}}, samples=(Sample("s", {}),), budget_tokens=1
    )
    [found] = lint(bad)
    assert found.code == "P0110"
    assert "needs the variable 'a'" in found.message


def test_what_a_prompt_allows_fails_nothing_and_says_why() -> None:
    [found] = lint(draft("Hi {{ a }}", {"a": {}}, allow={"P0102": "names of our own shops"}))
    assert found.allowed == "names of our own shops"
    assert not fails([found], strict=True)


def test_warnings_fail_only_when_asked() -> None:
    [found] = lint(draft("Hi", asked=()))
    assert not fails([found], strict=False)
    assert fails([found], strict=True)
    assert fails(lint(draft("Hi", owner="")), strict=False)


def test_lines_are_those_of_the_place() -> None:
    text = "Hi.\n{{ a }}"
    [found] = lint(draft(text, {"a": {}}))
    assert found.line == 100 + text.index("{{")
    [secret] = lint(draft("ok\nsk-abcdefghijklmnop1234"))
    assert secret.line == 103


def test_a_prompt_without_a_line_of_its_own_is_told_at_the_variable() -> None:
    prompt = prompt_of("{{ a }}", {"a": {}})
    assert prompt is not None
    [found] = lint(draft("", {"a": {}}, prompt=prompt, samples=(Sample("s", {"a": "x"}),)))
    assert found.line == 3


def test_knowledge_is_not_the_authors_text() -> None:
    template = Template("system", (Text("Answer in plain text.", "knowledge"),))
    assert lint(draft("", schema=SCHEMA, prompt=Prompt("p", (template,)))) == []


def test_the_author_speaks_in_loops_too() -> None:
    text = "{% for t in a %}only json{% endfor %}"
    [found] = lint(draft(text, {"a": {"type": "texts", "origin": "operator"}}))
    assert found.code == "P0107"
