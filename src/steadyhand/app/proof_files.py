"""What gateway processes tell each other of their rungs: one small file each, no locks.

Failing open: a file that cannot be written or read costs a drill too many, or a proof that comes
later. All functions block; they are called in a thread.
"""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from steadyhand.routing.drilling import RungId
from steadyhand.routing.proofs import Row, newest

PATTERN = "gateway-*.proofs"
FRESH_S = 30.0
"""A file this old is that of a process that is gone: what it knew of is forgotten."""

_DECODER = msgspec.json.Decoder(list[Row])


def write(path: Path, rows: Sequence[Row]) -> None:
    """Replace the file at ``path``; a reader sees the old rows or these.

    Raises:
        OSError: It cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(msgspec.json.encode(rows))
    draft.replace(path)


def read(path: Path) -> list[Row]:
    """Return the rows of one file; none if it cannot be read or was not written by this version."""
    try:
        return _DECODER.decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return []


class Readers:
    """Reads the files of the other processes, each again only when it has changed."""

    def __init__(self, run: Path, own: Path) -> None:
        """Take the run directory, and the file to leave out."""
        self._run = run
        self._own = own
        self._seen: dict[Path, int] = {}

    def changed(self) -> list[Row]:
        """Return the rows of every file that is fresh and has changed since the last call."""
        rows: list[Row] = []
        for path in sorted(self._run.glob(PATTERN)):
            stamp = _fresh(path)
            if path != self._own and stamp and stamp != self._seen.get(path):
                self._seen[path] = stamp
                rows += read(path)
        return rows


def all_rows(run: Path) -> Mapping[RungId, Row]:
    """Return of each rung what the process says that saw it last, of those that live."""
    return newest(read(path) for path in sorted(run.glob(PATTERN)) if _fresh(path))


def _fresh(path: Path) -> int:
    """Return when ``path`` was written, nanoseconds since 1970; 0 if that is too long ago."""
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        return 0
    return stamp if abs(time.time_ns() - stamp) < FRESH_S * 1e9 else 0
