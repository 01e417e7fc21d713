"""Health of one deployment, and the tries that it is learned from. Pure: clock and draw come in.

Requests ask :meth:`DeploymentHealth.admit` and read :meth:`DeploymentHealth.reading`; tries tell it
what became of them, each once, at its end. What it decides is in the modules beside this one:
whether it drifts (``drift``), may be asked at all (``breaker``), how much (``share``).
"""

from typing import Final

from steadyhand.routing.health.breaker import Breaker, weight_of
from steadyhand.routing.health.cohorts import Pulse
from steadyhand.routing.health.drift import Drift
from steadyhand.routing.health.learned import LearnedCosts
from steadyhand.routing.health.reading import (
    BEYOND_SHARE,
    BREAKER_OPEN,
    CLOSED,
    HALF_OPEN,
    NOT_A_PROBE,
    OPEN,
    PROBE,
    PROBES_IN_FLIGHT,
    RETRY_AFTER,
    STEADY,
    TRICKLE,
    WITHIN_SHARE,
    Admission,
    Reading,
)
from steadyhand.routing.health.share import Share
from steadyhand.routing.health.tries import Try

LOOK_S: Final = 0.03
"""Seconds between two looks at what time alone has decided."""

READING_S: Final = 0.1
"""Seconds that a reading may be old."""

TRICKLE_S: Final = 0.5
"""A closed deployment that has not been asked for this long is given the next request."""

LONGEST_PAUSE_S: Final = 10.0
"""Longest ``Retry-After`` that is waited for."""

_LEFT: Final = ("slow", "cancelled")
_IDLE_S: Final = 60.0  # without a request, after which time alone gives back
_CUT_EVERY_S: Final = 1.0  # cuts for 429s, which come by the dozen
_HEADROOM: Final = 0.5  # part of the limit within which drift is harmless
_MAY_BE_LATE: Final = 0.1  # part of tries that may need more, lately
_LATELY: Final = 1 / 16


