"""What an answer of the receiver means, and how long to wait after a bad one. Pure.

OTLP's specification names the statuses that are sent again: 429, 502, 503 and 504. Those below
that a person mends (a wrong token, address or proxy) are sent again, too, for as long as things are
kept: what was recorded is not lost by a typing mistake. Everything else is about the spans
themselves and would be refused for ever.
"""

from typing import Final, Literal

Verdict = Literal["taken", "waiting", "refused", "too_large"]

MENDABLE: Final = frozenset({401, 402, 403, 404, 405, 407, 408, 421, 425, 429})
TOO_LARGE: Final = 413
NEVER: Final = frozenset({501, 505})
"""Of the server's errors, those that do not pass."""
FIRST_S: Final = 1.0
LONGEST_S: Final = 60.0
LONGEST_WISH_S: Final = 600.0
"""Most that a receiver's ``Retry-After`` is heard."""
_DOUBLINGS: Final = 8


def verdict(status: int) -> Verdict:
    """Return what to do after a status; 0 stands for no whole answer."""
    if 200 <= status < 300:
        return "taken"
    if status == TOO_LARGE:
        return "too_large"
    if status < 400 or status in MENDABLE or (status >= 500 and status not in NEVER):
        return "waiting"
    return "refused"


def pause_s(failures: int, wish_s: float | None, draw: float) -> float:
    """Return how long to wait after so many ``failures`` in a row, at least one.

    Twice as long each time, half of it drawn (``draw``, 0 to 1); never less than a wish.
    """
    longest_s = min(LONGEST_S, FIRST_S * 2.0 ** min(failures - 1, _DOUBLINGS))
    wait_s: float = longest_s * (0.5 + draw / 2)
    return wait_s if wish_s is None else max(wait_s, min(wish_s, LONGEST_WISH_S))
