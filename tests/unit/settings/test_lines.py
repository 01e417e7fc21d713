import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.settings.lines import KeyPath, key_lines, line_of

TEXT = '''\
# a comment with [brackets] and key = 1
top = 1
"quoted key" = 2

[server]   # a comment
port = 8080
text = """
[not.a.table]
fake = 1
ends with quotes""""
list = [
  "a ] b",  # ]
  "c",
]
after = { inner = 1, deep = [1, { x = 2 }] }
a.b.c = 3
literal = \'\'\'
x = 1\'\'\'

[[rungs]]
kind = "live"

[[rungs]]
kind = "template"

[rungs.answer]
team = "x"

[providers."my.host"]
kind = "openai"
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("quoted key",), 3),
        (("server",), 5),
        (("server", "port"), 6),
        (("server", "text"), 7),
        (("server", "list"), 11),
        (("server", "list", 1), 11),  # inside an array: the key that holds it
        (("server", "after", "inner"), 15),
        (("server", "a"), 16),
        (("server", "a", "b", "c"), 16),
        (("server", "literal"), 17),
        (("rungs",), 20),
        (("rungs", 0, "kind"), 21),
        (("rungs", 1), 23),
        (("rungs", 1, "kind"), 24),
        (("rungs", 1, "answer", "team"), 27),
        (("providers", "my.host", "kind"), 30),
        (("server", "absent"), 5),  # the table that it is missing from
        (("nothing",), None),
    ],
)
def test_a_key_is_found_at_its_line(path: KeyPath, line: int | None) -> None:
    assert line_of(key_lines(TEXT), path) == line


def test_what_stands_in_a_string_is_no_key() -> None:
    tomllib.loads(TEXT)  # or the table above means nothing
    assert ("server", "fake") not in key_lines(TEXT)
    assert ("not", "a", "table") not in key_lines(TEXT)


def test_a_part_of_a_file_counts_from_its_first_line() -> None:
    assert key_lines("a = 1\nb = 2\n", first_line=10) == {("a",): 10, ("b",): 11}


def test_an_escaped_quote_does_not_end_a_string() -> None:
    text = 'a = """\\"""" \nb = "\\" [ "\nc = 1\n'
    assert tomllib.loads(text)["c"] == 1
    assert key_lines(text)[("c",)] == 3


KEYS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=5)
SCALARS = st.sampled_from(
    ["1", '"[x"', "'''\na = 1\n'''", '"""\n[t]\n"""', "[\n1,\n[2],\n]", "{ z = '}' }", "true # ]"]
)


@given(st.dictionaries(KEYS, st.dictionaries(KEYS, SCALARS, min_size=1), min_size=1))
def test_every_key_is_found_where_its_name_stands(tables: dict[str, dict[str, str]]) -> None:
    text = "".join(
        f"[{table}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
        for table, keys in tables.items()
    )
    tomllib.loads(text)
    lines, found = text.split("\n"), key_lines(text)
    for table, keys in tables.items():
        assert lines[found[(table,)] - 1] == f"[{table}]"
        for key in keys:
            assert lines[found[(table, key)] - 1].startswith(f"{key} = ")
