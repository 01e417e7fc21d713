"""What Steadyhand's own records say of a run: the second witness beside the client's clock."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.failover.stalls import Stalls
from steadyhand.records.entry import Entry, decode
from steadyhand.records.record import Record

NO_LIMIT_US = 2**62


class Span(NamedTuple):
    """How long an answer took: begun at, monotonic nanoseconds; how long; how long it may."""

    begin_ns: int
    length_us: int
    limit_us: int


def records(database: Path, since_us: int) -> Iterator[Record]:
    """Yield the chat requests received since then, wall clock in microseconds."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute("select sequence, frame from records")
        for sequence, frame in rows:
            entry = decode(sequence, frame)
            if not isinstance(entry, Entry):
                continue
            if entry.record.received_us >= since_us and entry.record.wire == "chat":
                yield entry.record


def await_records(database: Path, since_us: int, wanted: int, limit_s: float) -> None:
    """Wait until the control process has written so many, at most ``limit_s``."""
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s:
        with contextlib.suppress(sqlite3.OperationalError):  # not made yet, or locked
            if _counted(database, since_us) >= wanted:
                return
        time.sleep(0.5)


def _counted(database: Path, since_us: int) -> int:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        counting = "select count(*) from records where received_us >= ? and wire = 'chat'"
        [(count,)] = connection.execute(counting, (since_us,))
    return int(count)


def record_spans(found: Sequence[Record], wall_less_monotonic_ns: int) -> list[Span]:
    """Return how long each answer took: a stream to its first content, if it had one."""
    return [
        Span(
            record.received_us * 1000 - wall_less_monotonic_ns,
            (record.first_content_us if record.stream else 0) or record.total_us,
            record.budget_us or NO_LIMIT_US,
        )
        for record in found
    ]


@dataclass(frozen=True, slots=True)
class Judged:
    """In time or not: how many, and how many in time, raw and without stalls."""

    count: int
    raw: int
    excluded: int

    def shares(self) -> tuple[float, float]:
        """Return both shares; 0 where there is nothing."""
        return self.raw / max(1, self.count), self.excluded / max(1, self.count)


def judge(spans: Sequence[Span], marked: Stalls) -> Judged:
    """Count the spans within their limits."""
    raw = excluded = 0
    for begin_ns, length_us, limit_us in spans:
        stalled_us = 0
        if length_us > limit_us:
            stalled_us = marked.within_us(begin_ns, begin_ns + length_us * 1000)
        raw += length_us <= limit_us
        excluded += length_us - stalled_us <= limit_us
    return Judged(len(spans), raw, excluded)
