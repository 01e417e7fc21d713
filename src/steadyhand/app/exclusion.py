"""Who may use a state directory at the same time, by locks that end with their process.

``serve`` and mounted gateways do not go together: both number their processes from 0 and publish
snapshots. Each side holds a lock of its own and looks whether the other one's is held, so that of
two that start at once at least one gives way. Several mounted gateways do go together (the
workers of one server): they take different numbers.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steadyhand.app.state import State
from steadyhand.core.errors import ConfigurationError

MOST_MOUNTED = 256


class StateInUse(ConfigurationError):
    """The state directory belongs to processes that this one cannot run beside."""

    code = "state_in_use"


class Lock:
    """A held lock; gone with the process, with :meth:`release`, never with the file."""

    def __init__(self, descriptor: int) -> None:
        """Keep the descriptor that holds it."""
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go; children that were forked meanwhile keep it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def claim_for_serve(state: State) -> Lock:
    """Claim the state for a supervisor and its children.

    Raises:
        StateInUse: A mounted gateway runs on it.
    """
    held = _take(state.serve_lock, fcntl.LOCK_SH)
    if _is_held(state.mounted_lock):
        held.release()
        raise StateInUse(
            f"a gateway mounted in another application serves from {state.directory}",
            hint="stop that application, or serve another workspace or another server.state_dir; "
            "for the control API beside it: steadyhand serve control",
        )
    return held


def claim_for_mounted(state: State) -> Lock:
    """Claim the state for a mounted gateway.

    Raises:
        StateInUse: ``steadyhand serve`` runs on it.
    """
    held = _take(state.mounted_lock, fcntl.LOCK_SH)
    if _is_held(state.serve_lock):
        held.release()
        raise StateInUse(
            f"steadyhand serve runs on {state.directory}",
            hint="stop it, or mount another workspace or another server.state_dir",
        )
    return held


def claim_number(state: State) -> tuple[int, Lock]:
    """Return the least number that no other mounted gateway has.

    Raises:
        StateInUse: All numbers are taken.
    """
    for number in range(MOST_MOUNTED):
        try:
            return number, _take(state.number_lock(number), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
    raise StateInUse(
        f"{MOST_MOUNTED} mounted gateways serve from {state.directory}",
        hint="give some of them a state directory of their own: server.state_dir",
    )


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock at ``path`` alone, waiting for whoever has it."""
    held = _take(path, fcntl.LOCK_EX)
    try:
        yield
    finally:
        held.release()


def try_alone(path: Path) -> Lock | None:
    """Return the lock at ``path``, or ``None`` if another process has it or it cannot be made."""
    try:
        return _take(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return None


def _is_held(path: Path) -> bool:
    try:
        _take(path, fcntl.LOCK_EX | fcntl.LOCK_NB).release()
    except BlockingIOError:
        return True
    return False


def _take(path: Path, how: int) -> Lock:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, how)
    except BaseException:
        os.close(descriptor)
        raise
    return Lock(descriptor)
