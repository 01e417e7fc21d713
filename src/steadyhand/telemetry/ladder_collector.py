"""The metrics of the ladder as Prometheus sees them: read from status files at each scrape."""

from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from steadyhand.telemetry import ladder_names as names
from steadyhand.telemetry.ladder_samples import samples
from steadyhand.telemetry.status import FILE, read_status


class StatusCollector(Collector):
    """The status files of all gateway processes in one directory."""

    def __init__(self, directory: Path, clock_us: Callable[[], int]) -> None:
        """Take the run directory; files may come and go."""
        self._directory = directory
        self._clock_us = clock_us

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield what every process said last; of one whose file is no good, only that."""
        now_us = self._clock_us()
        families = {
            metric.name: (CounterMetricFamily if metric.type == "counter" else GaugeMetricFamily)(
                metric.name, metric.meaning, labels=metric.labels
            )
            for metric in names.FROM_STATUS
        }
        before, _, after = FILE.partition("{process}")
        for path in sorted(self._directory.glob(FILE.format(process="*"))):
            status = read_status(path)
            is_fresh = status is not None and status.is_fresh(now_us)
            process = path.name.removeprefix(before).removesuffix(after)
            families[names.STATUS_FRESH.name].add_metric([process], int(is_fresh))
            if status is None or not is_fresh:
                continue
            for metric, labels, value in samples(status):
                families[metric.name].add_metric(labels, value)
        yield from families.values()

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry need not collect in order to register."""
        yield from ()
