"""Health of one deployment, and the tries that it is learned from. Pure: clock and draw come in.

Requests ask :meth:`DeploymentHealth.admit` and read :meth:`DeploymentHealth.reading`; tries tell it
what became of them, each once, at its end. What it decides is in the modules beside this one:
whether it drifts (``drift``), may be asked at all (``breaker``), how much (``share``).
"""

from typing import Final

from steadyhand.routing.health.breaker import UNPROVEN_SLOW, WEIGHTS, Breaker
from steadyhand.routing.health.cohorts import Pulse
from steadyhand.routing.health.drift import Drift
from steadyhand.routing.health.reading import (
    CLOSED,
    FULL,
    HALF_OPEN,
    OPEN,
    PROBE,
    SHED,
    Admission,
    Reading,
)
from steadyhand.routing.health.share import Share
from steadyhand.routing.health.sizes import WHOLE, input_class
from steadyhand.routing.planning.situation import UNKNOWN

READING_S: Final = 0.1
"""Seconds that a reading may be old."""

TRICKLE_S: Final = 1.0
"""A closed deployment that has not been asked for this long is given the next request."""

LONGEST_PAUSE_S: Final = 10.0
"""Longest ``Retry-After`` that is waited for."""

_LOOK_S: Final = 0.05
_CUT_EVERY_S: Final = 1.0  # cuts for 429s, which come by the dozen
_HEADROOM: Final = 0.5  # part of the limit within which drift is harmless
_MAY_BE_LATE: Final = 0.1  # part of tries that may need more, lately
_LATELY: Final = 1 / 16
_NOT_A_PROBE: Final = -1

_STEADY: Final = Admission(FULL, "steady")
_OPEN: Final = Admission(OPEN, "breaker_open")
_PROBES: Final = Admission(OPEN, "probes_in_flight")
_PROBE: Final = Admission(PROBE, "half_open")
_TRICKLE: Final = Admission(FULL, "trickle")
_DRAWN: Final = Admission(FULL, "within_share")
_SHED: Final = Admission(SHED, "beyond_share")
_PAUSED: Final = Admission(SHED, "retry_after")


