"""Counts what becomes of rollouts. Runs in the control process."""

from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from steadyhand.telemetry import rollout_names as names
from steadyhand.telemetry.tallies import Counter


class RolloutMetrics(Collector):
    """What is counted of rollouts; its methods may run in different threads."""

    def __init__(self, failures: Callable[[], int], open_: Callable[[], int | None]) -> None:
        """Take what tells how often something failed, and how many are open, if that is known."""
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
            yield GaugeMetricFamily(names.OPEN.name, names.OPEN.meaning, value=known)

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry need not collect in order to register."""
        yield from ()
