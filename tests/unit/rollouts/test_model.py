"""What an environment may say about rollouts."""

from typing import Any

import pytest

from steadyhand.app.rollouts import policy_of
from steadyhand.rollouts.model import Policy, PolicyInvalid, checked


def test_the_default_makes_sense() -> None:
    policy = checked(Policy())
    assert policy.weights() == (500, 2_500, 5_000, 9_500)
    assert [policy.least_s(step) for step in range(4)] == [60, 60, 60, 300]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"steps_percent": []}, "must end with 100"),
        ({"steps_percent": [5, 50]}, "must end with 100"),
        ({"steps_percent": [50, 5, 100]}, "must grow"),
        ({"steps_percent": [0, 100]}, "must grow"),
        ({"steps_percent": [97, 100]}, "no room for holdback_percent"),
        ({"holdback_percent": 0}, "holdback_percent is not"),
        ({"alpha": 0}, "alpha is not"),
        ({"promote_alpha": 0.5}, "promote_alpha is not"),
        ({"margin": 2.5}, "margin is not"),
        ({"slo_percent": 100}, "slo_percent is not"),
        ({"negligible_percent": 0}, "negligible_percent is not"),
        ({"dwell_s": -1}, "below 0"),
        ({"cool_down_s": -1}, "below 0"),
        ({"unit": "session"}, "Invalid enum value"),
        ({"dwell": 5}, "unknown field"),
        ({"dwell_s": "long"}, "Expected `float`"),
    ],
)
def test_what_makes_no_sense_is_refused_and_said(table: dict[str, Any], said: str) -> None:
    with pytest.raises(PolicyInvalid, match=r"makes no sense") as refused:
        policy_of(table)
    assert said in str(refused.value)
    assert refused.value.hint


def test_a_table_may_say_little() -> None:
    found = policy_of({"steps_percent": [10, 100], "unit": "user"})
    assert found.weights() == (1_000, 9_500)
    assert found.unit == "user"
