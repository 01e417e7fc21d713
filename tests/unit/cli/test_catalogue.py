from collections import Counter

import pytest

from steadyhand.cli.catalogue import every, find
from steadyhand.cli.main import run


def test_every_code_is_used_once_and_says_something() -> None:
    found = every()
    assert [code for code, n in Counter(one.code for one in found).items() if n > 1] == []
    assert [one.code for one in found if not one.title or ":class:" in one.text] == []
    assert {one.family for one in found} == {"error", "reason", "workspace"}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("not_found", "No such path or object."),
        ("first_byte_timeout", "`first_byte_s` passed before"),
        ("invalid_token", "bearer token"),  # lives in the control plane
        ("E0101", "steadyhand init DIR"),
    ],
)
def test_a_code_is_found_wherever_it_lives(code: str, words: str) -> None:
    meaning = find(code)
    assert meaning is not None
    assert words in meaning.text


def test_no_meaning_is_made_up() -> None:
    assert find("nonsense") is None
    assert find("E9999") is None


def test_explain_says_whether_to_try_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "no_answer"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("no_answer (error)\n")
    assert "HTTP status 503. The same request may succeed later, unchanged." in shown
