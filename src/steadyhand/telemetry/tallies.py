"""Counters and histograms by labels, cheap to count into; Prometheus's own only when scraped."""

from bisect import bisect_left
from collections import defaultdict
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from steadyhand.telemetry.metric import Metric as Declared

NONE = "-"
OTHER = "other"
MOST_VALUES = 500
"""Distinct values of one label; what comes later is ``other``, so memory is bounded."""


class Values(dict[str, str]):
    """Label values as shown: each distinct one once, up to a limit."""

    def __missing__(self, value: str) -> str:
        if len(self) >= MOST_VALUES:
            return OTHER
        shown = self[value] = value or NONE
        return shown


class Series:
    """One histogram of one combination of labels."""

    __slots__ = ("counts", "sum_us")

    def __init__(self, buckets: int) -> None:
        """Take how many buckets there are."""
        self.counts = [0] * buckets
        self.sum_us = 0


class Histogram:
    """A histogram by labels; the bucket of an observation is the first edge not below it."""

    def __init__(self, metric: Declared, edges_us: tuple[int, ...]) -> None:
        """Take the upper edges of the buckets, in order; one more is open."""
        self._metric = metric
        self._edges_us = edges_us
        self._series: dict[tuple[str, ...], Series] = {}

    def observe(self, labels: tuple[str, ...], value_us: int) -> None:
        """Count one value, microseconds."""
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = Series(len(self._edges_us) + 1)
        series.counts[bisect_left(self._edges_us, value_us)] += 1
        series.sum_us += value_us

    def family(self) -> HistogramMetricFamily:
        """Return what is scraped."""
        metric = self._metric
        family = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)
        bounds = [str(edge / 1_000_000) for edge in self._edges_us] + ["+Inf"]
        for labels, series in self._series.items():
            buckets = [*zip(bounds, accumulate(series.counts), strict=True)]
            family.add_metric(labels, buckets, series.sum_us / 1_000_000)
        return family


class Counter(defaultdict[tuple[str, ...], int]):
    """A counter by labels."""

    def __init__(self, metric: Declared) -> None:
        """Count nothing yet."""
        super().__init__(int)
        self._metric = metric

    def family(self) -> CounterMetricFamily:
        """Return what is scraped."""
        metric = self._metric
        family = CounterMetricFamily(metric.name, metric.meaning, labels=metric.labels)
        for labels, count in self.items():
            family.add_metric(labels, count)
        return family


def counter(metric: Declared) -> CounterMetricFamily:
    """Return the empty family of a counter."""
    return CounterMetricFamily(metric.name, metric.meaning, labels=metric.labels)


def gauge(metric: Declared) -> GaugeMetricFamily:
    """Return the empty family of a gauge."""
    return GaugeMetricFamily(metric.name, metric.meaning, labels=metric.labels)
