"""Browsers' sessions: once by a code, over in time, bounded, and slow for whoever guesses."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from time import monotonic

import pytest

from steadyhand.control.sessions import (
    ADDRESSES,
    BACK_S,
    CODE_S,
    FAILURES,
    IDLE_S,
    LASTING_S,
    MOST,
    CodeSpent,
    SessionOver,
    Sessions,
    TooManyLogins,
)


class Watch:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def sessions(watch: Watch) -> Sessions:
    numbers = count()
    draw: Callable[[], str] = lambda: f"secret-{next(numbers)}"  # noqa: E731 - one line
    return Sessions(watch, draw)


def test_a_code_lets_in_once(sessions: Sessions) -> None:
    code = sessions.code_for("hash")
    assert sessions.redeem(code) == "hash"
    with pytest.raises(CodeSpent):
        sessions.redeem(code)


@pytest.mark.parametrize("passed_s", [CODE_S, CODE_S * 10, -BACK_S])
def test_a_code_is_soon_too_old(sessions: Sessions, watch: Watch, passed_s: float) -> None:
    code = sessions.code_for("hash")
    watch.now_s += passed_s
    with pytest.raises(CodeSpent):
        sessions.redeem(code)


def test_no_code_is_no_code(sessions: Sessions) -> None:
    sessions.code_for("hash")
    with pytest.raises(CodeSpent):
        sessions.redeem("")


def test_a_session_lasts_while_it_is_used_and_no_longer(sessions: Sessions, watch: Watch) -> None:
    secret = sessions.begin("hash")
    for _ in range(int(LASTING_S / IDLE_S) * 2 - 1):
        watch.now_s += IDLE_S / 2
        assert sessions.token_of(secret) == "hash"
    watch.now_s += IDLE_S / 2
    with pytest.raises(SessionOver):
        sessions.token_of(secret)


def test_an_idle_session_ends(sessions: Sessions, watch: Watch) -> None:
    secret = sessions.begin("hash")
    watch.now_s += IDLE_S
    with pytest.raises(SessionOver):
        sessions.token_of(secret)


def test_a_clock_that_is_set_back_ends_sessions_rather_than_keeping_them(
    sessions: Sessions, watch: Watch
) -> None:
    secret = sessions.begin("hash")
    watch.now_s -= 3_600
    with pytest.raises(SessionOver):
        sessions.token_of(secret)


def test_a_clock_that_is_set_back_a_little_ends_nothing(sessions: Sessions, watch: Watch) -> None:
    secret, code = sessions.begin("hash"), sessions.code_for("hash")
    for _ in range(5):
        watch.now_s -= BACK_S / 10
        assert sessions.token_of(secret) == "hash"
        sessions.begin("other")  # looks through all that are held
        sessions.code_for("other")
    assert sessions.redeem(code) == "hash"


def test_to_look_at_a_session_is_not_to_use_it(sessions: Sessions, watch: Watch) -> None:
    secret = sessions.begin("hash")
    watch.now_s += IDLE_S / 2
    assert sessions.holds(secret)
    watch.now_s += IDLE_S / 2
    assert not sessions.holds(secret)
    assert not sessions.holds("none")


def test_requests_beside_each_other_never_end_a_session() -> None:
    sessions = Sessions(monotonic)
    secret = sessions.begin("hash")
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(sessions.token_of, [secret] * 2_000)) == {"hash"}


def test_logging_out_ends_it_and_again_is_nothing(sessions: Sessions) -> None:
    secret, other = sessions.begin("hash"), sessions.begin("hash")
    sessions.end(secret)
    sessions.end(secret)
    with pytest.raises(SessionOver):
        sessions.token_of(secret)
    assert sessions.token_of(other) == "hash"


def test_sessions_and_codes_are_bounded(sessions: Sessions) -> None:
    first, first_code = sessions.begin("hash"), sessions.code_for("hash")
    made = [(sessions.begin("hash"), sessions.code_for("hash")) for _ in range(MOST)]
    last, last_code = made[-1]
    with pytest.raises(SessionOver):
        sessions.token_of(first)
    with pytest.raises(CodeSpent):
        sessions.redeem(first_code)
    assert sessions.token_of(last) == sessions.redeem(last_code) == "hash"


def test_who_fails_often_waits(sessions: Sessions, watch: Watch) -> None:
    for _ in range(FAILURES):
        sessions.check("10.0.0.1")
        sessions.failed("10.0.0.1")
    with pytest.raises(TooManyLogins) as refused:
        sessions.check("10.0.0.1")
    assert refused.value.retry_after_s
    sessions.check("10.0.0.2")
    watch.now_s += 60
    sessions.check("10.0.0.1")


def test_addresses_are_bounded(sessions: Sessions) -> None:
    for number in range(ADDRESSES + 1):
        for _ in range(FAILURES):
            sessions.failed(str(number))
    sessions.check("0")
    with pytest.raises(TooManyLogins):
        sessions.check(str(ADDRESSES))
