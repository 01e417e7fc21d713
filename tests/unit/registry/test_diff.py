"""What differs between two releases."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.registry.diff import as_lines, difference, parts, prompt_tokens

BEFORE = {
    "routes/support.toml": b'slo = "instant"\n[[rungs]]\nmodel = "small"\n[[rungs]]\nmodel = "b"\n',
    "prompts/support.md": b'+++\nowner = "me"\n+++\nBe kind.\nBe brief.\n',
    "slo.json": b'{"instant":{"whole_ms":150}}',
    "answers/a/x.md": b"old",
}
AFTER = {
    "routes/support.toml": b'slo = "instant"\n[[rungs]]\nmodel = "large"\ntemperature = 0.2\n',
    "prompts/support.md": b'+++\nowner = "you"\n+++\nBe kind.\nBe exact and brief.\n',
    "slo.json": b'{"instant":{"whole_ms":200}}',
    "answers/a/y.md": b"new",
}


def test_tables_are_compared_by_key_and_texts_by_line() -> None:
    found = difference(BEFORE, AFTER)
    assert (found.added, found.removed) == (("answers/a/y.md",), ("answers/a/x.md",))
    assert [tuple(value) for value in found.values] == [
        ("prompts/support.md", "owner", '"me"', '"you"'),
        ("routes/support.toml", "rungs.0.model", '"small"', '"large"'),
        ("routes/support.toml", "rungs.0.temperature", "", "0.2"),
        ("routes/support.toml", "rungs.1.model", '"b"', ""),
        ("slo.json", "instant.whole_ms", "150", "200"),
    ]
    (text,) = found.texts
    assert (text.path, text.tokens, found.prompt_tokens) == ("prompts/support.md", 2, 2)
    assert text.lines[1:] == (" Be kind.", "-Be brief.", "+Be exact and brief.")
    lines = as_lines(found)
    assert '~ routes/support.toml rungs.1.model: "b" -> (absent)' in lines
    assert lines[-1] == "about +2 prompt tokens a request"


def test_nothing_differs() -> None:
    found = difference(BEFORE, dict(BEFORE))
    assert found.is_empty
    assert as_lines(found) == ["nothing differs"]


@pytest.mark.parametrize(
    ("path", "content", "table", "text"),
    [
        ("a.toml", b"a = ", {}, "a = "),
        ("a.json", b"[1]", {}, "[1]"),
        ("a.json", b"{", {}, "{"),
        ("a.md", b"+++\na = \n+++\nx", {}, "+++\na = \n+++\nx"),
        ("a.md", b"+++ no end", {}, "+++ no end"),
        ("a.md", b"\xff", {}, "�"),
        ("a.md", b"+++\na = 1\n+++\nx\n", {"a": 1}, "x"),
    ],
)
def test_what_cannot_be_read_is_text(
    path: str, content: bytes, table: dict[str, object], text: str
) -> None:
    assert parts(path, content) == (table, text)


def test_a_long_value_is_cut_for_people() -> None:
    found = difference({"a.toml": b"a = 1"}, {"a.toml": b'a = "' + b"x" * 500 + b'"'})
    assert len(as_lines(found)[0]) < 200


FILES = st.dictionaries(
    st.sampled_from(["a.toml", "prompts/b.md", "c.json"]), st.binary(max_size=30)
)


@given(FILES, FILES)
def test_any_two_releases_can_be_compared(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    there, back = difference(one, other), difference(other, one)
    assert (there.added, there.prompt_tokens) == (back.removed, -back.prompt_tokens)
    assert there.prompt_tokens == prompt_tokens(other) - prompt_tokens(one)
    assert as_lines(there)
