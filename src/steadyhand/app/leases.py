"""The lease of candidates: control writes until when they may be served, gateways read it.

One small file, written each :data:`RENEW_S` by the control process: a time, then a line for each
candidate that is taken off already. A gateway that finds no word of
it any more (control is dead, the disk is gone) serves the stable release after ``LEASE_S``.
"""

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Final

from steadyhand.records.clock import wall_clock_us
from steadyhand.routing.exposure import LEASE_S, Lease
from steadyhand.storage.files import replace_file

RENEW_S: Final = 5.0
LOOK_S: Final = 0.25


def renew(path: Path, drained: Collection[str] = ()) -> None:
    """Write that candidates may be served for ``LEASE_S`` from now, but for those ``drained``."""
    until_us = wall_clock_us() + int(LEASE_S * 1e6)
    lines = "".join(f"{line}\n" for line in (until_us, *sorted(drained)))
    replace_file(path, lines.encode("ascii"), mode=0o600)


def read(path: Path) -> tuple[int, frozenset[str]]:
    """Return until when candidates may be served, microseconds since 1970, and which may not.

    Without a file that can be read the time is 0: none may. A time further ahead than any lease (a
    clock that was set back) is no lease.
    """
    try:
        first, *drained = path.read_text(encoding="ascii").splitlines()
        until_us = int(first)
    except (OSError, ValueError):
        return 0, frozenset()
    is_lease = until_us <= wall_clock_us() + int(LEASE_S * 1e6)
    return until_us if is_lease else 0, frozenset(drained)


async def watch(path: Path, lease: Lease) -> None:
    """Keep ``lease`` as the file says."""
    while True:
        lease.until_us, lease.drained = read(path)
        await asyncio.sleep(LOOK_S)
