"""What is counted, once, for whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.records.exposures.model import (
    CANDIDATE,
    COMPARED,
    CONTROL,
    ERROR,
    FALLBACK,
    INVALID,
    LATE,
    MEASURED,
    STABLE,
    UNGROUNDED,
)
from steadyhand.rollouts import evidence
from steadyhand.rollouts.counts import Counts, Window
from steadyhand.rollouts.evidence import (
    Bad,
    Batch,
    Evidence,
    Measured,
    Seen,
    Total,
    metrics_of,
)
from steadyhand.rollouts.model import Policy
from steadyhand.rollouts.sequential import Split

NOW_S = 1_000_000
POLICY = Policy()


def fold(policy: Policy = POLICY, *, is_first: bool = False) -> Evidence:
    return Evidence(policy, is_first=is_first)


def batch(*rows: Bad, up_to: int = 0, seen: tuple[Seen, ...] = ()) -> Batch:
    """Return a batch in which every request has something wrong."""
    totals = [Total(row.weight, row.controls, row.slot, row.second, 1) for row in rows]
    return Batch(up_to or len(rows), totals, rows, seen)


def bad(unit: int, slot: int, flags: int = ERROR, **more: int) -> Bad:
    told = {"weight": 500, "controls": 3, "second": NOW_S, "latency_us": 0, "tokens": 0} | more
    return Bad(unit=unit, slot=slot, flags=flags, **told)


def test_which_bad_events_a_request_is() -> None:
    def of(policy: Policy = POLICY, **row: int) -> list[str]:
        return [*metrics_of(bad(1, COMPARED, **({"flags": 0} | row)), policy)]

    assert of() == []
    assert of(flags=ERROR | FALLBACK | INVALID | LATE) == ["slow", "error", "fallback", "invalid"]
    assert of(latency_us=200_000) == []
    strict = Policy(slow_ms=150, most_tokens=100)
    assert of(strict, latency_us=150_000, tokens=100) == []
    assert of(strict, latency_us=150_001, tokens=101) == ["slow", "over_cost"]
    assert of(strict, flags=LATE) == [], "the policy says what is slow"


def test_a_unit_speaks_once_for_each_metric_wherever_it_was_first() -> None:
    found = fold()
    found.add(batch(bad(1, COMPARED), bad(1, COMPARED), bad(2, CONTROL)), NOW_S)
    found.add(batch(bad(1, COMPARED, FALLBACK), up_to=9), NOW_S)
    [step] = found.counts(NOW_S).steps
    assert step.split("error") == Split(1, 1)
    assert step.split("fallback") == Split(1, 0)
    assert step.split("any") == Split(1, 1)
    assert step.bad["error"] == [2, 1, 0, 0]
    assert step.requests == [3, 1, 0, 0]
    assert step.split("slow") == Split()
    assert found.up_to == 9


def test_what_is_remembered_of_units_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "MOST_SPENT", 20)
    found = fold()
    found.add(batch(*(bad(unit, COMPARED) for unit in range(21))), NOW_S)
    found.add(batch(bad(0, COMPARED), bad(20, COMPARED)), NOW_S)
    [step] = found.counts(NOW_S).steps
    assert step.split("any") == Split(22, 0), "the oldest speaks again, the newest does not"


def test_what_is_bad_only_by_another_policy_is_none() -> None:
    found = fold(Policy(slow_ms=150))
    found.add(batch(bad(1, COMPARED, LATE)), NOW_S)
    [step] = found.counts(NOW_S).steps
    assert (step.events, step.bad, step.requests) == ({}, {}, [1, 0, 0, 0])


def test_one_that_was_bad_with_stable_says_nothing_when_it_joins_the_candidate() -> None:
    found = fold()
    found.add(batch(bad(1, STABLE)), NOW_S)
    found.add(batch(bad(1, COMPARED, weight=2_500, controls=1)), NOW_S)
    early, late = found.counts(NOW_S).steps
    assert early.events["error"] == [0, 0, 0, 1]
    assert "error" not in late.events
    assert late.bad["error"] == [1, 0, 0, 0]


@given(st.permutations([(1, COMPARED), (2, CONTROL), (3, CONTROL), (4, COMPARED), (5, STABLE)]))
def test_late_or_in_another_order_the_counts_are_the_same(rows: list[tuple[int, int]]) -> None:
    one, other = fold(), fold()
    one.add(batch(*(bad(*row) for row in sorted(rows))), NOW_S)
    for number, row in enumerate(rows, start=1):
        other.add(batch(bad(*row, second=NOW_S - 3_600), up_to=number), NOW_S)
    mine, theirs = one.counts(NOW_S).steps[0], other.counts(NOW_S).steps[0]
    assert (mine.events, mine.bad, mine.requests) == (theirs.events, theirs.bad, theirs.requests)


def test_what_is_an_hour_late_counts_and_is_not_recent() -> None:
    found = fold()
    found.add(batch(bad(1, COMPARED, second=NOW_S - 3_600)), NOW_S)
    counts = found.counts(NOW_S)
    assert counts.steps[0].split("any") == Split(1, 0)
    assert counts.candidate_long == Window()
    assert counts.candidate_second == NOW_S - 3_600


def test_a_clock_that_is_ahead_is_taken_for_now() -> None:
    found = fold()
    found.add(batch(bad(1, COMPARED, second=NOW_S + 3_600), bad(2, CONTROL)), NOW_S)
    counts = found.counts(NOW_S)
    assert counts.candidate_short == Window(1, 1)
    assert counts.control_long == Window(1, 1)
    assert counts.candidate_second == NOW_S


def test_windows_end_with_the_last_second_that_is_known() -> None:
    found = fold()
    found.add(batch(*(bad(n, COMPARED, second=NOW_S - n) for n in range(60))), NOW_S)
    counts = found.counts(NOW_S + 5)
    assert counts.candidate_short.requests == evidence.SHORT_S
    assert counts.candidate_long.requests == evidence.LONG_S
    assert counts.candidate_short.rate == 1.0
    assert Window().rate == 0.0
    found.add(Batch(99, (), (), ()), NOW_S + evidence.KEPT_S + 1)
    assert found.counts(NOW_S + evidence.KEPT_S + 1).candidate_long == Window()


def control(second: int, count: int, wrong: int = 0) -> Batch:
    totals = [Total(500, 3, CONTROL, second, count)]
    rows = [bad(second * 1_000 + n, CONTROL, second=second) for n in range(wrong)]
    return Batch(second, totals, rows, ())


def test_seconds_in_which_the_control_was_past_the_slo_are_not_held_against_the_candidate() -> None:
    found = fold()
    found.add(batch(bad(1, COMPARED, second=NOW_S)), NOW_S)
    assert found.counts(NOW_S).guarded == Window(), "nothing is known of the control yet"
    found.add(control(NOW_S, 100, wrong=1), NOW_S)
    found.add(batch(bad(2, COMPARED, second=NOW_S + 1), up_to=NOW_S + 1), NOW_S + 1)
    assert found.counts(NOW_S + 1).guarded == Window(1, 1)
    found.add(control(NOW_S + 1, 100, wrong=60), NOW_S + 1)
    found.add(batch(bad(3, CANDIDATE, second=NOW_S + 2), up_to=NOW_S + 3), NOW_S + 2)
    assert found.counts(NOW_S + 2).guarded == Window(1, 1), "the outage was the provider's"


def test_how_the_control_does() -> None:
    well, badly, few = Window(100, 4), Window(100, 6), Window(19, 19)
    assert Counts(control_short=well, control_long=well).control_is(0.05) == "healthy"
    assert Counts(control_short=badly, control_long=well).control_is(0.05) == "breached"
    assert Counts(control_short=well, control_long=badly).control_is(0.05) == "breached"
    assert Counts(control_short=few, control_long=well).control_is(0.05) == "healthy"
    assert Counts(control_short=few, control_long=few).control_is(0.05) == "unknown"


def test_a_first_release_is_stable_itself() -> None:
    found = fold(is_first=True)
    found.add(batch(bad(1, STABLE, weight=0, controls=0)), NOW_S)
    counts = found.counts(NOW_S)
    assert counts.guarded == Window(1, 1)
    assert counts.candidate_short == Window(1, 1)
    assert counts.candidate_second == NOW_S


def test_units_are_remembered_and_then_every_second_one_is_forgotten() -> None:
    found = fold()
    count = evidence.MOST_SEEN + 10
    seen = tuple(Seen(unit, COMPARED if unit % 4 else CONTROL, 500, 3) for unit in range(count))
    totals = [Total(500, 3, COMPARED, NOW_S, 1)]
    found.add(Batch(1, totals, (), seen[:10]), NOW_S)
    found.add(Batch(2, totals, (), seen[:10]), NOW_S)
    assert found.counts(NOW_S).steps[0].units == [7, 3, 0, 0]
    found.add(Batch(3, totals, (), seen), NOW_S)
    assert found.modulus == 2
    assert sum(found.counts(NOW_S).steps[0].units) == count / 2
    found.add(Batch(4, totals, (), (Seen(1_000_001, COMPARED, 500, 3),)), NOW_S)
    assert sum(found.counts(NOW_S).steps[0].units) == count / 2, "an odd one is not looked at"


def measured(unit: int, slot: int, flags: int = MEASURED | UNGROUNDED, **more: int) -> Bad:
    return bad(unit, slot, flags, **more)


def test_an_ungrounded_answer_is_counted_by_itself() -> None:
    made = fold(Policy(counts_ungrounded=True))
    rows = (measured(1, COMPARED), measured(1, COMPARED), measured(2, CONTROL))
    counts = [Measured(500, 3, COMPARED, 5), Measured(500, 3, CONTROL, 9)]
    made.add(Batch(3, (), rows, (), counts), NOW_S)
    (step,) = made.counts(NOW_S).steps
    assert step.split("ungrounded") == Split(1, 1)
    assert step.bad["ungrounded"] == [2, 1, 0, 0]
    assert step.measured == [5, 9, 0, 0]
    assert step.split("any") == Split(0, 0)
    assert step.requests == [0, 0, 0, 0]
    found = made.counts(NOW_S)
    assert found.candidate_short == Window(0, 0)
    assert found.guarded == Window(0, 0)


def test_an_ungrounded_answer_leaves_a_unit_its_first_bad_request() -> None:
    made = fold(Policy(counts_ungrounded=True))
    made.add(Batch(1, (), (measured(1, COMPARED),), ()), NOW_S)
    control = [Total(500, 3, CONTROL, NOW_S - 2, 100)]
    rows = (bad(1, COMPARED),)
    totals = [*control, Total(500, 3, COMPARED, NOW_S, 1)]
    made.add(Batch(2, totals, rows, ()), NOW_S)
    found = made.counts(NOW_S)
    assert found.guarded == Window(1, 1)
    assert found.steps[0].split("any") == Split(1, 0)
