"""Responses out of bytes: llhttp in strict mode, and the rules that llhttp leaves to its user.

One reader per connection, begun anew for each exchange. It touches no socket, so any way of
cutting the same bytes must give the same response (tested as a property).
"""

import httptools

from steadyhand.http.failures import MalformedResponse, ResponseTooLarge, UpstreamError

_SWITCHING_PROTOCOLS = 101
_FIRST_INTERIM, _FIRST_FINAL = 100, 200


class ResponseReader:
    """Takes responses of one connection apart.

    Attributes:
        fed: Bytes seen of this response and of interim ones before it.
        headed: Its head has arrived.
        status: HTTP status.
        headers: Lower-case names; repeated fields joined with ``", "``.
        pieces: Body bytes that nobody has taken yet, without chunk framing.
        complete: Its last byte has arrived.
        keep_alive: The connection may carry another exchange; known when complete.
    """

    __slots__ = (
        "_barren", "_max_head_bytes", "_parser", "complete", "fed", "headed", "headers",
        "keep_alive", "on_body", "pieces", "status",
    )  # fmt: skip

    def __init__(self, max_head_bytes: int) -> None:
        """Stand before a first response."""
        self._max_head_bytes = max_head_bytes
        self.fed = self.status = self._barren = 0
        self.complete = self.headed = self.keep_alive = False
        self.headers: dict[bytes, bytes] = {}
        self.pieces: list[bytes] = []
        self.on_body = self.pieces.append
        self._parser = httptools.HttpResponseParser(self)

    def begin(self) -> None:
        """Stand before the response to a new request."""
        self.fed = self._barren = 0
        self.complete = self.headed = self.keep_alive = False

    def feed(self, data: bytes) -> None:
        """Read on.

        Raises:
            MalformedResponse: No acceptable HTTP.
            ResponseTooLarge: The head passes its bound, or a run of bytes in the body that carries
                no body (extensions of chunks, trailers) does.
        """
        self.fed += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._stopped(error)
        if not self.headed:
            if self.fed > self._max_head_bytes:
                raise self._too_large()
        elif not self.complete:
            self._barren = 0 if self.pieces else self._barren + len(data)
            if self._barren > self._max_head_bytes:
                raise ResponseTooLarge("the response goes on without a byte of its body")

    def ends_with_stream(self) -> bool:
        """Return whether the end of the stream now is the proper end of the body."""
        return self.headed and not (
            b"content-length" in self.headers or b"transfer-encoding" in self.headers
        )

    def take(self) -> bytes:
        """Return the body bytes that are there."""
        pieces = self.pieces
        taken = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        return taken

    def on_message_begin(self) -> None:
        """Called by the parser at the first byte of a response, interim ones included."""
        if self.complete:
            raise MalformedResponse("bytes follow the response")
        self.headers = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser for each header field, and for trailers, which are dropped."""
        if self.headed:
            return
        name, value = name.lower(), value.rstrip()
        headers = self.headers
        if name in headers:
            headers[name] += b", " + value
        else:
            headers[name] = value

    def on_headers_complete(self) -> None:
        """Called by the parser after a head."""
        status = self._parser.get_status_code()
        if status < _FIRST_FINAL:
            self._check_interim(status)
            return
        headers, limit = self.headers, self._max_head_bytes
        if self.fed > limit and sum(len(n) + len(v) + 4 for n, v in headers.items()) > limit:
            raise self._too_large()
        if b"transfer-encoding" in headers:
            if b"content-length" in headers:
                raise MalformedResponse("the response has two lengths")
            if headers[b"transfer-encoding"].lower() != b"chunked":
                raise MalformedResponse("the response has a transfer coding that is not chunked")
        # Only HTTP/1.1 stays open unasked; the version itself costs more to ask for.
        if b"connection" in headers or not self._parser.should_keep_alive():
            self._check_version()
        self.status = status
        self.headed = True

    def on_message_complete(self) -> None:
        """Called by the parser after the last byte of a response, interim ones included."""
        if self.headed:
            self.complete = True
            self.keep_alive = self._parser.should_keep_alive()

    def _check_interim(self, status: int) -> None:
        """Refuse what would end the exchange, or make the next bytes something else than a head."""
        self._check_version()
        if status < _FIRST_INTERIM:
            raise MalformedResponse(f"{status} is no status")
        if status == _SWITCHING_PROTOCOLS:
            raise MalformedResponse("the upstream switched protocols unasked")
        if b"transfer-encoding" in self.headers:
            raise MalformedResponse("an interim response has a body")

    def _check_version(self) -> None:
        version = self._parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise MalformedResponse(f"the response is HTTP/{version}")

    def _stopped(self, error: Exception) -> None:
        """Say why the parser stopped, unless the response is whole: the rest is not for us."""
        if self.complete:
            self.keep_alive = False
            return
        cause = error.__context__
        if isinstance(error, httptools.HttpParserCallbackError) and isinstance(
            cause, UpstreamError
        ):
            raise cause from None
        raise MalformedResponse(f"not an HTTP response: {error}") from None

    def _too_large(self) -> ResponseTooLarge:
        return ResponseTooLarge(f"the response head passes {self._max_head_bytes} bytes")
