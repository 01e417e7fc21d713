"""A rolling restart: one gateway after the other, each replaced only by one that is ready.

For each gateway a successor is started on the same listening socket. When it says that it is
ready, the process before it is told to retire (SIGUSR2) and has its drain time; then comes the
next. At most one process more than usual runs. If a successor does not get ready, it is killed,
the roll ends there, and the process before it goes on as if nothing had been.

Nothing here waits: the supervisor calls :meth:`Roll.go_on` between its other duties.
"""

import logging
import os
import select
import signal
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf
from time import monotonic

from steadyhand.app.children import Child, Count

logger = logging.getLogger(__name__)

RETIRE = signal.SIGUSR2
"""Tells a gateway that a successor has taken over."""
READY_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Started:
    """A process that was forked and has not said that it is ready."""

    pid: int
    told: int
    """Read end of the pipe on which it says so."""


class Roll:
    """One rolling restart."""

    def __init__(
        self,
        children: Iterable[Child],
        start: Callable[[Child], Started],
        retire_within_s: float,
    ) -> None:
        """Take whom to replace, in order, and how to start a successor."""
        self._waiting = deque(children)
        self._start = start
        self._retire_within_s = retire_within_s
        self._began_s = monotonic()
        self._replaced = 0
        self._child: Child | None = None
        self._successor: Started | None = None
        self._retiring = 0
        self._until_s = 0.0
        self._is_stillborn = False
        self.is_over = False

    @property
    def pids(self) -> list[int]:
        """Processes that are nobody's current one: a successor not ready, a predecessor."""
        pids = [self._retiring] if self._retiring else []
        if self._successor is not None and not self._is_stillborn:
            pids.append(self._successor.pid)
        return pids

    def is_replacing(self, child: Child) -> bool:
        """Tell whether a successor of ``child`` is being started: it needs no restart."""
        return self._successor is not None and self._child is child

    def go_on(self) -> None:
        """Do what can be done now."""
        if self._successor is not None:
            self._await_successor(self._successor)
        elif self._retiring:
            self._await_end()
        elif self._waiting:
            self._replace(self._waiting.popleft())
        else:
            self.is_over = True
            took_s = monotonic() - self._began_s
            logger.info("rolling restart: %d gateways replaced in %.1f s", self._replaced, took_s)

    def ended(self, pid: int) -> None:
        """Take note that a process has ended and was waited for; it may be none of ours."""
        if pid == self._retiring:
            self._retiring = 0
        elif self._successor is not None and pid == self._successor.pid:
            self._is_stillborn = True

    def _replace(self, child: Child) -> None:
        if child.pid:  # one that has just died is started again anyway
            self._child = child
            child.rolls += 1
            self._successor = self._start(child)
            self._until_s = monotonic() + READY_WITHIN_S

    def _await_successor(self, successor: Started) -> None:
        assert self._child is not None  # noqa: S101 - set together with the successor
        if select.select([successor.told], [], [], 0)[0]:
            if os.read(successor.told, 1) == b"1":
                self._take_over(self._child, successor)
            else:
                self._give_up(self._child, successor, "ended before it was ready")
        elif monotonic() > self._until_s:
            self._give_up(self._child, successor, f"was not ready in {READY_WITHIN_S:.0f} s")

    def _take_over(self, child: Child, successor: Started) -> None:
        os.close(successor.told)
        self._successor = None
        self._retiring, child.pid = child.pid, successor.pid
        child.started_s = monotonic()
        self._replaced += 1
        self._until_s = monotonic() + self._retire_within_s
        if self._retiring:  # else it died meanwhile
            os.kill(self._retiring, RETIRE)

    def _give_up(self, child: Child, successor: Started, why: str) -> None:
        logger.error(
            "rolling restart stopped: the successor of %s %s; the process before it goes on",
            child.role.name,
            why,
        )
        child.rolls -= 1
        child.totals.add(Count.ROLL_FAILURES, 1)
        os.close(successor.told)
        self._successor = None
        if not self._is_stillborn:
            os.kill(successor.pid, signal.SIGKILL)
        self.is_over = True

    def _await_end(self) -> None:
        if monotonic() > self._until_s:
            logger.error("process %d did not retire in time and is killed", self._retiring)
            os.kill(self._retiring, signal.SIGKILL)
            self._until_s = inf
