"""Which rung is proven and which is due: by table, and by property."""

from math import inf

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.routing.drilling import (
    MOST_FAILURES,
    NOT_PROVEN,
    RETRIES,
    Proof,
    RungId,
    Terms,
    Verdict,
    due_at,
    failed,
    merge,
    next_due,
    planned_around,
    proved,
    undecided,
    verdict,
)

TERMS = Terms(interval_s=100, window_s=250)
OFF = Terms(is_enabled=False)
FLOORS = ("template", "error")


def rung(number: int, kind: str = "live", route: str = "support") -> RungId:
    is_live = kind == "live"
    return RungId(route, number, kind, "acme" if is_live else "", f"m{number}" if is_live else "")


TIMES = st.floats(0, 10_000)
PROOFS = st.builds(
    Proof,
    since_s=TIMES,
    draw=st.just(0.5),
    proven_s=st.one_of(st.just(-inf), TIMES),
    by=st.sampled_from(["traffic", "drill"]),
    tried_s=st.one_of(st.just(-inf), TIMES),
    failures=st.integers(0, 4),
    reason=st.sampled_from(["", "auth_failed"]),
)


@pytest.mark.parametrize(
    ("proof", "terms", "state", "now_s", "expected"),
    [
        (Proof(0), OFF, "closed", 9_999, "not_drilled"),
        (Proof(0, failures=9), TERMS, "open", 9_999, "left_to_breaker"),
        (Proof(0, failures=9), TERMS, "half_open", 9_999, "left_to_breaker"),
        (Proof(0), TERMS, "closed", 250, "cold_start"),
        (Proof(0), TERMS, "closed", 250.1, "expired"),
        (Proof(0, proven_s=100), TERMS, "closed", 350, "proven"),
        (Proof(0, proven_s=100), TERMS, "closed", 350.1, "expired"),
        (Proof(300, proven_s=100), TERMS, "closed", 400, "cold_start"),
        (Proof(0, failures=MOST_FAILURES - 1, proven_s=100), TERMS, "closed", 101, "proven"),
        (Proof(0, failures=MOST_FAILURES, proven_s=100), TERMS, "closed", 101, "failed"),
        (Proof(0, failures=MOST_FAILURES), TERMS, "closed", 1, "failed"),
    ],
)
def test_a_verdict_has_its_reason(
    proof: Proof, terms: Terms, state: str, now_s: float, expected: Verdict
) -> None:
    assert verdict(proof, terms, state, now_s) == expected


@given(PROOFS, TIMES)
def test_a_proof_proves_whatever_was_before(before: Proof, now_s: float) -> None:
    after = proved(before, now_s, "traffic", 0.5)
    assert verdict(after, TERMS, "closed", now_s) == "proven"
    assert due_at(after, TERMS) == now_s + 100
    assert (after.failures, after.reason, after.since_s) == (0, "", before.since_s)


@given(PROOFS, st.integers(MOST_FAILURES, 5))
def test_failures_in_a_row_are_believed_and_tried_again_sooner(before: Proof, times: int) -> None:
    after = before
    for number in range(times):
        after = failed(after, 20_000 + number, "auth_failed", 0.1)
    now_s = 20_000 + times - 1
    assert verdict(after, TERMS, "closed", now_s) == "failed"
    assert due_at(after, TERMS) == now_s + TERMS.interval_s / RETRIES
    assert after.reason == "auth_failed"
    assert after.proven_s == before.proven_s


@given(PROOFS, TIMES)
def test_a_drill_that_says_nothing_changes_no_verdict(before: Proof, now_s: float) -> None:
    after = undecided(before, now_s, "not_asked", 0.1)
    assert verdict(after, TERMS, "closed", now_s) == verdict(before, TERMS, "closed", now_s)
    assert due_at(after, TERMS) > now_s


@given(PROOFS, st.floats(0, 1, exclude_max=True))
def test_a_drill_comes_well_before_the_proof_runs_out(proof: Proof, draw: float) -> None:
    fresh = msgspec.structs.replace(proof, draw=draw, failures=0)
    last_s = max(fresh.proven_s, fresh.tried_s)
    begun_s = fresh.since_s if last_s == -inf else last_s
    assert begun_s + 50 <= due_at(fresh, TERMS) <= begun_s + 125


def test_without_drills_none_is_due() -> None:
    assert due_at(Proof(0), OFF) == inf
    assert next_due({rung(0): Proof(0)}, OFF, {}, 1e9) is None


@given(st.lists(st.tuples(PROOFS, st.sampled_from(["closed", "open", "half_open"]))), TIMES)
def test_the_next_is_the_longest_overdue_whose_breaker_is_not_open(
    known: list[tuple[Proof, str]], now_s: float
) -> None:
    proofs = {rung(number): proof for number, (proof, _) in enumerate(known)}
    states = {rung(number): state for number, (_, state) in enumerate(known)}
    chosen = next_due(proofs, TERMS, states, now_s)
    due = [
        at_s
        for each, proof in proofs.items()
        if (at_s := due_at(proof, TERMS)) <= now_s and states[each] != "open"
    ]
    if chosen is None:
        assert due == []
    else:
        assert states[chosen] != "open"
        assert due_at(proofs[chosen], TERMS) == min(due)


def test_drills_that_begin_together_do_not_stay_together() -> None:
    starts = {due_at(Proof(0, draw=number / 10), TERMS) for number in range(10)}
    later = {due_at(Proof(0, draw=n / 10, proven_s=100), TERMS) for n in range(10)}
    assert len(starts) == len(later) == 10
    assert max(starts) - min(starts) == pytest.approx(45)


@given(PROOFS, PROOFS)
def test_two_processes_come_to_know_the_same(one: Proof, other: Proof) -> None:
    assert merge(one, other) == merge(other, one)
    assert merge(merge(one, other), other) == merge(one, other)


@given(PROOFS, PROOFS, PROOFS)
def test_it_does_not_matter_who_meets_whom_first(a: Proof, b: Proof, c: Proof) -> None:
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


def test_a_proof_ends_what_failed_before_it_and_not_what_failed_after() -> None:
    dead = Proof(0, tried_s=50, failures=3, reason="auth_failed")
    assert merge(dead, Proof(0, proven_s=60, by="traffic")).failures == 0
    both = merge(dead, Proof(0, proven_s=40, by="traffic"))
    assert (both.failures, both.reason, both.proven_s) == (3, "auth_failed", 40)


VERDICTS: list[Verdict] = [
    "proven", "cold_start", "not_drilled", "left_to_breaker", "expired", "failed",
]  # fmt: skip
KINDS = st.sampled_from(["live", "live", "cache", "knowledge", "template"])


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), KINDS, st.sampled_from(VERDICTS))))
def test_what_is_planned_around_leaves_something(
    rungs: list[tuple[str, str, Verdict]],
) -> None:
    verdicts = {rung(n, kind, route): said for n, (route, kind, said) in enumerate(rungs)}
    around = planned_around(verdicts, FLOORS)
    for each in around:
        assert verdicts[each] in NOT_PROVEN
        assert each.kind not in FLOORS
    for route in ("a", "b"):
        live = {each for each in verdicts if each.kind == "live" and each.route == route}
        assert not live or live - around
        some_good = any(verdicts[each] not in NOT_PROVEN for each in live)
        if some_good:
            assert {each for each in live if verdicts[each] in NOT_PROVEN} <= around


def test_without_drills_nothing_is_planned_around() -> None:
    verdicts = {rung(n): verdict(Proof(0), OFF, "closed", 1e9) for n in range(3)}
    assert planned_around(verdicts, FLOORS) == frozenset()