class Try:
    """One request at a deployment; its owner says once when content came, and once how it ended.

    Attributes:
        began_s: Monotonic seconds.
        first_s: When the first content came; 0 for not yet.
    """

    __slots__ = (
        "_health", "_is_over", "began_s", "cohort", "first_s", "generation", "input_bytes",
        "is_stream", "limit_s", "reference",
    )  # fmt: skip

    def __init__(
        self, health: "DeploymentHealth", now_s: float, input_bytes: int, *, stream: bool
    ) -> None:
        """Made by :meth:`DeploymentHealth.began`."""
        key = input_class(input_bytes) + (0 if stream else WHOLE)
        found = health.drift.size_class(key)
        self.reference = found.reference
        self.cohort = found.join(now_s, health.pulse.look(now_s))
        self.input_bytes = input_bytes
        self.is_stream = stream
        self.began_s = now_s
        self.first_s = 0.0
        self.limit_s = 0.0
        self.generation = _NOT_A_PROBE
        self._health = health
        self._is_over = False

    def first_content(self, now_s: float) -> None:
        """Say that the first content of a stream came, or the whole of another answer."""
        if not (self.first_s or self._is_over):
            self.first_s = now_s
            self._health.content(self, now_s)

    def ended(
        self, now_s: float, outcome: str, output_tokens: int = 0, retry_after_s: float = 0.0
    ) -> None:
        """Say how it ended; whatever is said afterwards counts for nothing.

        Args:
            now_s: Monotonic seconds.
            outcome: One of :data:`steadyhand.routing.health.reading.OUTCOMES`.
            output_tokens: Of a whole answer, reported or estimated; 0 for unknown.
            retry_after_s: What a 429 asks for; 0 for nothing.
        """
        if not self._is_over:
            if outcome == "ok":
                self.first_content(now_s)
            self._is_over = True
            self._health.ended(self, now_s, outcome, output_tokens, retry_after_s)


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

    # What requests ask.

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
            return _STEADY
        admission = self._admit(now_s, draw)
        if not admission.may_go:
            turned = self.turned_away
            turned[admission.reason] = turned.get(admission.reason, 0) + 1
        return admission

    def unused(self) -> None:
        """Give back the place of a probe that was admitted and is not begun."""
        self.breaker.unused(self.breaker.generation)

    def began(
        self,
        now_s: float,
        input_bytes: int,
        stream: bool,  # noqa: FBT001 - as agreed between the ladder and health
        limit_s: float = 0.0,
        *,
        is_probe: bool = False,
    ) -> Try:
        """Note that a request is asked there now.

        Args:
            now_s: Monotonic seconds.
            input_bytes: Of the request's body.
            stream: Whether a stream was asked for.
            limit_s: Latency that its deadline leaves; 0 for no limit.
            is_probe: Whether it has the place of a probe.
        """
        if now_s >= self._look_at_s:
            self.look(now_s)
        begun = Try(self, now_s, input_bytes, stream=stream)
        begun.limit_s = limit_s
        if is_probe:
            begun.generation = self.breaker.generation
        self.in_flight += 1
        self.began_s = now_s
        return begun

    def reading(self, now_s: float) -> Reading:
        """Return what is known, at most ``READING_S`` old."""
        reading = self._reading
        if reading is None or now_s >= self._read_until_s:
            self.look(now_s)
            reading = self._reading = Reading(
                state=self.breaker.state,
                share=0.0 if now_s < self._paused_until_s else self.share.value,
                reason=self._reason(now_s),
                stream=UNKNOWN,
                whole=UNKNOWN,
                is_drifting=self.drift.is_drifting,
            )
            self._read_until_s = now_s + READING_S
        return reading

    @property
    def is_unwell(self) -> bool:
        """Whether it drifts, or is given less than the whole."""
        return self.drift.is_drifting or not self._is_plain

    # What tries tell.

    def content(self, begun: Try, now_s: float) -> None:
        """Learn from the first content of a try."""
        age_s = now_s - begun.began_s
        cohort = begun.cohort
        if cohort.epoch != self.pulse.look(now_s):
            return
        self._contents += 1
        self._content_s = now_s
        if begun.limit_s:
            self._late += ((age_s > begun.limit_s * _HEADROOM) - self._late) * _LATELY
        if cohort.body_s:
            cohort.content(age_s)
        else:
            begun.reference.begin(age_s, now_s)

    def ended(
        self, begun: Try, now_s: float, outcome: str, output_tokens: int, retry_after_s: float
    ) -> None:
        """Learn from the end of a try."""
        self.in_flight -= 1
        if not begun.first_s:
            begun.cohort.lost(now_s - begun.began_s)
        if begun.cohort.epoch != self.pulse.look(now_s):
            outcome = "cancelled"  # the machine slept: what it broke says nothing
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
        self._look_at_s = now_s + _LOOK_S
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

    def _admit(self, now_s: float, draw: float) -> Admission:
        if self.breaker.state != CLOSED:
            before = self.breaker.state
            if self.breaker.may_probe(now_s, draw):
                self._read_until_s = 0.0
                return _PROBE
            return _OPEN if before == OPEN else _PROBES
        if now_s < self._paused_until_s:
            return _PAUSED
        if draw < self.share.value:
            return _DRAWN
        if now_s - self.began_s >= TRICKLE_S:
            return _TRICKLE
        return _SHED

    def _reason(self, now_s: float) -> str:
        if self.breaker.state != CLOSED:
            return HALF_OPEN if self.breaker.state == HALF_OPEN else self.breaker.reason
        if now_s < self._paused_until_s:
            return _PAUSED.reason
        if self.share.value >= 1.0 and self.drift.is_drifting:
            return "drift_with_headroom"
        return self.share.reason

    def _judge(self, begun: Try, now_s: float, outcome: str) -> None:
        """Give an end to the breaker."""
        weight = self._weight(begun, now_s, outcome)
        if begun.generation != _NOT_A_PROBE:
            self._probed(begun.generation, now_s, outcome, weight)
        elif weight:
            if self.breaker.failed(now_s, outcome, weight, self._draw):
                self._opened()
        elif outcome == "ok":
            self.breaker.succeeded()

    def _weight(self, begun: Try, now_s: float, outcome: str) -> float:
        """Return what an end says against the deployment; 0 for nothing."""
        if outcome == "slow" and not begun.first_s:
            tail_s = begun.cohort.tail_s
            if not tail_s:
                return UNPROVEN_SLOW
            if now_s - begun.began_s < tail_s:
                return 0.0  # the deadline was short, not the deployment slow
        return WEIGHTS.get(outcome, 0.0)

    def _probed(self, generation: int, now_s: float, outcome: str, weight: float) -> None:
        self.probes[outcome] = self.probes.get(outcome, 0) + 1
        if outcome != "ok" and not weight:
            self.breaker.unused(generation)
        elif self.breaker.probed(now_s, generation, outcome if weight else "", self._draw):
            self.share.ramp(now_s)
            self._read_until_s = 0.0
        elif self.breaker.state == OPEN:
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
        if not tokens:
            return
        if begun.is_stream:
            raised = self.drift.streamed(begun.first_s, now_s, tokens)
        else:
            raised = self.drift.whole(begun.began_s, now_s, begun.input_bytes, tokens)
        if raised:
            self._drifts(now_s)

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
        if has_news and not self.breaker.is_failing and (drift.is_well or not drift.is_drifting):
            share.regain(now_s)
            self._contents_before = self._contents
        elif now_s - self.began_s > TRICKLE_S:
            share.rest(now_s)
        if share.value >= 1.0 and drift.is_drifting:
            drift.over()
