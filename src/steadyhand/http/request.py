"""Requests out of bytes: llhttp in strict mode, and the rules that llhttp leaves to its user.

One reader per connection, fed with whatever the socket gave. It touches no socket, so any way of
cutting the same bytes must give the same requests (tested as a property). What it refuses it
raises as :class:`Refusal`; after that the connection cannot be read further.
"""

from collections.abc import Callable
from math import inf

import httptools

from steadyhand.http.body import OversizedBody, UndecodableBody, gunzip
from steadyhand.http.limits import ServerLimits
from steadyhand.http.messages import Request
from steadyhand.http.refusal import (
    Refusal,
    bad_request,
    body_too_large,
    head_too_large,
    too_many_fields,
)
from steadyhand.http.target import check_host, origin_form

BETWEEN, HEAD, BODY = 0, 1, 2
"""Where in a request a reader stands. Plain numbers: an enum member costs 0.1 µs to name."""

_MERGE_PIECES = 256
_FRAMING_RATIO = 8
"""Bytes of chunk framing allowed for each byte of body, beyond the bound of a head: chunks of one
byte take five."""
_MAX_LENGTH_DIGITS = 19
_HOP_TOKENS = frozenset({b"upgrade", b"http2-settings"})

Deliver = Callable[[Request, bool, bool], None]
"""Takes a whole request, whether it is HTTP/1.1, and whether its connection may stay open."""


