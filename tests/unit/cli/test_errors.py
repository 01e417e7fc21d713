import json

import pytest

from steadyhand.cli.errors import (
    MEANING,
    ControlTimedOut,
    ControlUnreachable,
    ExitCode,
    NotControlPlane,
    NotLoggedIn,
    Refused,
    Usage,
    exit_code_of,
    problems_of,
)
from steadyhand.core.errors import ConfigurationError, NotFound, SteadyhandError
from steadyhand.settings.problems import InvalidWorkspace
from steadyhand.settings.problems import Problem as Mistake


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Usage("x"), 2),
        (NotFound("x"), 3),
        (NotLoggedIn("x"), 4),
        (ControlUnreachable("x"), 5),
        (NotControlPlane("x"), 5),
        (ControlTimedOut("x"), 124),
        (ConfigurationError("x"), 1),
        (SteadyhandError("x"), 1),
        (Refused(401, "invalid_token", "x", ""), 4),
        (Refused(403, "origin_not_allowed", "x", ""), 4),
        (Refused(404, "not_found", "x", ""), 3),
        (Refused(409, "conflict", "x", ""), 6),
        (Refused(421, "host_not_allowed", "x", ""), 4),
        (Refused(422, "invalid_parameter", "x", ""), 2),
        (Refused(500, "internal_error", "x", ""), 1),
        (Refused(503, "database_unavailable", "x", ""), 1),
    ],
)
def test_an_error_has_an_exit_code(error: SteadyhandError, code: int) -> None:
    assert exit_code_of(error) == code


def test_every_exit_code_has_a_meaning() -> None:
    assert set(MEANING) == set(ExitCode)


def test_an_error_names_code_sentence_place_hint_and_where_to_read_more() -> None:
    mistake = Mistake(
        code="E0303",
        path="routes/checkout.toml:1",
        key="slo",
        value='"instnt"',
        reason="there is no SLO class 'instnt'",
        nearest="instant",
    )
    [problem] = problems_of(InvalidWorkspace([mistake]))
    assert problem.text() == (
        "error[E0303]: there is no SLO class 'instnt'\n"
        '  --> routes/checkout.toml:1  slo = "instnt"\n'
        "hint: did you mean 'instant'?   explain: steadyhand explain E0303"
    )
    assert problem.text() == mistake.text()


def test_each_mistake_of_a_workspace_is_shown() -> None:
    mistakes = [Mistake(code, "steadyhand.toml", "", "", "x") for code in ("E0101", "E0102")]
    assert [one.code for one in problems_of(InvalidWorkspace(mistakes))] == ["E0101", "E0102"]


def test_an_error_without_a_hint_still_says_where_to_read_more() -> None:
    [problem] = problems_of(NotFound("no route 'x'"))
    assert problem.text() == (
        "error[not_found]: no route 'x'\nexplain: steadyhand explain not_found"
    )


def test_the_json_form_has_the_same_fields() -> None:
    refused = Refused(404, "not_found", "no route 'ü'", "routes: a, b")
    [problem] = problems_of(refused)
    assert json.loads(problem.json()) == {
        "error": {
            "code": "not_found",
            "message": "no route 'ü'",
            "place": "",
            "hint": "routes: a, b",
        }
    }