class DeploymentHealth:
    """All that one gateway process knows of one deployment.

    Attributes:
        breaker: Whether it may be asked.
        drift: Whether it is slower than it was.
        share: How much it may be asked.
        pulse: Tells what was in flight while this process stood still.
        in_flight: Tries that have not ended.
        oks: Tries that ended well.
        began_s: When the last try began.
        costs: What its answers take.
        openings: Of the breaker, by reason.
        probes: Probes by how they ended.
        turned_away: Requests that were not admitted, by reason.
    """

    def __init__(self, pulse: Pulse) -> None:
        """``pulse`` is shared by all deployments of a process."""
        self.breaker = Breaker()
        self.drift = Drift(pulse)
        self.share = Share()
        self.pulse = pulse
        self.in_flight = 0
        self.oks = 0
        self.began_s = 0.0
        self.costs = LearnedCosts()
        self.openings: dict[str, int] = {}
        self.probes: dict[str, int] = {}
        self.turned_away: dict[str, int] = {}
        self._contents = 0
        self._contents_before = 0
        self._content_s = 0.0
        self._late = 1.0
        self._paused_until_s = 0.0
        self._draw = 0.0
        self._is_plain = True
        self._look_at_s = 0.0
        self._reading: Reading | None = None
        self._read_until_s = 0.0

    def admit(self, now_s: float, draw: float) -> Admission:
        """Decide whether one request may go there.

        A probe takes a place: give it to :meth:`began`, or back by :meth:`unused`.

        Args:
            now_s: Monotonic seconds.
            draw: In [0, 1), against the share.
        """
        if now_s >= self._look_at_s:
            self.look(now_s)
        self._draw = draw
        if self._is_plain:
            return STEADY
        admission = self._admit(now_s, draw)
        if not admission.may_go:
            turned = self.turned_away
            turned[admission.reason] = turned.get(admission.reason, 0) + 1
        return admission

    def steady(self, now_s: float, draw: float) -> Reading | None:
        """Return the reading if :meth:`admit` would have nothing to consider, else ``None``.

        One call for what a request asks while all is well; where it says nothing, ask both.
        """
        if now_s >= self._look_at_s:
            self.look(now_s)
        if not self._is_plain:
            return None
        self._draw = draw
        return self._reading if now_s < self._read_until_s else self.reading(now_s)

    def unused(self, generation: int) -> None:
        """Give back the place of a probe that was admitted in ``generation`` and is not begun."""
        self.breaker.unused(generation)

    def began(
        self,
        now_s: float,
        input_bytes: int,
        stream: bool,  # noqa: FBT001 - as agreed between the ladder and health
        limit_s: float = 0.0,
        *,
        probe_of: int = NOT_A_PROBE,
    ) -> Try:
        """Note that a request is asked there now.

        Args:
            now_s: Monotonic seconds.
            input_bytes: Of the request's body.
            stream: Whether a stream was asked for.
            limit_s: Latency that its deadline leaves; 0 for no limit.
            probe_of: The generation with which :meth:`admit` gave it the place of a probe.
        """
        if now_s >= self._look_at_s:
            self.look(now_s)
        begun = Try(self, now_s, input_bytes, stream=stream)
        begun.limit_s = limit_s
        begun.generation = probe_of
        self.in_flight += 1
        self.began_s = now_s
        return begun

    def reading(self, now_s: float) -> Reading:
        """Return what is known, at most ``READING_S`` old."""
        reading = self._reading
        if reading is None or now_s >= self._read_until_s:
            self.look(now_s)
            self.costs.refresh(now_s)
            reading = self._reading = Reading(
                state=self.breaker.state,
                share=self.share_now(now_s),
                reason=self.reason(now_s),
                stream=self.costs.stream,
                whole=self.costs.whole,
                is_drifting=self.drift.is_drifting,
            )
            self._read_until_s = now_s + READING_S
        return reading

    @property
    def changed_s(self) -> float:
        """When breaker or share last changed their mind; 0 for never."""
        return max(self.breaker.changed_s, self.share.cut_s)

    @property
    def is_unwell(self) -> bool:
        """Whether it drifts, or is given less than the whole."""
        return self.drift.is_drifting or not self._is_plain

    def content(self, begun: Try, now_s: float) -> None:
        """Learn from the first content of a try."""
        age_s = now_s - begun.began_s
        cohort = begun.cohort
        if cohort.epoch != self.pulse.look(now_s):
            return
        self._contents += 1
        self._content_s = now_s
        self.costs.took(age_s, now_s, stream=begun.is_stream)
        if begun.limit_s:
            self._late += ((age_s > begun.limit_s * _HEADROOM) - self._late) * _LATELY
        if cohort.body_s:
            cohort.content(age_s)
            if begun.is_stream:
                self.drift.level(age_s, cohort.usual_s)
        elif begun.is_ticketed:
            begun.reference.begin(age_s, now_s)

    def ended(
        self, begun: Try, now_s: float, outcome: str, output_tokens: int, retry_after_s: float
    ) -> None:
        """Learn from the end of a try."""
        self.in_flight -= 1
        if not begun.first_s:
            self._unanswered(begun, now_s, outcome)
        if (
            outcome == "ok"
            and begun.generation == NOT_A_PROBE
            and begun.cohort.epoch == self.pulse.look(now_s)
        ):  # as below, for what nearly all tries are
            self.breaker.succeeded()
            self.oks += 1
            self._learn_pace(begun, now_s, output_tokens)
            return
        outcome = self._outcome(begun, now_s, outcome)
        self._judge(begun, now_s, outcome)
        if outcome == "ok":
            self.oks += 1
            self._learn_pace(begun, now_s, output_tokens)
        elif outcome == "limited":
            self._limited(now_s, retry_after_s)
        elif outcome == "slow" and begun.limit_s:
            self._late += (1.0 - self._late) * _LATELY

    def look(self, now_s: float) -> None:
        """Take up what time alone has decided: cohorts of age, shares regained."""
        self._look_at_s = now_s + LOOK_S
        self.pulse.look(now_s)
        drift, share = self.drift, self.share
        if drift.mature(now_s):
            self._drifts(now_s)
        if drift.settle(now_s):
            share.reason = "settled"
        if share.value < 1.0:
            self._regain(now_s)
        elif drift.is_drifting and drift.is_well:
            drift.over()
        self._is_plain = (
            share.value >= 1.0 and self.breaker.state == CLOSED and now_s >= self._paused_until_s
        )

    def reason(self, now_s: float) -> str:
        """Return why state and share are so; ``steady`` if nothing is wrong."""
        if self.breaker.state != CLOSED:
            return HALF_OPEN if self.breaker.state == HALF_OPEN else self.breaker.reason
        if now_s < self._paused_until_s:
            return RETRY_AFTER.reason
        if self.share.value >= 1.0 and self.drift.is_drifting:
            return "drift_with_headroom"
        return self.share.reason

    def share_now(self, now_s: float) -> float:
        """Return the part of requests that it is to be given now, 0 to 1."""
        return 0.0 if now_s < self._paused_until_s else self.share.value

    def _admit(self, now_s: float, draw: float) -> Admission:
        if self.breaker.state != CLOSED:
            before = self.breaker.state
            if self.breaker.may_probe(now_s, draw):
                self._read_until_s = 0.0
                return Admission(PROBE, HALF_OPEN, self.breaker.generation)
            return BREAKER_OPEN if before == OPEN else PROBES_IN_FLIGHT
        if now_s < self._paused_until_s:
            return RETRY_AFTER
        if draw < self.share.value:
            return WITHIN_SHARE
        if now_s - self.began_s >= TRICKLE_S:
            return TRICKLE
        return BEYOND_SHARE

    def _unanswered(self, begun: Try, now_s: float, outcome: str) -> None:
        """Learn from the age of a try that has ended without content."""
        age_s = now_s - begun.began_s
        begun.cohort.lost(age_s)
        if begun.is_ticketed:
            begun.reference.missed()
        if outcome in _LEFT and begun.cohort.epoch == self.pulse.epoch:
            self.costs.left(age_s, now_s, stream=begun.is_stream)

    def _outcome(self, begun: Try, now_s: float, outcome: str) -> str:
        """Return what an end says, which may be less or more than it says of itself."""
        if begun.cohort.epoch != self.pulse.look(now_s):
            return "cancelled"  # the machine slept: what it broke says nothing
        if outcome == "slow" and begun.first_s and begun.is_plausible:
            return "ok"  # whole, and as quick as ever: only its deadline was short
        return outcome

    def _judge(self, begun: Try, now_s: float, outcome: str) -> None:
        """Give an end to the breaker."""
        age_s = (begun.first_s or now_s) - begun.began_s
        weight = weight_of(outcome, age_s, begun.cohort.tail_s)
        if begun.generation != NOT_A_PROBE:
            self._probed(begun.generation, now_s, outcome, weight)
        elif weight:
            if self.breaker.failed(now_s, outcome, weight, self._draw):
                self._opened()
        elif outcome == "ok":
            self.breaker.succeeded()

    def _probed(self, generation: int, now_s: float, outcome: str, weight: float) -> None:
        self.probes[outcome] = self.probes.get(outcome, 0) + 1
        if outcome != "ok" and not weight:
            self.breaker.unused(generation)
            return
        failed = outcome if weight else ""
        became = self.breaker.probed(now_s, generation, failed, self._draw)
        if became == CLOSED:
            self.share.ramp(now_s)
            self._changed()
        elif became == OPEN:
            self._opened()

    def _opened(self) -> None:
        reason = self.breaker.reason
        self.openings[reason] = self.openings.get(reason, 0) + 1
        self._changed()

    def _changed(self) -> None:
        """Let the next request see it: nothing remembered is true any more."""
        self._is_plain = False
        self._read_until_s = 0.0

    def _limited(self, now_s: float, retry_after_s: float) -> None:
        if now_s - self.share.cut_s >= _CUT_EVERY_S:
            self.share.cut(now_s, "rate_limited")
        pause_s = min(retry_after_s, LONGEST_PAUSE_S)
        self._paused_until_s = max(self._paused_until_s, now_s + pause_s)
        self._changed()

    def _learn_pace(self, begun: Try, now_s: float, tokens: int) -> None:
        if begun.is_stream:
            self.drift.streamed(begun.first_s, now_s, tokens)
        elif tokens:
            self.drift.whole(begun.began_s, now_s, begun.input_bytes, tokens)

    def _drifts(self, now_s: float) -> None:
        """Act on an alarm: cut the share, unless answers keep coming well inside their limits."""
        is_harmless = self._late <= _MAY_BE_LATE and now_s - self._content_s < TRICKLE_S
        if not is_harmless and self.breaker.state == CLOSED:
            self.share.cut(now_s, self.drift.reason)
        self.drift.acted(now_s)
        self._changed()

    def _regain(self, now_s: float) -> None:
        if self.breaker.state != CLOSED:
            return
        drift, share = self.drift, self.share
        has_news = self._contents != self._contents_before
        if now_s - self.began_s > _IDLE_S:
            share.rest(now_s)
        elif has_news and not self.breaker.is_failing and (drift.is_well or not drift.is_drifting):
            share.regain(now_s)
            self._contents_before = self._contents
        if share.value >= 1.0 and drift.is_drifting:
            drift.over()
