"""Which process is the supervisor of a workspace: a file with its number, locked while it lives.

The lock is of the POSIX kind: it belongs to the process, children do not inherit it, and it ends
with the process however that ends. So a number left behind is never taken for a living one.
"""

import fcntl
import os
from pathlib import Path
from typing import IO


def claim(path: Path) -> IO[str] | None:
    """Write this process's number and hold the lock as long as the file stays open.

    Returns ``None`` if another process holds it.

    Raises:
        OSError: The file cannot be written.
    """
    file = path.open("a+", encoding="ascii")
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def holder(path: Path) -> int | None:
    """Return the number of the process that holds ``path``, or ``None`` if none does."""
    try:
        with path.open("r+", encoding="ascii") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0) or None
    except FileNotFoundError:
        pass
    return None
