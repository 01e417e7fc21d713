"""What is scraped of grounding. Runs in the control process."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock

from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from steadyhand.evals.grounding.checker import CheckerStatus
from steadyhand.evals.grounding.rate import Rate
from steadyhand.records.annotation import Annotation, Grounding, body_of
from steadyhand.telemetry import grounding_names as names
from steadyhand.telemetry.tallies import MOST_VALUES, NONE, Counter, Values, counter, gauge


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
        yield from _rates(status.rates)

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry need not collect in order to register."""
        yield from ()


def _rates(rates: Mapping[tuple[str, str], Rate]) -> Iterator[Metric]:
    """Yield the rates of what was measured; of very many releases those with most samples."""
    told = [(key, found) for key, found in rates.items() if found.share is not None]
    told.sort(key=lambda one: -(one[1].ungrounded + one[1].grounded))
    del told[MOST_VALUES:]
    for metric, values in (
        (names.UNGROUNDED, [rate.share for _, rate in told]),
        (names.UNGROUNDED_LOW, [rate.low for _, rate in told]),
        (names.UNGROUNDED_HIGH, [rate.high for _, rate in told]),
        (names.MEASURED, [rate.ungrounded + rate.grounded for _, rate in told]),
    ):
        family = gauge(metric)
        for ((route, release), _), value in zip(told, values, strict=True):
            family.add_metric([route, release or NONE], value or 0.0)
        yield family
