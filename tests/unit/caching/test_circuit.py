"""A tier that fails is left alone, for longer each time, and tried again."""

from steadyhand.caching.circuit import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    MOST_FAILURES,
    SLOW_WEIGHT,
    SOUND,
    after_failure,
)


def test_a_sound_tier_is_asked() -> None:
    assert SOUND.may_try(0.0)


def test_few_failures_are_borne_and_the_next_opens_it() -> None:
    circuit = SOUND
    for _ in range(MOST_FAILURES - 1):
        circuit = after_failure(circuit, 100.0)
        assert circuit.may_try(100.0)
    circuit = after_failure(circuit, 100.0)
    assert not circuit.may_try(100.0 + FIRST_PAUSE_S - 0.001)
    assert circuit.may_try(100.0 + FIRST_PAUSE_S)


def test_slow_replies_count_little_and_a_good_one_clears_them() -> None:
    circuit = SOUND
    for _ in range(23):
        circuit = after_failure(circuit, 0.0, SLOW_WEIGHT)
    assert circuit.may_try(0.0)
    assert not after_failure(circuit, 0.0, SLOW_WEIGHT).may_try(0.0)


def test_pauses_double_up_to_a_bound() -> None:
    circuit, now_s, pauses = SOUND, 0.0, []
    for _ in range(MOST_FAILURES + 6):
        circuit = after_failure(circuit, now_s)
        pauses.append(circuit.closed_at_s - now_s if circuit.pause_s else 0.0)
        now_s = max(now_s, circuit.closed_at_s)
    assert pauses[MOST_FAILURES - 1 :] == [1.0, 2.0, 4.0, 8.0, *[LONGEST_PAUSE_S] * 3]
