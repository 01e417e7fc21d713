"""What aiohttp's errors mean in our words, so that records and metrics say the same of either."""

import asyncio
import ssl

import aiohttp
from aiohttp import http_exceptions

from steadyhand.http.failures import (
    ConnectFailed,
    ConnectionLost,
    MalformedResponse,
    NameNotFound,
    ResponseTooLarge,
    TlsFailed,
    UpstreamError,
)

ERRORS = (aiohttp.ClientError, OSError, asyncio.IncompleteReadError, ValueError)
"""Whatever aiohttp raises for an exchange that failed."""

_MOST_WORDS = 200
_TLS = (
    aiohttp.ClientConnectorCertificateError,
    aiohttp.ClientConnectorSSLError,
    ssl.SSLError,
)
_CUT_SHORT = ("Not enough data", "not enough data")


def failure_of(error: BaseException, where: str) -> UpstreamError:
    """Return what an error before the head of the response means; ``where`` is the origin."""
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return ConnectFailed(f"the proxy for {where} cannot be reached: {error.os_error}")
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return ConnectFailed(f"the proxy for {where} refused to connect: {error.status}")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return NameNotFound(f"no address for {where}: {error.os_error}")
    if isinstance(error, _TLS):
        return TlsFailed(f"no TLS with {where}: {error}")
    if isinstance(error, aiohttp.ClientConnectorError):
        return ConnectFailed(f"cannot connect to {where}: {error}")
    if isinstance(error, aiohttp.ClientResponseError):
        return _unreadable(error)
    return ConnectionLost(f"the upstream closed without a response: {error}")


def body_failure_of(error: BaseException) -> UpstreamError:
    """Return what an error within the body means."""
    cause = error.__cause__
    is_cut = cause is None or any(word in str(cause) for word in _CUT_SHORT)
    if isinstance(error, aiohttp.ClientPayloadError) and not is_cut:
        return MalformedResponse(f"not an HTTP response: {str(cause)[:_MOST_WORDS]}")
    return ConnectionLost(f"the upstream closed before the response was complete: {error}")


def came_back(error: BaseException) -> bool:
    """Tell whether bytes of a response had come before ``error``."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return not isinstance(error.message, str)
    return not isinstance(error, aiohttp.ClientOSError)


def _unreadable(error: aiohttp.ClientResponseError) -> UpstreamError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, http_exceptions.LineTooLong):
            return ResponseTooLarge("the response head is too long")
        cause = cause.__cause__
    return MalformedResponse(f"not an HTTP response: {error.message[:_MOST_WORDS]}")
