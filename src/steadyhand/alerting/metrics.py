"""Shows what is counted of alerts. Runs in the control process."""

from collections.abc import Callable, Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from steadyhand.alerting.hints import Hints
from steadyhand.alerting.notifier import Notifier
from steadyhand.core.errors import SteadyhandError
from steadyhand.telemetry import alert_names as names
from steadyhand.telemetry.tallies import counter, gauge


class AlertMetrics(Collector):
    """The metrics of alerts."""

    def __init__(self, notifier: Notifier, hints: Hints, clock: Callable[[], float]) -> None:
        """Take what counts, and the wall clock in seconds since 1970."""
        self._notifier = notifier
        self._hints = hints
        self._clock = clock

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        heard = counter(names.HINTS)
        for outcome, count in self._hints.outcomes.items():
            heard.add_metric((outcome,), count)
        yield heard
        try:
            counts = self._notifier.counts()
        except SteadyhandError:
            return
        firing = gauge(names.FIRING)
        for severity, number in counts.firing.items():
            firing.add_metric((severity,), number)
        told = counter(names.MESSAGES)
        for labels, count in counts.messages.items():
            told.add_metric(labels, count)
        waiting = gauge(names.WAITING)
        oldest = gauge(names.OLDEST)
        for webhook, (count, made_s) in counts.waiting.items():
            waiting.add_metric((webhook,), count)
            oldest.add_metric((webhook,), max(0.0, self._clock() - made_s) if count else 0.0)
        yield from (firing, told, waiting, oldest)

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry need not collect in order to register."""
        yield from ()
