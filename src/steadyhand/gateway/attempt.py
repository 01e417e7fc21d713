"""One attempt on one live rung: judged whole before a byte of it reaches the client.

``whole`` or ``begin_stream`` return a good answer (or the start of one) or raise
:class:`AttemptFailed` with a named failure. HTTP 200 proves nothing: an error body, an error
event or HTML under 200 is a failure here.
"""

import msgspec

from steadyhand.core.chat import Answer, is_given
from steadyhand.gateway.relay import ChatStream, KeptStream
from steadyhand.http.failures import UpstreamError
from steadyhand.http.messages import UpstreamReply
from steadyhand.providers.base import Call, Failure
from steadyhand.routing.rungs.base import Deployment

MAX_ANSWER_BYTES = 64 * 1024 * 1024
MAX_ERROR_BYTES = 256 * 1024
MAX_HELD_BYTES = 8 * 1024 * 1024
"""What a stream may say, without saying anything, before it is no stream that we hold."""
MAX_KEPT_CHARACTERS = 256 * 1024
"""Text of a stream that is collected for stored rungs; longer answers are not kept."""
_DECODER = msgspec.json.Decoder(Answer)


class AttemptFailed(Exception):
    """A live rung gave no usable answer."""

    def __init__(self, failure: Failure) -> None:
        """Carry the named failure."""
        super().__init__(failure.reason)
        self.failure = failure


async def refused(deployment: Deployment, reply: UpstreamReply) -> AttemptFailed:
    """Read a reply whose status is not 200; return what it says. It is closed."""
    try:
        body = await reply.read_all(MAX_ERROR_BYTES)
    except UpstreamError:
        body = b""  # the status alone still names the failure
    finally:
        reply.close()
    return AttemptFailed(deployment.classify(reply.status, reply.headers, body))


class WholeAnswer(msgspec.Struct):
    """A whole good answer: its bytes as they came, what was read of it, upstream's headers."""

    body: bytes
    answer: Answer
    headers: dict[bytes, bytes]


async def whole(deployment: Deployment, reply: UpstreamReply) -> WholeAnswer:
    """Read a whole answer; ``reply`` is closed.

    Raises:
        AttemptFailed: It is not one, or not in time.
    """
    try:
        body = await reply.read_all(MAX_ANSWER_BYTES)
    except UpstreamError as error:
        raise AttemptFailed(Failure(error.reason, status=200, message=str(error))) from error
    finally:
        reply.close()
    try:
        answer = _DECODER.decode(body)
        body.decode()  # fields that are not read must be UTF-8 too
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        failure = deployment.classify(200, reply.headers, body)
        raise AttemptFailed(failure) from None
    if not answer.choices or is_given(answer.error):
        raise AttemptFailed(deployment.classify(200, reply.headers, body))
    for choice in answer.choices:
        if choice.finish_reason is None:
            raise AttemptFailed(Failure("truncated", status=200, message="no finish reason came"))
    return WholeAnswer(body, answer, reply.headers)


class BegunStream(msgspec.Struct):
    """A stream that has begun to speak: what is held so far, and what reads on."""

    held: bytes
    stream: ChatStream
    reply: UpstreamReply
    deployment: Deployment


async def begin_stream(
    deployment: Deployment, reply: UpstreamReply, call: Call, *, keeps: bool
) -> BegunStream:
    """Read a stream until its first content; nothing reaches the client yet.

    Args:
        deployment: Whose stream it is.
        reply: The stream; closed if it is of no use.
        call: What was asked.
        keeps: Whether its text is collected, to be kept for later requests.

    Raises:
        AttemptFailed: It ended, failed or fell silent before saying anything.
    """
    if keeps:
        stream: ChatStream = KeptStream(
            keeps_usage=call.asks_usage, max_characters=MAX_KEPT_CHARACTERS
        )
    else:
        stream = ChatStream(keeps_usage=call.asks_usage)
    held = []
    seen, size = b"", 0
    try:
        while not stream.has_content and not stream.is_whole:
            data = await reply.read()
            held.append(stream.feed(data))
            seen = (seen + data)[:MAX_ERROR_BYTES]
            size += len(data)
            fail_early(deployment, reply, stream, seen, ended=not data)
            if size > MAX_HELD_BYTES and not stream.has_content:
                raise AttemptFailed(Failure("malformed", status=200, message="no end of preamble"))
    except UpstreamError as error:
        reply.close()
        raise AttemptFailed(Failure(error.reason, status=200, message=str(error))) from error
    except BaseException:
        reply.close()
        raise
    return BegunStream(b"".join(held), stream, reply, deployment)


def fail_early(
    deployment: Deployment, reply: UpstreamReply, stream: ChatStream, seen: bytes, *, ended: bool
) -> None:
    """Raise if a stream that has said nothing yet can no longer be a good one.

    Raises:
        AttemptFailed: With the provider's own error if it sent one.
    """
    if stream.error is not None:
        raise AttemptFailed(deployment.classify(200, reply.headers, stream.error))
    if stream.malformed:
        raise AttemptFailed(Failure("malformed", status=200, message=stream.malformed))
    if stream.has_content or stream.is_whole:
        return
    if stream.is_done:
        raise AttemptFailed(Failure("truncated", status=200, message="no finish reason came"))
    if ended:
        kind = reply.headers.get(b"content-type", b"")
        if not kind.startswith(b"text/event-stream") and seen:
            raise AttemptFailed(deployment.classify(200, reply.headers, seen))
        raise AttemptFailed(Failure("truncated", status=200, message="the stream ended early"))
