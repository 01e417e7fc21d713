"""Metrics that are read where they are kept, at the moment of a scrape; and the scrape itself."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from steadyhand.records.shipper import ShipperStatus
from steadyhand.telemetry import model_names, names, record_names
from steadyhand.telemetry.board import read_board
from steadyhand.telemetry.metric import Metric as Declared

BOARD = "gateway-{process}.board"
"""Name of a gateway process's board in the run directory."""

MODEL_BOARD = "model-{process}.board"
"""Name of the board of a model on this machine; the process is the provider."""


class BoardCollector(Collector):
    """The boards of one kind of process in one directory."""

    def __init__(
        self,
        directory: Path,
        clock_us: Callable[[], int],
        pattern: str,
        up: names.Metric,
        slots: Sequence[names.Slot],
    ) -> None:
        """Take the run directory; boards may come and go.

        ``pattern`` is a board's file name with ``{process}`` for the value of the first label.
        """
        self._directory = directory
        self._clock_us = clock_us
        self._pattern = pattern
        self._up = up
        self._slots = slots

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield what every process last published; a dead one's counters, but not its gauges."""
        now_us = self._clock_us()
        metrics = dict.fromkeys((self._up, *(slot.metric for slot in self._slots)))
        families = {metric.name: _family(metric) for metric in metrics}
        before, _, after = self._pattern.partition("{process}")
        for path in sorted(self._directory.glob(self._pattern.format(process="*"))):
            reading = read_board(path, self._slots)
            if reading is None:
                continue
            process = path.name.removeprefix(before).removesuffix(after)
            is_up = reading.is_up(now_us)
            families[self._up.name].add_metric([process], int(is_up))
            for slot in self._slots:
                if is_up or slot.metric.type == "counter":
                    labels = [process] if slot.label is None else [process, slot.label]
                    value = reading.values[slot.name] / slot.per_unit
                    families[slot.metric.name].add_metric(labels, value)
        yield from families.values()

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry need not collect in order to register."""
        yield from ()


class GatewayCollector(BoardCollector):
    """The boards of all gateway processes in one directory."""

    def __init__(self, directory: Path, clock_us: Callable[[], int]) -> None:
        """Take the run directory."""
        super().__init__(directory, clock_us, BOARD, names.GATEWAY_UP, names.SLOTS)


class ModelCollector(BoardCollector):
    """The boards of all models on this machine."""

    def __init__(self, directory: Path, clock_us: Callable[[], int]) -> None:
        """Take the run directory."""
        up, slots = model_names.MODEL_HOST_UP, model_names.MODEL_SLOTS
        super().__init__(directory, clock_us, MODEL_BOARD, up, slots)


class ShipperCollector(Collector):
    """A shipper's totals and lag."""

    def __init__(self, read: Callable[[], ShipperStatus], clock_us: Callable[[], int]) -> None:
        """Take a reader of the status, and the wall clock for the lag."""
        self._read = read
        self._clock_us = clock_us

    @override
    def collect(self) -> Iterator[Metric]:
        """Yield the status of this moment."""
        status = self._read()
        lag_us = max(0, self._clock_us() - status.oldest_us) if status.oldest_us else 0
        yield _single(record_names.SHIPPED, status.shipped)
        annotations = _family(record_names.ANNOTATIONS)
        annotations.add_metric(["known"], status.annotations - status.unknown_annotations)
        annotations.add_metric(["unknown"], status.unknown_annotations)
        yield annotations
        yield _single(record_names.SHIP_FAILURES, status.failures)
        yield _single(record_names.CONSUMER_FAILURES, status.consumer_failures)
        damaged = _family(record_names.DAMAGED_SEGMENTS)
        damaged.add_metric(["torn"], status.torn_segments)
        damaged.add_metric(["corrupt"], status.corrupt_segments)
        yield damaged
        unreadable = _family(record_names.UNREADABLE_RECORDS)
        unreadable.add_metric(["missing"], status.missing_records)
        unreadable.add_metric(["undecodable"], status.undecodable_records)
        yield unreadable
        yield _single(record_names.SHIPPER_WRITERS, status.writers)
        yield _single(record_names.SHIPPER_WAITING, status.waiting_bytes)
        yield _single(record_names.SHIPPER_LAG, lag_us / 1_000_000)
        yield _single(record_names.SHIPPER_LAST_SUCCESS, status.last_success_us / 1_000_000)
        yield _single(record_names.INTERRUPTED_RECORDS, status.interrupted_records)
        yield _single(record_names.SUPERSEDED_ENTRIES, status.superseded_entries)
        yield _single(record_names.SKIPPED_BYTES, status.skipped_bytes)
        yield _single(record_names.DATABASE_REPLACED, status.database_replaced)

    def describe(self) -> Iterator[Metric]:
        """Yield nothing: the registry need not collect in order to register."""
        yield from ()


def registry(collectors: Iterable[Collector]) -> CollectorRegistry:
    """Make a registry of its own, never the library's global one."""
    made = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        made.register(collector)
    return made


def scrape(source: CollectorRegistry) -> tuple[bytes, str]:
    """Return the text format and its content type."""
    return generate_latest(source), CONTENT_TYPE_LATEST


def _family(metric: Declared) -> CounterMetricFamily | GaugeMetricFamily:
    kind = CounterMetricFamily if metric.type == "counter" else GaugeMetricFamily
    return kind(metric.name, metric.meaning, labels=metric.labels)


def _single(metric: Declared, value: float) -> Metric:
    family = _family(metric)
    family.add_metric([], value)
    return family
