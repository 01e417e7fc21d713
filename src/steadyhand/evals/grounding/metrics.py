"""What is scraped of grounding. Runs in the control process."""

from collections.abc import Callable, Iterator, Sequence
from threading import Lock

from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from steadyhand.evals.grounding.checker import CheckerStatus
from steadyhand.records.annotation import Annotation, Grounding, body_of
from steadyhand.telemetry import grounding_names as names
from steadyhand.telemetry.tallies import Counter, Values, counter, gauge


class GroundingMetrics(Collector):
    """Counts verdicts as they are stored; ``collect`` may run in another thread."""

    def __init__(self, status: Callable[[], CheckerStatus]) -> None:
        """Take what tells how the checker does."""
        self._status = status
        self._lock = Lock()
        self._checked = Counter(names.CHECKED)
        self._unmeasured = Counter(names.UNMEASURED)
        self._routes, self._releases = Values(), Values()

    def consume_annotations(self, annotations: Sequence[Annotation]) -> None:
        """Count the verdicts among ``annotations``."""
        with self._lock:
            for note in annotations:
                body = body_of(note)
                if not isinstance(body, Grounding):
                    continue
                route = self._routes[body.route]
                self._checked[route, self._releases[body.release], body.verdict] += 1
                if body.reason:
                    self._unmeasured[route, body.reason] += 1

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield the families."""
        with self._lock:
            families = [self._checked.family(), self._unmeasured.family()]
        yield from families
        status = self._status()
        judged = counter(names.JUDGED)
        for outcome, count in sorted(status.judged.items()):
            judged.add_metric([outcome], count)
        yield judged
        for metric, value in (
            (names.EXPIRED, status.expired),
            (names.UNREADABLE, status.unreadable),
            (names.FAILURES, status.failures),
        ):
            family = counter(metric)
            family.add_metric([], value)
            yield family
        lag = gauge(names.LAG)
        lag.add_metric([], status.lag_us / 1e6)
        yield lag

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry need not collect in order to register."""
        yield from ()
