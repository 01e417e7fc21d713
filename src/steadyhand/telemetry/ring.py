"""What ran lately, second by second, in memory: for a page that is looked at while things happen.

Metrics are the place for counts that last. This is bounded (an hour, one cell for each route and
second), approximate where said, and empty after a start until it is told what was before.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from math import ceil, exp, log
from threading import Lock
from typing import Final

from steadyhand.records.record import DRILL, Record

SPAN_S: Final = 3_600
GROWTH: Final = 1.05
"""Upper edge of a latency bin over its lower one: quantiles are within 2.5 %."""
MEASURED: Final = frozenset({"answered", "floor", "failed", "truncated"})
"""Outcomes whose time a caller has waited for, as the metrics count them."""
_LOG_GROWTH: Final = log(GROWTH)


class Cell:
    """Requests of one route in one second, or of several added up.

    Attributes:
        requests: How many were over.
        measured: How many of them had a budget and waited for it.
        in_time: How many of these kept it.
        rungs: Rung that spoke → how many; empty for none.
        outcomes: How they ended → how many.
        whole: Latency bin → answers that were not streamed, to their end.
        first: Latency bin → streams, to their first content.
    """

    __slots__ = ("first", "in_time", "measured", "outcomes", "requests", "rungs", "whole")

    def __init__(self) -> None:
        """Count nothing yet."""
        self.requests = 0
        self.measured = 0
        self.in_time = 0
        self.rungs: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.whole: Counter[int] = Counter()
        self.first: Counter[int] = Counter()

    def add(self, record: Record) -> None:
        """Count one request."""
        self.requests += 1
        self.rungs[record.rung] += 1
        self.outcomes[record.outcome] += 1
        if record.outcome not in MEASURED:
            return
        if record.budget_us:
            self.measured += 1
            self.in_time += record.in_time
        if not record.stream:
            self.whole[bin_of(record.total_us)] += 1
        elif record.first_content_us:
            self.first[bin_of(record.first_content_us)] += 1

    def merge(self, other: "Cell") -> None:
        """Count what ``other`` has counted."""
        self.requests += other.requests
        self.measured += other.measured
        self.in_time += other.in_time
        self.rungs.update(other.rungs)
        self.outcomes.update(other.outcomes)
        self.whole.update(other.whole)
        self.first.update(other.first)


class Ring:
    """Cells of the last hour; safe between threads."""

    def __init__(self, now_s: float) -> None:
        """Count from ``now_s`` on, seconds since 1970."""
        self._lock = Lock()
        self._seconds: dict[int, dict[str, Cell]] = {}
        self._newest = int(now_s)
        self.since_s = now_s
        self.shipped_us = 0

    def consume(self, records: Sequence[Record]) -> None:
        """Count ``records``; each must be given once."""
        with self._lock:
            for record in records:
                if record.wire != DRILL:  # no caller waited for it
                    self._count(record)

    def refill(self, records: Sequence[Record], since_s: float) -> None:
        """Count records of before this process, all of them since ``since_s``."""
        self.consume(records)
        self.since_s = min(self.since_s, since_s)

    def between(self, since_s: int, until_s: int) -> Iterator[tuple[int, str, Cell]]:
        """Yield second, route and what was over in it; copies, in no order."""
        with self._lock:
            found = [
                (second, route, _copy(cell))
                for second, cells in self._seconds.items()
                if since_s <= second < until_s
                for route, cell in cells.items()
            ]
        yield from found

    def _count(self, record: Record) -> None:
        ended_us = record.received_us + record.total_us
        self.shipped_us = max(self.shipped_us, ended_us)
        second = ended_us // 1_000_000
        if second > self._newest:
            self._newest = second
            for old in [each for each in self._seconds if each <= second - SPAN_S]:
                del self._seconds[old]
        if second <= self._newest - SPAN_S:
            return
        cells = self._seconds.setdefault(second, {})
        cells.setdefault(record.route, Cell()).add(record)


def bin_of(took_us: int) -> int:
    """Return the latency bin of a time."""
    return int(log(max(1, took_us)) / _LOG_GROWTH)


def quantile_us(bins: Counter[int], share: float) -> float | None:
    """Return the time that ``share`` of what ``bins`` count do not exceed, within 2.5 %."""
    wanted, seen = ceil(share * bins.total()), 0
    for number, count in sorted(bins.items()):
        seen += count
        if seen >= max(1, wanted):
            return exp((number + 0.5) * _LOG_GROWTH)
    return None


def _copy(cell: Cell) -> Cell:
    copy = Cell()
    copy.merge(cell)
    return copy
