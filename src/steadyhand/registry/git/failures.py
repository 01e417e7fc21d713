"""What goes wrong with a repository, in our words."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pygit2 import GitError

from steadyhand.registry.ports import StoreUnavailable

DOCTOR: Final = "look at it with: steadyhand doctor"


@contextmanager
def named(what: str) -> Iterator[None]:
    """Turn libgit2's failures into ours; ``what`` is what could not be done."""
    try:
        yield
    except (GitError, OSError, KeyError, ValueError, sqlite3.Error) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
        raise StoreUnavailable(f"the registry could not {what}: {reason}", hint=DOCTOR) from error
