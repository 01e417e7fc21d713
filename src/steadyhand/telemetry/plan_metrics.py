"""Counts what recorded decisions planned around. Runs in the control process.

What a decision is, the planner knows, a layer above; ``app`` hands in what reads one.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Lock

from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from steadyhand.records.record import DRILL, Record
from steadyhand.telemetry import ladder_names as names
from steadyhand.telemetry.tallies import Counter, Values

Reader = Callable[[bytes], Iterable[tuple[str, str, str, str]]]
"""Decision → kind, provider, model and reason of each rung that was planned around."""


class PlanMetrics(Collector):
    """What is counted of decisions; ``consume`` and ``collect`` may run in different threads."""

    def __init__(self, read: Reader) -> None:
        """Take what reads a decision; it yields nothing for one that it cannot read."""
        self._read = read
        self._lock = Lock()
        self._values = Values()
        self._models = Values()
        self._planned_around = Counter(names.PLANNED_AROUND)

    def consume(self, records: Sequence[Record]) -> None:
        """Count ``records``; each must be given once. Drills are no requests and do not count."""
        values, models = self._values, self._models
        with self._lock:
            for record in records:
                if record.decision and record.wire != DRILL:
                    for kind, provider, model, reason in self._read(record.decision):
                        whom = (values[record.route], values[kind], values[provider])
                        self._planned_around[*whom, models[model], values[reason]] += 1

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield the family."""
        with self._lock:
            family = self._planned_around.family()
        yield family

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry need not collect in order to register."""
        yield from ()
