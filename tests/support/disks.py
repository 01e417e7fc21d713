"""A disk that stalls or fails when told: stands between the record log and the kernel.

Only the calls with which the log writes are replaced, in this process; they reach the real disk
unless told otherwise.
"""

import asyncio
import errno
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest

CALLS = ("pwrite", "fdatasync", "ftruncate")
PATIENCE_S = 30.0


class Disk:
    """Faults of one test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._open = Event()
        self._open.set()
        self._entered = Event()
        self._failing: set[str] = set()
        self._failures_due: Counter[str] = Counter()
        for name in CALLS:
            monkeypatch.setattr(os, name, self._between(name, getattr(os, name)))

    def heal(self) -> None:
        """Do as told from now on."""
        self._failing.clear()
        self._failures_due.clear()
        self._open.set()

    def fail_next(self, call: str) -> None:
        """Fail once."""
        self._failures_due[call] += 1

    @contextmanager
    def failing(self, *calls: str) -> Iterator[None]:
        """Fail as long as the block runs."""
        self._failing |= set(calls)
        try:
            yield
        finally:
            self._failing -= set(calls)

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """Let no sync return as long as the block runs."""
        self._entered.clear()
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    async def reached(self) -> None:
        """Wait until a sync hangs."""
        assert await asyncio.to_thread(self._entered.wait, PATIENCE_S), "no sync came"

    def _between(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            if name == "fdatasync" and not self._open.is_set():
                self._entered.set()
                self._open.wait(PATIENCE_S)
            if name in self._failing or self._failures_due[name] > 0:
                self._failures_due[name] -= 1
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return real(*arguments)

        return call


async def soon(holds: Callable[[], object]) -> None:
    """Wait until ``holds``: what another thread does cannot set an event of this loop."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.002)
