"""Processes that are known by more than their number, which the kernel gives to others later."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

_MOST_ROUNDS = 20
# Of proc(5): fields of `stat` after the command's name, which may itself hold spaces and brackets.
_STATE, _SESSION, _STARTED = 0, 3, 19


class Identity(msgspec.Struct, frozen=True):
    """One process, told from every other one that has or had its number.

    Attributes:
        pid: Its number.
        started: When it started, in ticks since the machine did.
        boot: Which start of the machine these ticks count from.
    """

    pid: int
    started: int
    boot: str


class _Stat(NamedTuple):
    session: int
    started: int


def identity_of(pid: int) -> Identity | None:
    """Return who has this number now; ``None`` if nobody lives that has."""
    stat = _stat(pid)
    return Identity(pid, stat.started, _boot()) if stat else None


def is_alive(process: Identity) -> bool:
    """Tell whether this very process lives; one that only waits to be collected does not."""
    return identity_of(process.pid) == process


def send(process: Identity, number: signal.Signals) -> bool:
    """Send a signal to this very process; ``False`` if it is gone."""
    with suppress(ProcessLookupError):
        # The descriptor pins the process before it is looked at: its number cannot pass on between.
        descriptor = os.pidfd_open(process.pid)
        try:
            if is_alive(process):
                signal.pidfd_send_signal(descriptor, number)
                return True
        finally:
            os.close(descriptor)
    return False


def kill_session(leader: Identity) -> None:
    """Kill the leader of a session and every process in it, also after the leader has died."""
    send(leader, signal.SIGKILL)
    for _ in range(_MOST_ROUNDS):  # what is being killed may still start others
        members = list(_members(leader))
        for member in members:
            send(member, signal.SIGKILL)
        if not members:
            return


def _members(leader: Identity) -> Iterator[Identity]:
    now = _stat(leader.pid)
    # The number of a session is not given away while anybody is in it. If another process has it,
    # the session is empty.
    if leader.boot != _boot() or (now and now.started != leader.started):
        return
    for entry in os.listdir("/proc"):
        stat = _stat(int(entry)) if entry.isdecimal() else None
        if stat and stat.session == leader.pid and stat.started >= leader.started:
            yield Identity(int(entry), stat.started, leader.boot)


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(b")")[2].split()
    if fields[_STATE] in {b"Z", b"X"}:
        return None
    return _Stat(int(fields[_SESSION]), int(fields[_STARTED]))


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
