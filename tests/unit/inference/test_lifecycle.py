"""When a model's process is started again, and how far it has loaded."""

from hypothesis import given
from hypothesis import strategies as st

from steadyhand.inference.lifecycle import MAX_DELAY_S, loaded_share, restart_delay_s


def test_a_process_that_had_served_is_started_again_at_once() -> None:
    assert restart_delay_s(0) == 0.0
    assert [restart_delay_s(count) for count in (1, 2, 3)] == [0.5, 1.0, 2.0]


@given(st.integers(0, 10_000))
def test_each_failure_in_a_row_makes_the_wait_longer_up_to_a_cap(failures: int) -> None:
    assert restart_delay_s(failures) <= restart_delay_s(failures + 1) <= MAX_DELAY_S


@given(st.integers(-1, 2**50), st.integers(-1, 2**50))
def test_a_share_is_a_share(resident: int, size: int) -> None:
    assert 0.0 <= loaded_share(resident, size) <= 1.0


def test_what_is_half_in_memory_is_half_loaded() -> None:
    assert loaded_share(50, 100) == 0.5
    assert loaded_share(50, 0) == 0.0
