"""The clock that records are stamped with."""

import time


def wall_clock_us() -> int:
    """Return microseconds since 1970."""
    return time.time_ns() // 1000
