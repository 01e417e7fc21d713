"""Shows what is counted of traces. Runs in the control process."""

from collections.abc import Callable, Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from steadyhand.telemetry import trace_names as names
from steadyhand.telemetry.tallies import counter, gauge
from steadyhand.telemetry.traces.exporter import Status


class TraceMetrics(Collector):
    """The metrics of traces; nothing where none are sent."""

    def __init__(self, status: Status, clock_us: Callable[[], int]) -> None:
        """Take what counts, and the wall clock in microseconds since 1970."""
        self._status = status
        self._clock_us = clock_us

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield every family."""
        status = self._status
        spans = counter(names.SPANS)
        for result in ("exported", "rejected"):
            spans.add_metric((result,), status.spans[result])
        tries = counter(names.TRIES)
        for result in ("taken", "partly", "waiting", "refused"):
            tries.add_metric((result,), status.tries[result])
        given_up = counter(names.GIVEN_UP)
        given_up.add_metric((), status.given_up)
        waiting, lag, last = gauge(names.WAITING), gauge(names.LAG), gauge(names.LAST_SUCCESS)
        waiting.add_metric((), status.waiting)
        oldest_us = status.oldest_us
        lag.add_metric((), max(0, self._clock_us() - oldest_us) / 1e6 if oldest_us else 0.0)
        last.add_metric((), status.last_success_us / 1e6)
        yield from (spans, tries, given_up, waiting, lag, last)

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry need not collect in order to register."""
        yield from ()
