"""Orders of deployments: exact weights, stable units, and a bias to the less loaded."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from steadyhand.routing.strategy import Arm, by_load, by_priority, by_unit, by_weight, uniform

WEIGHTS = st.lists(st.floats(0, 1000) | st.integers(0, 9), min_size=1, max_size=6)
DRAWS = st.floats(0, 1, exclude_max=True)


def arms(*weights: float) -> list[Arm]:
    return [Arm(f"arm {index}", weight) for index, weight in enumerate(weights)]


def test_equal_priorities_keep_their_order() -> None:
    listed = [Arm("a", priority=1), Arm("b", priority=0), Arm("c", priority=1), Arm("d")]
    assert by_priority(listed) == (1, 3, 0, 2)


@given(WEIGHTS, DRAWS, st.text())
def test_every_order_has_everybody_once(weights: list[float], draw: float, unit: str) -> None:
    everybody = list(range(len(weights)))
    assert sorted(by_weight(arms(*weights), draw)) == everybody
    assert sorted(by_unit(arms(*weights), unit)) == everybody
    assert sorted(by_load(weights, draw)) == everybody


@given(WEIGHTS, DRAWS, st.text())
def test_no_weight_is_after_all_weights(weights: list[float], draw: float, unit: str) -> None:
    for order in (by_weight(arms(*weights), draw), by_unit(arms(*weights), unit)):
        has_weight = [weights[index] > 0 for index in order]
        assert has_weight == sorted(has_weight, reverse=True)


def test_weights_are_exact_over_all_draws() -> None:
    firsts = Counter(by_weight(arms(1, 2, 5), n / 8_000)[0] for n in range(8_000))
    assert firsts == {0: 1_000, 1: 2_000, 2: 5_000}


def test_the_second_is_drawn_by_weight_too() -> None:
    """Of the draws that put 2 first, the rest is again uniform: 1 is second twice as often as 0."""
    orders = [by_weight(arms(1, 2, 5), n / 8_000) for n in range(8_000)]
    seconds = Counter(order[1] for order in orders if order[0] == 2)
    assert abs(seconds[1] - 2 * seconds[0]) <= 3


def test_the_greatest_draw_falls_on_the_last_though_sums_are_rounded() -> None:
    """0.1 + 0.2 + 0.3 is more than 0.6 here: what is left after all three falls on none of them."""
    assert by_weight(arms(0.1, 0.2, 0.3), 1 - 2**-53) == (2, 0, 1)


def test_units_keep_their_deployment() -> None:
    """Golden values: a change of the hash would move every user of every running A/B test."""
    assert round(uniform("ada", "acme/m/"), 12) == 0.760607158739
    assert [by_unit(arms(1, 1, 2), f"user {number}")[0] for number in range(6)] == GOLDEN


GOLDEN = [2, 2, 2, 1, 1, 1]


def test_weights_of_units_hold_in_the_limit() -> None:
    """20,000 units: four standard deviations of a binomial are below 1.4 of a hundred."""
    units = 20_000
    firsts = Counter(by_unit(arms(5, 95), f"user {number}")[0] for number in range(units))
    assert abs(firsts[0] / units - 0.05) < 0.0062


def test_only_the_units_of_a_removed_deployment_move() -> None:
    three, two = arms(1, 2, 3), arms(1, 2)
    for number in range(500):
        before = by_unit(three, f"user {number}")
        assert [index for index in before if index != 2] == list(by_unit(two, f"user {number}"))


@given(st.text(), st.text())
def test_a_hash_is_a_number_that_has_a_logarithm(unit: str, name: str) -> None:
    assert 0 < uniform(unit, name) <= 1


def test_a_unit_and_a_name_do_not_run_together() -> None:
    assert uniform("ab", "c") != uniform("a", "bc")


def test_one_deployment_has_one_order() -> None:
    assert by_load([3.0], 0.7) == (0,)


def test_each_pair_is_as_likely_as_any_other() -> None:
    pairs = Counter(by_load([0.0] * 4, n / 12_000)[:2] for n in range(12_000))
    assert set(pairs.values()) == {1_000}
    assert len(pairs) == 12


@given(st.lists(st.floats(0, 100), min_size=2, max_size=6), DRAWS)
def test_the_better_of_two_goes_first(loads: list[float], draw: float) -> None:
    first, second, *rest = by_load(loads, draw)
    assert loads[first] <= loads[second]
    assert [loads[index] for index in rest] == sorted(loads[index] for index in rest)


def test_the_most_loaded_of_all_is_never_first() -> None:
    assert all(by_load([1.0, 9.0, 2.0], n / 100)[0] != 1 for n in range(100))
