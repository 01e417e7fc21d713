"""The reply of an upstream that aiohttp reads."""

import asyncio
from math import inf
from time import monotonic

import aiohttp

from steadyhand.http.aiohttp_failures import ERRORS, body_failure_of
from steadyhand.http.exchange_clock import ExchangeClock, Phase
from steadyhand.http.failures import ResponseTooLarge, UpstreamError
from steadyhand.http.timer import SLACK_S, LateTimer


class AiohttpReply:
    """Implements :class:`steadyhand.http.messages.UpstreamReply` on an aiohttp response.

    Attributes:
        status: HTTP status.
        headers: Lower-case names; repeated fields joined with ``", "``.
    """

    __slots__ = (
        "_clock",
        "_failure",
        "_response",
        "_rest",
        "_timer",
        "_where",
        "headers",
        "status",
    )  # fmt: skip

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        headers: dict[bytes, bytes],
        clock: ExchangeClock,
        where: str,
    ) -> None:
        """Take a response whose head is there; its times go on."""
        self.status = response.status
        self.headers = headers
        self._response: aiohttp.ClientResponse | None = response
        self._clock = clock
        self._where = where
        self._failure: UpstreamError | None = None
        self._rest = b""
        self._timer = LateTimer(asyncio.get_running_loop(), self._on_timer)
        clock.enter(Phase.HELD, monotonic())
        if not response.content.is_eof():
            self._timer.bring_forward(clock.due()[0])

    async def read(self) -> bytes:
        """See :class:`steadyhand.http.messages.UpstreamReply`."""
        response = self._open()
        if self._rest:
            rest, self._rest = self._rest, b""
            return rest
        if self._failure is not None:
            raise self._failure
        clock, content = self._clock, response.content
        clock.enter(Phase.READING, monotonic())
        if not content.is_eof():
            self._timer.bring_forward(clock.due()[0])
        try:
            return await content.readany()
        except UpstreamError:  # what the timer put in
            raise
        except ERRORS as error:
            self._failure = self._failure or body_failure_of(error)
            self._cut()
            raise self._failure from error
        except BaseException:  # a caller that is cancelled has no more use for the connection
            self._cut()
            raise
        finally:
            clock.enter(Phase.HELD, monotonic())

    async def read_all(self, max_bytes: int) -> bytes:
        """See :class:`steadyhand.http.messages.UpstreamReply`."""
        parts, size = [], 0
        while size <= max_bytes and (part := await self.read()):
            parts.append(part)
            size += len(part)
        if size > max_bytes:
            self._cut()
            raise ResponseTooLarge(f"the response body passes {max_bytes} bytes")
        return b"".join(parts)

    def give_up_at(self, at_s: float) -> None:
        """See :class:`steadyhand.http.messages.UpstreamReply`."""
        self._clock.give_up_at_s = at_s
        if self._response is not None and not self._response.content.is_eof():
            self._timer.bring_forward(self._clock.due()[0])

    def close(self) -> None:
        """See :class:`steadyhand.http.messages.UpstreamReply`."""
        self._cut()
        self._response = None

    def _cut(self) -> None:
        """Close what is unfinished; a finished exchange has let its connection go already."""
        self._timer.stop()
        if self._response is not None:
            self._response.close()

    def _open(self) -> aiohttp.ClientResponse:
        if self._response is None:
            raise RuntimeError("a reply is read after it was closed")
        return self._response

    def _on_timer(self, now_s: float) -> float:
        """Do what is due; see :class:`steadyhand.http.timer.LateTimer`."""
        response = self._response
        if response is None or response.content.is_eof():
            return inf
        due_s, failure = self._clock.due()
        if due_s > now_s + SLACK_S:
            return due_s
        self._failure = failure(f"nothing more from {self._where} in time")
        if self._clock.phase is Phase.HELD:
            self._rest = response.content.read_nowait()  # it came in time; it is still to be read
        else:
            response.content.set_exception(self._failure)
        self._cut()
        return inf
