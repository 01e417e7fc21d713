"""Every behaviour a simulated model can have, by the name that asks for it.

A model's name is ``<behaviour>[:name=value,name=value]``: ``steady``, ``steady:ttft_ms=200``,
``drip:gap_ms=100``. Each row says what a caller that reads carefully ends up with, streamed and
plain; the tests play every row on both players and hold it to that.
"""

from dataclasses import dataclass
from difflib import get_close_matches

from steadyhand.simulation.dials import BadDial, Dials, tuned
from steadyhand.simulation.request import Refusal

ANSWER = "answer"
REFUSAL = "answer with a refusal"
ERROR_BODY = "error body under 200"
ERROR_EVENT = "error event"
TRUNCATED = "ends cleanly, incomplete"
MALFORMED = "malformed"
NOT_HTTP = "malformed_response"
LOST = "connection_lost"
REFUSED = "connect_failed"
UNREACHABLE = "connect_timeout"
SILENT = "first_byte_timeout"
STALLED = "idle_timeout"
ENDLESS = "total_timeout"
VARIES = "varies"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One row of the table.

    Attributes:
        name: What the model is called.
        does: One sentence for the reference page.
        streamed: What the caller of a stream ends up with.
        plain: What a caller that does not stream ends up with.
        preset: Its own values of :class:`~steadyhand.simulation.dials.Dials`.
    """

    name: str
    does: str
    streamed: str = ANSWER
    plain: str = ANSWER
    preset: str = ""


def _status(name: str, status: int, does: str) -> Behaviour:
    return Behaviour(name, does, f"status {status}", f"status {status}")


_HEALTHY = (
    Behaviour("steady", "Answers at once, well-formed, repeating the question."),
    Behaviour("quote", "Answers with the sentence of its instructions nearest to the question."),
    Behaviour("slow", "Takes 3 s before the response begins.", preset="ttft_ms=3000"),
    Behaviour("drip", "One token each half second.", preset="gap_ms=500"),
    Behaviour("reasoning", "Thinks aloud in `reasoning_content` before it answers."),
    Behaviour("refusal", "Declines in the `refusal` field.", REFUSAL, REFUSAL),
    Behaviour("content-filter", "Stops half-way with finish reason `content_filter`."),
    Behaviour("unicode-separators", "U+2028, U+2029 and U+0085 unescaped within the text."),
    Behaviour("usage-on-last-choice", "Usage on the last chunk that has a choice."),
    Behaviour("usage-every-chunk", "Usage so far on every chunk."),
    Behaviour("choices-null-usage", "`choices: null` in the usage chunk."),
    Behaviour("crlf", "Lines of the stream end in CR LF."),
    Behaviour("comments", "Comment lines between events."),
    Behaviour("no-space", "No space after `data:`."),
    Behaviour("multi-line-data", "Each event's JSON spread over three `data:` lines."),
    Behaviour("fragments", "Writes of 7 bytes, so that events and characters arrive in pieces."),
)

_SILENT = (
    Behaviour("silent-before-headers", "Takes the request, sends nothing.", SILENT, SILENT),
    Behaviour("silent-after-headers", "Sends the head, then nothing.", STALLED, STALLED),
    Behaviour("silent-mid-body", "Sends a part, then nothing.", STALLED, STALLED),
    Behaviour("endless", "Never stops sending; a token each 10 ms.", ENDLESS, ENDLESS, "gap_ms=10"),
)

_CUT = (
    Behaviour("cut-mid-word", "Connection closed within a word.", LOST, LOST),
    Behaviour("cut-mid-tool-call", "Connection closed within a call's arguments.", LOST, LOST),
    Behaviour("end-mid-word", "Ends cleanly within a word.", TRUNCATED, MALFORMED),
    Behaviour("no-finish", "Ends with `[DONE]` but no finish reason.", TRUNCATED, TRUNCATED),
    Behaviour("no-done", "Finish reason, but no `[DONE]`.", TRUNCATED),
    Behaviour("wrong-length-short", "Declares less than it sends.", TRUNCATED, MALFORMED),
    Behaviour("wrong-length-long", "Declares more than it sends, then closes.", LOST, LOST),
    Behaviour("reset-before-headers", "Connection reset before any byte.", LOST, LOST),
    Behaviour("reset-mid-body", "Connection reset within the body.", LOST, LOST),
    Behaviour("refused", "No connection; over a socket, reset as soon as asked.", REFUSED, REFUSED),
    Behaviour("unreachable", "Not even refused; silence over a socket.", UNREACHABLE, UNREACHABLE),
)

_WRONG = (
    Behaviour("error-200", "An error body under 200.", ERROR_BODY, ERROR_BODY),
    Behaviour("error-first-event", "The first event is an error.", ERROR_EVENT, ERROR_BODY),
    Behaviour("error-mid-stream", "An error event after some text.", ERROR_EVENT, ERROR_BODY),
    Behaviour("html-200", "A page of HTML under 200.", MALFORMED, MALFORMED),
    Behaviour("malformed-json", "A body, or each event, that is not JSON.", MALFORMED, MALFORMED),
    Behaviour("malformed-event", "One event amid good ones is not JSON.", MALFORMED, MALFORMED),
    Behaviour("invalid-utf8", "Bytes within the text that are not UTF-8.", MALFORMED, MALFORMED),
    Behaviour("empty-body", "200 and nothing else.", TRUNCATED, MALFORMED),
    Behaviour("oversized", "64 MB of answer; in a stream, in one event.", ANSWER, ANSWER),
    Behaviour("not-http", "Bytes that are not HTTP.", NOT_HTTP, NOT_HTTP),
)

_REFUSING = (
    _status("rate-limit", 429, "Too fast, with `retry-after`, `retry-after-ms`, `x-ratelimit-*`."),
    _status("rate-limit-bare", 429, "Too fast, without any header that says how long."),
    _status("quota", 429, "`insufficient_quota`: no wait will help."),
    _status("error-400", 400, "The request is at fault."),
    _status("context-length", 400, "`context_length_exceeded`."),
    _status("error-401", 401, "The key is wrong; the message echoes a part of it."),
    _status("error-403", 403, "The key may not do this."),
    _status("error-404", 404, "`model_not_found`."),
    _status("error-408", 408, "The server waited too long for the request."),
    _status("error-413", 413, "The request is too large."),
    _status("error-422", 422, "The request is understood but cannot be processed."),
    _status("error-500", 500, "The server failed."),
    _status("error-502", 502, "A proxy's page of HTML."),
    _status("error-503", 503, "Overloaded, with `retry-after`."),
    _status("error-504", 504, "A proxy gave up; no body."),
    _status("error-529", 529, "Overloaded, in a status of its own."),
)

_MIXED = (
    Behaviour("flap", "Healthy and `error-500` in turns, by the clock.", VARIES, VARIES),
    Behaviour("random", "A share of requests meets one of the faults.", VARIES, VARIES),
)

BEHAVIOURS = {row.name: row for row in (*_HEALTHY, *_SILENT, *_CUT, *_WRONG, *_REFUSING, *_MIXED)}
GROUPS = {
    "Healthy": _HEALTHY,
    "Silence": _SILENT,
    "Cut and broken connections": _CUT,
    "Wrong content under 200": _WRONG,
    "Error statuses": _REFUSING,
    "Mixed": _MIXED,
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A behaviour with its parameters set."""

    name: str
    dials: Dials


def choose(model: str, dials: Dials) -> Chosen:
    """Read a model name; ``dials`` hold what the name and the behaviour leave open.

    Raises:
        Refusal: 404 for a name that is no behaviour, 400 for a parameter that makes no sense.
    """
    name, _, settings = model.partition(":")
    behaviour = BEHAVIOURS.get(name)
    if behaviour is None:
        near = get_close_matches(name, BEHAVIOURS, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise Refusal(
            404,
            f"The model '{model}' does not exist or you do not have access to it.{hint}",
            code="model_not_found",
        )
    try:
        return Chosen(name, tuned(tuned(dials, behaviour.preset), settings))
    except BadDial as error:
        raise Refusal(400, f"{error}.", code="invalid_value", param="model") from None
