"""Shows what is counted of objectives and of cost. Runs in the control process."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from steadyhand.objectives.book import Book
from steadyhand.telemetry import objective_names as names


class ObjectiveMetrics(Collector):
    """The metrics of one book."""

    def __init__(self, book: Book) -> None:
        """Take it."""
        self._book = book

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield every family, all of one moment."""
        shown = self._book.shown()
        events = CounterMetricFamily(names.EVENTS.name, names.EVENTS.meaning, labels=names.LABELS)
        bad = CounterMetricFamily(names.BAD.name, names.BAD.meaning, labels=names.LABELS)
        target = GaugeMetricFamily(names.TARGET.name, names.TARGET.meaning, labels=names.LABELS)
        left = GaugeMetricFamily(names.LEFT.name, names.LEFT.meaning, labels=names.LABELS)
        for objective, counted, left_ratio in shown.rows:
            labels = (objective.route, objective.kind)
            events.add_metric(labels, counted.events)
            bad.add_metric(labels, counted.bad)
            target.add_metric(labels, objective.target_ratio)
            if left_ratio is not None:
                left.add_metric(labels, left_ratio)
        cost = CounterMetricFamily(names.COST.name, names.COST.meaning, labels=names.COST.labels)
        for whom, usd in shown.usd.items():
            cost.add_metric(whom, usd)
        yield from (events, bad, target, left, cost)
        failures = names.KEEP_FAILURES
        yield CounterMetricFamily(failures.name, failures.meaning, value=shown.keep_failures)

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry need not collect in order to register."""
        yield from ()
