"""Shows what is counted of objectives and of cost. Runs in the control process."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from steadyhand.objectives.book import Book
from steadyhand.telemetry import objective_names as names
from steadyhand.telemetry.tallies import counter, gauge


class ObjectiveMetrics(Collector):
    """The metrics of one book."""

    def __init__(self, book: Book) -> None:
        """Take it."""
        self._book = book

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield every family, all of one moment."""
        shown = self._book.shown()
        events = counter(names.EVENTS)
        bad = counter(names.BAD)
        target = gauge(names.TARGET)
        left = gauge(names.LEFT)
        for objective, counted, left_ratio in shown.rows:
            labels = (objective.route, objective.kind)
            events.add_metric(labels, counted.events)
            bad.add_metric(labels, counted.bad)
            target.add_metric(labels, objective.target_ratio)
            if left_ratio is not None:
                left.add_metric(labels, left_ratio)
        cost = counter(names.COST)
        for whom, usd in shown.usd.items():
            cost.add_metric(whom, usd)
        yield from (events, bad, target, left, cost)
        failures = names.KEEP_FAILURES
        yield CounterMetricFamily(failures.name, failures.meaning, value=shown.keep_failures)

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry need not collect in order to register."""
        yield from ()
