"""An OpenAI-shaped upstream that costs next to nothing: one thread, fixed answers.

``python -m benchmarks.mock_upstream --port P`` listens on loopback until it is terminated. A plain
request gets about 570 bytes of JSON. A streamed one gets events of about 230 bytes, each in an HTTP
chunk and a send of its own, each with the monotonic time of its sending in the text
(``@00000001234567890123@``), so that whoever reads it on the same machine knows how long it was
under way. A marker in the prompt chooses another shape (:mod:`benchmarks.prompts`).

It reads requests by searching bytes. That is enough for the gateways under test, which are the
only clients it has; it is no HTTP server for anything else.
"""

import argparse
import asyncio
import contextlib
import gc
import json
import signal
from functools import lru_cache
from time import monotonic_ns
from typing import cast

import uvloop
from typing_extensions import override

from benchmarks.prompts import read_marker

EVENTS = 50
"""Events of a stream whose prompt does not say how many."""

_FRAME = {"id": "chatcmpl-mock01", "created": 1_790_000_000, "model": "mock-model"}
_TEXT = (
    "Set a limit on the time that a session may be idle inside a transaction. It can be changed "
    "without a restart and holds for new transactions. The session is ended, and its client sees "
    "a lost connection on its next statement, which most pools mend by themselves by a new one."
)
_USAGE = {"prompt_tokens": 187, "completion_tokens": 52, "total_tokens": 239}


def _response(status: int, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status} {'OK' if status == 200 else 'Mock'}\r\n"
        f"content-type: application/json\r\nx-request-id: req_mock\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@lru_cache(maxsize=256)
def completion(chars: int) -> bytes:
    """Return a whole response whose text has ``chars`` characters."""
    text = (_TEXT * (chars // len(_TEXT) + 1))[:chars]
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    whole = {**_FRAME, "object": "chat.completion", "choices": [choice], "usage": _USAGE}
    return _response(200, json.dumps(whole, separators=(",", ":")).encode())


@lru_cache(maxsize=64)
def error(status: int) -> bytes:
    """Return a whole error response, in OpenAI's shape."""
    what = {"message": f"mock {status}", "type": "mock_error", "param": None, "code": None}
    return _response(status, json.dumps({"error": what}).encode())


def _event(choices: list[object], **more: object) -> bytes:
    chunk = {**_FRAME, "object": "chat.completion.chunk", "choices": choices, **more}
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


def _delta(delta: dict[str, str], finish_reason: str | None = None) -> bytes:
    return _event([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}])


def _chunk(payload: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(payload), payload)


_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\nx-request-id: req_mock\r\ntransfer-encoding: chunked\r\n\r\n"
)


def _stamped(event: bytes) -> tuple[bytes, bytes]:
    """Return the chunk of ``event`` before and after its stamp, whose length never changes."""
    before, _, after = _chunk(event).partition(b"0" * 20)
    return before, after


_FIRST = _stamped(_delta({"role": "assistant", "content": f"@{'0' * 20}@ word"}))
_NEXT = _stamped(_delta({"content": f"@{'0' * 20}@ word"}))
_FINISH = _delta({}, "stop")
_DONE = b"data: [DONE]\n\n"
_STREAM_END = _chunk(_FINISH + _DONE) + b"0\r\n\r\n"
_STREAM_END_WITH_USAGE = _chunk(_FINISH + _event([], usage=_USAGE) + _DONE) + b"0\r\n\r\n"
_PLAIN = completion(len(_TEXT))


class Upstream(asyncio.Protocol):
    """Answers the requests of one connection, one after the other."""

    __slots__ = ("_end", "_gap_s", "_left", "_loop", "_pending", "_timer", "_transport")

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._pending = b""
        self._left = 0
        self._gap_s = 0.0
        self._end = b""
        self._timer: asyncio.Handle | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Stop a stream that nobody reads any more."""
        if self._timer is not None:
            self._timer.cancel()

    @override
    def data_received(self, data: bytes) -> None:
        """Answer, once a request is whole."""
        if self._pending:
            data = self._pending + data
        head_end = data.find(b"\r\n\r\n") + 4
        if head_end < 4:
            self._pending = data
            return
        head = data[:head_end].lower()
        at = head.find(b"\r\ncontent-length:")
        length = 0 if at < 0 else int(head[at + 17 : head.find(b"\r", at + 17)])
        if len(data) < head_end + length:
            self._pending = data
            return
        if at < 0 and b"\r\ntransfer-encoding:" in head:
            self._transport.write(error(411))
            self._transport.close()
            return
        self._pending = data[head_end + length :]
        self._answer(data[head_end : head_end + length])

    def _answer(self, body: bytes) -> None:
        if b"[[mock " not in body and b'"stream"' not in body:
            self._transport.write(_PLAIN)
            return
        shape = read_marker(body)
        wait_us = shape.get(b"wait_us", 0)
        if wait_us:
            self._timer = self._loop.call_later(wait_us / 1e6, self._shaped, body, shape)
        else:
            self._shaped(body, shape)

    def _shaped(self, body: bytes, shape: dict[bytes, int]) -> None:
        status = shape.get(b"status", 200)
        if status != 200:
            self._transport.write(error(status))
        elif b'"stream":true' in body or b'"stream": true' in body:
            self._left = shape.get(b"events", EVENTS)
            self._gap_s = shape.get(b"gap_us", 0) / 1e6
            with_usage = b'"include_usage"' in body
            self._end = _STREAM_END_WITH_USAGE if with_usage else _STREAM_END
            self._transport.write(_STREAM_HEAD)
            self._send_event(_FIRST)
        else:
            self._transport.write(completion(shape.get(b"chars", len(_TEXT))))

    def _send_event(self, event: tuple[bytes, bytes] = _NEXT) -> None:
        self._transport.write(b"%b%020d%b" % (event[0], monotonic_ns(), event[1]))
        self._left -= 1
        if self._left <= 0:
            self._transport.write(self._end)
        elif self._gap_s:
            self._timer = self._loop.call_later(self._gap_s, self._send_event)
        else:  # one turn of the loop, and so one send, for each event
            self._timer = self._loop.call_soon(self._send_event)


async def serve(port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Upstream, "127.0.0.1", port, backlog=4096)
    gc.collect()
    gc.freeze()
    gc.disable()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    server.close()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--port", type=int, required=True)
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
