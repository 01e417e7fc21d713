"""Latency drift of one deployment: seen in evidence, held until over, settled if it stays. Pure.

Three claims are watched over all size classes at once. *Body*: more streams than usual take longer
to their first content than their class ordinarily does; it sees a step within some dozens of tries,
an ordinary latency after it happened. *Tail*: many take longer than nearly all used to; it needs
fewer tries but waits longer for each, and sees a few that hang. *Pace*: answers take longer for
their number of tokens. How long a whole answer will be is not known while it is written, so its age
counts for the tail only, and not while later tries end at their usual pace.

While drift lasts, or evidence for it is strong, the references stand still: a slow ramp is not
learned as normal. After ``SETTLE_S`` the level is taken as the new normal all the same, so that
nothing stays frozen for ever; whether it is fast enough is then the planner's question, which
compares costs with the deadline.
"""

from math import exp, log
from typing import Final

from steadyhand.routing.health.cohorts import Cohort, Pace, Pulse, SizeClass
from steadyhand.routing.health.evidence import ALARM_NATS, Evidence
from steadyhand.routing.health.reference import BODY_PART, WARM
from steadyhand.routing.health.sizes import PACE, WHOLE, answered_class

SETTLE_S: Final = 300.0
"""Seconds of drift after which its level is the new reference."""

HEALTHY: Final = 0.72
"""Part of exceedances in the last tries up to which a drifting deployment counts as well again."""

FIRST_PACES: Final = 21
"""Paces that a class begins to learn from: they are known at the end only, in the order of ends."""

_TOLERATED: Final = BODY_PART  # reached when all tries are slower by the margin
_TOLERATED_TAIL: Final = 0.11  # about twice TAIL_PART: a tail is known less well
_LEAST_S: Final = 1e-6
_LEVEL: Final = 1 / 32
_LEVEL_BEFORE: Final = 1 / 1024
_RECENT: Final = 1 / 12
_LEAST_TOKENS: Final = 8  # an answer shorter than this says nothing about pace


