"""One writer at a time, across threads and processes of a machine."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import uniform
from typing import Final

from steadyhand.registry.ports import StoreUnavailable

PATIENCE_S: Final = 10.0
_LEAST_S: Final = 0.001
_MOST_S: Final = 0.02


@contextmanager
def writing(path: Path, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold the lock file ``path`` while the block runs.

    The kernel gives it back when the process ends however it ends, so no stale lock is ever left.
    Waiting is polled with jitter: a blocking ``flock`` could not be given up.

    Raises:
        StoreUnavailable: Somebody held it all the time, or the file cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreUnavailable(
            f"the registry's lock {path.name} cannot be opened: {error.strerror}",
            hint="look at it with: steadyhand doctor",
        ) from error
    try:
        _wait(descriptor, patience_s)
        yield
    finally:
        os.close(descriptor)  # gives the lock back


def _wait(descriptor: int, patience_s: float) -> None:
    until = time.monotonic() + patience_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > until:
                raise StoreUnavailable(
                    f"another writer held the registry for {patience_s:g} s",
                    hint="try again; steadyhand doctor names who holds it",
                    retry_after_s=1.0,
                ) from error
            time.sleep(uniform(_LEAST_S, _MOST_S))  # noqa: S311 - jitter, no secret
        else:
            return
