"""When a message is sent again. Pure."""

from typing import Final

FIRST_S: Final = 2.0
LONGEST_S: Final = 300.0
LONGEST_WISH_S: Final = 3_600.0
"""Most that a receiver's ``Retry-After`` is heard."""
GIVEN_UP_S: Final = 86_400.0
"""After so long a message is given up, and counted."""
_DOUBLINGS: Final = 10


def next_try_s(attempts: int, now_s: float, wish_s: float | None, draw: float) -> float:
    """Return when to try again: twice as long each time, half of it drawn.

    Args:
        attempts: That have failed, at least one.
        now_s: Seconds since 1970.
        wish_s: What the receiver asked for, ``None`` for nothing.
        draw: 0 to 1.
    """
    longest_s: float = min(LONGEST_S, FIRST_S * 2.0 ** min(attempts - 1, _DOUBLINGS))
    wait_s = longest_s * (0.5 + draw / 2)
    if wish_s is not None:
        wait_s = max(wait_s, min(wish_s, LONGEST_WISH_S))
    return now_s + wait_s


def is_given_up(made_s: float, now_s: float) -> bool:
    """Tell whether a message has been tried for long enough."""
    return now_s - made_s >= GIVEN_UP_S
