"""``python -m tests.support.faulty`` is ``steadyhand`` on a disk that stalls or fails when told.

It stands between the record log and the kernel in every process that the supervisor forks. While a
file ``<call>.stall`` or ``<call>.fail`` is in the folder ``$STEADYHAND_TEST_FAULTS``, that call
hangs or raises; ``<call>.fail-once`` is taken away by the call that it has failed.
"""

import errno
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from steadyhand.__main__ import main

FOLDER = "STEADYHAND_TEST_FAULTS"
CALLS = ("pwrite", "fdatasync")


@contextmanager
def fault(folder: Path, name: str) -> Iterator[Path]:
    """Have a fault as long as the block runs."""
    flag = folder / name
    flag.touch()
    try:
        yield flag
    finally:
        flag.unlink(missing_ok=True)


def between(name: str, real: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    stall, fail, once = (folder / f"{name}.{kind}" for kind in ("stall", "fail", "fail-once"))

    def call(*arguments: Any) -> Any:
        while stall.exists():
            time.sleep(0.005)
        if once.exists():
            once.unlink(missing_ok=True)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if fail.exists():
            number = errno.ENOSPC if name == "pwrite" else errno.EIO
            raise OSError(number, os.strerror(number))
        return real(*arguments)

    return call


if __name__ == "__main__":
    for each in CALLS:
        setattr(os, each, between(each, getattr(os, each), Path(os.environ[FOLDER])))
    main()