class Drift:
    """Watches one deployment.

    Attributes:
        reason: What the last alarm was about: ``latency_drift``, ``tail_drift``, ``pace_drift``.
        is_drifting: Drift has been seen and is not over.
        since_s: When it was seen.
        seen: How many have been.
        firsts: Part of about the last 12 streams whose first content was slower than ordinary.
        paces: Part of about the last 12 answers that were slow for their number of tokens.
    """

    __slots__ = (
        "_after_s",
        "_answered_s",
        "_body",
        "_classes",
        "_is_of_answers",
        "_lately",
        "_learns",
        "_ordinarily",
        "_pace",
        "_paces",
        "_pulse",
        "_tail",
        "_whole",
        "firsts",
        "is_drifting",
        "paces",
        "reason",
        "seen",
        "since_s",
    )

    def __init__(self, pulse: Pulse, alarm_nats: float = ALARM_NATS) -> None:
        """``pulse`` tells when what was in flight says nothing; the threshold is for benchmarks."""
        self._pulse = pulse
        self._classes: dict[int, SizeClass] = {}
        self._paces: dict[int, Pace] = {}
        self._learns = True
        self._body = Evidence(_TOLERATED, (0.8, 0.94), alarm_nats)
        self._tail = Evidence(_TOLERATED_TAIL, (0.3, 0.8), alarm_nats)
        self._whole = Evidence(_TOLERATED_TAIL, (0.3, 0.8), alarm_nats)
        self._pace = Evidence(_TOLERATED, (0.8, 0.94), alarm_nats)
        self._after_s = 0.0  # tries that began before say nothing: they are accounted for
        self._answered_s = 0.0  # when the whole answer that ended last had begun
        self.reason = ""
        self._is_of_answers = False
        self._lately = 0.0
        self._ordinarily = 0.0
        self.is_drifting = False
        self.since_s = 0.0
        self.seen = 0
        self.firsts = 0.0
        self.paces = 0.0

    def size_class(self, key: int) -> SizeClass:
        """Return the class ``key``; a new one if nobody has asked it yet."""
        found = self._classes.get(key)
        if found is None:
            found = self._classes[key] = SizeClass(watches_body=key < WHOLE)
        return found

    def mature(self, now_s: float) -> bool:
        """Count the cohorts whose time has come; return whether they raise an alarm."""
        raised = False
        self._learns = self._may_learn()
        for key, found in self._classes.items():
            body, tail = found.body, found.tail
            while body and now_s >= body[0].ends_s + body[0].body_s:
                raised |= self._count_body(found, body.popleft(), now_s)
            while tail and now_s >= tail[0].ends_s + tail[0].tail_s:
                raised |= self._count_tail(found, tail.popleft(), now_s, is_whole=key >= WHOLE)
        for pace in self._paces.values():
            if pace.tries:
                raised |= self._count_pace(pace, now_s)
        return raised

    def whole(self, began_s: float, now_s: float, input_bytes: int, tokens: int) -> None:
        """Take a whole answer that was no stream."""
        self._answered_s = began_s
        self._ended(answered_class(input_bytes, tokens), now_s - began_s, began_s, now_s)

    def streamed(self, first_s: float, now_s: float, tokens: int) -> None:
        """Take a stream that is whole."""
        if tokens >= _LEAST_TOKENS:
            self._ended(PACE, (now_s - first_s) / tokens, first_s, now_s)

    def level(self, age_s: float, usual_s: float) -> None:
        """Follow how far first contents are from the usual, for those who look."""
        distance = log(max(age_s, _LEAST_S) / usual_s)
        self._lately += (distance - self._lately) * _LEVEL
        if not self.is_drifting:
            self._ordinarily += (distance - self._ordinarily) * _LEVEL_BEFORE

    @property
    def ratio(self) -> float:
        """Latency of late over that of the reference window; about 1 while nothing drifts."""
        return exp(self._lately - self._ordinarily)

    def acted(self, now_s: float) -> None:
        """Note that something was done about an alarm: only what begins now speaks of the next."""
        if not self.is_drifting:
            self.is_drifting = True
            self.since_s = now_s
            self.seen += 1
        if self._is_of_answers:
            self.paces = 1.0
        else:
            self.firsts = 1.0
        self._after_s = now_s
        self._clear()

    @property
    def is_well(self) -> bool:
        """Whether the last tries were as fast as the reference."""
        return max(self.firsts, self.paces) <= HEALTHY and self._tail.nats < ALARM_NATS / 2

    def over(self) -> None:
        """End a drift."""
        self.is_drifting = False
        self._clear()

    def settle(self, now_s: float) -> bool:
        """Take the level of a drift that stays as normal; return whether that was done now."""
        if not self.is_drifting or now_s - self.since_s < SETTLE_S:
            return False
        self._classes.clear()
        self._paces.clear()
        self.firsts = self.paces = 0.0
        self.over()
        return True

    def _clear(self) -> None:
        for evidence in (self._body, self._tail, self._whole, self._pace):
            evidence.clear()
        for pace in self._paces.values():
            pace.clear()

    def _may_learn(self) -> bool:
        return not self.is_drifting and (
            max(self._body.nats, self._tail.nats, self._pace.nats) < ALARM_NATS / 2
        )

    def _says(self, cohort: Cohort) -> bool:
        """Tell whether what became of ``cohort`` is about the provider as it is now."""
        return cohort.epoch == self._pulse.epoch and cohort.began_s >= self._after_s

    def _count_body(self, found: SizeClass, cohort: Cohort, now_s: float) -> bool:
        tries = cohort.tries - cohort.body_unknown
        if tries == 0 or not self._says(cohort):
            return False
        slow = tries - cohort.body_in
        if self._learns:
            found.reference.body(tries, tries - cohort.usual_in, now_s)
        self.firsts += (slow / tries - self.firsts) * (1 - (1 - _RECENT) ** tries)
        if not cohort.is_warm:
            return False
        return self._alarm(self._body, tries, slow, "latency_drift")

    def _count_tail(
        self, found: SizeClass, cohort: Cohort, now_s: float, *, is_whole: bool
    ) -> bool:
        tries = cohort.tries - cohort.tail_unknown
        if tries == 0 or not self._says(cohort):
            return False
        slow = tries - cohort.tail_in
        if self._learns:
            found.reference.tail(tries, slow, now_s)
        if not cohort.is_tail_warm:
            return False
        if not is_whole:
            return self._alarm(self._tail, tries, slow, "tail_drift")
        raised = self._alarm(self._whole, tries, slow, "tail_drift")
        return raised and not (self._answered_s >= cohort.began_s and self.paces <= HEALTHY)

    def _ended(self, key: int, latency_s: float, began_s: float, now_s: float) -> None:
        pace = self._paces.get(key)
        if pace is None:
            pace = self._paces[key] = Pace()
        reference = pace.reference
        if not reference.body_s:
            reference.begin(latency_s, now_s, FIRST_PACES)
        elif began_s >= self._after_s:
            is_slow = latency_s > reference.body_s
            pace.tries += 1
            pace.above += latency_s > reference.usual_s
            pace.slow += is_slow
            self.paces += (is_slow - self.paces) * _RECENT

    def _count_pace(self, pace: Pace, now_s: float) -> bool:
        tries, slow, reference = pace.tries, pace.slow, pace.reference
        if self._learns:
            reference.body(tries, pace.above, now_s)
        pace.clear()
        if reference.samples < WARM:
            return False
        return self._alarm(self._pace, tries, slow, "pace_drift")

    def _alarm(self, evidence: Evidence, tries: int, slow: int, reason: str) -> bool:
        if not evidence.take(tries, slow):
            return False
        self.reason = reason
        self._is_of_answers = evidence is self._whole or evidence is self._pace
        return True
