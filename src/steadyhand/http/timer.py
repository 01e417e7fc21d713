"""One timer for many deadlines that mostly do not come to pass.

Arming and cancelling a timer of the loop for each request would cost more than reading its head.
So a connection keeps one: it is only ever brought forward, and when it fires its owner looks at
what is really due and names the next moment to look. Steady traffic then costs one comparison a
deadline.
"""

import asyncio
from collections.abc import Callable
from math import inf
from time import monotonic

SLACK_S = 0.001
"""Resolution of the loop's timers: what is due within it is due."""

_LONGEST_S = 3600.0


class LateTimer:
    """Calls its owner no later than the earliest moment asked for, perhaps for nothing.

    Attributes:
        due_s: Monotonic second at which it will fire; ``inf`` if it is not armed.
    """

    __slots__ = ("_handle", "_look", "_loop", "due_s")

    def __init__(self, loop: asyncio.AbstractEventLoop, look: Callable[[float], float]) -> None:
        """Arm nothing yet.

        Args:
            loop: Whose timers are used.
            look: Called with the monotonic second when the timer fires; does what is due and
                returns the second at which to look again, ``inf`` for never.
        """
        self._loop = loop
        self._look = look
        self._handle: asyncio.TimerHandle | None = None
        self.due_s = inf

    def bring_forward(self, due_s: float) -> None:
        """Fire at ``due_s`` at the latest."""
        if due_s >= self.due_s:
            return
        if self._handle is not None:
            self._handle.cancel()
        self.due_s = due_s
        delay_s = min(max(due_s - monotonic(), SLACK_S), _LONGEST_S)
        self._handle = self._loop.call_later(delay_s, self._fire)

    def stop(self) -> None:
        """Never fire again."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self.due_s = -inf

    def _fire(self) -> None:
        self._handle = None
        self.due_s = inf
        self.bring_forward(self._look(monotonic()))
