"""What must hold of the response reader for any bytes at all."""

import random
import zlib

from steadyhand.http.failures import MalformedResponse, ResponseTooLarge
from steadyhand.http.response import ResponseReader
from tests.support import strict_http
from tests.support.cuts import cut

MAX_HEAD_BYTES = 1_000


class Outcome:
    """What a reader made of bytes that came in these parts."""

    def __init__(self, parts: list[bytes]) -> None:
        self.failure: type[Exception] | None = None
        reader = self.reader = ResponseReader(MAX_HEAD_BYTES)
        reader.begin()
        for part in parts:
            try:
                reader.feed(part)
            except (MalformedResponse, ResponseTooLarge) as failure:  # any other is a finding
                self.failure = type(failure)
                break
        self.body = reader.take()

    @property
    def whole(self) -> tuple[object, ...]:
        reader = self.reader
        head = (reader.status, sorted(reader.headers.items())) if reader.headed else None
        ending = (reader.complete, reader.complete and reader.keep_alive)
        return self.failure, head, self.body, ending


def check(data: bytes) -> None:
    """Hold the reader to its promises.

    Raises:
        AssertionError: One is broken.
    """
    whole = Outcome([data])
    _agrees_with_the_grammar(data, whole)
    _is_the_same_in_parts(data, whole)


def _agrees_with_the_grammar(data: bytes, outcome: Outcome) -> None:
    reading = strict_http.response(data)
    reader = outcome.reader
    if reader.complete:
        (message,) = reading.messages
        assert reader.status == int(message.start[1])
        assert outcome.body == message.body
        rest = data[reading.at :].strip(b"\r\n")
        assert not rest or not reader.keep_alive, "bytes were left over"
    elif reader.ends_with_stream() and outcome.failure is None:
        (message,) = reading.messages
        assert reading.to_the_end
        assert outcome.body == message.body
    elif outcome.failure is None and reading.end == "error":  # at the latest at the head's end
        assert not reader.headed, "what breaks the grammar was taken for a response"
        assert Outcome([data + b"\r\n\r\n"]).failure, "what breaks the grammar was not refused"
    elif outcome.failure is None:
        assert reading.end == "unfinished"


def _is_the_same_in_parts(data: bytes, whole: Outcome) -> None:
    draw = random.Random(zlib.crc32(data))
    ways = [cut(data, [draw.randrange(len(data) + 1) for _ in range(draw.randrange(1, 6))])]
    if len(data) <= 300:
        ways.append([data[at : at + 1] for at in range(len(data))])
    for parts in ways:
        other = Outcome(parts)
        if ResponseTooLarge in (whole.failure, other.failure):
            assert len(data) > MAX_HEAD_BYTES
        elif whole.failure is MalformedResponse and not other.reader.complete:
            assert other.failure is MalformedResponse, "refused whole, accepted in parts"
        else:
            assert whole.whole == other.whole, f"other in parts: {other.whole}"
