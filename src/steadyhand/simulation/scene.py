"""One request as a behaviour sees it: its answer as bytes, framed and paced."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from steadyhand.simulation.answer import Answer, compose
from steadyhand.simulation.behaviour import Chosen
from steadyhand.simulation.chat import Heading, chunks, completion, encode
from steadyhand.simulation.complaint import JSON_TYPE
from steadyhand.simulation.draws import Draws
from steadyhand.simulation.request import ChatRequest
from steadyhand.simulation.steps import Bytes, Head, Header, Step, Wait

SSE_TYPE: Header = (b"content-type", b"text/event-stream; charset=utf-8")
DONE = b"[DONE]"
_PIECE = 7


@dataclass(frozen=True, slots=True)
class Style:
    """How events are written; each departure from OpenAI's own is legal SSE."""

    usage: str = "final"
    prefix: bytes = b"data: "
    line_end: bytes = b"\n"
    comments: bool = False
    spread: bool = False
    fragments: bool = False

    def frame(self, data: bytes) -> bytes:
        """Write one event."""
        if self.spread:
            data = data.replace(b",", b"\ndata: ,", 1).replace(b"{", b"{\ndata: ", 1)
        end = self.line_end
        framed = self.prefix + data + end + end
        return b": keep-alive" + end + end + framed if self.comments else framed


OPENAI = Style()
STYLES = {
    "usage-on-last-choice": Style(usage="last-choice"),
    "usage-every-chunk": Style(usage="every"),
    "choices-null-usage": Style(usage="null-choices"),
    "crlf": Style(line_end=b"\r\n"),
    "comments": Style(comments=True),
    "no-space": Style(prefix=b"data:"),
    "multi-line-data": Style(spread=True),
    "fragments": Style(fragments=True),
}


class Scene:
    """Everything a script draws on; each part is made when first needed."""

    def __init__(self, chosen: Chosen, request: ChatRequest, draws: Draws, now_s: float) -> None:
        """Hold the request and the moment it is answered at."""
        self.name = chosen.name
        self.dials = chosen.dials
        self.request = request
        self.stream = bool(request.stream)
        self.style = STYLES.get(chosen.name, OPENAI)
        self.draws = draws
        self.heading = Heading(
            id=f"chatcmpl-{draws.token('id')}",
            created=int(now_s),
            model=request.model,
            fingerprint="fp_simulated",
        )

    @cached_property
    def answer(self) -> Answer:
        """What the model says."""
        return compose(self.name, self.request, self.dials, self.draws)

    @cached_property
    def chunks(self) -> list[dict[str, Any]]:
        """The answer as chunks."""
        return list(chunks(self.heading, self.request, self.answer, self.style.usage))

    @cached_property
    def whole(self) -> dict[str, Any]:
        """The answer as one object."""
        return completion(self.heading, self.request, self.answer)

    def head(self, length: int | None = None, kind: Header | None = None) -> Head:
        """Return the head of a response under 200."""
        headers = (
            kind or (SSE_TYPE if self.stream else JSON_TYPE),
            (b"x-request-id", b"req_%s" % self.draws.token("request").encode()),
            (b"x-ratelimit-limit-requests", b"500"),
            (b"x-ratelimit-remaining-requests", b"499"),
        )
        return Head(200, headers, length)

    def first_wait(self) -> Iterator[Step]:
        """Wait as the dials say before a response begins."""
        wait_s = self.dials.first_wait_s(self.draws)
        if not self.stream and self.dials.gap_ms:
            wait_s += self.dials.gap_ms / 1000 * self.answer.completion_tokens()
        if wait_s > 0:
            yield Wait(wait_s)

    def events(self, values: Sequence[Any]) -> list[bytes]:
        """Write each value as an event; bytes are taken as they are."""
        frame = self.style.frame
        return [frame(v if isinstance(v, bytes) else encode(v)) for v in values]

    def paced(self, pieces: Sequence[bytes]) -> Iterator[Step]:
        """Send the pieces with a gap between them; without a gap, as one write."""
        if self.style.fragments:
            joined = b"".join(pieces)
            for start in range(0, len(joined), _PIECE):
                yield Bytes(joined[start : start + _PIECE])
        elif self.dials.gap_ms <= 0:
            yield Bytes(b"".join(pieces))
        else:
            for place, piece in enumerate(pieces):
                if place:
                    yield Wait(self.dials.gap_ms / 1000)
                yield Bytes(piece)
