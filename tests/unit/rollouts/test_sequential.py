"""E-values: they are what they claim to be, and a bet cannot be expected to win."""

from math import exp, inf, isclose, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.rollouts import sequential
from steadyhand.rollouts.sequential import Split

COUNTS = st.integers(0, 200)


def test_a_share_is_the_odds_against_the_controls() -> None:
    assert sequential.share(1, 1.0) == 0.5
    assert sequential.share(3, 1.0) == 0.25
    assert sequential.share(3, 3.0) == 0.5


def test_means_of_e_values() -> None:
    assert isclose(sequential.mean([log(1), log(3)]), log(2))
    assert isclose(sequential.mean([log(1), log(5)], [0.75, 0.25]), log(2))
    assert sequential.mean([-inf, -inf]) == -inf
    assert isclose(sequential.mean([2_000.0, 0.0]), 2_000.0 - log(2))


@given(st.integers(1, 4), st.floats(1.0, 3.0), st.sampled_from(sequential.WORSE))
def test_one_bet_is_not_expected_to_win_under_the_claim(
    controls: int, claim: float, ratio: float
) -> None:
    bet = claim * ratio
    if_candidate = exp(sequential.against_ratio({controls: Split(1, 0)}, claim, [bet]))
    if_control = exp(sequential.against_ratio({controls: Split(0, 1)}, claim, [bet]))
    at_claim = sequential.share(controls, claim)
    assert isclose(at_claim * if_candidate + (1 - at_claim) * if_control, 1.0)
    milder = sequential.share(controls, claim / 1.5)
    assert milder * if_candidate + (1 - milder) * if_control < 1.0


@given(st.floats(0.01, 0.3))
def test_nor_is_one_on_a_rate(rate: float) -> None:
    for bet in (rate * 2, rate / 3):
        if_bad = exp(sequential.against_rate(1, 1, rate, [bet]))
        if_good = exp(sequential.against_rate(0, 1, rate, [bet]))
        assert isclose(rate * if_bad + (1 - rate) * if_good, 1.0)


@given(COUNTS, COUNTS, st.integers(1, 4))
def test_order_and_stretches_do_not_matter(mine: int, theirs: int, controls: int) -> None:
    whole = {controls: Split(mine, theirs)}
    parts = [{controls: Split(1, 0)}] * mine + [{controls: Split(0, 1)}] * theirs
    assert sequential.summed(parts) == (whole if mine + theirs else {})


@given(COUNTS, COUNTS)
def test_one_more_bad_event_of_the_candidate_never_helps_it(mine: int, theirs: int) -> None:
    less, more = {3: Split(mine, theirs)}, {3: Split(mine + 1, theirs)}
    assert sequential.worse([more], 1.1, 4) > sequential.worse([less], 1.1, 4)
    assert sequential.no_worse([more], 2.0) < sequential.no_worse([less], 2.0)
    assert sequential.above(mine + 1, 1_000, 0.05) > sequential.above(mine, 1_000, 0.05)
    assert sequential.below(mine + 1, 1_000, 0.05) < sequential.below(mine, 1_000, 0.05)


def test_nothing_seen_says_nothing() -> None:
    for found in (
        sequential.worse([], 1.1, 4),
        sequential.no_worse([], 2.0),
        sequential.above(0, 0, 0.05),
        sequential.below(0, 0, 0.05),
        sequential.skewed({}),
    ):
        assert isclose(found, 0.0, abs_tol=1e-12)


def test_a_fault_that_shows_late_is_not_outvoted_by_good_hours() -> None:
    good, bad = {3: Split(300, 900)}, {1: Split(40, 6)}
    late = sequential.worse([good, bad], 1.1, 4)
    outvoted = sequential.against_ratio(
        sequential.summed([good, bad]), 1.1, [1.1 * each for each in sequential.WORSE]
    )
    assert late > log(200) > outvoted


def test_a_plan_of_one_step_puts_everything_on_it() -> None:
    assert sequential.from_starts([3.0]) == 3.0
    assert isclose(sequential.from_starts([log(5), 0.0]), log(0.6 * 5 + 0.4))


@pytest.mark.parametrize(
    ("units", "is_skewed"),
    [
        ({3: Split(250, 750)}, False),
        ({3: Split(400, 600)}, True),
        ({1: Split(400, 600)}, True),
        ({1: Split(500, 500)}, False),
    ],
)
def test_units_that_are_not_spread_as_they_should_be(
    units: dict[int, Split], *, is_skewed: bool
) -> None:
    assert (sequential.skewed(units) > log(1_000)) == is_skewed
