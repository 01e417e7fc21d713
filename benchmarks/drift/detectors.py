"""Ours and what others do, behind one face: tries begin and end, alarms begin.

The others are our reading of their documentation, each with its threshold free, and are told what
they would be told: none of them sees a try that is still in flight.
"""

from collections import deque
from math import exp, log
from typing import NamedTuple, Protocol

from typing_extensions import override

from steadyhand.routing.health.cohorts import Cohort, Pulse
from steadyhand.routing.health.deployment import LOOK_S, DeploymentHealth
from steadyhand.routing.health.drift import Drift
from steadyhand.routing.health.reference import Reference
from steadyhand.routing.health.sizes import input_class
from steadyhand.routing.health.tries import Try

_WARM = 64
_MEMORY_S = 600.0


class Detector(Protocol):
    """What is compared.

    Attributes:
        family: Name of the method.
        threshold: Its free parameter.
    """

    family: str
    threshold: float

    @property
    def alarms(self) -> int:
        """How many have begun."""

    def began(self, now_s: float, input_bytes: int) -> object:
        """Note that a try begins; return what :meth:`ended` is to be given."""

    def ended(self, begun: object, now_s: float, latency_s: float) -> None:
        """Note that a try of :meth:`began` ends."""


class Ours:
    """The gateway's own health of a deployment, with the alarm threshold free."""

    family = "ours"

    def __init__(self, nats: float) -> None:
        """See :class:`Detector`; ``nats`` is the threshold."""
        self.threshold = nats
        pulse = Pulse()
        self.health = DeploymentHealth(pulse)
        self.health.drift = Drift(pulse, nats)

    @property
    def alarms(self) -> int:
        """See :class:`Detector`."""
        return self.health.drift.seen

    def began(self, now_s: float, input_bytes: int) -> Try:
        """See :class:`Detector`."""
        return self.health.began(now_s, input_bytes, stream=True)

    def ended(self, begun: object, now_s: float, latency_s: float) -> None:
        """See :class:`Detector`."""
        assert isinstance(begun, Try)
        begun.ended(now_s, "ok")


class _Begun(NamedTuple):
    """A try of :class:`OursAlone`."""

    reference: Reference
    is_ticketed: bool
    cohort: Cohort


class OursAlone:
    """The same drift detection without the rest of health, for days of simulated time."""

    family = "ours"

    def __init__(self, nats: float) -> None:
        """See :class:`Ours`."""
        self.threshold = nats
        self._drift = Drift(Pulse(), nats)
        self._look_at_s = 0.0

    @property
    def alarms(self) -> int:
        """See :class:`Detector`."""
        return self._drift.seen

    def began(self, now_s: float, input_bytes: int) -> object:
        """See :class:`Detector`."""
        drift = self._drift
        if now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_S
            if drift.mature(now_s):
                drift.acted(now_s)
            elif drift.is_drifting and drift.is_well:
                drift.over()
        found = drift.size_class(input_class(input_bytes))
        return _Begun(found.reference, found.reference.ticket(), found.join(now_s, 0))

    def ended(self, begun: object, now_s: float, latency_s: float) -> None:
        """See :class:`Detector`."""
        assert isinstance(begun, _Begun)
        if begun.cohort.body_s:
            begun.cohort.content(latency_s)
        elif begun.is_ticketed:
            begun.reference.begin(latency_s, now_s)


class _Completed:
    """A detector that hears of answers only; an alarm lasts while the sign is there."""

    family = ""

    def __init__(self, threshold: float) -> None:
        """See :class:`Detector`."""
        self.threshold = threshold
        self.alarms = 0
        self._is_on = False

    def began(self, now_s: float, input_bytes: int) -> object:
        """See :class:`Detector`."""
        return None

    def ended(self, begun: object, now_s: float, latency_s: float) -> None:
        """See :class:`Detector`."""
        is_on = self.sign(now_s, latency_s)
        self.alarms += is_on and not self._is_on
        self._is_on = is_on

    def sign(self, now_s: float, latency_s: float) -> bool:
        """Take one latency; return whether it now looks bad."""
        raise NotImplementedError


