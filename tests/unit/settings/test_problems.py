import re

import pytest

from steadyhand.settings.problems import (
    CODES,
    InvalidWorkspace,
    Problem,
    as_written,
    nearest,
)

PROBLEM = Problem(
    code="E0301",
    path="routes/support.toml:7",
    key="rungs[0].provider",
    value='"simulatd"',
    reason="there is no provider 'simulatd'",
    nearest="simulated",
    hint="add [providers.simulatd] to steadyhand.toml",
)


def test_a_problem_reads_as_code_sentence_place_and_hint() -> None:
    assert PROBLEM.text() == (
        "error[E0301]: there is no provider 'simulatd'\n"
        '  --> routes/support.toml:7  rungs[0].provider = "simulatd"\n'
        "hint: did you mean 'simulated'?   explain: steadyhand explain E0301"
    )


def test_without_key_value_or_hint_nothing_is_left_dangling() -> None:
    assert Problem("E0102", "keys.toml", "", "", "cannot be read").text() == (
        "error[E0102]: cannot be read\n  --> keys.toml\nhint: explain: steadyhand explain E0102"
    )


def test_the_json_form_has_the_same_parts() -> None:
    assert PROBLEM.fields() == {
        "code": "E0301",
        "path": "routes/support.toml:7",
        "key": "rungs[0].provider",
        "value": '"simulatd"',
        "reason": "there is no provider 'simulatd'",
        "nearest": "simulated",
        "hint": "did you mean 'simulated'?",
    }


def test_the_error_says_the_first_problem_and_how_many_more() -> None:
    error = InvalidWorkspace([PROBLEM, PROBLEM, PROBLEM])
    assert str(error) == (
        "routes/support.toml:7: there is no provider 'simulatd' and 2 more "
        "(did you mean 'simulated'?)"
    )
    assert error.problems == (PROBLEM,) * 3


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("suport", ["support", "classify"], "support"),
        ("prot", ["port", "host"], "port"),
        ("xyz", ["support", "classify"], None),
        ("a", [], None),
    ],
)
def test_the_nearest_name(name: str, known: list[str], expected: str | None) -> None:
    assert nearest(name, known) == expected


def test_a_long_value_is_shortened() -> None:
    assert as_written("x" * 500) == '"' + "x" * 58 + "…"
    assert as_written(["é", 1, True]) == '["é", 1, true]'


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_explained(code: str) -> None:
    assert re.fullmatch(r"E0[1-5]\d\d", code)
    assert CODES[code].title == CODES[code].title.strip().rstrip(".")
    assert CODES[code].text.endswith((".", '"', "DIR"))
    assert len(CODES[code].text) > len(CODES[code].title)
