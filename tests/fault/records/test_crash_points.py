"""The shipper killed at each step of its loop, again and again, while the log grows.

A ledger says what was acknowledged: the records of a strict log that were synced. Whatever step
the shipper dies at, each of them is stored once in the end, and each intent that nothing superseded
becomes one interrupted record.
"""

import os
import signal
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import event

from steadyhand.records import shipper as module
from steadyhand.records.log import LogSettings, RecordLog
from steadyhand.records.record import Record
from steadyhand.records.segment import writers
from steadyhand.records.shipper import Shipper
from steadyhand.records.store import RecordStore
from tests.support.killing import fork, seeded, was_killed
from tests.support.records import open_store, record, until

BATCH = 5
SMALL = LogSettings(window_ms=60_000, segment_bytes=3_000, reserve_bytes=4_096)


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def wrap(owner: Any, name: str, *, before: bool) -> None:
    """Die before or after a call that does something."""
    real: Callable[..., Any] = getattr(owner, name)

    def call(*arguments: Any, **named: Any) -> Any:
        if before:
            die()
        result = real(*arguments, **named)
        die()
        return result

    setattr(owner, name, call)


def after_read(_: RecordStore) -> None:
    wrap(module, "read", before=False)


def after_insert(_: RecordStore) -> None:
    wrap(RecordStore, "_add", before=False)


def before_commit(store: RecordStore) -> None:
    event.listen(store._database.engine, "commit", die)  # fires ahead of the driver's commit


def after_commit(_: RecordStore) -> None:
    wrap(RecordStore, "ship", before=False)


def before_settling(_: RecordStore) -> None:
    wrap(RecordStore, "settle", before=True)


def after_settling(_: RecordStore) -> None:
    wrap(RecordStore, "settle", before=False)


def before_delete(_: RecordStore) -> None:
    wrap(Shipper, "_discard", before=True)


def between_deletes(_: RecordStore) -> None:
    wrap(Path, "unlink", before=False)


def after_delete(_: RecordStore) -> None:
    wrap(Shipper, "_discard", before=False)


POINTS = (
    after_read, after_insert, before_commit, after_commit, before_settling, after_settling,
    before_delete, between_deletes, after_delete,
)  # fmt: skip


OUTCOMES = {
    "whole": ("answered",),
    "stream": ("interrupted", "answered"),
    "open": ("interrupted",),
    "mended": ("answered", "failed"),
    "cut": ("interrupted", "answered", "truncated"),
}
"""What is logged of a request: whole, as a stream, interrupted, or with a correction at the end."""


class Gateway:
    """Writers, one after the other, and the ledger of what must be stored of them in the end."""

    def __init__(self, directory: Path, random: Random) -> None:
        self.wanted: dict[str, str] = {}
        self._directory = directory
        self._random = random
        self._number = 0
        self._log = RecordLog(directory, SMALL)

    def answer_some(self) -> None:
        """Log some requests, at least one of them for ever open, and see them synced."""
        kinds = self._random.choices([*OUTCOMES], k=self._random.randint(1, 9))
        for kind in ["open", *kinds]:
            self._number += 1
            before = 0
            for outcome in OUTCOMES[kind]:
                entry = record(self._number, outcome=outcome, supersedes=before)
                before = self._log.append(entry)
                self.wanted[entry.request_id] = outcome
        self._log.hurry()
        until(lambda: self._log.flushed == self._log.appended, "the disk")

    def restart(self) -> None:
        """End, and begin again as another writer."""
        self.close()
        self._log = RecordLog(self._directory, SMALL)

    def close(self) -> None:
        assert self._log.close() == 0


def ship(directory: Path, point: Callable[[RecordStore], None] | None, passes: int) -> None:
    _, into = open_store(directory)
    told = os.open(directory / "told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def tell(records: Any) -> None:
        os.write(told, "".join(f"{each.request_id}\n" for each in records).encode())

    if point is not None:
        point(into)
    working = Shipper(directory / "log", into, [tell], batch=BATCH)
    for _ in range(passes):
        working.ship_once()
        assert not working.status.failures


def stored(store: RecordStore) -> list[Record]:
    return [row.record for row in store.list(limit=10_000).records]


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_each_step_while_the_log_grows(tmp_path: Path, seed: int) -> None:
    random = seeded(seed)
    _, store = open_store(tmp_path)
    gateway = Gateway(tmp_path / "log", random)
    killed: Counter[str] = Counter()
    for point in random.sample(POINTS, len(POINTS)) * 2:
        gateway.answer_some()
        for passes in (1, 4):  # the first sees a living writer, the second a dead one
            if was_killed(fork(partial(ship, tmp_path, point, passes))):
                killed[point.__name__] += 1
            if passes == 1:
                gateway.restart()
    gateway.close()
    while writers(tmp_path / "log"):
        assert not was_killed(fork(partial(ship, tmp_path, None, 5)))
    assert killed.keys() == {point.__name__ for point in POINTS}, "each step was died at"
    found = Counter(each.request_id for each in stored(store))
    assert set(found.values()) == {1}, "none twice"
    assert {each.request_id: each.outcome for each in stored(store)} == gateway.wanted
    assert store.unsettled() == []
