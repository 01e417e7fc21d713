"""What a prompt's text may say; everything else is refused by name, with its line."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steadyhand.prompts.model import Each, Say, Template, Text, When
from steadyhand.prompts.parsed import Parsed, is_template, plain
from steadyhand.prompts.parsing import MAX_PARTS, parse
from tests.support.prompts import templates_of, variables_of

VARIABLES = variables_of(
    {
        "name": {"type": "text"},
        "other": {"type": "text"},
        "n": {"type": "integer"},
        "x": {"type": "number"},
        "is_new": {"type": "boolean"},
        "tags": {"type": "texts"},
        "docs": {"type": "records", "fields": ["id", "text"]},
    }
)


def read(text: str, partials: dict[str, tuple[str, str, int]] | None = None) -> Parsed:
    return parse(text, VARIABLES, (partials or {}).get, first_line=10)


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("{{ nme }}", "'nme' is not a variable of this prompt", 10),
        ("\n\n{{ name.upper() }}", "functions cannot be called", 12),
        ("{{ name.__class__ }}", "there is no field '__class__' here", 10),
        ("{{ docs.id }}", "there is no field 'id' here", 10),
        ('{{ name["x"] }}', "a field is written with a dot: passage.text", 10),
        ("{{ n + 1 }}", "Add is not part of a prompt's language", 10),
        ("{{ 'a' * 9999999 }}", "Mul is not part of a prompt's language", 10),
        ("{{ 9 ** 99 ** 9 }}", "Pow is not part of a prompt's language", 10),
        ("{{ -n }}", "Neg is not part of a prompt's language", 10),
        ("{{ [1] }}", "lists can only stand after 'in'", 10),
        ("{{ none }}", "there is no 'none': every variable is defined", 10),
        (
            "{{ name is defined }}",
            "'is' is not needed: every variable is defined; give it a default to test it",
            10,
        ),
        ("{{ name | replace('a', 'b') }}", "there is no filter 'replace'", 10),
        ("{{ n | upper }}", "upper takes text, not integer", 10),
        ("{{ name | truncate }}", "truncate takes these arguments: int", 10),
        ("{{ name | truncate('9') }}", "truncate takes these arguments: int", 10),
        ("{{ name | truncate(n) }}", "truncate takes these arguments: int", 10),
        ("{{ name | truncate(length=9) }}", "truncate takes these arguments: int", 10),
        ("{{ name | upper(1) }}", "upper takes these arguments: none", 10),
        ("{{ tags }}", "a value of kind texts cannot be said as it is", 10),
        ("{{ docs }}", "a value of kind records cannot be said as it is", 10),
        (
            "{% for d in docs %}{{ d }}{% endfor %}",
            "a value of kind record cannot be said as it is",
            10,
        ),
        ("{{ 1 < n < 3 }}", "one comparison at a time: a < b and b < c", 10),
        ("{{ name < n }}", "text cannot be compared with integer by this", 10),
        ("{{ is_new < is_new }}", "boolean cannot be compared with boolean by this", 10),
        ("{{ n in tags }}", "integer cannot be compared with texts by this", 10),
        ("{{ name in [1] }}", "a list of text must stand here", 10),
        ("{{ name in [] }}", "a list of text must stand here", 10),
        ("{{ tags or docs }}", "texts or records: it must be one of them", 10),
        ("{{ name if n }}", "an 'if' in an expression needs an 'else'", 10),
        ("{% set a = 1 %}", "'set' is not part of a prompt's language", 10),
        (
            "{% macro m() %}{% endmacro %}",
            "macros are not part of a prompt's language; use a partial",
            10,
        ),
        ("{% extends 'x' %}", "templates cannot be extended; use a partial", 10),
        ("{% block b %}{% endblock %}", "templates cannot be extended; use a partial", 10),
        ("{% import 'x' as x %}", "nothing can be imported; use a partial", 10),
        (
            "{% filter upper %}a{% endfilter %}",
            "FilterBlock is not part of a prompt's language",
            10,
        ),
        ("{% for a in name %}{% endfor %}", "a loop needs one name and a list, not text", 10),
        ("{% for a, b in docs %}{% endfor %}", "a loop needs one name and a list, not records", 10),
        (
            "{% for name in tags %}{% endfor %}",
            "'name' has a meaning already; take another name",
            10,
        ),
        (
            "{% for loop in tags %}{% endfor %}",
            "'loop' has a meaning already; take another name",
            10,
        ),
        ("{% for a in tags if a %}{% endfor %}", "a loop has no condition; put an 'if' inside", 10),
        (
            "{% for a in tags %}{% for b in tags %}{% for c in tags %}{% endfor %}"
            "{% endfor %}{% endfor %}",
            "it may take more than 10,000 steps",
            10,
        ),
        ("{% include name %}", "a partial is named by a text: include 'tone'", 10),
        ("{% include 'tone' %}", "there is no partial 'tone'", 10),
        ('a\n{% role "boss" %}\nb', "there is no role 'boss'", 11),
        (
            "{% if is_new %}",
            "Unexpected end of template. Jinja was looking for the following tags: "
            "'elif' or 'else' or 'endif'. The innermost block that needs to be closed is 'if'",
            10,
        ),
        ("a {{ }}", "Expected an expression, got 'end of print statement'", 10),
        ("{% for d in docs %}{{ d.title }}{% endfor %}", "there is no field 'title' here", 10),
        ("{% for a in tags %}{{ loop.depth }}{% endfor %}", "there is no field 'depth' here", 10),
    ],
)
def test_what_is_not_allowed_is_named_with_its_line(text: str, reason: str, line: int) -> None:
    [mistake] = read(text).mistakes
    assert (mistake.reason, mistake.line) == (reason, line)


def test_every_mistake_is_told_and_the_nearest_name() -> None:
    found = read(
        "{{ nmae }}\n{{ othr | uper }} {% for d in docs %}{{ d.txt }}{% endfor %}"
    ).mistakes
    assert [(one.line, one.nearest) for one in found] == [
        (10, "name"),
        (11, "other"),
        (11, "upper"),
        (11, "text"),
    ]
    assert read("{{ name | uper }}").mistakes[0].nearest == "upper"


@pytest.mark.parametrize(
    "text", ["{{ nobody.name }}", "{{ nobody == 1 }}", "{% for a in nobody %}{{ a }}{% endfor %}"]
)
def test_what_follows_from_a_mistake_is_not_told_again(text: str) -> None:
    assert len(read(text).mistakes) == 1


def test_deep_nesting_is_a_mistake_and_not_a_crash() -> None:
    assert read("{{ " + "(" * 5_000 + "name" + ")" * 5_000 + " }}").mistakes
    assert read("{% if is_new %}" * 3_000).mistakes


def test_partials_that_multiply_are_stopped() -> None:
    many = "{% include 'a' %}" * 30
    partials = {"a": ("partials/a.md", many, 4)}
    reasons = {mistake.reason for mistake in read(many, partials).mistakes}
    assert "partials are nested more than 5 deep" in reasons
    deep = {
        str(n): (f"partials/{n}.md", ("{% include '" + str(n + 1) + "' %}") * 30, 1)
        for n in range(4)
    }
    deep["4"] = ("partials/4.md", "x", 1)
    reasons = {mistake.reason for mistake in read("{% include '0' %}", deep).mistakes}
    assert reasons == {f"with its partials it has more than {MAX_PARTS:,} parts"}


def test_a_mistake_in_a_partial_is_placed_in_its_file() -> None:
    partials = {"a": ("prompts/partials/a.md", "ok\n{{ nobody }}", 5)}
    parsed = read("{% include 'a' %}{{ who }}", partials)
    assert [(one.file, one.line) for one in parsed.mistakes] == [
        ("prompts/partials/a.md", 6),
        ("", 10),
    ]
    assert parsed.partials == {"prompts/partials/a.md"}


def test_roles_make_messages_and_space_around_them_goes() -> None:
    text = "\nBe kind.\n\n{% role \"user\" %}\n  Hi {{ name }}!\n{%- role 'assistant' -%}\n\n"
    assert templates_of(text, VARIABLES) == (
        Template("system", (Text("Be kind."),)),
        Template("user", (Text("Hi "), Say(parts_of("{{ name }}")[0].value, ("name",)), Text("!"))),
    )


def parts_of(text: str) -> tuple[Say, ...]:
    (template,) = templates_of(text, VARIABLES)
    assert all(isinstance(part, Say) for part in template.parts)
    return template.parts  # type: ignore[return-value]


def test_statements_are_kept_as_data() -> None:
    (template,) = templates_of(
        "{% if is_new %}a{% elif n > 1 %}b{% else %}c{% endif %}"
        "{% for d in docs %}{{ d.id }}{% else %}none{% endfor %}",
        VARIABLES,
    )
    when, each = template.parts
    assert isinstance(when, When)
    assert isinstance(when.otherwise[0], When)
    assert isinstance(each, Each)
    assert each.otherwise == (Text("none"),)
    [say] = each.parts
    assert isinstance(say, Say)
    assert say.names == ("docs",)


def test_names_that_are_used_are_known() -> None:
    parsed = read("{% if is_new and n in [1, 2] %}{{ name ~ tags | join }}{% endif %}")
    assert (parsed.mistakes, parsed.used) == ([], {"is_new", "n", "name", "tags"})


def test_a_text_without_marks_needs_no_parser() -> None:
    assert not is_template("a {b} % # }}")
    assert is_template("{# a #}")
    assert plain(" a\n").templates == (Template("system", (Text("a"),)),)
    assert plain(" \n").templates == ()


@settings(max_examples=200)
@given(st.text(alphabet="{}%# \n'\"|.()[]~ifornamedocsendelse_2", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    parsed = read(text)
    assert parsed.mistakes or all(isinstance(one, Template) for one in parsed.templates)
