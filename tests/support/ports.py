"""Ports for servers that must be told theirs, or that come back on the one they had.

A port that the kernel chose is free for all as soon as it is closed: the next connection of another
worker may get it. These lie below the kernel's own range, so that only tests take them, and each
worker of pytest-xdist has its own.
"""

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
ROOM = 12_000
MOST_WORKERS = 16


def free_port() -> int:
    """Return a port of loopback that nobody has, and that nobody is given but who asks here."""
    return next(_ports)


def candidates(lowest_of_kernel: int, worker: int, start: int) -> Iterator[int]:
    """Give a worker's ports for ever, from a place that differs between runs.

    Where the kernel leaves none to us, they are among those that it gives to others.
    """
    end = lowest_of_kernel if lowest_of_kernel > 2 * ROOM else 32_768
    own = range(end - ROOM + worker, end, MOST_WORKERS)
    while True:
        yield from (own[(start + step) % len(own)] for step in range(len(own)))


def is_free(port: int) -> bool:
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _own() -> Iterator[int]:
    number = re.sub(r"\D", "", os.environ.get("PYTEST_XDIST_WORKER", "")) or "0"
    lowest = int(RANGE.read_text().split()[0])
    worker = int(number) % MOST_WORKERS
    return filter(is_free, candidates(lowest, worker, os.getpid()))


_ports = _own()
