"""What an answer of a receiver means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.telemetry.traces.replies import LONGEST_S, LONGEST_WISH_S, pause_s, verdict


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, "taken"),
        (204, "taken"),
        (0, "waiting"),
        (302, "waiting"),
        (400, "refused"),
        (401, "waiting"),
        (403, "waiting"),
        (404, "waiting"),
        (413, "too_large"),
        (415, "refused"),
        (422, "refused"),
        (429, "waiting"),
        (500, "waiting"),
        (501, "refused"),
        (502, "waiting"),
        (503, "waiting"),
        (504, "waiting"),
    ],
)
def test_statuses_say_whether_to_send_again(status: int, expected: str) -> None:
    assert verdict(status) == expected


@given(failures=st.integers(1, 10_000), draw=st.floats(0, 1))
def test_pauses_grow_to_a_minute(failures: int, draw: float) -> None:
    wait_s = pause_s(failures, None, draw)
    assert 0.5 <= wait_s <= LONGEST_S
    assert wait_s >= pause_s(max(1, failures - 1), None, 0.0)


def test_wishes_are_heard_within_reason() -> None:
    assert pause_s(1, 30.0, 0.0) == 30.0
    assert pause_s(1, 0.0, 0.0) == 0.5
    assert pause_s(1, 1e9, 0.0) == LONGEST_WISH_S
