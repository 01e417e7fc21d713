"""HTTP/1.1 framing by the letter of RFC 9112, whole messages only, slow and plain.

The other opinion for the parsers of the product: written from the grammar, without llhttp. What it
calls an error nobody may accept. It judges a line when it is whole; the product may be quicker, and
may be stricter.
"""

import re
from dataclasses import dataclass, field

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
TARGET = re.compile(rb"[\x21-\x7e]+")
HEX = re.compile(rb"[0-9A-Fa-f]+")
EXTENSIONS = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
HOST = re.compile(rb"[A-Za-z0-9._~%!$&'()*+;=:\[\]-]*")
BODILESS = (204, 304)


FRAMING = {b"content-length", b"transfer-encoding"}


class NotHttp(Exception):
    """The bytes break a rule; nothing after them may be read."""


class Unfinished(Exception):
    """The bytes end before the message does."""


@dataclass(frozen=True)
class Message:
    """One message; ``start`` is its first line, taken apart at spaces."""

    start: tuple[bytes, bytes, bytes]
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def values(self, name: bytes) -> list[bytes]:
        """Return the values of the fields of that name."""
        return [value for key, value in self.fields if key == name]


@dataclass
class Reading:
    """What a stream of bytes holds: messages, then how it goes on.

    Attributes:
        end: ``"clean"``, ``"unfinished"`` in a message, ``"closed"`` by the last message's word,
            or ``"error"``.
        at: Bytes that the whole messages took.
        to_the_end: The last message's body goes on until the connection closes.
    """

    messages: list[Message] = field(default_factory=list)
    end: str = "clean"
    at: int = 0
    to_the_end: bool = False


def requests(data: bytes) -> Reading:
    """Read requests one after another."""
    reading = Reading()
    while reading.end == "clean":
        at = _after_empty_lines(data, reading.at)
        if at == len(data):
            break
        try:
            message, reading.at = _request(data, at)
        except NotHttp:
            reading.end = "error"
        except Unfinished:
            reading.end = "unfinished"
        else:
            reading.messages.append(message)
            reading.end = "closed" if _closes(message, message.start[2]) else "clean"
    return reading


def response(data: bytes) -> Reading:
    """Read interim responses, then one final response."""
    reading = Reading()
    try:
        while not reading.messages:
            message, reading.at = _response(data, reading)
            if int(message.start[1]) >= 200:
                reading.messages.append(message)
            elif message.start[1] == b"101":
                raise NotHttp
    except NotHttp:
        reading.end = "error"
    except Unfinished:
        reading.end = "unfinished"
    return reading


def _after_empty_lines(data: bytes, at: int) -> int:
    """Skip what servers have to forgive before a message (RFC 9112, 2.2), bare ends included."""
    while data[at : at + 1] in (b"\r", b"\n"):
        at += 1
    return at


def _request(data: bytes, at: int) -> tuple[Message, int]:
    line, at = _line(data, at)
    match = re.fullmatch(rb"(\S+) +(\S+) +(?:HTTP|RTSP|ICE)/(1\.[01])", line)
    if not match or not TOKEN.fullmatch(match[1]) or not TARGET.fullmatch(match[2]):
        raise NotHttp
    fields, at = _fields(data, at)
    start = (match[1], match[2], match[3])
    body, at = _request_body(data, at, Message(start, fields, b""))
    return Message(start, fields, body), at


def _request_body(data: bytes, at: int, head: Message) -> tuple[bytes, int]:
    hosts = head.values(b"host")
    if len(hosts) > 1 or (head.start[2] == b"1.1" and not hosts):
        raise NotHttp
    if hosts and not HOST.fullmatch(hosts[0]):
        raise NotHttp
    codings = head.values(b"transfer-encoding")
    if codings and head.start[2] == b"1.0":
        raise NotHttp
    return _body(data, at, head, to_the_end=False)


def _response(data: bytes, reading: Reading) -> tuple[Message, int]:
    line, at = _line(data, _after_empty_lines(data, reading.at))
    match = re.fullmatch(rb"HTTP/(1\.[01]) (\d{3})( .*)?", line, re.DOTALL)
    if not match:  # the reason may hold anything: nobody reads it
        raise NotHttp
    fields, at = _fields(data, at)
    start = (match[1], match[2], match[3] or b"")
    head = Message(start, fields, b"")
    status = int(match[2])
    if status < 200 and head.values(b"transfer-encoding"):
        raise NotHttp
    if status < 200 or status in BODILESS:
        return head, at
    lengths = head.values(b"content-length") + head.values(b"transfer-encoding")
    reading.to_the_end = not lengths
    body, at = _body(data, at, head, to_the_end=True)
    return Message(start, fields, body), at


def _body(data: bytes, at: int, head: Message, *, to_the_end: bool) -> tuple[bytes, int]:
    codings, lengths = head.values(b"transfer-encoding"), head.values(b"content-length")
    if len(codings) + len(lengths) > 1:
        raise NotHttp
    if codings:
        if codings[0].lower() != b"chunked":
            raise NotHttp
        return _chunks(data, at, is_request=not to_the_end)
    if lengths:
        if not re.fullmatch(rb"[0-9]+", lengths[0]):
            raise NotHttp
        size = int(lengths[0][-20:])
        if len(data) - at < size:
            raise Unfinished
        return data[at : at + size], at + size
    return (data[at:], len(data)) if to_the_end else (b"", at)


def _chunks(data: bytes, at: int, *, is_request: bool) -> tuple[bytes, int]:
    body = b""
    while True:
        line, at = _line(data, at)
        digits, _, extensions = line.partition(b";")
        if not HEX.fullmatch(digits) or not EXTENSIONS.fullmatch(extensions):
            raise NotHttp
        size = int(digits, 16)
        if size == 0:
            trailers, at = _fields(data, at)
            if is_request and {name for name, _ in trailers} & FRAMING:
                raise NotHttp
            return body, at
        if len(data) - at < size:
            raise Unfinished
        body += data[at : at + size]
        at += size
        if data[at : at + 2] != b"\r\n":
            raise Unfinished if b"\r\n".startswith(data[at : at + 2]) else NotHttp
        at += 2


def _fields(data: bytes, at: int) -> tuple[tuple[tuple[bytes, bytes], ...], int]:
    fields: list[tuple[bytes, bytes]] = []
    while True:
        line, at = _line(data, at)
        if not line:
            return tuple(fields), at
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.fullmatch(name) or not VALUE.fullmatch(value):
            raise NotHttp
        fields.append((name.lower(), value.strip(b" \t")))


def _line(data: bytes, at: int) -> tuple[bytes, int]:
    end = data.find(b"\n", at)
    if end < 0:
        raise Unfinished
    line = data[at : end + 1]
    if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
        raise NotHttp
    return line[:-2], end + 1


def _closes(message: Message, version: bytes) -> bool:
    tokens = b",".join(message.values(b"connection")).lower().split(b",")
    wanted = {token.strip(b" \t") for token in tokens}
    return b"close" in wanted or (version == b"1.0" and b"keep-alive" not in wanted)
