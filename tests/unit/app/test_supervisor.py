"""The supervisor's decisions; that it acts on them is tested with real processes in tests/fault."""

from hypothesis import given
from hypothesis import strategies as st

from steadyhand.app.children import MAX_DELAY_S, restart_delay_s


def test_a_first_death_is_followed_by_a_restart_at_once() -> None:
    assert restart_delay_s(0) == 0.0
    assert restart_delay_s(1) == 0.0


@given(st.integers(0, 500))
def test_the_delay_grows_with_every_early_death_up_to_the_cap(deaths: int) -> None:
    assert restart_delay_s(deaths) <= restart_delay_s(deaths + 1) <= MAX_DELAY_S


def test_a_role_that_keeps_dying_is_tried_every_few_seconds_for_ever() -> None:
    assert restart_delay_s(1_000_000) == MAX_DELAY_S