class Ewma(_Completed):
    """A moving average over about 20 answers, above a multiple of one over ten minutes."""

    family = "EWMA"

    def __init__(self, threshold: float) -> None:
        """See :class:`Detector`."""
        super().__init__(threshold)
        self._fast = self._slow = self._at_s = 0.0
        self._seen = 0

    @override
    def sign(self, now_s: float, latency_s: float) -> bool:
        """See :class:`_Completed`."""
        self._follow(now_s, latency_s)
        return self._seen > _WARM and self._fast > self.threshold * self._slow

    def _follow(self, now_s: float, value: float) -> None:
        self._seen += 1
        self._fast += (value - self._fast) * max(0.05, 1 / self._seen)
        part = max(1 / self._seen, 1 - exp((self._at_s - now_s) / _MEMORY_S))
        self._slow += (value - self._slow) * part
        self._at_s = now_s


class LogEwma(Ewma):
    """The same of log latency, which outliers move less; the multiple becomes a distance."""

    family = "EWMA of logs"

    @override
    def sign(self, now_s: float, latency_s: float) -> bool:
        """See :class:`_Completed`."""
        self._follow(now_s, log(latency_s))
        return self._seen > _WARM and self._fast > log(self.threshold) + self._slow


class Score(_Completed):
    """Each five seconds, the mean of that time against the mean of ten minutes.

    The cadence and the comparison with its own baseline are documented for Bifrost's adaptive load
    balancing (docs/enterprise/adaptive-load-balancing, 2026-11); its weights are not.
    """

    family = "score each 5 s"

    def __init__(self, threshold: float) -> None:
        """See :class:`Detector`."""
        super().__init__(threshold)
        self._sum = self._baseline = self._until_s = 0.0
        self._count = self._windows = 0
        self._was = False

    @override
    def sign(self, now_s: float, latency_s: float) -> bool:
        """See :class:`_Completed`."""
        if now_s >= self._until_s:
            if self._count:
                mean = self._sum / self._count
                self._was = self._windows > 2 and mean > self.threshold * self._baseline
                self._windows += 1
                part = max(1 / self._windows, 5.0 / _MEMORY_S)
                self._baseline += (mean - self._baseline) * part
            self._sum, self._count, self._until_s = 0.0, 0, now_s + 5.0
        self._sum += latency_s
        self._count += 1
        return self._was


class Outliers:
    """Envoy's outlier detection: five failures in a row, where late is a failure only at a timeout.

    Its success rate compares hosts of one cluster and needs five of them; one deployment has no
    peers. The threshold is the route's timeout in seconds (Envoy's default is 15), the ejection
    lasts 30 s (envoyproxy.io, "Outlier detection", 2026-11).
    """

    family = "Envoy outliers"

    def __init__(self, threshold: float) -> None:
        """See :class:`Detector`."""
        self.threshold = threshold
        self.alarms = 0
        self._waiting: deque[list[float]] = deque()
        self._in_a_row = 0
        self._until_s = 0.0

    def began(self, now_s: float, input_bytes: int) -> object:
        """See :class:`Detector`."""
        waiting = self._waiting
        while waiting and now_s - waiting[0][0] >= self.threshold:
            began_s, is_over = waiting.popleft()
            if not is_over:
                self._failed(began_s + self.threshold)
        begun = [now_s, 0.0]
        waiting.append(begun)
        return begun

    def ended(self, begun: object, now_s: float, latency_s: float) -> None:
        """See :class:`Detector`."""
        assert isinstance(begun, list)
        begun[1] = 1.0
        if latency_s < self.threshold:
            self._in_a_row = 0

    def _failed(self, now_s: float) -> None:
        self._in_a_row += 1
        if self._in_a_row >= 5 and now_s >= self._until_s:
            self.alarms += 1
            self._until_s = now_s + 30.0
            self._in_a_row = 0