class RequestReader:
    """Assembles requests of one connection and delivers each when its last byte is in.

    Attributes:
        phase: ``BETWEEN`` requests, or in the ``HEAD`` or ``BODY`` of one.
        phase_begun_s: Monotonic seconds at the first byte of the phase.
        expects_continue: The request being read waits for ``100 Continue``; the connection
            clears it when it has sent that.
    """

    __slots__ = (
        "_begun_s", "_deliver", "_fed", "_gzip", "_head_fields", "_headers", "_http11",
        "_keep_alive", "_known_host", "_known_url", "_limits", "_method", "_now_s", "_parser",
        "_path", "_peer", "_pieces", "_query", "_repeated", "_size", "_upgrading", "_url",
        "expects_continue", "phase", "phase_begun_s",
    )  # fmt: skip

    def __init__(self, limits: ServerLimits, peer: str, deliver: Deliver) -> None:
        """Start between requests."""
        self._limits = limits
        self._peer = peer
        self._deliver = deliver
        self._pieces: list[bytes] = []
        self._headers: dict[bytes, bytes] = {}
        self._head_fields = self._headers
        self._url = self._method = self._path = self._query = b""
        self._known_url = b""
        self._known_host: bytes | None = None
        self._size = self._fed = self._repeated = 0
        self._begun_s = self._now_s = self.phase_begun_s = 0.0
        self._gzip = self._upgrading = self.expects_continue = False
        self._http11 = self._keep_alive = False
        self.phase = BETWEEN
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, data: bytes, now_s: float) -> None:
        """Read on; delivers every request that becomes whole.

        Raises:
            Refusal: The bytes are no acceptable request. Requests before it were delivered.
        """
        self._now_s = now_s
        self._fed += len(data)
        try:
            while True:
                try:
                    self._parser.feed_data(data)
                    break
                except httptools.HttpParserUpgrade as upgrade:
                    data = self._without_upgrade() + data[upgrade.args[0] :]
        except httptools.HttpParserCallbackError as error:
            if isinstance(error.__context__, Refusal):
                raise error.__context__ from None
            raise
        except httptools.HttpParserError as error:
            raise bad_request(f"not an HTTP request: {error}") from None
        if self.phase and self._fed > self._limits.max_head_bytes:
            self._check_framing()

    def body_due_s(self) -> float:
        """Return the monotonic second by which the body being read must be whole."""
        limits = self._limits
        earned_s = self._size / limits.body_rate_bytes if limits.body_rate_bytes else inf
        return self.phase_begun_s + limits.body_timeout_s + earned_s

    def on_message_begin(self) -> None:
        """Called by the parser at the first byte of a request."""
        self.phase = HEAD
        self._begun_s = self.phase_begun_s = self._now_s
        self._headers = {}
        self._url = b""
        self._repeated = 0

    def on_url(self, part: bytes) -> None:
        """Called by the parser with the target, in as many parts as it arrived in."""
        self._url += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser for each header field, and for each trailer."""
        name, value = name.lower(), value.rstrip()
        headers = self._headers
        if name in headers:
            headers[name] += b", " + value
            self._repeated += 1  # joining costs more with each
            if self._repeated > self._limits.max_fields:
                raise too_many_fields(self._limits)
        else:
            headers[name] = value

    def on_headers_complete(self) -> None:
        """Called by the parser after the head; refuses what must not be read further."""
        limits, headers = self._limits, self._headers
        if self._fed > limits.max_head_bytes and self._head_size() > limits.max_head_bytes:
            raise head_too_large(limits)
        if len(headers) > limits.max_fields:
            raise too_many_fields(limits)
        self._method = self._parser.get_method()
        self._keep_alive = self._parser.should_keep_alive()
        # Only HTTP/1.1 stays open unasked; the version itself costs more to ask for.
        self._http11 = (self._keep_alive and b"connection" not in headers) or self._is_http11()
        if self._keep_alive and not self._http11 and b"close" in headers[b"connection"].lower():
            raise bad_request("the connection is to be kept and closed")
        if self._method == b"CONNECT":
            raise Refusal(405, "method_not_allowed", "CONNECT is not offered here")
        self._address(headers)
        self._upgrading = b"upgrade" in headers and self._parser.should_upgrade()
        if self._upgrading:
            return
        self.phase = BODY
        self.phase_begun_s = self._now_s
        self._size = self._fed = 0
        self._head_fields = headers
        if b"transfer-encoding" in headers:
            self._headers = {}  # for the trailers, which are dropped
        self._check_fields(headers)

    def on_body(self, piece: bytes) -> None:
        """Called by the parser with body bytes, without chunk framing."""
        self._size += len(piece)
        if self._size > self._limits.max_body_bytes:
            raise body_too_large(self._limits)
        pieces = self._pieces
        pieces.append(piece)
        if len(pieces) > _MERGE_PIECES:  # many tiny chunks must not cost an object each
            first = pieces[0]
            merged = first if isinstance(first, bytearray) else bytearray(first)
            for later in pieces[1:]:
                merged += later
            pieces[:] = (merged,)  # type: ignore[assignment]

    def on_message_complete(self) -> None:
        """Called by the parser after the last byte of a request."""
        if self._upgrading:
            return
        pieces = self._pieces
        if not pieces:
            body = b""
        else:
            body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            pieces.clear()
            if self._gzip:
                body = self._gunzip(body)
            elif isinstance(body, bytearray):
                body = bytes(body)
        self.phase = BETWEEN
        self.expects_continue = False
        self._fed = 0
        self._deliver(
            Request(
                self._method,
                self._path,
                self._query,
                self._head_fields,
                body,
                self._begun_s,
                self._now_s,
                self._peer,
            ),
            self._http11,
            self._keep_alive,
        )

    def _address(self, headers: dict[bytes, bytes]) -> None:
        """Take target and host apart; the clients of one connection mostly repeat both."""
        host = headers.get(b"host")
        if host is None:
            if self._http11:
                raise bad_request("a Host header is required")
        elif host != self._known_host:
            check_host(host)
            self._known_host = host
        url = self._url
        if url != self._known_url:
            self._path, self._query, host = origin_form(self._method, url)
            self._known_url = url if host is None and url != b"*" else b""
            if host is not None:
                headers[b"host"] = host

    def _check_framing(self) -> None:
        """Refuse a head, or the framing of chunks, that goes on without end."""
        limits = self._limits
        allowed = limits.max_head_bytes
        if self.phase == BODY:
            allowed += self._size * _FRAMING_RATIO
        if self._fed > allowed:
            raise head_too_large(limits)

    def _is_http11(self) -> bool:
        version = self._parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise bad_request("only HTTP/1.0 and HTTP/1.1 are spoken here")
        return version == "1.1"

    def _check_fields(self, headers: dict[bytes, bytes]) -> None:
        limits = self._limits
        self._gzip = False
        if b"transfer-encoding" in headers and (
            headers[b"transfer-encoding"].lower() != b"chunked" or not self._http11
        ):
            raise bad_request("the only transfer coding accepted is chunked")
        length = headers.get(b"content-length")
        if length is not None:
            if len(length) > _MAX_LENGTH_DIGITS:  # zeros in front; int() is slow, then raises
                raise bad_request("the Content-Length is no number of bytes")
            if int(length) > limits.max_body_bytes:
                raise body_too_large(limits)
        coding = headers.get(b"content-encoding")
        if coding is not None:
            self._gzip = coding.lower() in (b"gzip", b"x-gzip")
            if not self._gzip and coding.lower() not in (b"", b"identity"):
                raise Refusal(415, "unsupported_content_encoding", "send the body plain or as gzip")
        if b"expect" in headers:
            self._check_expectation(headers[b"expect"])

    def _check_expectation(self, expectation: bytes) -> None:
        if expectation.lower() != b"100-continue":
            raise Refusal(417, "expectation_failed", "the only expectation met is 100-continue")
        self.expects_continue = self._http11

    def _gunzip(self, body: bytes) -> bytes:
        limits = self._limits
        try:
            return gunzip(body, limits.max_body_bytes, limits.max_expansion)
        except UndecodableBody as error:
            raise bad_request(str(error)) from None
        except OversizedBody:
            raise body_too_large(limits) from None

    def _head_size(self) -> int:
        return len(self._url) + sum(len(name) + len(v) + 4 for name, v in self._headers.items())

    def _without_upgrade(self) -> bytes:
        """Return the head just read, less its wish to upgrade, and a new parser to read it with.

        RFC 9110, 7.8: a server may ignore Upgrade. llhttp cannot: it takes what follows the head
        for another protocol, although a body may follow in HTTP/1.1.
        """
        self._upgrading = False
        self._parser = httptools.HttpRequestParser(self)
        lines = [b"%b %b HTTP/1.%d" % (self._method, self._url, self._http11)]
        for name, value in self._headers.items():
            if name == b"connection":
                tokens = [token.strip() for token in value.split(b",")]
                value = b", ".join(t for t in tokens if t.lower() not in _HOP_TOKENS)
            if name not in _HOP_TOKENS:
                lines.append(b"%b: %b" % (name, value))
        return b"\r\n".join((*lines, b"", b""))
