"""What a client that reads as it should ends up with, in the words of the behaviours' table."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from steadyhand.core.sse import DONE, EventSplitter, payload
from steadyhand.http.failures import UpstreamError
from steadyhand.http.messages import UpstreamReply
from steadyhand.simulation import behaviour as table

MAX_BYTES = 8_000_000


async def outcome(opening: Callable[[], Awaitable[UpstreamReply]], *, stream: bool) -> str:
    """Open, read to the end, close, and name what came of it."""
    try:
        reply = await opening()
    except UpstreamError as error:
        return error.reason
    try:
        body = await reply.read_all(MAX_BYTES)
    except UpstreamError as error:
        return error.reason
    finally:
        reply.close()
    if reply.status != 200:
        return f"status {reply.status}"
    is_events = reply.headers.get(b"content-type", b"").startswith(b"text/event-stream")
    return judge_stream(body) if stream and is_events else judge_plain(body)


def judge_plain(body: bytes) -> str:
    """Name what a body that is not streamed amounts to."""
    try:
        value = json.loads(body.decode())
    except ValueError:
        return table.MALFORMED
    if "error" in value:
        return table.ERROR_BODY
    if any(choice["finish_reason"] is None for choice in value["choices"]):
        return table.TRUNCATED
    refused = any(choice["message"]["refusal"] for choice in value["choices"])
    return table.REFUSAL if refused else table.ANSWER


def events(body: bytes) -> list[bytes]:
    """Return the payload of each whole event."""
    found = (payload(event) for event in EventSplitter(MAX_BYTES).feed(body))
    return [data for data in found if data is not None]


def judge_stream(body: bytes) -> str:
    """Name what the events of a stream amount to."""
    finished: dict[int, Any] = {}
    done = refused = False
    for data in events(body):
        if data == DONE:
            done = True
            continue
        try:
            chunk = json.loads(data.decode())
        except ValueError:
            return table.MALFORMED
        if "error" in chunk:
            return table.ERROR_EVENT
        for choice in chunk["choices"] or ():
            finished[choice["index"]] = choice["finish_reason"]
            refused = refused or bool(choice["delta"].get("refusal"))
    if not (done and finished and all(finished.values())):
        return table.TRUNCATED
    return table.REFUSAL if refused else table.ANSWER
