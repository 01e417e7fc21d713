"""Waiting for the disk: together, not longer than told, and never in vain."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic

import pytest

from steadyhand.core.errors import RecordsUnavailable
from steadyhand.records.commit import Commits
from steadyhand.records.frame import HEAD_BYTES, HEADER_BYTES
from steadyhand.records.log import LogSettings, RecordLog
from tests.support.disks import Disk, soon
from tests.support.records import logged, payload_of, record
from tests.support.wire import eventually

LAZY = LogSettings(window_ms=10_000, reserve_bytes=256 * 1024)
"""Only what is waited for is synced while a test runs."""

LONG_S = 20.0


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
async def log(tmp_path: Path, disk: Disk) -> AsyncIterator[RecordLog]:
    made = RecordLog(tmp_path / "log", LAZY)
    yield made
    disk.heal()
    await asyncio.to_thread(made.close)


@pytest.fixture
async def commits(log: RecordLog) -> Commits:
    return Commits(log, asyncio.get_running_loop(), patience_s=LONG_S)


def write(
    log: RecordLog, commits: Commits, number: int, within_s: float = LONG_S
) -> asyncio.Task[None]:
    """Append a record and wait for it in a task."""

    async def wait() -> None:
        await commits.durable(log.append(record(number)), monotonic() + within_s)

    return asyncio.ensure_future(wait())


async def test_what_was_waited_for_is_on_disk(
    log: RecordLog, commits: Commits, tmp_path: Path
) -> None:
    for number in range(5):
        await write(log, commits, number)
        assert log.flushed == number + 1
        assert logged(tmp_path / "log" / log.writer)[-1] == record(number)
    assert log.syncs == 5
    assert 0 < log.sync_last_us <= log.sync_longest_us <= log.sync_total_us


async def test_those_who_wait_while_the_disk_works_share_the_next_sync(
    log: RecordLog, commits: Commits, disk: Disk
) -> None:
    with disk.stalled():
        first = write(log, commits, 0)
        await disk.reached()
        others = [write(log, commits, number) for number in range(1, 100)]
        await asyncio.sleep(0.01)
        assert not any(task.done() for task in (first, *others))
        assert log.stalled_s() > 0
    await asyncio.gather(first, *others)
    assert (log.syncs, log.flushed) == (2, 100)
    await eventually(lambda: log.stalled_s() == 0)  # its thread says so a moment later


async def test_a_wait_ends_when_its_time_is_over_and_the_record_comes_later(
    log: RecordLog, commits: Commits, disk: Disk, tmp_path: Path
) -> None:
    with disk.stalled():
        patient = write(log, commits, 0)
        with pytest.raises(RecordsUnavailable, match="did not answer in time"):
            await write(log, commits, 1, within_s=0.02)
        with pytest.raises(RecordsUnavailable):
            await write(log, commits, 2, within_s=-1.0)
        assert not patient.done()
    await patient
    await write(log, commits, 3)
    assert logged(tmp_path / "log" / log.writer) == [record(n) for n in range(4)]
    assert commits.refused == {"full": 0, "failing": 0, "stalled": 2}


async def test_who_leaves_takes_nobody_along(log: RecordLog, commits: Commits, disk: Disk) -> None:
    with disk.stalled():
        tasks = [write(log, commits, number) for number in range(4)]
        await disk.reached()
        tasks[1].cancel()
        await asyncio.sleep(0)
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each).__name__ for each in done] == [
        "NoneType", "CancelledError", "NoneType", "NoneType",
    ]  # fmt: skip


async def test_one_failed_sync_is_mended_by_the_next_segment_and_nobody_notices(
    log: RecordLog, commits: Commits, disk: Disk, tmp_path: Path
) -> None:
    await write(log, commits, 0)
    disk.fail_next("fdatasync")
    await write(log, commits, 1)
    assert (log.flush_failures, log.is_failing) == (1, False)
    assert logged(tmp_path / "log" / log.writer) == [record(0), record(1)]
    assert sorted(path.name for path in (tmp_path / "log" / log.writer).glob("*.seg")) == [
        "00000001.seg", "00000002.seg",
    ]  # fmt: skip


async def test_a_disk_that_goes_on_failing_refuses_at_once_and_later_accepts_again(
    tmp_path: Path, disk: Disk
) -> None:
    log = RecordLog(tmp_path / "log", LogSettings(window_ms=10))
    commits = Commits(log, asyncio.get_running_loop(), patience_s=LONG_S)
    await write(log, commits, 0)
    commits.check()
    with disk.failing("pwrite"):
        began_s = monotonic()
        with pytest.raises(RecordsUnavailable, match="cannot be written"):
            await write(log, commits, 1)
        with pytest.raises(RecordsUnavailable, match="cannot be written") as caught:
            commits.check()
        assert monotonic() - began_s < LONG_S / 2
    assert (caught.value.status, caught.value.retry_after_s) == (503, 1.0)
    await soon(lambda: not log.is_failing)
    commits.check()
    await write(log, commits, 2)
    assert log.close() == 0
    assert logged(tmp_path / "log" / log.writer) == [record(n) for n in range(3)]
    assert commits.refused["failing"] == 2


async def test_a_full_log_refuses(tmp_path: Path) -> None:
    log = RecordLog(tmp_path / "log", LogSettings(window_ms=10_000, max_pending_bytes=500))
    commits = Commits(log, asyncio.get_running_loop(), patience_s=LONG_S)
    commits.check()
    while log.append(record(1)):
        pass
    with pytest.raises(RecordsUnavailable, match="at its bound"):
        commits.check()
    with pytest.raises(RecordsUnavailable, match="at its bound"):
        await commits.durable(log.append(record(2)), monotonic() + LONG_S)
    await asyncio.to_thread(log.close)


async def test_a_disk_that_stalls_longer_than_patience_refuses_before_anything_is_asked(
    log: RecordLog, disk: Disk
) -> None:
    commits = Commits(log, asyncio.get_running_loop(), patience_s=0.02)
    with disk.stalled():
        with pytest.raises(RecordsUnavailable):
            await write(log, commits, 0)
        await asyncio.sleep(0.03)
        with pytest.raises(RecordsUnavailable, match="did not answer in time"):
            commits.check()


async def test_a_sync_between_append_and_wait_is_not_missed(tmp_path: Path) -> None:
    log = RecordLog(tmp_path / "log", LogSettings(window_ms=10))
    commits = Commits(log, asyncio.get_running_loop(), patience_s=LONG_S)
    sequence = log.append(record(1))
    await soon(lambda: log.flushed == sequence)
    await commits.durable(sequence, monotonic() - 1)
    await asyncio.to_thread(log.close)


def test_the_room_that_was_made_is_given_back(tmp_path: Path) -> None:
    log = RecordLog(tmp_path / "log", LogSettings(window_ms=2, reserve_bytes=64 * 1024))
    for number in range(400):
        log.append(record(number))
    assert log.close() == 0
    segments = sorted((tmp_path / "log" / log.writer).glob("*.seg"))
    stored = sum(path.stat().st_size for path in segments)
    frames = 400 * (HEAD_BYTES + len(payload_of(record(1))))
    assert stored == frames + len(segments) * HEADER_BYTES
    assert logged(tmp_path / "log" / log.writer) == [record(n) for n in range(400)]
