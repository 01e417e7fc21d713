"""A gateway killed under load: what was flushed is all there, and only the window is lost."""

import mmap
import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from steadyhand.records.clock import wall_clock_us
from steadyhand.records.log import LogSettings, RecordLog
from steadyhand.records.segment import is_alive, writers
from steadyhand.records.shipper import Shipper
from tests.support.killing import fork, was_killed
from tests.support.records import logged, open_store, record, until

WINDOW_MS = 50
SLACK_US = 3_000_000  # of a machine that is busy with other things
MOST = 200_000


class Shared:
    """What a child says until its last instruction: a count of flushed, and when each was made."""

    def __init__(self) -> None:
        self.numbers = memoryview(mmap.mmap(-1, 8 * (2 + MOST))).cast("q")

    @property
    def flushed(self) -> int:
        return self.numbers[0]

    def made_us(self, sequence: int) -> int:
        return self.numbers[1 + sequence]

    @property
    def appended(self) -> int:
        return self.numbers[1]


def load(directory: Path, shared: Shared) -> None:
    """Append about ten thousand records a second until killed."""
    log = RecordLog(directory, LogSettings(window_ms=WINDOW_MS, segment_bytes=200_000))
    while log.appended < MOST - 50:
        for _ in range(50):
            sequence = log.appended + 1
            shared.numbers[1 + sequence] = wall_clock_us()
            log.append(record(sequence))
            shared.numbers[1] = sequence
        shared.numbers[0] = log.flushed
        time.sleep(0.005)


@pytest.mark.parametrize("enough", [500, 2_001, 4_567])
def test_killed_under_load(tmp_path: Path, enough: int) -> None:
    shared = Shared()
    pid = fork(lambda: load(tmp_path / "log", shared))
    until(lambda: shared.flushed >= enough, "the child's load")
    (writer,) = writers(tmp_path / "log")
    assert is_alive(tmp_path / "log" / writer)
    os.kill(pid, signal.SIGKILL)
    killed_us = wall_clock_us()
    assert was_killed(pid)
    assert not is_alive(tmp_path / "log" / writer)

    survived = len(logged(tmp_path / "log" / writer))
    assert shared.flushed <= survived <= shared.appended
    if survived < shared.appended:
        oldest_lost_us = shared.made_us(survived + 1)
        assert killed_us - oldest_lost_us < WINDOW_MS * 1000 + SLACK_US

    _, store = open_store(tmp_path)
    told: list[object] = []
    shipper = Shipper(tmp_path / "log", store, [told.extend], batch=777)
    while writers(tmp_path / "log"):
        shipper.ship_once()
    assert told == [record(n) for n in range(1, survived + 1)]
    assert store.count() == survived
    assert (shipper.status.missing_records, shipper.status.corrupt_segments) == (0, 0)


def ships_past(shipper: Shipper, told: list[object], count: int) -> bool:
    shipper.ship_once()
    return len(told) > count


def test_shipped_while_killed_again_and_again(tmp_path: Path) -> None:
    """The shipper follows living writers; each is killed in turn, and the next takes over."""
    _, store = open_store(tmp_path)
    told: list[object] = []
    shipper = Shipper(tmp_path / "log", store, [told.extend])
    survived = 0
    for _ in range(4):
        shared = Shared()
        before = len(told)
        pid = fork(partial(load, tmp_path / "log", shared))
        until(partial(ships_past, shipper, told, before + 700), "shipping")
        os.kill(pid, signal.SIGKILL)
        assert was_killed(pid)
        while writers(tmp_path / "log"):
            shipper.ship_once()
        got = told[before:]
        assert got == [record(n) for n in range(1, len(got) + 1)]
        assert shared.flushed <= len(got) <= shared.appended
        survived += len(got)
    assert store.count() == survived
    assert shipper.status.failures == 0
