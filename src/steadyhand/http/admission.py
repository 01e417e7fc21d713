"""Refuse requests early when there are too many: watches the loop, counts, writes refusals.

The deciding is in :mod:`steadyhand.http.overload`. A calm loop pays nothing per request, only a
look at the length of one turn fifty times a second. While shedding, each request is judged when
its first bytes are read, before anything of it is parsed.
"""

import asyncio
from collections import Counter
from collections.abc import Collection
from time import monotonic
from typing import TYPE_CHECKING

from steadyhand.http.glance import Glance
from steadyhand.http.head import header_lines
from steadyhand.http.outbox import Outbox
from steadyhand.http.overload import IN_FLIGHT, LOOP_LAG, Overload, OverloadLimits
from steadyhand.http.refusal import Refusal, overloaded

if TYPE_CHECKING:
    from steadyhand.http.server import Server

SAMPLE_S = 0.02
MOST_WAITING_BYTES = 64 * 1024 * 1024
_IDENTIFIES = b"request-id"
_MARK = b"\x00"


class Admission:
    """Judges requests of one server.

    Attributes:
        is_shedding: Whether requests must be judged at all.
        refused: How many were refused, by reason.
        outbox: Where refusals wait for the end of the turn, however many they are. Sent earlier,
            they would come back as further requests in the same turn, which would never end.
    """

    __slots__ = (
        "_before", "_begun_s", "_dated", "_form", "_glance", "_limits", "_loop", "_number",
        "_numbers", "_overload", "_refused_before", "_server", "_sheddable", "_timer", "_turning",
        "is_shedding", "outbox", "refused",
    )  # fmt: skip

    def __init__(
        self, server: "Server", limits: OverloadLimits, sheddable: Collection[bytes]
    ) -> None:
        """Take what is too much, and the beginnings of request lines that may be refused."""
        self._server = server
        self._limits = limits
        self._overload = Overload(limits)
        self._sheddable = tuple(sheddable)
        self._loop = asyncio.get_running_loop()
        self._glance = Glance()
        self.outbox = Outbox(flush_bytes=MOST_WAITING_BYTES)
        self._dated = self._form = b""
        self._number = self._numbers = 0
        self._turning = False
        self._begun_s = 0.0
        self._before = self._refused_before = 0
        self.is_shedding = False
        self.refused: Counter[str] = Counter({LOOP_LAG: 0, IN_FLIGHT: 0})
        self._timer = self._loop.call_later(SAMPLE_S, self._look)

    def stop(self) -> None:
        """Watch no longer."""
        self.is_shedding = False
        self._timer.cancel()

    def judge(self, data: bytes) -> bytes | Refusal | None:
        """Judge the request that begins with ``data``.

        Returns:
            ``None`` to go on with it; a whole response after which the connection can go on; or a
            refusal after which it cannot, because the request is not all there.
        """
        if not data.startswith(self._sheddable):
            return None
        if not self._turning and self._overload.is_lagging:
            self._turning = True
            self._loop.call_soon(self._loop.call_soon, self._begin_turn)
        reason = self._overload.refusal(self._server.in_flight)
        if not reason:
            return None
        self.refused[reason] += 1
        if not self._glance.is_whole(data):
            return overloaded()
        self._server.requests += 1
        self._server.refused["overloaded"] += 1
        return self._response()

    def _response(self) -> bytes:
        """Return a whole refusal; made anew each second, and told apart by a number.

        Whatever identifies a refusal gets the number behind it, as it would be the same for all.
        """
        dated = self._server.dated_status(503)
        if dated is not self._dated:
            self._dated = dated
            said = overloaded()
            headers, body = self._server.render_error(said.status, said.code, said.message)
            marked = [(n, v + _MARK if n.endswith(_IDENTIFIES) else v) for n, v in headers]
            lines = header_lines(marked).replace(b"%", b"%%").replace(_MARK, b"-%d")
            self._numbers = lines.count(b"-%d")
            length = b"content-length: %d\r\n\r\n" % len(body)
            self._form = b"".join((dated, lines, length, body.replace(b"%", b"%%")))
        self._number += 1
        return self._form % ((self._number,) * self._numbers)

    def _look(self) -> None:
        """Sample the length of the next turn but one.

        A callback that a callback asks for is the first of the next turn: from one such to the
        next, everything that a turn does lies between.
        """
        self._loop.call_soon(self._loop.call_soon, self._begin_sample)

    def _begin_sample(self) -> None:
        self._begun_s = monotonic()
        self._before = self._server.requests
        self._loop.call_soon(self._end_sample)

    def _end_sample(self) -> None:
        now_s = monotonic()
        overload = self._overload
        if not overload.is_lagging:
            taken = self._server.requests - self._before
            overload.sampled(now_s, now_s - self._begun_s, taken)
        elif not self._turning:  # no request came for a while: let it end
            overload.turned(now_s, now_s - self._begun_s, 0, 0)
        crowded = self._server.in_flight >= self._limits.max_in_flight
        self.is_shedding = overload.is_lagging or crowded
        self._timer = self._loop.call_later(SAMPLE_S, self._look)

    def _begin_turn(self) -> None:
        self._begun_s = monotonic()
        self._before = self._server.requests
        self._refused_before = self.refused[LOOP_LAG]
        self._loop.call_soon(self._end_turn)

    def _end_turn(self) -> None:
        """Learn from the turn, and measure the next one if this one had requests."""
        now_s = monotonic()
        refused = self.refused[LOOP_LAG] - self._refused_before
        taken = self._server.requests - self._before
        self._overload.turned(now_s, now_s - self._begun_s, max(0, taken - refused), refused)
        if self._overload.is_lagging and taken:
            self._begin_turn()
        else:
            self._turning = False
