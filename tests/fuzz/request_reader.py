"""What must hold of the request reader for any bytes at all."""

import gzip
import random
import zlib

from steadyhand.http.limits import ServerLimits
from steadyhand.http.messages import Request
from steadyhand.http.refusal import Refusal
from steadyhand.http.request import BETWEEN, RequestReader
from tests.support import strict_http
from tests.support.cuts import cut

LIMITS = ServerLimits(max_head_bytes=1_000, max_body_bytes=3_000, max_fields=20)
_HOPS = {b"content-length", b"transfer-encoding", b"content-encoding", b"connection", b"upgrade"}
_NEVER = object()


class Outcome:
    """What a reader made of bytes that came in these parts."""

    def __init__(self, parts: list[bytes]) -> None:
        self.requests: list[Request] = []
        self.refused = 0
        self.is_open = True
        reader = RequestReader(LIMITS, "peer", self._deliver)
        for part in parts:
            try:
                reader.feed(part, 1.0)
            except Refusal as refusal:  # any other exception is a finding
                self.refused = refusal.status
                break
        self.is_between = reader.phase == BETWEEN and not self.refused

    def _deliver(self, request: Request, http11: bool, keep_alive: bool) -> None:
        assert self.is_open, "a request was delivered after one that closes the connection"
        assert len(request.body) <= LIMITS.max_body_bytes
        assert http11 or b"transfer-encoding" not in request.headers
        self.is_open = keep_alive
        self.requests.append(request)

    @property
    def framing(self) -> list[tuple[bytes, bytes, bytes, bytes]]:
        return [(r.method, r.path, r.query, r.body) for r in self.requests]

    @property
    def whole(self) -> tuple[object, ...]:
        heads = [sorted(request.headers.items()) for request in self.requests]
        return self.framing, heads, self.refused, self.is_between


def check(data: bytes) -> None:
    """Hold the reader to its promises.

    Raises:
        AssertionError: One is broken.
    """
    whole = Outcome([data])
    _agrees_with_the_grammar(data, whole)
    _is_the_same_in_parts(data, whole)
    _means_the_same_when_written_again(whole)


def _agrees_with_the_grammar(data: bytes, outcome: Outcome) -> None:
    reading = strict_http.requests(data)
    wanted = reading.messages
    assert len(outcome.requests) <= len(wanted), "more requests than the grammar knows"
    for request, message in zip(outcome.requests, wanted, strict=False):
        assert request.method == message.start[0]
        assert request.body == _decoded(message)
        target = request.path + (b"?" + request.query if request.query else b"")
        assert message.start[1].rstrip(b"?").endswith(target.rstrip(b"?").lstrip(b"/"))
    if not outcome.refused:
        if reading.end == "error":  # at the latest at the end of the head
            assert not outcome.is_between, "what breaks the grammar was taken for a request"
            assert Outcome([data + b"\r\n\r\n"]).refused, "what breaks the grammar was not refused"
            return
        assert len(outcome.requests) == len(wanted), "a whole request was not delivered"
        assert outcome.is_between == (reading.end != "unfinished"), "the phase is wrong"


def _decoded(message: strict_http.Message) -> object:
    if message.body and message.values(b"content-encoding")[-1:] not in ([], [b""]):
        codings = message.values(b"content-encoding")
        if codings[-1].lower() in (b"gzip", b"x-gzip"):
            try:
                return gzip.decompress(message.body)
            except (OSError, EOFError, zlib.error):
                return _NEVER
    return message.body


def _is_the_same_in_parts(data: bytes, whole: Outcome) -> None:
    draw = random.Random(zlib.crc32(data))
    ways = [cut(data, [draw.randrange(len(data) + 1) for _ in range(draw.randrange(1, 6))])]
    if len(data) <= 300:
        ways.append([data[at : at + 1] for at in range(len(data))])
    for parts in ways:
        other = Outcome(parts)
        if 431 in (whole.refused, other.refused):  # the bound of a head is kept to one read
            shorter = min(len(whole.requests), len(other.requests))
            assert whole.framing[:shorter] == other.framing[:shorter]
            if len(data) <= LIMITS.max_head_bytes:  # then too many fields, or another mistake first
                assert whole.refused
                assert other.refused
        else:
            assert whole.whole == other.whole, f"other in parts: {other.whole}"


def _means_the_same_when_written_again(whole: Outcome) -> None:
    for request in whole.requests:
        target = request.path + (b"?" + request.query if request.query else b"")
        lines = [b"%b %b HTTP/1.1" % (request.method, target)]
        if b"host" not in request.headers:
            lines.append(b"host: h")
        lines += [b"%b: %b" % item for item in request.headers.items() if item[0] not in _HOPS]
        lines.append(b"content-length: %d" % len(request.body))
        again = Outcome([b"\r\n".join((*lines, b"", request.body))])
        assert again.refused in (0, 431), again.refused
        if not again.refused:
            assert again.framing == [(request.method, request.path, request.query, request.body)]
