"""A disk that takes bytes and then cannot keep them: ``fdatasync`` and ``ftruncate`` fail.

No real disk fails on demand without root, so here, and only here, the system calls are replaced.
"""

import errno
import os
from pathlib import Path

import pytest

from steadyhand.records.log import LogSettings, RecordLog
from steadyhand.records.segment import segment_numbers
from steadyhand.records.shipper import Shipper
from tests.support.records import logged, open_store, record, until


class Failing:
    """Stands in for a system call; fails while told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
        self._real = getattr(os, call)
        self.fails = False
        monkeypatch.setattr(os, call, self)

    def __call__(self, *arguments: object) -> object:
        if self.fails:
            raise OSError(errno.EIO, "Input/output error")
        return self._real(*arguments)


@pytest.mark.parametrize("can_truncate", [True, False])
def test_a_segment_that_failed_to_sync_is_left_and_its_records_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, can_truncate: bool
) -> None:
    sync, truncate = Failing(monkeypatch, "fdatasync"), Failing(monkeypatch, "ftruncate")
    _, store = open_store(tmp_path)
    told: list[object] = []
    shipper = Shipper(tmp_path / "log", store, [told.extend])
    log = RecordLog(tmp_path / "log", LogSettings(window_ms=2))
    for n in range(10):
        log.append(record(n))
    until(lambda: log.flushed == 10, "the flusher")
    sync.fails, truncate.fails = True, not can_truncate
    for n in range(10, 20):
        log.append(record(n))
    until(lambda: log.flush_failures > 5, "failures")
    assert log.flushed == 10
    shipper.ship_once()  # may see what was not synced; it is the same when written again
    sync.fails = truncate.fails = False
    until(lambda: log.flushed == 20, "recovery")
    assert len(segment_numbers(tmp_path / "log" / log.writer)) <= 2  # no litter of attempts
    assert logged(tmp_path / "log" / log.writer)[-10:] == [record(n) for n in range(10, 20)]
    assert log.close() == 0
    shipper.ship_once()
    assert told == [record(n) for n in range(20)]
    assert shipper.status.missing_records == 0
