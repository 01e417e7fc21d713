"""The parts of health, each by itself."""

from math import exp
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.routing.health.breaker import weight_of
from steadyhand.routing.health.cohorts import Cohort, Pulse, SizeClass
from steadyhand.routing.health.drift import FIRST_PACES, Drift
from steadyhand.routing.health.evidence import ALARM_NATS, Evidence
from steadyhand.routing.health.learned import LearnedCosts
from steadyhand.routing.health.reference import BODY_PART, MARGIN, TAIL_PART, TICKETS, Reference
from steadyhand.routing.health.share import FLOOR, Share
from steadyhand.routing.health.sizes import ANSWERED, WHOLE, answered_class, input_class


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.data())
def test_a_slower_try_never_weakens_the_evidence(bits: list[bool], data: st.DataObject) -> None:
    worse = list(bits)
    worse[data.draw(st.integers(0, len(bits) - 1))] = True
    nats = []
    for each in (bits, worse):
        evidence = Evidence(0.6, (0.72, 0.96))
        for bit in each:
            evidence.take(1, int(bit))
        nats.append(evidence.nats)
    assert nats[0] <= nats[1] + 1e-9


def test_at_the_tolerated_rate_alarms_are_rarer_than_promised() -> None:
    """The mean run to a false alarm is at least exp(threshold), here 148 tries."""
    draws, runs = Random(3), []
    for _ in range(300):
        evidence, length = Evidence(0.6, (0.72, 0.96), alarm_nats=5.0), 1
        while not evidence.take(1, int(draws.random() < 0.6)):
            length += 1
        runs.append(length)
    assert sum(runs) / len(runs) > exp(5.0)


def test_evidence_that_was_acted_on_is_gone() -> None:
    evidence = Evidence(0.5, (0.9,))
    assert not evidence.take(10, 10)
    assert 0 < evidence.nats < ALARM_NATS
    assert evidence.take(40, 40)
    evidence.clear()
    assert evidence.nats == 0


def test_a_reference_finds_its_quantiles_without_keeping_a_latency() -> None:
    reference, draws, now_s = Reference(), Random(5), 0.0
    taken = [reference.ticket() for _ in range(TICKETS + 1)]
    assert taken == [True] * TICKETS + [False]
    for _ in range(TICKETS):
        reference.begin(exp(0.5 * draws.gauss(0, 1)), now_s)
    for _ in range(20_000):
        now_s += 0.01
        latency_s = exp(0.5 * draws.gauss(0, 1))
        reference.body(1, int(latency_s > reference.usual_s), now_s)
        reference.tail(1, int(latency_s > reference.tail_s), now_s)
    later = [exp(0.5 * draws.gauss(0, 1)) for _ in range(20_000)]
    assert sum(each > reference.usual_s for each in later) / 20_000 == pytest.approx(
        BODY_PART, abs=0.05
    )
    assert sum(each > reference.tail_s for each in later) / 20_000 == pytest.approx(
        TAIL_PART, abs=0.02
    )
    assert reference.body_s == pytest.approx(MARGIN * reference.usual_s)
    assert not reference.ticket()


def test_a_try_without_an_answer_passes_its_ticket_on() -> None:
    reference = Reference()
    for _ in range(TICKETS):
        reference.ticket()
    reference.missed()
    assert reference.ticket()
    assert not reference.ticket()


def test_no_single_step_moves_a_threshold_far() -> None:
    reference = Reference()
    for number in range(TICKETS):
        reference.begin(1.0 + number / 100, 0.0)
    before = reference.usual_s
    reference.body(10_000, 10_000, 1e6)
    assert before < reference.usual_s < 1.3 * before


def test_a_cohort_counts_each_try_once_in_the_right_place() -> None:
    found = SizeClass(watches_body=True)
    for number in range(TICKETS):
        found.reference.begin(1.0 + number / 100, 0.0)
    cohort = found.join(10.0, 0)
    assert found.join(10.01, 0) is cohort
    assert found.join(10.01, 1) is not cohort  # another epoch
    usual_s, body_s, tail_s = cohort.usual_s, cohort.body_s, cohort.tail_s
    for age_s in (0.9 * usual_s, 1.1 * usual_s, 1.1 * body_s, 1.1 * tail_s):
        cohort.content(age_s)
    assert (cohort.usual_in, cohort.body_in, cohort.tail_in) == (1, 2, 3)
    for age_s in (0.9 * body_s, 1.1 * body_s, 1.1 * tail_s):
        cohort.lost(age_s)
    assert (cohort.body_unknown, cohort.tail_unknown) == (1, 2)


