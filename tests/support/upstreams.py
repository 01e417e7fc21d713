"""A provider that plays what a test scripts, in memory but in real time."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from time import monotonic

from steadyhand.core import splice
from steadyhand.http.failures import GaveUp, ResponseTooLarge, UpstreamError
from steadyhand.http.messages import Limits
from steadyhand.providers.base import Call, Failure, failure
from tests.support.chats import answer_body, error_body, text_events

EVENTS = {b"content-type": b"text/event-stream"}
JSON = {b"content-type": b"application/json"}
HTML = {b"content-type": b"text/html"}


class Pause(Enum):
    """What can be between two reads beside bytes and failures."""

    SILENCE = "nothing comes until the exchange is given up"


SILENCE = Pause.SILENCE
Step = bytes | UpstreamError | Pause | asyncio.Event
"""An event is waited for, and what comes after it then comes."""


@dataclass(frozen=True, slots=True)
class Script:
    """One exchange as it will run; ``head`` comes before the status line, ``steps`` are reads."""

    status: int = 200
    headers: Mapping[bytes, bytes] = field(default_factory=dict)
    head: UpstreamError | Pause | asyncio.Event | None = None
    steps: tuple[Step, ...] = ()


def answers(body: bytes = b"", headers: Mapping[bytes, bytes] = JSON) -> Script:
    """Script a whole answer."""
    return Script(200, headers, steps=(body or answer_body(),))


def streams(*steps: Step, headers: Mapping[bytes, bytes] = EVENTS) -> Script:
    """Script a stream; without ``steps``, a whole one that says "Hello there"."""
    return Script(200, headers, steps=steps or tuple(text_events("Hello", " there")))


def refuses(status: int, body: bytes = b"", headers: Mapping[bytes, bytes] = JSON) -> Script:
    """Script an error status."""
    return Script(status, headers, steps=(body or error_body(),))


def breaks(failure: UpstreamError) -> Script:
    """Script an exchange that never gets a status line."""
    return Script(head=failure)


def hangs() -> Script:
    """Script an exchange in which nothing ever comes back."""
    return Script(head=SILENCE)


class ScriptedReply:
    """Plays one script; see :class:`steadyhand.http.messages.UpstreamReply`.

    Attributes:
        closes: How often it was closed; once is right.
        gave_up_ats: Every point that the exchange's end was moved to.
    """

    def __init__(self, script: Script, give_up_at_s: float, waiting: asyncio.Event) -> None:
        self.status = script.status
        self.headers = dict(script.headers)
        self.closes = 0
        self.gave_up_ats: list[float] = []
        self._steps = list(script.steps)
        self._give_up_at_s = give_up_at_s
        self._waiting = waiting

    async def read(self) -> bytes:
        assert not self.closes, "a read after close"
        await asyncio.sleep(0)
        while self._steps and isinstance(self._steps[0], asyncio.Event):
            await play(self._steps.pop(0), self._give_up_at_s, self._waiting)
        step = self._steps.pop(0) if self._steps else b""
        return await play(step, self._give_up_at_s, self._waiting) or b""

    async def read_all(self, max_bytes: int) -> bytes:
        pieces = []
        while piece := await self.read():
            pieces.append(piece)
        body = b"".join(pieces)
        if len(body) > max_bytes:
            raise ResponseTooLarge(f"longer than {max_bytes} bytes")
        return body

    def give_up_at(self, at_s: float) -> None:
        self.gave_up_ats.append(at_s)
        self._give_up_at_s = at_s

    def close(self) -> None:
        self.closes += 1


async def play(step: Step | None, give_up_at_s: float, waiting: asyncio.Event) -> bytes | None:
    """Let one step happen.

    Raises:
        UpstreamError: The step is one, or a silence that lasted until it was given up.
    """
    if isinstance(step, UpstreamError):
        raise step
    if step is None or isinstance(step, bytes):
        return step
    waiting.set()
    opened = step if isinstance(step, asyncio.Event) else asyncio.Event()
    try:
        left_s = give_up_at_s - monotonic() if give_up_at_s < inf else 3600
        await asyncio.wait_for(opened.wait(), max(left_s, 0))
    except TimeoutError:
        raise GaveUp("nothing came in time") from None
    return None


class ScriptedProvider:
    """Plays its scripts one after another; see :class:`steadyhand.providers.base.Provider`.

    Attributes:
        calls: What it was asked.
        sent: The bodies it put on the wire: those of ``calls``, with its own model spliced in.
        limits: The times it was given, one for each call.
        replies: What it answered with, one for each call that got a status line.
        waiting: Set as soon as an exchange has fallen silent.
        is_closed: Whether its connections were closed.
    """

    def __init__(self, scripts: Sequence[Script]) -> None:
        self.calls: list[Call] = []
        self.sent: list[bytes] = []
        self.limits: list[Limits] = []
        self.replies: list[ScriptedReply] = []
        self.waiting = asyncio.Event()
        self.is_closed = False
        self._scripts = list(scripts)

    def plays(self, scripts: Sequence[Script]) -> None:
        """Play ``scripts`` from now on."""
        self._scripts = list(scripts)

    async def open(self, call: Call, limits: Limits) -> ScriptedReply:
        assert self._scripts, "called more often than scripted"
        self.calls.append(call)
        self.sent.append(splice.set_model(call.body, json.dumps(call.model).encode()))
        self.limits.append(limits)
        script = self._scripts.pop(0)
        await play(script.head, limits.give_up_at_s, self.waiting)
        reply = ScriptedReply(script, limits.give_up_at_s, self.waiting)
        self.replies.append(reply)
        return reply

    def classify(self, status: int, headers: Mapping[bytes, bytes], body: bytes) -> Failure:
        return failure(status, headers, body)

    async def close(self) -> None:
        self.is_closed = True
