"""The upstream transport on aiohttp, for what our own client does not do: HTTP proxies.

Behind the same port as our own client, with the same limits, times and failures; slower, as each
exchange passes a larger library (``docs/guides/go-through-a-proxy.md`` has what differs). aiohttp
carries bytes and keeps connections; when an exchange is cut, and what that is called, is decided
by :mod:`steadyhand.http.exchange_clock`, to which aiohttp's traces tell the phases.

Imported only where a provider is configured with ``transport = "aiohttp"``.
"""

import asyncio
import io
import ssl
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass

import aiohttp
from yarl import URL

from steadyhand.http.aiohttp_exchange import Exchange, on_loop_clock, traces
from steadyhand.http.aiohttp_failures import ERRORS, came_back, failure_of
from steadyhand.http.aiohttp_reply import AiohttpReply
from steadyhand.http.failures import (
    ConnectFailed,
    ConnectionLost,
    ConnectTimedOut,
    MalformedResponse,
    NameNotFound,
    PoolExhausted,
    ResponseTooLarge,
    TlsFailed,
    UpstreamError,
)
from steadyhand.http.head import fields_by_name, header_lines
from steadyhand.http.limits import PoolLimits
from steadyhand.http.messages import Headers, Limits
from steadyhand.http.origin import Origin
from steadyhand.http.tls import client_context
from steadyhand.http.traffic import Traffic
from steadyhand.http.transports import Proxy

_CLOSE_S = 2.0
_SWITCHING_PROTOCOLS = 101
_WHOLE_BYTES = 512 * 1024
"""Bodies above it are handed over in pieces, so that one write does not hold up the loop."""


class AiohttpTransport:
    """Implements :class:`steadyhand.http.transport.Transport`.

    A request that is repeated because its kept connection was closed goes out on a connection of
    its own, which is not counted into ``max_connections`` and not kept.
    """

    def __init__(
        self,
        origin: Origin,
        limits: PoolLimits,
        tls: ssl.SSLContext | None = None,
        traffic: Traffic | None = None,
        proxy: Proxy | None = None,
    ) -> None:
        """Open nothing yet; an https origin without ``tls`` is verified by the system's CAs."""
        self._origin = origin
        self._limits = limits
        self._tls = (tls or client_context()) if origin.scheme == "https" else None
        self._traffic = traffic or Traffic()
        self._proxy = proxy
        known = _credentials(proxy)
        is_tunnel = origin.scheme == "https"  # what is within it, the upstream sees
        self._to_tunnel = known if is_tunnel else {}
        self._to_proxy = [] if is_tunnel else list(known.items())
        self._kept: aiohttp.ClientSession | None = None
        self._single: aiohttp.ClientSession | None = None
        self._closed = False

    @property
    def origin(self) -> Origin:
        """See :class:`steadyhand.http.transport.Transport`."""
        return self._origin

    def endpoint(
        self, method: bytes, path: bytes, headers: Headers, *, replayable: bool
    ) -> "AiohttpEndpoint":
        """See :class:`steadyhand.http.transport.Transport`."""
        return AiohttpEndpoint(self, method, path, headers, replayable=replayable)

    async def close(self) -> None:
        """See :class:`steadyhand.http.transport.Transport`."""
        self._closed = True
        for session in (self._kept, self._single):
            if session is not None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_CLOSE_S):
                        await session.close()

    async def exchange(
        self, request: "Outgoing", limits: Limits, *, replayable: bool
    ) -> AiohttpReply:
        """Send one request and return its response once the head is there.

        Raises:
            UpstreamError: Which of them says what happened.
        """
        exchange = Exchange(limits, len(request.body), self._traffic)
        try:
            response = await self._attempt(self._session(), exchange, request)
        except ERRORS as error:
            if not (replayable and exchange.is_kept) or came_back(error) or self._closed:
                raise self._failure(error) from error
            self._traffic.retried += 1
            try:
                response = await self._attempt(self._single_session(), exchange, request)
            except ERRORS as again:
                raise self._failure(again) from again
        exchange.is_headed = True
        headers = fields_by_name(response.raw_headers)
        refused = _unacceptable(response.status, headers, self._limits.max_head_bytes)
        if refused is not None:
            response.close()
            raise refused
        return AiohttpReply(response, headers, exchange.clock, repr(self._origin))

    async def _attempt(
        self, session: aiohttp.ClientSession, exchange: Exchange, request: "Outgoing"
    ) -> aiohttp.ClientResponse:
        """Send once.

        Raises:
            UpstreamError: A limit passed, or the transport was closed meanwhile.
        """
        exchange.restart()
        due_s, _ = exchange.clock.due()
        try:
            async with asyncio.timeout_at(on_loop_clock(due_s)) as exchange.bound:
                return await session.request(
                    request.method,
                    request.url,
                    headers=request.headers + self._to_proxy,
                    proxy_headers=self._to_tunnel,
                    data=request.payload(),
                    allow_redirects=False,
                    trace_request_ctx=exchange,
                )
        except TimeoutError:
            if exchange.bound is None or not exchange.bound.expired():
                raise  # the system's own: a socket that timed out
            _, failure = exchange.clock.due()
            self._traffic.connect_timed_out += failure is ConnectTimedOut
            self._traffic.given_up += failure is PoolExhausted
            raise failure(f"nothing from {self._origin!r} in time") from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closed and (task is None or not task.cancelling()):
                raise self._closing() from None
            raise
        finally:
            exchange.unqueue()

    def _session(self) -> aiohttp.ClientSession:
        if self._closed:
            raise self._closing()
        if self._kept is None:
            self._kept = self._make_session(
                aiohttp.TCPConnector(
                    limit=self._limits.max_connections,
                    keepalive_timeout=self._limits.idle_s,
                    ssl=self._tls or True,
                )
            )
        return self._kept

    def _single_session(self) -> aiohttp.ClientSession:
        if self._single is None:
            self._single = self._make_session(
                aiohttp.TCPConnector(
                    limit=self._limits.max_connections, force_close=True, ssl=self._tls or True
                )
            )
        return self._single

    def _make_session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        limits, proxy = self._limits, self._proxy
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("accept", "accept-encoding", "content-type", "user-agent"),
            timeout=aiohttp.ClientTimeout(),
            read_bufsize=limits.buffer_bytes // 2,
            max_line_size=limits.max_head_bytes,
            max_field_size=limits.max_head_bytes,
            trace_configs=[traces()],
            proxy=proxy.url if proxy is not None else None,
        )

    def _failure(self, error: BaseException) -> UpstreamError:
        if self._closed:
            return ConnectionLost(f"the connections to {self._origin!r} are closed")
        failure = failure_of(error, repr(self._origin))
        traffic = self._traffic
        traffic.dns_failed += isinstance(failure, NameNotFound)
        traffic.tls_failed += isinstance(failure, TlsFailed)
        traffic.connect_failed += type(failure) is ConnectFailed
        return failure

    def _closing(self) -> ConnectFailed:
        return ConnectFailed(f"the connections to {self._origin!r} are closed")


