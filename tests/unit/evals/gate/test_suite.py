"""Suites: what is read, and what is refused with its place."""

import pytest

from steadyhand.evals.gate.suite import MOST_CASES, InvalidSuite, checks_of, read

GOOD = """
route = "support"
[[cases]]
id = "one"
ask = "What does VACUUM do?"
contains = ["reclaims"]
"""


def test_a_suite_is_read_with_its_defaults() -> None:
    suite = read(GOOD, "suites/support.toml")
    assert (suite.margin_points, suite.repeats, suite.alpha) == (5.0, 3, 0.05)
    (case,) = suite.cases
    assert case.conversation == [{"role": "user", "content": "What does VACUUM do?"}]
    assert checks_of(case) == ["contains"]


def test_a_conversation_is_asked_as_it_stands() -> None:
    text = GOOD.replace(
        'ask = "What does VACUUM do?"',
        'messages = [{role = "user", content = "Hi"}, {role = "assistant", content = "Hello"}]',
    )
    (case,) = read(text, "s").cases
    assert [each["role"] for each in case.conversation] == ["user", "assistant"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("route = ", "s: Invalid value"),
        ('route = "support"\ncases = []', "there are no cases"),
        (GOOD + GOOD.partition("\n")[2].partition("\n")[2], "two cases have the id 'one'"),
        (GOOD.replace('contains = ["reclaims"]', ""), "checks nothing, so it can never fail"),
        (GOOD.replace('ask = "What does VACUUM do?"', ""), "either ask or messages"),
        (GOOD.replace("contains", "contians"), "contians"),
        (GOOD.replace('["reclaims"]', '[""]'), "$.cases[0].contains[0]"),
        (GOOD.replace('id = "one"', 'id = "../one"'), "$.cases[0].id"),
        ("margin_points = 0\n" + GOOD, "$.margin_points"),
        ("repeats = 1000\n" + GOOD, "$.repeats"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(InvalidSuite) as refused:
        read(text, "s")
    assert problem in refused.value.message
    assert refused.value.hint


def test_there_is_an_end_of_cases() -> None:
    case = '[[cases]]\nid = "c{}"\nask = "?"\nequals = "!"\n'
    cases = "".join(case.format(number) for number in range(MOST_CASES + 1))
    with pytest.raises(InvalidSuite, match="are more than"):
        read('route = "support"\n' + cases, "s")
