"""The supervisor: one control process and N gateway processes, kept running.

It forks gateways rather than starting them afresh: what it has imported is shared, so a gateway
answers a tenth of a second after its start. It therefore stays single-threaded, runs no event
loop, and handles signals by waiting for them. It also compiles the workspace, in a child of its
own, whenever a file changes or SIGHUP comes, and tells the gateways.

It opens every listening socket itself and never closes one while it runs: children inherit them.
Connections that come in while a process is gone wait for the next one instead of being refused.

If it is killed, its children see the end of a pipe and stop by themselves.
"""

import contextlib
import logging
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from time import monotonic

from steadyhand.app.children import YOUNG_S, Child, Parent, Role, restart_delay_s
from steadyhand.app.rolling import RETIRE, Roll, Started

logger = logging.getLogger(__name__)

ROLL = signal.SIGUSR2
SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, ROLL}
HELD_BACK = {signal.SIGHUP, RETIRE}
"""Stay blocked in a gateway until it can handle them: they would end it before."""
TICK_S = 0.5
ROLL_TICK_S = 0.05
KILL_AFTER_S = 5.0
"""Time children get beyond their drain time before they are killed."""


class Supervisor:
    """Starts roles, restarts what dies, replaces what shall be new, stops everything in order."""

    def __init__(
        self,
        *,
        publish: Callable[[], bool],
        changed: Callable[[], bool],
        renew: Callable[[], bool | None],
        stop_within_s: float,
        added: Callable[[], Sequence[Role]] = tuple,
    ) -> None:
        """Take what is done on a change.

        Args:
            publish: Compiles and publishes the workspace; runs in a child; ``True`` on success.
            changed: Tells whether the workspace differs from the last call.
            renew: Reads what processes are started with; tells whether that has changed, ``None``
                if it cannot be used and the former stays in force.
            stop_within_s: How long children may take to stop in order.
            added: Names, after a change was published, roles that are needed now and do not run.
        """
        self._publish = publish
        self._changed = changed
        self._renew = renew
        self._stop_within_s = stop_within_s
        self._added = added
        self._children: list[Child] = []
        self._roll: Roll | None = None
        self._lifeline, self._held = os.pipe()
        self._listeners: list[socket.socket] = []
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)

    def add(self, role: Role) -> Child:
        """Take over ``role`` with its listener; nothing is started yet."""
        child = Child(role)
        self._children.append(child)
        if role.listener is not None:
            self._listeners.append(role.listener)
        return child

    def start(self, child: Child, ready_within_s: float) -> bool:
        """Start ``child`` and wait until it is ready; ``False`` if it ended or took too long."""
        started = self._fork(child)
        child.pid, child.started_s = started.pid, monotonic()
        try:
            readable = select.select([started.told], [], [], ready_within_s)[0]
            return bool(readable) and os.read(started.told, 1) == b"1"
        finally:
            os.close(started.told)

    def run(self) -> None:
        """Watch over the children until SIGTERM or SIGINT; then stop them."""
        while True:
            tick_s = ROLL_TICK_S if self._roll is not None else TICK_S
            received = signal.sigtimedwait(SIGNALS, tick_s)
            number = received.si_signo if received is not None else None
            if number in (signal.SIGTERM, signal.SIGINT):
                break
            self._reap()
            self._restart_due()
            if self._changed() or number == signal.SIGHUP:
                self.reload()
            if number == ROLL or (number == signal.SIGHUP and self._renew()):
                self.roll()
            self._roll_on()
        self.stop()

    def reload(self) -> None:
        """Compile and publish in a child; tell the gateways if that went well."""
        pid = os.fork()
        if pid == 0:
            self._become(lambda: 0 if self._publish() else 1, None)
        _, status = os.waitpid(pid, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            return
        for child in self._children:
            if (child.role.is_gateway or child.role.is_told) and child.pid:
                self._signal(child.pid, signal.SIGHUP)
        for role in self._added():
            self.add(role)  # due at once

    def roll(self) -> None:
        """Begin to replace the gateways one after the other; see :mod:`steadyhand.app.rolling`."""
        if self._roll is not None:
            logger.warning("a rolling restart is under way; another one is not begun")
            return
        if self._renew() is None:
            logger.error("rolling restart not begun: the workspace has mistakes")
            return
        logger.info("rolling restart begins")
        gateways = [child for child in self._children if child.role.is_gateway]
        self._roll = Roll(gateways, self._fork, self._stop_within_s + KILL_AFTER_S)

    def stop(self) -> None:
        """Stop the gateways, then the rest; kill what does not stop in time."""
        for listener in self._listeners:  # gateways have theirs until they stop accepting
            listener.close()
        for is_gateway in (True, False):
            members = [c for c in self._children if c.role.is_gateway is is_gateway]
            leftover = self._roll.pids if self._roll is not None and is_gateway else []
            alive = {c.pid: c.role.name for c in members if c.pid}
            alive |= dict.fromkeys(leftover, "a gateway being replaced")
            self._stop(alive)
            for child in members:
                child.pid = 0

    def _stop(self, alive: dict[int, str]) -> None:
        for pid in alive:
            self._signal(pid, signal.SIGTERM)
        until_s = monotonic() + self._stop_within_s + KILL_AFTER_S
        while alive and monotonic() < until_s:
            for pid, _ in _ended():
                alive.pop(pid, None)
            if alive:
                signal.sigtimedwait({signal.SIGCHLD}, TICK_S)
        for pid, name in alive.items():
            logger.error("%s did not stop in time and is killed", name)
            self._signal(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _fork(self, child: Child) -> Started:
        """Start a process of ``child``'s role."""
        told, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(told)
            os.close(self._held)

            def ready() -> None:
                with contextlib.suppress(BrokenPipeError):  # a restart: nobody waits
                    os.write(tell, b"1")
                os.close(tell)

            parent = Parent(ready, self._lifeline, child.restarts, child.rolls, child.totals)
            self._become(lambda: child.role.main(parent), child.role)
        os.close(tell)
        return Started(pid, told)

    def _become(self, main: Callable[[], int | None], role: Role | None) -> None:
        """Run ``main`` as the whole rest of this process; never returns."""
        code = 1
        try:
            for listener in self._listeners:
                if role is None or listener is not role.listener:
                    listener.close()
            for number in SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            waits = role is not None and (role.is_gateway or role.is_told)
            held_back = HELD_BACK if waits else set()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS - held_back)
            code = main() or 0
        except BaseException as error:  # noqa: BLE001 - the last frame of a child
            _report(error)
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        for pid, code in _ended():
            child = next((child for child in self._children if child.pid == pid), None)
            if child is not None:
                child.pid = 0
                self._schedule(child, code)
            elif self._roll is not None:
                self._roll.ended(pid)

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
            is_replaced = self._roll is not None and self._roll.is_replacing(child)
            if not child.pid and not is_replaced and monotonic() >= child.due_s:
                child.restarts += child.started_s > 0
                self.start(child, ready_within_s=0.0)

    def _roll_on(self) -> None:
        if self._roll is not None:
            self._roll.go_on()
            if self._roll.is_over:
                self._roll = None

    def _signal(self, pid: int, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _ended() -> Iterator[tuple[int, int]]:
    """Yield (pid, exit code) of what has ended: ours and, as PID 1 of a container, any orphan."""
    with contextlib.suppress(ChildProcessError):  # there is none at all
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            yield pid, os.waitstatus_to_exitcode(status)


def _report(error: BaseException) -> None:
    from steadyhand.core.errors import SteadyhandError

    if isinstance(error, SteadyhandError | OSError):
        logger.error("%s", error)
    else:
        traceback.print_exception(error)