class AiohttpEndpoint:
    """Implements :class:`steadyhand.http.transport.Endpoint`."""

    def __init__(
        self,
        transport: AiohttpTransport,
        method: bytes,
        path: bytes,
        headers: Headers,
        *,
        replayable: bool,
    ) -> None:
        """Make ready what every request shares."""
        header_lines(headers)  # refuses line breaks
        origin = transport.origin
        target = (origin.base_path + path).decode("ascii")
        self._url = URL(f"{origin.scheme}://{origin.authority.decode()}{target}", encoded=True)
        self._transport = transport
        self._method = method.decode("ascii")
        self._headers = _text(headers)
        self._replayable = replayable

    def send(self, headers: Headers, body: bytes, limits: Limits) -> Awaitable[AiohttpReply]:
        """See :class:`steadyhand.http.transport.Endpoint`."""
        header_lines(headers)
        request = Outgoing(self._method, self._url, self._headers + _text(headers), body)
        return self._transport.exchange(request, limits, replayable=self._replayable)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request as aiohttp takes it."""

    method: str
    url: URL
    headers: list[tuple[str, str]]
    body: bytes

    def payload(self) -> bytes | io.BytesIO:
        """Return the body in the form that suits its size; a new one for each attempt."""
        return self.body if len(self.body) < _WHOLE_BYTES else io.BytesIO(self.body)


def _credentials(proxy: Proxy | None) -> dict[str, str]:
    """Return the header field by which a proxy knows us, if it asks for one."""
    if proxy is None or not proxy.credentials:
        return {}
    user, _, password = proxy.credentials.partition(":")
    return {"proxy-authorization": aiohttp.encode_basic_auth(user, password)}


def _text(headers: Headers) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _unacceptable(
    status: int, headers: dict[bytes, bytes], max_head_bytes: int
) -> UpstreamError | None:
    """Return why a head that aiohttp took is not taken by us, or ``None``."""
    if status == _SWITCHING_PROTOCOLS:
        return MalformedResponse("the upstream switched protocols unasked")
    if b"transfer-encoding" in headers and b"content-length" in headers:
        return MalformedResponse("the response has two lengths")
    if headers.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        return MalformedResponse("the response has a transfer coding that is not chunked")
    if sum(len(name) + len(value) + 4 for name, value in headers.items()) > max_head_bytes:
        return ResponseTooLarge(f"the response head passes {max_head_bytes} bytes")
    return None