def test_a_class_that_knows_nothing_lets_nothing_wait() -> None:
    found = SizeClass(watches_body=True)
    assert isinstance(found.join(1.0, 0), Cohort)
    assert not found.body
    assert not found.tail


def test_only_a_late_beat_ends_an_epoch() -> None:
    pulse = Pulse()
    assert pulse.look(1e6) == 0  # no loop, no epochs
    pulse.beat(10.0)
    pulse.beat(11.0)
    assert pulse.look(12.9) == 0
    assert pulse.look(3_600.0) == 1
    assert pulse.look(3_600.5) == 1
    pulse.beat(3_601.0)
    assert pulse.epoch == 1


@given(st.lists(st.sampled_from(["cut", "regain", "rest", "ramp"]), max_size=40))
def test_a_share_stays_between_its_floor_and_the_whole(moves: list[str]) -> None:
    share, now_s = Share(), 100.0
    for move in moves:
        now_s += 0.7
        before = share.value
        if move == "cut":
            share.cut(now_s, "latency_drift")
            assert share.value <= before
        else:
            getattr(share, move)(now_s)
        assert FLOOR <= share.value <= 1.0
        assert (share.reason == "steady") == (share.value == 1.0) or move == "ramp"
        if move == "regain":
            assert share.value - before < 0.31


@pytest.mark.parametrize(
    ("outcome", "age_s", "tail_s", "counts"),
    [
        ("ok", 1.0, 1.0, False),
        ("cancelled", 9.0, 1.0, False),
        ("callers_own", 9.0, 1.0, False),
        ("error", 0.0, 0.0, True),
        ("slow", 0.9, 1.0, False),
        ("slow", 1.1, 1.0, True),
        ("slow", 0.1, 0.0, True),
        ("slow", 0.6, 0.0, True),
    ],
)
def test_what_counts_against_a_deployment(
    outcome: str, age_s: float, tail_s: float, counts: bool
) -> None:
    assert (weight_of(outcome, age_s, tail_s) > 0) == counts


def test_half_a_second_of_silence_is_a_failure_also_without_a_history() -> None:
    assert weight_of("slow", 0.5, 0.0) == weight_of("error", 0.0, 0.0)
    assert weight_of("slow", 0.4, 0.0) < weight_of("slow", 0.5, 0.0)


def test_sizes_double_from_class_to_class() -> None:
    assert [input_class(size) for size in (0, 511, 512, 1_023, 1_024, 1 << 30)] == [
        0,
        0,
        1,
        1,
        2,
        12,
    ]
    assert input_class(1 << 30) < WHOLE < ANSWERED
    assert answered_class(100, 5) != answered_class(100, 50)
    assert answered_class(100, 5) != answered_class(100_000, 5)


def test_costs_are_worked_out_at_most_once_a_second() -> None:
    costs = LearnedCosts()
    costs.took(0.1, 10.0, stream=True)
    costs.took(0.5, 10.0, stream=False)
    costs.refresh(10.0)
    assert costs.stream.p50_us == pytest.approx(100_000, rel=0.03)
    assert costs.whole.p50_us == pytest.approx(500_000, rel=0.03)
    for _ in range(9):
        costs.left(1.0, 10.5, stream=True)
    costs.refresh(10.5)
    assert costs.stream.samples == 1
    costs.refresh(11.5)
    assert costs.stream.p50_us > 150_000  # nine of ten had not answered after a second


def test_an_answer_that_began_before_an_alarm_says_nothing_of_the_pace_after_it() -> None:
    drift = Drift(Pulse())
    for number in range(FIRST_PACES):
        drift.whole(float(number), number + 1.0, 100, 50)
    drift.acted(100.0)
    before = drift.paces
    drift.whole(99.0, 199.0, 100, 50)
    assert drift.paces == before
    drift.whole(101.0, 201.0, 100, 50)
    assert drift.paces > before
