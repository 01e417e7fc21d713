"""Counts what releases answered, and what became of the registry. Runs in the control process."""

from collections.abc import Callable, Iterator, Sequence
from threading import Lock

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from steadyhand.records.record import DRILL, Record
from steadyhand.telemetry import release_names as names
from steadyhand.telemetry.tallies import Counter, Values


class ReleaseMetrics(Collector):
    """What is counted of releases; its methods may run in different threads."""

    def __init__(
        self,
        not_in_force: Callable[[], int],
        followed_age_s: Callable[[], float | None] = lambda: None,
    ) -> None:
        """Take what tells how many channels could not be brought on, and how old what is served is.

        The age is that of the last word of a control plane that is followed, ``None`` without one.
        """
        self._not_in_force = not_in_force
        self._followed_age_s = followed_age_s
        self._lock = Lock()
        self._values = Values()
        self._requests = Counter(names.RELEASED_REQUESTS)
        self._changes = Counter(names.REGISTRY_CHANGES)
        self._syncs = Counter(names.REGISTRY_SYNCS)

    def consume(self, records: Sequence[Record]) -> None:
        """Count ``records``; each must be given once. Drills are no requests and do not count."""
        values = self._values
        with self._lock:
            for record in records:
                if record.arm and record.wire != DRILL:
                    where = (values[record.channel], values[record.route])
                    self._requests[*where, record.arm, record.outcome] += 1

    def changed(self, action: str) -> None:
        """Count a commit to the registry."""
        with self._lock:
            self._changes[action,] += 1

    def synced(self, outcome: str) -> None:
        """Count a look at the registry's remote."""
        with self._lock:
            self._syncs[outcome,] += 1

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield the families."""
        with self._lock:
            families = [one.family() for one in (self._requests, self._changes, self._syncs)]
        yield from families
        gauge = names.NOT_IN_FORCE
        yield GaugeMetricFamily(gauge.name, gauge.meaning, value=self._not_in_force())
        age_s = self._followed_age_s()
        if age_s is not None:
            gauge = names.FOLLOWED_AGE
            yield GaugeMetricFamily(gauge.name, gauge.meaning, value=age_s)

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry need not collect in order to register."""
        yield from ()
