"""A client that sends no more: has it left, or does it wait for its answer?

TCP says the same in both cases. To one that is gone, anything we send comes back as a reset. So an
interim response is sent, which every client must be able to skip (RFC 9110, 15.2), and the socket
is looked at: a few times, as a proxy between may answer for a client that has left. HTTP/1.0 knows
no interim responses, so its clients are taken to wait.
"""

import asyncio

from steadyhand.http.socket_state import is_broken

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_FIRST_LOOK_S = 0.1
_LONGEST_S = 5.0
_MAX_PROBES = 4


class HalfClose:
    """Watches one connection whose client has shut its side.

    Attributes:
        look_s: Monotonic second of the next look.
    """

    __slots__ = ("_pause_s", "_probes", "_transport", "look_s")

    def __init__(self, transport: asyncio.Transport, now_s: float, *, may_probe: bool) -> None:
        """Send the first probe, if the client knows what to do with it."""
        self._transport = transport
        self._probes = _MAX_PROBES if may_probe else 0
        self._pause_s = _FIRST_LOOK_S
        self.look_s = now_s + self._pause_s
        self._probe()

    def has_left(self, now_s: float, *, may_probe: bool) -> bool:
        """Tell whether the client was found to be gone; if not, ask once more."""
        if is_broken(self._transport):
            return True
        if may_probe:
            self._probe()
        else:
            self._probes = 0  # an answer has begun: it is probe enough
        self._pause_s = min(2 * self._pause_s, _LONGEST_S)
        self.look_s = now_s + self._pause_s
        return False

    def _probe(self) -> None:
        if self._probes:
            self._probes -= 1
            self._transport.write(CONTINUE)
