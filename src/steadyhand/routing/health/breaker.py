"""Whether a deployment may be asked at all: closed, open, half-open. Pure.

Failures are weighed as evidence, not counted by clock minutes: each adds what it says for "half of
the tries fail" against "one in ten does", each success takes away what it says for the opposite
(Page's CUSUM, see :mod:`steadyhand.routing.health.evidence`). Five failures in a row open, and so
does a lasting rate of about three in ten; no window is emptied, and nothing waits for a minute to
end. After a back-off of at most ``LONGEST_S`` a few probes go through, and each is judged at its
end. Enough good ones close the breaker, and the share then begins small
(:mod:`steadyhand.routing.health.share`). A probe whose end is unknown frees its place and says
nothing; one that does not end within ``PROBE_S`` has failed.
"""

from typing import Final

from steadyhand.routing.health.reading import CLOSED, HALF_OPEN, OPEN

PROBES: Final = 3
"""Probes at once, and the good ones that close."""

LONGEST_S: Final = 10.0
"""Longest back-off."""

PROBE_S: Final = 30.0
"""Seconds after which a probe that has not ended has failed."""

_SHORTEST_S: Final = 0.5
_OPENS: Final = 8.0
_SUCCESS: Final = -0.588  # log(0.5 / 0.9)
_RELAPSE: Final = 0.5  # part of what opens that remains when it closes
_WEIGHTS: Final = {
    "error": 1.61,  # log(0.5 / 0.1)
    "truncated": 1.61,
    "limited": 1.61,
    "slow": 1.61,
    "refused": 2.7,  # nothing listens: three in a row
    "denied": 4.0,  # two in a row: waiting for a while mends neither key, quota nor model
}
_SILENCE_S: Final = 0.5  # no content within it is a failure also where nothing is known yet
_UNPROVEN_SLOW: Final = 0.8  # ten in a row of a deployment whose latency is not known yet


def weight_of(outcome: str, age_s: float, tail_s: float) -> float:
    """Return what the end of a try says against a deployment; 0 for nothing.

    Args:
        outcome: One of :data:`steadyhand.routing.health.reading.OUTCOMES`.
        age_s: At which it had content, or ended without any.
        tail_s: What few healthy tries exceed; 0 for unknown. Who gave up sooner had a short
            deadline, which says nothing about the deployment.
    """
    if outcome == "slow" and age_s < tail_s:
        return 0.0
    if outcome == "slow" and not tail_s and age_s < _SILENCE_S:
        return _UNPROVEN_SLOW
    return _WEIGHTS.get(outcome, 0.0)


class Breaker:
    """One breaker.

    Attributes:
        state: ``closed``, ``open`` or ``half_open``.
        reason: The failure that last opened it; empty if none did.
        until_s: When an open one lets probes through.
        changed_s: When the state last changed.
        generation: Counts the changes of state, so that a probe of an earlier one says nothing.
        probes: In flight or promised, of this generation.
        good: Probes of this generation that went well.
    """

    __slots__ = ("_failing", "_openings", "_probe_s", "changed_s", "generation", "good", "probes",
                 "reason", "state", "until_s")  # fmt: skip

    def __init__(self) -> None:
        self.state = CLOSED
        self.reason = ""
        self.until_s = 0.0
        self.changed_s = 0.0
        self.generation = 0
        self.probes = 0
        self.good = 0
        self._failing = 0.0
        self._openings = 0
        self._probe_s = 0.0

    @property
    def is_failing(self) -> bool:
        """Whether failures weigh more than when it last closed."""
        return self._failing > _OPENS * _RELAPSE

    def may_probe(self, now_s: float, draw: float) -> bool:
        """Give a place to a probe, if there is one; never call it on a closed breaker.

        Args:
            now_s: Monotonic seconds.
            draw: In [0, 1), for the jitter of a back-off that begins here.
        """
        if self.state == OPEN:
            if now_s < self.until_s:
                return False
            self._become(HALF_OPEN, now_s)
        elif self.probes and now_s - self._probe_s > PROBE_S:
            self._open(now_s, "probe_lost", draw)
            return False
        if self.probes + self.good >= PROBES:
            return False
        self.probes += 1
        self._probe_s = now_s
        return True

    def unused(self, generation: int) -> None:
        """Give back a place that was promised in ``generation``: the probe says nothing."""
        if generation == self.generation and self.probes:
            self.probes -= 1

    def probed(self, now_s: float, generation: int, failed: str, draw: float) -> str:
        """Judge a probe at its end; return the state that this has led to, or empty.

        Args:
            now_s: Monotonic seconds.
            generation: In which it was promised; of an earlier one it says nothing.
            failed: Why it failed, or empty.
            draw: In [0, 1), for the jitter.
        """
        if generation != self.generation or self.state != HALF_OPEN:
            return ""
        self.probes -= 1
        if failed:
            self._open(now_s, failed, draw)
            return OPEN
        self.good += 1
        if self.good < PROBES:
            return ""
        self._become(CLOSED, now_s)
        self._failing = _OPENS * _RELAPSE
        return CLOSED

    def succeeded(self) -> None:
        """Take one success of a closed breaker."""
        if self._failing:
            self._failing = max(0.0, self._failing + _SUCCESS)
        elif self._openings:
            self._openings = 0  # wholly well again: the next back-off is short

    def failed(self, now_s: float, reason: str, weight: float, draw: float) -> bool:
        """Take one failure; return whether it has opened the breaker."""
        if self.state != CLOSED:
            return False  # of a try that began before: it is known already
        self._failing += weight
        if self._failing < _OPENS:
            return False
        self._open(now_s, reason, draw)
        return True

    def _open(self, now_s: float, reason: str, draw: float) -> None:
        longest_s = min(LONGEST_S, _SHORTEST_S * 2 ** min(self._openings, 8))
        self._openings += 1
        self.until_s = now_s + longest_s * (0.5 + draw / 2)
        self.reason = reason
        self._become(OPEN, now_s)

    def _become(self, state: str, now_s: float) -> None:
        self.state = state
        self.changed_s = now_s
        self.generation += 1
        self.probes = self.good = 0
