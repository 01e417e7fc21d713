"""What the gate says, in each of its five words; and how it is shown."""

from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from steadyhand.evals.gate.checks import Answer
from steadyhand.evals.gate.report import junit, markdown, plain, seen_by
from steadyhand.evals.gate.suite import Budgets, Case, Suite
from steadyhand.evals.gate.verdict import Pair, Verdict, decide

GOOD = Answer("it is good", "live", 100.0, 50)
BAD = Answer("it is bad", "live", 100.0, 50)
FLOOR = Answer("later", "template", 5.0, 0)
NONE = Answer("", "", 0.0, 0, "no answer: refused")


def decided(
    now: Callable[[int], Answer],
    before: Callable[[int], Answer] = lambda _: GOOD,
    cases: int = 20,
    budgets: Budgets | None = None,
) -> tuple[Suite, Verdict]:
    suite = Suite(
        "support",
        [Case(f"c{number}", ask="?", contains=["good"]) for number in range(cases)],
        budgets=budgets or Budgets(),
    )
    pairs = [
        Pair(case, before(number), now(number))
        for number, case in enumerate(suite.cases)
        for _ in range(suite.repeats)
    ]
    return suite, decide(suite, pairs)


def xml(suite: Suite, found: Verdict) -> ElementTree.Element:
    return ElementTree.fromstring(junit(suite, found))  # noqa: S314 - written by ourselves


def test_the_same_passes_and_says_what_it_could_have_seen() -> None:
    suite, found = decided(lambda _: GOOD)
    assert "were lost" not in markdown(suite, found, 1)
    assert found.decision == "passes"
    assert found.message == (
        "no worse: 60 of 60 good before, 60 now; "
        "a drop of more than 4.3 % is ruled out, 5.0 % are tolerated"
    )
    assert seen_by(found).startswith("a drop of 11.")


def test_a_worse_one_fails_with_the_cases_that_were_lost() -> None:
    suite, found = decided(lambda number: BAD if number < 4 else GOOD)
    assert found.decision == "worse"
    assert found.pairs == (60, 12, 0)
    assert "4 of 20 cases lost" in found.message
    page = markdown(suite, found, 7)
    assert page.startswith("## ✕ Gate of `support`: worse\n")
    assert "- **c0**: 0 of 3 good, 3 before; has not 'good'" in page
    assert "  - was: `it is good`\n  - is: `it is bad`" in page
    assert "seed 7" in page


def test_a_better_one_passes() -> None:
    _, found = decided(lambda _: GOOD, lambda number: BAD if number < 9 else GOOD)
    assert found.decision == "passes"
    assert found.pairs.drop < 0


def test_few_answers_cannot_tell() -> None:
    suite, found = decided(lambda number: BAD if number == 0 else GOOD, cases=5)
    assert found.decision == "undecided"
    assert "ask more often" in found.message
    assert "◔" in markdown(suite, found, 1)


def test_so_few_that_nothing_could_be_seen() -> None:
    _, found = decided(lambda _: GOOD, cases=1)
    assert found.smallest_drop is None
    assert "no drop would have been seen" in seen_by(found)


@pytest.mark.parametrize(
    ("now", "budgets", "says"),
    [
        (GOOD._replace(tokens=90), Budgets(), "it takes 1.80 times the tokens, above 1.5"),
        (
            GOOD._replace(took_ms=300.0),
            Budgets(0.0, 2.0),
            "it takes 3.00 times the p95 latency, above 2",
        ),
    ],
)
def test_what_takes_too_much_fails_as_well(now: Answer, budgets: Budgets, says: str) -> None:
    _, found = decided(lambda _: now, budgets=budgets)
    assert found.decision == "over_budget"
    assert says in found.message


def test_a_budget_of_nothing_is_none() -> None:
    _, found = decided(lambda _: GOOD._replace(tokens=900), budgets=Budgets(0.0, 0.0))
    assert found.decision == "passes"
    free = GOOD._replace(tokens=0)
    assert decided(lambda _: free, lambda _: free)[1].decision == "passes"


@pytest.mark.parametrize("answer", [FLOOR, NONE])
def test_a_provider_that_is_away_is_no_worse_release(answer: Answer) -> None:
    suite, found = decided(lambda _: answer)
    assert found.decision == "not_measured"
    assert found.unmeasured == 60
    assert "60 of 60 pairs" in found.message
    tests = xml(suite, found)
    assert len(tests.findall("testcase/skipped")) == 20


def test_a_few_that_are_away_do_not_matter() -> None:
    _, found = decided(lambda number: NONE if number == 0 else GOOD, cases=25)
    assert found.decision == "passes"
    assert found.unmeasured == 3


def test_junit_has_a_test_for_each_case_and_one_for_the_whole() -> None:
    suite, found = decided(lambda number: BAD if number < 4 else GOOD)
    tests = xml(suite, found)
    assert tests.get("tests") == "21"
    assert tests.get("failures") == "5"
    failed = [test.get("name") for test in tests if test.find("failure") is not None]
    assert failed == ["verdict", "c0", "c1", "c2", "c3"]
    same = xml(*decided(lambda _: GOOD))
    assert same.get("failures") == "0"


def test_programs_get_all_of_it() -> None:
    suite, found = decided(lambda number: BAD if number < 4 else GOOD)
    told = plain(suite, found, 7)
    assert told["decision"] == "worse"
    assert told["pairs"] == {"n": 60, "lost": 12, "won": 0}
    assert len(told["cases"]) == 20  # type: ignore[arg-type]


def test_hostile_answers_stay_text() -> None:
    hostile = Answer("`</code>\n# title\x00\u202e" + "x" * 1_000, "live", 1.0, 1)
    suite, found = decided(lambda number: hostile if number < 4 else GOOD)
    page = markdown(suite, found, 1)
    quoted = next(
        line for line in page.splitlines() if line.startswith("  - is: `'</code> # title")
    )
    assert quoted.count("`") == 2
    assert quoted.endswith("…`")
    assert "\u202e" not in page
    xml(suite, found)


def test_many_lost_cases_are_not_all_listed() -> None:
    suite, found = decided(lambda _: BAD, cases=30)
    assert "- and 10 more" in markdown(suite, found, 1)


def test_a_case_that_was_never_asked_is_shown_as_such() -> None:
    suite = Suite("support", [Case("one", ask="?", contains=["x"])])
    found = decide(suite, [])
    assert found.decision == "not_measured"
    assert found.cases[0].asked == 0
