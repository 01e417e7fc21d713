"""The paired test: exact where it says so, and against published numbers."""

from math import comb, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.evals.gate.statistics import (
    Pairs,
    is_worse,
    least_lost,
    least_worse,
    most_drop,
    p_worse,
    power,
    smallest_drop,
)


@pytest.mark.parametrize(
    ("lost", "won", "p"), [(0, 0, 1.0), (5, 0, 1 / 32), (4, 0, 1 / 16), (1, 1, 0.75), (0, 3, 1.0)]
)
def test_the_p_value_is_that_of_a_fair_coin(lost: int, won: int, p: float) -> None:
    assert p_worse(Pairs(100, lost, won)) == pytest.approx(p)


@given(st.integers(0, 60), st.sampled_from([0.01, 0.05, 0.1]))
def test_an_equal_candidate_is_called_worse_no_more_often_than_alpha(
    differ: int, alpha: float
) -> None:
    least = least_lost(differ, alpha)
    if least is None:
        assert 0.5**differ > alpha
        return
    size = sum(comb(differ, lost) for lost in range(least, differ + 1)) / 2**differ
    assert size <= alpha
    assert p_worse(Pairs(1_000, least, differ - least)) <= alpha
    if least:
        assert p_worse(Pairs(1_000, least - 1, differ - least + 1)) > alpha


@pytest.mark.parametrize("pairs", [Pairs(44, 1, 0), Pairs(60, 5, 2), Pairs(120, 30, 22)])
def test_at_the_bound_the_score_is_just_not_refused(pairs: Pairs) -> None:
    """The restricted maximum of the likelihood is found by trying, not by the closed form."""
    drop = most_drop(pairs, 0.05)
    same = pairs.n - pairs.lost - pairs.won

    def likelihood(won: float) -> float:
        both = (pairs.lost, won + drop), (pairs.won, won), (same, 1 - 2 * won - drop)
        return sum(count * log(share) for count, share in both if count)

    tried = [place / 100_000 * (1 - drop) / 2 for place in range(1, 100_000)]
    won = max(tried, key=likelihood) if pairs.won else max([1e-12, *tried], key=likelihood)
    deviation = sqrt(pairs.n * (2 * won + drop - drop * drop))
    score = (pairs.lost - pairs.won - pairs.n * drop) / deviation
    assert score == pytest.approx(-1.6448536, abs=2e-3)


def test_without_a_pair_that_differs_there_is_still_a_bound() -> None:
    z2 = 1.6448536**2
    assert most_drop(Pairs(60, 0, 0), 0.05) == pytest.approx(z2 / (60 + z2), abs=1e-6)
    assert most_drop(Pairs(0, 0, 0), 0.05) == 1.0


@given(st.integers(1, 300), st.data())
def test_the_bound_is_above_what_was_seen_and_within_reason(n: int, data: st.DataObject) -> None:
    lost = data.draw(st.integers(0, n))
    won = data.draw(st.integers(0, n - lost))
    pairs = Pairs(n, lost, won)
    bound = most_drop(pairs, 0.05)
    assert pairs.drop <= bound + 1e-9
    assert bound <= 1.0
    assert most_drop(pairs, 0.01) >= bound - 1e-9  # surer is wider


def test_a_drop_of_nothing_is_none() -> None:
    assert Pairs(0, 0, 0).drop == 0.0
    assert Pairs(10, 1, 3).drop == -0.2


def test_power_is_the_chance_of_enough_lost_pairs() -> None:
    # Five lost of five is the fewest that is significant at 5 %, so without noise: at least five.
    drop, n = 0.1, 63
    wanted = 1 - sum(comb(n, k) * drop**k * (1 - drop) ** (n - k) for k in range(5))
    assert power(n, drop, 0.0, 0.05, 0.05) == pytest.approx(wanted, abs=1e-9)
    assert power(n, 0.0, 0.0, 0.05, 0.05) == 0.0
    assert power(3, 1.0, 0.0, 0.05, 0.05) == 0.0  # three pairs can never be significant
    assert power(10, 1.0, 0.0, 0.05, 0.05) == pytest.approx(1.0)
    assert power(200, 0.1, 0.2, 0.05, 0.05) < power(200, 0.1, 0.02, 0.05, 0.05)


def test_the_smallest_drop_is_the_first_that_is_seen() -> None:
    found = smallest_drop(63, 0.0, 0.05, 0.05)
    assert found is not None
    assert power(63, found, 0.0, 0.05, 0.05) >= 0.8 > power(63, found - 0.001, 0.0, 0.05, 0.05)
    assert smallest_drop(4, 0.0, 0.05, 0.05) is None


def test_what_is_tolerated_is_not_called_worse() -> None:
    sure_but_small = Pairs(2_000, 40, 10)
    assert p_worse(sure_but_small) < 1e-4
    assert most_drop(sure_but_small, 0.05) < 0.05
    assert not is_worse(sure_but_small, 0.05, 0.05)
    assert is_worse(sure_but_small, 0.05, 0.01)
    many = smallest_drop(1_200, 0.05, 0.05, 0.05)
    assert many is not None
    assert many > 0.03  # with many answers the margin decides, and not chance
    assert least_worse(2_000, 50, 0.05, 0.05) is None  # not even all of them are 5 %


@given(st.integers(5, 200), st.data())
def test_the_fewest_that_are_called_worse_are_just_enough(n: int, data: st.DataObject) -> None:
    differ = data.draw(st.integers(0, n))
    least = least_worse(n, differ, 0.05, 0.05)
    if least is None:
        assert not is_worse(Pairs(n, differ, 0), 0.05, 0.05)
        return
    assert is_worse(Pairs(n, least, differ - least), 0.05, 0.05)
    if least:
        assert not is_worse(Pairs(n, least - 1, differ - least + 1), 0.05, 0.05)
