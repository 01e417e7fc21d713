"""The supervisor: one control process and N gateway processes, kept running.

It forks gateways rather than starting them afresh: what it has imported is shared, so a gateway
answers a tenth of a second after its start. It therefore stays single-threaded, runs no event
loop, and handles signals by waiting for them. It also compiles the workspace, in a child of its
own, whenever a file changes or SIGHUP comes, and tells the gateways.

If it is killed, its children see the end of a pipe and stop by themselves.
"""

import contextlib
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

logger = logging.getLogger(__name__)

SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
TICK_S = 0.5
YOUNG_S = 5.0
"""A child that ends sooner than this after its start is not started again at once."""
MAX_DELAY_S = 5.0
KILL_AFTER_S = 5.0
"""Time children get beyond their drain time before they are killed."""


@dataclass(frozen=True, slots=True)
class Parent:
    """What a child knows of its supervisor.

    Attributes:
        ready: To be called once, when the child does its work.
        lifeline: Read end of a pipe that ends when the supervisor does.
        restarts: How often this role has been started again.
    """

    ready: Callable[[], None]
    lifeline: int
    restarts: int


@dataclass(frozen=True, slots=True)
class Role:
    """What a child does.

    Attributes:
        name: As in messages: ``gateway 0``, ``control``.
        main: Runs in the child, given what it needs of its parent.
        reloads: Whether it is told (SIGHUP) that a new snapshot is published.
    """

    name: str
    main: Callable[["Parent"], None]
    reloads: bool = False


@dataclass(slots=True)
class Child:
    """A role's current process; times on the monotonic clock, seconds."""

    role: Role
    pid: int = 0
    started_s: float = 0.0
    due_s: float = 0.0
    deaths_in_a_row: int = 0
    restarts: int = 0


class Supervisor:
    """Starts roles, restarts what dies, stops everything in order."""

    def __init__(
        self,
        *,
        publish: Callable[[], bool],
        changed: Callable[[], bool],
        drain_s: float,
    ) -> None:
        """Take what is done on a change.

        Args:
            publish: Compiles and publishes the workspace; runs in a child; ``True`` on success.
            changed: Tells whether the workspace differs from the last call.
            drain_s: How long children may take to stop.
        """
        self._publish = publish
        self._changed = changed
        self._drain_s = drain_s
        self._children: list[Child] = []
        self._lifeline, self._held = os.pipe()
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)

    def start(self, role: Role, ready_within_s: float) -> bool:
        """Start ``role`` and wait until it is ready; ``False`` if it ended or took too long."""
        child = Child(role)
        self._children.append(child)
        return self._fork(child, ready_within_s)

    def run(self) -> None:
        """Watch over the children until SIGTERM or SIGINT; then stop them."""
        while True:
            received = signal.sigtimedwait(SIGNALS, TICK_S)
            number = received.si_signo if received is not None else None
            if number in (signal.SIGTERM, signal.SIGINT):
                break
            self._reap()
            self._restart_due()
            if self._changed() or number == signal.SIGHUP:
                self.reload()
        self.stop()

    def reload(self) -> None:
        """Compile and publish in a child; tell the gateways if that went well."""
        pid = os.fork()
        if pid == 0:
            self._become(lambda: 0 if self._publish() else 1)
        _, status = os.waitpid(pid, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            return
        for child in self._children:
            if child.role.reloads and child.pid:
                self._signal(child, signal.SIGHUP)

    def stop(self) -> None:
        """Stop the gateways, then the rest; kill what does not stop in time."""
        for group in (True, False):
            members = [c for c in self._children if c.role.reloads is group and c.pid]
            for child in members:
                self._signal(child, signal.SIGTERM)
            until_s = monotonic() + self._drain_s + KILL_AFTER_S
            while any(c.pid for c in members) and monotonic() < until_s:
                signal.sigtimedwait({signal.SIGCHLD}, TICK_S)
                self._reap(restart=False)
            for child in members:
                if child.pid:
                    logger.error("%s did not stop in time and is killed", child.role.name)
                    self._signal(child, signal.SIGKILL)
                    os.waitpid(child.pid, 0)
                    child.pid = 0

    def _fork(self, child: Child, ready_within_s: float) -> bool:
        told, tell = os.pipe()
        child.started_s = monotonic()
        child.pid = os.fork()
        if child.pid == 0:
            os.close(told)
            os.close(self._held)

            def ready() -> None:
                with contextlib.suppress(BrokenPipeError):  # a restart: nobody waits
                    os.write(tell, b"1")
                os.close(tell)

            parent = Parent(ready, self._lifeline, child.restarts)
            self._become(lambda: child.role.main(parent))
        os.close(tell)
        try:
            return _readable(told, ready_within_s) and os.read(told, 1) == b"1"
        finally:
            os.close(told)

    def _become(self, main: Callable[[], int | None]) -> None:
        """Run ``main`` as the whole rest of this process; never returns."""
        code = 1
        try:
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            code = main() or 0
        except BaseException as error:  # noqa: BLE001 - the last frame of a child
            _report(error)
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _reap(self, *, restart: bool = True) -> None:
        """Collect what has ended: our children and, as PID 1 of a container, whom they left."""
        with contextlib.suppress(ChildProcessError):  # there is none at all
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                child = next((child for child in self._children if child.pid == pid), None)
                if child is None:
                    continue
                child.pid = 0
                if restart:
                    self._schedule(child, os.waitstatus_to_exitcode(status))

    def _schedule(self, child: Child, code: int) -> None:
        now_s = monotonic()
        young = now_s - child.started_s < YOUNG_S
        child.deaths_in_a_row = child.deaths_in_a_row + 1 if young else 0
        delay_s = restart_delay_s(child.deaths_in_a_row)
        child.due_s = now_s + delay_s
        logger.warning(
            "%s ended with %d; starting it again in %.1f s", child.role.name, code, delay_s
        )

    def _restart_due(self) -> None:
        for child in self._children:
            if not child.pid and monotonic() >= child.due_s:
                child.restarts += 1
                self._fork(child, ready_within_s=0.0)

    def _signal(self, child: Child, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, number)


def restart_delay_s(deaths_in_a_row: int) -> float:
    """Return how long to wait before a restart: nothing at first, then doubling to a cap."""
    if deaths_in_a_row <= 1:
        return 0.0
    doublings = min(deaths_in_a_row - 2, 8)  # far past the cap, and never too large a number
    return min(MAX_DELAY_S, 0.25 * 2.0**doublings)


def _readable(descriptor: int, within_s: float) -> bool:
    import select

    return bool(select.select([descriptor], [], [], within_s)[0])


def _report(error: BaseException) -> None:
    from steadyhand.core.errors import SteadyhandError

    if isinstance(error, SteadyhandError | OSError):
        logger.error("%s", error)
    else:
        traceback.print_exception(error)
