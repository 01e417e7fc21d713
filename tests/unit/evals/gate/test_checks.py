"""Whether one answer is good: every check, alone and together."""

from typing import Any

import pytest

from steadyhand.evals.gate.checks import Answer, judge
from steadyhand.evals.gate.suite import Case

SCHEMA = {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}


def said(text: str, rung: str = "live", problem: str = "") -> Answer:
    return Answer(text, rung, 12.0, 100, problem)


@pytest.mark.parametrize(
    ("checks", "text", "failures"),
    [
        ({"contains": ["Vacuum", "dead"]}, "vacuum removes DEAD rows", []),
        ({"contains": ["vacuum", "lock"]}, "vacuum removes rows", ["has not 'lock'"]),
        ({"contains_any": ["a1", "b2"]}, "it is b2", []),
        ({"contains_any": ["a1", "b2"]}, "it is c3", ["has none of 'a1', 'b2'"]),
        ({"not_contains": ["sorry"]}, "Sorry, no", ["has 'sorry'"]),
        ({"equals": "yes"}, " yes\n", []),
        ({"equals": "yes"}, "Yes.", ["is not the wanted text"]),
        ({"max_words": 2}, "one two three", ["has 3 words, more than 2"]),
        ({"schema": SCHEMA}, '{"city": "Bonn"}', []),
        ({"schema": SCHEMA}, "Bonn", ["is not JSON"]),
        ({"schema": SCHEMA}, "{}", ["breaks its schema: 'city' is a required property"]),
        ({"schema": {"type": "nonsense"}}, "{}", ["the case's schema is none"]),
    ],
)
def test_a_check_says_what_it_misses(
    checks: dict[str, Any], text: str, failures: list[str]
) -> None:
    found = judge(Case("one", ask="?", **checks), said(text))
    assert found.is_measured
    assert found.is_good == (not failures)
    assert len(found.failures) == len(failures)
    for told, wanted in zip(found.failures, failures, strict=True):
        assert wanted in told


def test_another_rung_says_nothing_of_a_release() -> None:
    case = Case("one", ask="?", contains=["x"])
    found = judge(case, said("x", rung="template"))
    assert not found.is_measured
    assert not found.is_good
    assert "'template' spoke instead of 'live'" in found.failures[0]
    assert judge(Case("one", ask="?", contains=["x"], rung=""), said("x", rung="cache")).is_good


def test_no_answer_says_nothing_of_a_release() -> None:
    found = judge(Case("one", ask="?", contains=["x"]), said("", problem="status 503"))
    assert found == (False, ("status 503",))
