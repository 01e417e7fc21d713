"""Requests out of ASGI scopes: the rules that our own server keeps, for servers that do not.

What the other server has already decided (framing, header syntax, the time that a head may take)
is its business. All that can still be refused here is refused as our own server refuses it.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

from steadyhand.http.body import OversizedBody, UndecodableBody, gunzip
from steadyhand.http.limits import ServerLimits
from steadyhand.http.refusal import (
    Refusal,
    bad_request,
    body_too_large,
    head_too_large,
    too_many_fields,
    too_slow,
)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_GZIP = (b"gzip", b"x-gzip")
_PLAIN = (b"", b"identity")


class ClientLeft(Exception):
    """The client closed before its request was whole; nobody waits for an answer."""


def target_of(scope: Scope) -> bytes:
    """Return the path below the mount point, percent-encoding kept."""
    root: str = scope.get("root_path", "").rstrip("/")
    path: str = scope["path"]
    raw: bytes = (scope.get("raw_path") or quote(path).encode()).partition(b"?")[0]
    prefix = quote(root).encode()
    if raw == prefix or raw.startswith(prefix + b"/"):
        raw = raw[len(prefix) :]
    elif root and (path + "/").startswith(
        root + "/"
    ):  # the mount point itself was sent percent-encoded
        raw = quote(path[len(root) :]).encode()
    return raw or b"/"


def check_head(scope: Scope, headers: dict[bytes, bytes], limits: ServerLimits) -> None:
    """Refuse a head that our own server would refuse.

    Raises:
        Refusal: 400, 413, 415, 417 or 431.
    """
    size = len(scope.get("raw_path") or b"") + len(scope.get("query_string", b""))
    size += sum(len(name) + len(value) + 4 for name, value in headers.items())
    if size > limits.max_head_bytes:
        raise head_too_large(limits)
    if len(headers) > limits.max_fields:
        raise too_many_fields(limits)
    if scope.get("http_version") == "1.1" and b"," in headers.get(b"host", b","):
        raise bad_request("one Host header is required")
    _check_length(headers, limits)
    coding = headers.get(b"content-encoding", b"").lower()
    if coding not in _GZIP and coding not in _PLAIN:
        raise Refusal(415, "unsupported_content_encoding", "send the body plain or as gzip")
    if headers.get(b"expect", b"100-continue").lower() != b"100-continue":
        raise Refusal(417, "expectation_failed", "the only expectation met is 100-continue")


class BodyReader:
    """Takes the body of one request from the server."""

    __slots__ = ("_limits", "_more", "_receive")

    def __init__(self, receive: Receive, limits: ServerLimits) -> None:
        """Read nothing yet."""
        self._receive = receive
        self._limits = limits
        self._more = True

    async def read(self, headers: dict[bytes, bytes]) -> bytes:
        """Return the whole body, decoded; a trickle is not waited for.

        Raises:
            Refusal: 400, 408 or 413.
            ClientLeft: It closed before the last byte.
        """
        limits, pieces, size = self._limits, [], 0
        try:
            async with asyncio.timeout(limits.body_timeout_s) as bound:
                while self._more:
                    piece = await self._piece()
                    pieces.append(piece)
                    size += len(piece)
                    if size > limits.max_body_bytes:
                        raise body_too_large(limits)
                    if self._more:
                        _earn_time(bound, len(piece), limits)
        except TimeoutError:
            raise too_slow() from None
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        if body and headers.get(b"content-encoding", b"").lower() in _GZIP:
            return _gunzip(body, limits)
        return body

    async def discard(self) -> None:
        """Take what a refused client still sends, so that it gets to reading the answer."""
        try:
            async with asyncio.timeout(self._limits.linger_s):
                while self._more:
                    await self._piece()
        except (TimeoutError, ClientLeft):
            return

    async def _piece(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        self._more = message.get("more_body", False)
        body: bytes = message.get("body", b"")
        return body


def _earn_time(bound: asyncio.Timeout, size: int, limits: ServerLimits) -> None:
    due_s = bound.when()
    if due_s is not None and limits.body_rate_bytes:
        bound.reschedule(due_s + size / limits.body_rate_bytes)


def _gunzip(body: bytes, limits: ServerLimits) -> bytes:
    try:
        return gunzip(body, limits.max_body_bytes, limits.max_expansion)
    except UndecodableBody as error:
        raise bad_request(str(error)) from None
    except OversizedBody:
        raise body_too_large(limits) from None


def _check_length(headers: dict[bytes, bytes], limits: ServerLimits) -> None:
    length = headers.get(b"content-length")
    if length is not None:
        if not length.isdigit():
            raise bad_request("Content-Length is not a number")
        if len(length) > 18 or int(length) > limits.max_body_bytes:
            raise body_too_large(limits)
