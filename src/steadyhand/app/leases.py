"""The lease of candidates: control writes until when they may be served, gateways read it.

One small file, written each :data:`RENEW_S` by the control process. A gateway that finds no word of
it any more (control is dead, the disk is gone) serves the stable release after ``LEASE_S``.
"""

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Final

from steadyhand.records.clock import wall_clock_us
from steadyhand.routing.exposure import LEASE_S, Lease

RENEW_S: Final = 5.0
LOOK_S: Final = 0.25


def renew(path: Path) -> None:
    """Write that candidates may be served for ``LEASE_S`` from now."""
    until_us = wall_clock_us() + int(LEASE_S * 1e6)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(f"{until_us}\n", encoding="ascii")
    beside.replace(path)


def read(path: Path) -> int:
    """Return until when candidates may be served, microseconds since 1970; 0 for not at all.

    A time further ahead than any lease (a clock that was set back) is no lease.
    """
    try:
        until_us = int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
    return until_us if until_us <= wall_clock_us() + int(LEASE_S * 1e6) else 0


async def renew_for_ever(path: Path) -> None:
    """Renew the lease each ``RENEW_S``; a disk that is full lets it run out."""
    while True:
        with contextlib.suppress(OSError):
            await asyncio.to_thread(renew, path)
        await asyncio.sleep(RENEW_S)


async def watch(path: Path, lease: Lease) -> None:
    """Keep ``lease`` as the file says."""
    while True:
        lease.until_us = read(path)
        await asyncio.sleep(LOOK_S)
