"""From a prompt and values to labelled messages."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined

from steadyhand.prompts.model import Message, Prompt, Segment
from steadyhand.prompts.rendering import MAX_CHARS, Prepared, PromptTooLong, Renderer, encoded
from steadyhand.prompts.values import checked
from tests.support.prompts import prompt_of, templates_of, variables_of

TABLES: dict[str, dict[str, Any]] = {
    "name": {"type": "text", "origin": "application"},
    "said": {"type": "text"},
    "n": {"type": "integer", "default": 2},
    "x": {"type": "number", "default": 1.5},
    "is_new": {"type": "boolean", "default": True},
    "tags": {"type": "texts", "origin": "operator", "default": ["a", "b"]},
    "docs": {"type": "records", "origin": "retrieved", "fields": ["id", "text"], "default": []},
}
VARIABLES = variables_of(TABLES)
GIVEN = {
    "name": "Ada",
    "said": "hello",
    "docs": [{"id": "1", "text": "one"}, {"id": "2", "text": "zwei"}],
}


def render(text: str, given: dict[str, Any] = GIVEN) -> str:
    messages = Renderer(templates_of(text, VARIABLES), VARIABLES).messages(
        checked(VARIABLES, given)
    )
    return "|".join(message.text for message in messages)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ name }}{{ n }}{{ x }}{{ is_new }}", "Ada21.5true"),
        ("{{ not is_new }}{{ name in tags }}{{ 'a' in tags }}", "falsefalsetrue"),
        ("{{ name | upper }} {{ name | lower }} {{ said | capitalize }}", "ADA ada Hello"),
        ("{{ '  x ' | trim }}{{ said | truncate(3) }}{{ said | truncate(5) }}", "xhe…hello"),
        ("{{ tags | join(', ') }}{{ tags | join }}{{ tags | length }}", "a, bab2"),
        ("{{ docs | tojson }}", '[{"id": "1", "text": "one"}, {"id": "2", "text": "zwei"}]'),
        ("{{ 'a\\nb' | indent(2) }}", "a\n  b"),
        (
            "{% for d in docs %}{{ loop.index }}/{{ loop.length }}:{{ d.text }}"
            "{% if not loop.last %},{% endif %}{% endfor %}",
            "1/2:one,2/2:zwei",
        ),
        ("{% for d in docs %}{% if loop.first %}{{ loop.index0 }}{% endif %}{% endfor %}", "0"),
        (
            "{% for t in tags %}{% for d in docs %}{{ t ~ d.id }} {% endfor %}{% endfor %}",
            "a1 a2 b1 b2 ",
        ),
        ("{% if n > 2 %}a{% elif n == 2 %}b{% else %}c{% endif %}", "b"),
        ("{% if n >= 3 or n <= 1 %}a{% else %}b{% endif %}{% if n != 2 %}c{% endif %}", "b"),
        ("{{ name if is_new else said }}{{ name if n < 1 else said }}", "Adahello"),
        ("{{ name and said }}{{ name or said }}", "helloAda"),
        ("{% if name not in ['Bob', 'Eve'] %}ok{% endif %}", "ok"),
        ("{% if 'el' in said %}in{% endif %}{% if 'z' not in said %}out{% endif %}", "inout"),
        ("{# a note #}{% raw %}{{ kept }}{% endraw %}", "{{ kept }}"),
        ("a\n{% if is_new %}\nb\n{% endif %}\nc", "a\nb\nc"),
        ("one\n{% role 'user' %}\n{{ said }}", "one|hello"),
    ],
)
def test_a_template_says_what_it_should(text: str, said: str) -> None:
    assert render(text) == said


def test_an_empty_list_has_its_own_words() -> None:
    assert render("{% for d in docs %}x{% else %}none{% endfor %}", {**GIVEN, "docs": []}) == "none"


JINJA = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # noqa: S701
SAME = [
    "{% for d in docs %}[{{ d.id }}] {{ d.text | trim }}\n{% endfor %}{{ tags | join(' / ') }}",
    "{% if is_new and n in [1, 2] %}\n  new {{ n }}\n{% else %}\n  old\n{% endif %}\n"
    "end {{ name ~ n }}",
]


@pytest.mark.parametrize("text", SAME)
@given(
    name=st.text(max_size=20),
    said=st.text(max_size=20),
    docs=st.lists(
        st.fixed_dictionaries({"id": st.text(max_size=3), "text": st.text(max_size=9)}), max_size=4
    ),
)
def test_it_says_what_jinja_says(
    text: str, name: str, said: str, docs: list[dict[str, str]]
) -> None:
    values = checked(VARIABLES, {"name": name, "said": said, "docs": docs})
    ours = Renderer(templates_of(text, VARIABLES), VARIABLES).messages(values)
    theirs = JINJA.from_string(text).render(values)
    assert "".join(message.text for message in ours).strip() == theirs.strip()


def test_every_piece_keeps_its_label() -> None:
    templates = templates_of("Hi {{ name }}: {{ said ~ name }}{{ tags | join }}", VARIABLES)
    [message] = Renderer(templates, VARIABLES).messages(checked(VARIABLES, GIVEN))
    assert message.segments == (
        Segment("Hi ", "author", "trusted"),
        Segment("Ada", "application", "trusted", ("name",)),
        Segment(": ", "author", "trusted"),
        Segment("helloAda", "user", "untrusted", ("name", "said")),
        Segment("ab", "operator", "trusted", ("tags",)),
    )


def test_a_loop_over_untrusted_records_says_untrusted_text() -> None:
    templates = templates_of(
        "{% for d in docs %}{{ d.text }}{{ loop.index }}{% endfor %}", VARIABLES
    )
    [message] = Renderer(templates, VARIABLES).messages(checked(VARIABLES, GIVEN))
    assert {(one.origin, one.trust) for one in message.segments} == {("retrieved", "untrusted")}


def test_a_value_is_never_read_as_a_template() -> None:
    hostile = "{{ name }}{% for x in y %}"
    assert render("{{ said }}", {**GIVEN, "said": hostile}) == hostile


def test_a_constant_comes_from_the_author() -> None:
    [message] = Renderer(templates_of("{{ 'x' }}", {}), {}).messages({})
    assert message.segments == (Segment("x", "author", "trusted"),)


def test_what_would_be_too_long_is_refused() -> None:
    text = "{% for t in tags %}{{ said }}{% endfor %}"
    variables = variables_of({"said": {"max_chars": 100_000}, "tags": {"type": "texts"}})
    renderer = Renderer(templates_of(text, variables), variables)
    values = {"said": "x" * 100_000, "tags": ["t"] * 3}
    with pytest.raises(PromptTooLong, match=f"{MAX_CHARS:,}"):
        renderer.messages(values)
    assert len(renderer.messages({**values, "tags": ["t"] * 2})[0].text) == 200_000


def prepared(text: str, **more: Any) -> Prepared:
    found = prompt_of(text, {"said": {}}, **more)
    assert isinstance(found, Prompt)
    return Prepared(found)


def test_fixed_messages_are_made_once() -> None:
    fixed = prepared('Be "kind".\n{% role "user" %}\nHi.').fixed
    assert msgspec.json.decode(b"[" + fixed + b"]") == [
        {"role": "system", "content": 'Be "kind".'},
        {"role": "user", "content": "Hi."},
    ]
    assert prepared("Hi {{ said }}").fixed == b""
    assert prepared("Hi", locales={"de": "Hallo"}).fixed == b""


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("", "Hi"),
        ("fr", "Hi"),
        ("de", "Hallo"),
        ("de-AT", "Servus"),
        ("de_at", "Servus"),
        ("de-CH-1996", "Hallo"),
        ("DE", "Hallo"),
    ],
)
def test_a_language_falls_back_to_its_parent_and_then_to_the_main_text(
    locale: str, said: str
) -> None:
    one = prepared("Hi", locales={"de": "Hallo", "de-at": "Servus"})
    assert one.renderer(locale).body({}) == encoded(
        (Message("system", (Segment(said, "author", "trusted"),)),)
    )


def test_a_message_that_became_empty_is_left_out() -> None:
    one = prepared("{{ said }}\n{% role 'user' %}\nHi")
    assert one.renderer("").body({"said": ""}) == b'{"role":"user","content":"Hi"}'


def test_only_a_plain_prompt_has_a_plain_text() -> None:
    assert prepared("Hi").prompt.plain_text == "Hi"
    assert prepared("Hi {{ said }}").prompt.plain_text == ""
    assert prepared("Hi", locales={"de": "Hallo"}).prompt.plain_text == ""
    assert prepared("{% role 'user' %}\nHi").prompt.plain_text == ""
