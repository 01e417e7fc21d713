"""A disk that refuses bytes: the log holds what it has, tears nothing, and goes on when it can.

A limit on file size stands in for a full disk: the kernel cuts the write short and then refuses.
"""

import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from steadyhand.records.log import LogSettings, RecordLog
from steadyhand.records.segment import segment_numbers
from tests.support.records import logged, record, until

HARD = resource.getrlimit(resource.RLIMIT_FSIZE)[1]


def limit_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, HARD))


def in_a_child(act: Callable[[], None], output: Path) -> str:
    """Run ``act`` in a process of its own; return what it raised, or nothing."""
    pid = os.fork()
    if not pid:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        signal.alarm(30)
        try:
            act()
            output.write_text("")
        except BaseException as error:  # noqa: BLE001  the parent tells it
            limit_files(HARD)
            output.write_text(repr(error))
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    return output.read_text()


def fill(log: RecordLog, start: int, count: int) -> None:
    for n in range(start, start + count):
        log.append(record(n))


@pytest.mark.parametrize("limit", [0, 30, 20_000])
def test_a_full_disk_is_waited_out_and_nothing_is_lost(tmp_path: Path, limit: int) -> None:
    """The limit falls before the first segment, inside its header, or inside a frame."""

    def act() -> None:
        limit_files(limit)
        log = RecordLog(tmp_path / "log", LogSettings(window_ms=2))
        fill(log, 0, 10)
        if limit > 1_000:
            until(lambda: log.flushed == 10, "what fits")
        fill(log, 10, 290)
        until(lambda: log.flush_failures > 3, "the disk to refuse")
        assert log.flushed == (10 if limit > 1_000 else 0)
        assert log.appended == 300
        assert log.pending_bytes > 0
        limit_files(HARD)
        until(lambda: log.flushed == 300, "the disk to accept")
        fill(log, 300, 100)
        assert log.close() == 0
        assert log.dropped == 0
        assert logged(tmp_path / "log" / log.writer) == [record(n) for n in range(400)]
        assert len(segment_numbers(tmp_path / "log" / log.writer)) == 1  # no litter of attempts

    assert in_a_child(act, tmp_path / "result") == ""


def test_a_disk_that_stays_full_costs_memory_up_to_its_bound_then_records(tmp_path: Path) -> None:
    def act() -> None:
        limit_files(20_000)
        settings = LogSettings(window_ms=2, max_pending_bytes=50_000)
        log = RecordLog(tmp_path / "log", settings)
        while log.dropped <= 100:
            fill(log, log.appended, 1)
        assert 50_000 <= log.pending_bytes < 51_000
        kept, flushed = log.appended, log.flushed
        assert log.close() == kept - flushed > 100  # told, not claimed
        assert logged(tmp_path / "log" / log.writer) == [record(n) for n in range(flushed)]

    assert in_a_child(act, tmp_path / "result") == ""


def test_a_directory_that_cannot_be_made_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file is in the way")
    log = RecordLog(tmp_path / "log", LogSettings(window_ms=2))
    fill(log, 0, 20)
    until(lambda: log.flush_failures > 2, "failures")
    (tmp_path / "log").unlink()
    until(lambda: log.flushed == 20, "the log")
    assert log.close() == 0
    assert len(logged(tmp_path / "log" / log.writer)) == 20
