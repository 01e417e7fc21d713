"""What the supervisor and its children know of each other."""

import mmap
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

YOUNG_S = 5.0
"""A child that ends sooner than this after its start is not started again at once."""
MAX_DELAY_S = 5.0


class Count(IntEnum):
    """What is counted over all processes that a role has had."""

    DRAINED = 0
    CUT = 1
    ROLL_FAILURES = 2


class Totals:
    """Counts of one role, in memory that the supervisor shares with every process of it.

    What a process counts while it ends would end with it otherwise. There is one writer at a time:
    a process that ends, or the supervisor about one that did not begin.
    """

    def __init__(self) -> None:
        """Start at zero."""
        self._counts = memoryview(mmap.mmap(-1, 8 * len(Count))).cast("q")

    def add(self, count: Count, more: int) -> None:
        """Count ``more``."""
        self._counts[count] += more

    def __getitem__(self, count: Count) -> int:
        return self._counts[count]


@dataclass(frozen=True, slots=True)
class Parent:
    """What a child knows of its supervisor.

    Attributes:
        ready: To be called once, when the child does its work.
        lifeline: Read end of a pipe that ends when the supervisor does.
        restarts: How often this role has been started again after a death.
        rolls: How often it was replaced by a rolling restart.
        totals: Counts of the role.
    """

    ready: Callable[[], None]
    lifeline: int
    restarts: int
    rolls: int
    totals: Totals


@dataclass(frozen=True, slots=True)
class Role:
    """What a child does.

    Attributes:
        name: As in messages: ``gateway 0``, ``control``.
        main: Runs in the child, given what it needs of its parent.
        listener: The socket that its processes inherit; it stays open while there is none.
            ``None`` for a role that opens its own.
        is_gateway: Whether it is told of new snapshots (SIGHUP), drains first at a stop, and is
            replaced by a rolling restart.
        is_told: Whether it is told of new snapshots too, though it is no gateway.
    """

    name: str
    main: Callable[[Parent], None]
    listener: socket.socket | None
    is_gateway: bool = False
    is_told: bool = False


@dataclass(slots=True)
class Child:
    """A role's current process; times on the monotonic clock, seconds."""

    role: Role
    pid: int = 0
    started_s: float = 0.0
    due_s: float = 0.0
    deaths_in_a_row: int = 0
    restarts: int = 0
    rolls: int = 0
    totals: Totals = field(default_factory=Totals)


def restart_delay_s(deaths_in_a_row: int) -> float:
    """Return how long to wait before a restart: nothing at first, then doubling to a cap."""
    if deaths_in_a_row <= 1:
        return 0.0
    doublings = min(deaths_in_a_row - 2, 8)  # far past the cap, and never too large a number
    return min(MAX_DELAY_S, 0.25 * 2.0**doublings)
