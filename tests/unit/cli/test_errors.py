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
    problem_of,
)
from steadyhand.core.errors import ConfigurationError, NotFound, SteadyhandError


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
    error = ConfigurationError("route 'suport' does not exist", hint="did you mean 'support'?")
    error.place = "routes/checkout.toml:31"  # type: ignore[attr-defined]
    assert problem_of(error).text() == (
        "error[invalid_configuration]: route 'suport' does not exist\n"
        "  --> routes/checkout.toml:31\n"
        "hint: did you mean 'support'?   explain: steadyhand explain invalid_configuration"
    )


def test_an_error_without_a_hint_still_says_where_to_read_more() -> None:
    assert problem_of(NotFound("no route 'x'")).text() == (
        "error[not_found]: no route 'x'\nexplain: steadyhand explain not_found"
    )


def test_the_json_form_has_the_same_fields() -> None:
    refused = Refused(404, "not_found", "no route 'ü'", "routes: a, b")
    assert json.loads(problem_of(refused).json()) == {
        "error": {
            "code": "not_found",
            "message": "no route 'ü'",
            "place": "",
            "hint": "routes: a, b",
        }
    }
