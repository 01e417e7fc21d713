"""Say what one response was worth to its caller. Pure; docs/decisions/0040 says why so.

The letters, from best to worst:

====  ==========  ================================================================================
A     answered    A whole answer of a model, wire-valid and in time.
F     floor       The same, prepared by the gateway and marked as such in a header.
E     error       A typed error in time: an error status, or an error event in a stream.
L     late        Any of the above, but past its time.
B     broken      A caller can tell that it is no answer, but no error says so: connection lost,
                  not JSON, not an event stream, marks missing.
H     hang        No end within the client's patience.
X     lie         Reads as a whole answer and is none: cut, empty, or an error as an answer.
====  ==========  ================================================================================
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.failover.reading import Reading, Said, read_error, read_stream, read_whole

LETTERS = "AFELBHX"
HONEST = "AFELBH"
"""All but the lie: nothing in them is passed off as what it is not."""
IN_TIME = "AFE"

FIRST_CONTENT_US = 1_500_000
WHOLE_US = 10_000_000
"""The class ``interactive`` of Steadyhand: a stream speaks within the one, however long it then
takes; an answer that is not streamed is whole within the other."""
ALLOWANCE_US = 25_000
"""What the client may be late by itself: loopback, its own event loop, its timers."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One answer that is whole: what a model that is asked has to say.

    Attributes:
        calls: Name and arguments (JSON) of each tool call.
    """

    content: str = ""
    refusal: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    finish: str = "stop"

    def is_said(self, said: Said) -> bool:
        """Return whether ``said`` is this answer, whole and under its own finish reason."""
        return (
            said.content == self.content
            and said.refusal == self.refusal
            and [(name, _canonical(arguments)) for name, arguments in said.calls]
            == [(name, _canonical(arguments)) for name, arguments in self.calls]
            and (not said.finish or said.finish == self.finish)
        )

    def is_resumed(self, said: Said) -> bool:
        """Return whether ``said`` is a beginning of this answer and then the whole of it.

        That is what a caller gets if another model goes on where the first was cut.
        """
        begun = said.content.removesuffix(self.content)
        return (
            bool(self.content)
            and begun != said.content
            and said.finish == self.finish
            and self.content.startswith(begun)
        )


def _canonical(arguments: str) -> str:
    try:
        return json.dumps(json.loads(arguments), sort_keys=True)
    except ValueError:
        return arguments


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, with the microseconds after the request was sent.

    Attributes:
        status: 0 if there was no head.
        body: What came of it.
        arrivals: Time and length of the body so far, for each piece that came.
        is_whole: The message ended as HTTP says it ends.
        ended_us: When it did, or the connection was lost, or patience ended.
        gave_up: Patience ended.
        spoke: Value of the header by which a gateway says what answered, or empty.
    """

    status: int
    body: bytes
    arrivals: Sequence[tuple[int, int]]
    is_whole: bool
    ended_us: int
    gave_up: bool = False
    spoke: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """The worth of one response.

    Attributes:
        kind: Its letter, whatever the time it took: one of ``AFEBHX``.
        why: A few words, the same for the same reason.
        is_valid: It is an answer or an error in the documented form.
        first_us: When its first content was there, or its end if it has none.
        ended_us: When it ended.
    """

    kind: str
    why: str
    is_valid: bool
    first_us: int
    ended_us: int

    def letter(self, *, stream: bool, stalled_us: int = 0) -> str:
        """Return its letter, if the machine stood still for ``stalled_us`` of its time."""
        if self.kind not in IN_TIME:
            return self.kind
        reached_us, limit_us = (
            (self.first_us, FIRST_CONTENT_US) if stream else (self.ended_us, WHOLE_US)
        )
        return self.kind if reached_us - stalled_us <= limit_us + ALLOWANCE_US else "L"


def score(
    response: Response,
    answers: Sequence[Expected],
    prepared: Sequence[str],
    *,
    stream: bool,
) -> Score:
    """Judge a response.

    Args:
        response: What came back.
        answers: All answers that are whole.
        prepared: What the gateway may say by itself, if it marks it.
        stream: Whether a stream was asked for.
    """
    ended_us = response.ended_us
    if response.gave_up:
        return Score("H", "no end", is_valid=False, first_us=ended_us, ended_us=ended_us)
    if response.status != 200:
        return _refused(response)
    reading = read_stream(response.body) if stream else read_whole(response.body)
    kind, why, is_valid = _judge(response, reading, answers, prepared, stream=stream)
    return Score(kind, why, is_valid, _reached(response, reading.spoke_at), ended_us)


def _refused(response: Response) -> Score:
    ended_us = response.ended_us
    if not response.status or not response.is_whole:
        why = "connection lost" if response.status else "connection lost before a head"
        return Score("B", why, is_valid=False, first_us=ended_us, ended_us=ended_us)
    why, is_valid = f"status {response.status}", bool(read_error(response.body))
    return Score("E", why, is_valid, first_us=ended_us, ended_us=ended_us)


def _reached(response: Response, length: int) -> int:
    """Return when so much of the body was there; its end if it never was."""
    if length < 0:
        return response.ended_us
    return next((at for at, size in response.arrivals if size >= length), response.ended_us)


def _judge(
    response: Response,
    reading: Reading,
    answers: Sequence[Expected],
    prepared: Sequence[str],
    *,
    stream: bool,
) -> tuple[str, str, bool]:
    """Return letter, reason and whether the form is valid, whatever the time."""
    if stream and reading.error:
        return "E", "error event", not reading.problem
    if not response.is_whole:
        return "B", "connection lost", False
    if reading.problem and not _reads_on(reading):
        return "B", reading.problem, False
    known = _known(reading.said, answers, prepared, response.spoke)
    if not known:
        return "X", _lie(reading), False
    if reading.problem:
        return "B", reading.problem, False
    if not reading.said.finish:
        return "B", "no finish reason", False
    if not reading.is_done:
        return "B", "no [DONE]", False
    return known, "whole", True


def _reads_on(reading: Reading) -> bool:
    """Return whether a client would not notice the problem that was found."""
    return reading.problem.startswith(("finish reason", "chunks of different ids"))


def _known(said: Said, answers: Sequence[Expected], prepared: Sequence[str], spoke: str) -> str:
    if any(answer.is_said(said) or answer.is_resumed(said) for answer in answers):
        return "A"
    return "F" if spoke and said.content in prepared and not said.calls else ""


def _lie(reading: Reading) -> str:
    if not reading.said.is_anything():
        return "empty, as if whole"
    if reading.said.finish or reading.is_done:
        return "not the whole answer, marked whole"
    return "not the whole answer, ends without a word"
