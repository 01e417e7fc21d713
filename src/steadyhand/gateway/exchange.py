"""The one typed value that travels the request path; each stage returns it extended.

``Exchange`` is frozen. What happens *while* a stage waits (attempts, first content, tokens) is
noted in its :class:`Trail`, so that the record tells the truth even if the stage is cancelled.
"""

from collections.abc import Callable
from math import inf
from typing import Protocol

import msgspec

from steadyhand.core.chat import ChatRequest, Modality, Usage
from steadyhand.core.splice import Span
from steadyhand.core.trace_context import TraceParent
from steadyhand.gateway.climb.gear import Gear
from steadyhand.gateway.serving import Ladder, Serving
from steadyhand.gateway.tracing import Trace
from steadyhand.http.messages import Header, Reply, Request
from steadyhand.records.record import Attempt, Outcome
from steadyhand.routing.exposure import UNASSIGNED, Assigned
from steadyhand.tenancy.model import Key

NOBODY = Key(name="", tenant="", channel="", routes=())


class Trail(msgspec.Struct):
    """What has happened to a request so far; seconds are monotonic.

    The outcome is the worst until proven better.

    Attributes:
        attempts: Rungs tried, in order.
        first_content_s: When the first content was ready to leave, 0 if none was.
        ended_s: When the last answer byte was handed over, 0 if it was not.
        outcome: How it ended, as known so far.
        reason: The named reason of ``outcome``.
        rung: Kind of the rung that spoke.
        provider: Provider that spoke.
        model: Deployment's model that spoke.
        served_model: What upstream says it was.
        finish_reason: Of the first choice.
        usage: As counted upstream, or ``None``.
        status: HTTP status sent, 0 if none was.
        entry: Sequence of what stands in the record log already, 0 for nothing (``strict`` only).
        is_recorded: Whether that is the record: nothing has happened since that it does not tell.
        age_ms: Age of the stored answer that was sent, -1 if none was or it says nothing.
        confidence: 0 to 1 that a stored answer is one to the question, -1 if nobody doubts it.
        source: Where a reader can check a stored answer, or empty.
        decision: Returns what the record keeps of the climb; ``None`` before there is one. It
            refers to nothing that refers to this.
    """

    attempts: list[Attempt] = msgspec.field(default_factory=list)
    first_content_s: float = 0.0
    ended_s: float = 0.0
    outcome: Outcome = "failed"
    reason: str = "internal_error"
    rung: str = ""
    provider: str = ""
    model: str = ""
    served_model: str = ""
    finish_reason: str = ""
    usage: Usage | None = None
    status: int = 0
    entry: int = 0
    is_recorded: bool = False
    age_ms: int = -1
    confidence: float = -1.0
    source: str = ""
    decision: Callable[[], bytes] | None = None


class Ledger(Protocol):
    """Makes a request's record durable before its answer leaves: the ``strict`` durability.

    Each call but ``check`` puts an entry into the record log and waits until it is on disk.
    """

    def check(self) -> None:
        """Refuse at once if nothing can be made durable now.

        Raises:
            RecordsUnavailable: Before anything was asked of a provider.
        """
        ...

    async def intend(self, exchange: "Exchange") -> None:
        """Write that an answer begins: what is left of the request if the process dies now.

        Raises:
            RecordsUnavailable: It is not on disk; no byte may leave.
        """
        ...

    async def conclude(
        self, exchange: "Exchange", response_bytes: int, spoke: Attempt | None = None
    ) -> None:
        """Write how the request ends, as if its last ``response_bytes`` had just left.

        ``spoke`` is the attempt that ends with it. Returns in the turn in which the rest must be
        written: there is no wait between.

        Raises:
            RecordsUnavailable: It is not on disk; the answer may not be ended as a whole one.
        """
        ...


class Exchange(msgspec.Struct, frozen=True):
    """One chat request and all that is decided about it.

    Attributes:
        request: As received.
        reply: Where the answer goes.
        request_id: Ours.
        client_request_id: The client's, if it sent a usable one; echoed.
        serving: What is served from; the same from the first to the last byte.
        trail: What has happened so far.
        chat: What was read of the body.
        body: The body as it goes on to a provider.
        model_at: Where ``model`` stands in ``body``, or ``None`` once the body was edited.
        key: Rights of the caller (after ``admit``).
        ladder: What answers (after ``resolve``).
        deadline_s: Monotonic second of the latency budget (after ``resolve``).
        modality: What kind of answer is acceptable (after ``resolve``).
        forwarded: Request headers that go on to the provider.
        reply_headers: Headers that every reply to this client carries.
        ledger: What makes records durable before answers leave; ``None`` unless ``strict``.
        gear: What climbs share within this process.
        stream: Whether a stream was asked for.
        own_instructions: For each rung, messages that go before the client's for it alone; in place
            of the ladder's (after ``resolve``).
        as_asked: What was read of the body, if a prompt added to ``chat`` since; else ``None``.
        asked: What answers depend on and ``body`` does not show: a prompt's values, as JSON.
        assigned: Which arm of a channel answers, and by which draw (after ``resolve``).
        parent: What the client says of the trace it is in.
        trace: The trace with our spans in it; ``None`` if there will be none.
    """

    request: Request
    reply: Reply
    request_id: str
    client_request_id: str
    serving: Serving
    trail: Trail
    chat: ChatRequest
    body: bytes
    model_at: Span | None = None
    key: Key = NOBODY
    ladder: Ladder | None = None
    deadline_s: float = inf
    modality: Modality = "text"
    forwarded: tuple[Header, ...] = ()
    reply_headers: tuple[Header, ...] = ()
    ledger: "Ledger | None" = None
    gear: Gear = msgspec.field(default_factory=Gear)
    stream: bool = False
    own_instructions: tuple[bytes, ...] = ()
    as_asked: ChatRequest | None = None
    asked: bytes = b""
    assigned: Assigned = UNASSIGNED
    parent: TraceParent | None = None
    trace: Trace | None = None

    @property
    def asks_usage(self) -> bool:
        """Whether the client asked for usage in its stream."""
        options = self.chat.stream_options
        return options is not None and options.include_usage is True

    def answering_ladder(self) -> Ladder:
        """Return the ladder.

        Raises:
            RuntimeError: ``resolve`` has not run: the stages are in the wrong order.
        """
        if self.ladder is None:
            raise RuntimeError("the stage 'resolve' must come before this one")
        return self.ladder
