"""Call back at fixed times, exact to some microseconds.

The event loop's own timers count whole milliseconds, too coarse to say when a request was due.
This is Linux's timerfd, which Python has from 3.13, taken from the C library.
"""

import asyncio
import ctypes
import os
import time
from collections.abc import Callable
from typing import Final

_MONOTONIC: Final = time.CLOCK_MONOTONIC
_ABSOLUTE: Final = 1


class _Timespec(ctypes.Structure):
    _fields_ = (("s", ctypes.c_long), ("ns", ctypes.c_long))

    @classmethod
    def of(cls, ns: int) -> "_Timespec":
        return cls(ns // 1_000_000_000, ns % 1_000_000_000)


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("first", _Timespec))


class Ticks:
    """Calls ``on_tick`` with each time that has come, in order; those missed come together."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        first_ns: int,
        period_ns: int,
        end_ns: int,
        on_tick: Callable[[int], None],
    ) -> None:
        self._loop = loop
        self._next_ns = first_ns
        self._period_ns = period_ns
        self._end_ns = end_ns
        self._on_tick = on_tick
        c_library = ctypes.CDLL(None, use_errno=True)
        self._fd = c_library.timerfd_create(_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        when = _Itimerspec(_Timespec.of(period_ns), _Timespec.of(first_ns))
        if self._fd < 0 or c_library.timerfd_settime(self._fd, _ABSOLUTE, ctypes.byref(when), None):
            raise OSError(ctypes.get_errno(), "no timer")
        loop.add_reader(self._fd, self._expired)

    def _expired(self) -> None:
        os.read(self._fd, 8)
        now_ns = time.monotonic_ns()
        while self._next_ns <= now_ns and self._next_ns < self._end_ns:
            self._on_tick(self._next_ns)
            self._next_ns += self._period_ns
        if self._next_ns >= self._end_ns:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
