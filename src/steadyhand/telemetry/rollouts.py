"""Counts what becomes of rollouts. Runs in the control process."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from steadyhand.telemetry import rollout_names as names
from steadyhand.telemetry.tallies import Counter


class OpenRollout(NamedTuple):
    """A rollout that is not over.

    Attributes:
        route: Of its channel.
        environment: Of its channel.
        waits_because: Why a person is called; empty if nobody is.
    """

    route: str
    environment: str
    waits_because: str


class RolloutMetrics(Collector):
    """What is counted of rollouts; its methods may run in different threads."""

    def __init__(
        self, failures: Callable[[], int], open_: Callable[[], Sequence[OpenRollout] | None]
    ) -> None:
        """Take what tells how often something failed, and which are open, if that is known."""
        self._failures = failures
        self._open = open_
        self._lock = Lock()
        self._changes = Counter(names.CHANGES)
        self._pages = Counter(names.PAGES)

    def told(self, kind: str, data: Mapping[str, Any]) -> None:
        """Count an event of a rollout."""
        with self._lock:
            if kind == "page":
                self._pages[str(data["reason"]),] += 1
            elif kind == "rollout":
                self._changes[str(data["change"]),] += 1

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield the families."""
        with self._lock:
            families = [one.family() for one in (self._changes, self._pages)]
        yield from families
        failures = names.FAILURES
        yield CounterMetricFamily(failures.name, failures.meaning, value=self._failures())
        known = self._open()
        if known is not None:
            yield GaugeMetricFamily(names.OPEN.name, names.OPEN.meaning, value=len(known))
            yield _waiting(known)

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry need not collect in order to register."""
        yield from ()


def _waiting(known: Sequence[OpenRollout]) -> Metric:
    metric = names.WAITING
    family = GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for one in known:
        if one.waits_because:
            family.add_metric(one, 1)
    return family
