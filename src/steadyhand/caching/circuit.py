"""When a tier that fails is left alone, and when it is tried again. Pure."""

import msgspec

MOST_FAILURES = 3
"""So many failures in a row, and a tier is left alone."""
SLOW_WEIGHT = 0.125
"""Of a failure, what a reply counts that came when nobody waited any more: 24 are three."""
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 10.0


class Circuit(msgspec.Struct, frozen=True):
    """How a tier did lately.

    Attributes:
        failures: In a row, slow replies by their weight.
        pause_s: How long it is left alone after the last of them, seconds.
        closed_at_s: Monotonic second from which it is tried again.
    """

    failures: float = 0.0
    pause_s: float = 0.0
    closed_at_s: float = 0.0

    def may_try(self, now_s: float) -> bool:
        """Tell whether the tier is asked at ``now_s`` (monotonic)."""
        return now_s >= self.closed_at_s


SOUND = Circuit()


def after_failure(circuit: Circuit, now_s: float, weight: float = 1.0) -> Circuit:
    """Return the circuit after one more failure: from the third on it pauses, ever longer."""
    failures = circuit.failures + weight
    if failures < MOST_FAILURES:
        return Circuit(failures)
    pause_s = min(circuit.pause_s * 2 or FIRST_PAUSE_S, LONGEST_PAUSE_S)
    return Circuit(failures, pause_s, now_s + pause_s)
