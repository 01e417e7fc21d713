"""The record: everything that is kept of one request. Consumers read it; nobody changes it.

Fields are appended, never reordered or reused: frames are arrays, and a log written by the last
version must be readable by this one.
"""

from typing import Literal

import msgspec

from steadyhand.core import trace_context
from steadyhand.core.trace_context import TraceParent

Outcome = Literal[
    "answered", "floor", "failed", "rejected", "truncated", "client_gone", "interrupted"
]
"""How a request ended.

``answered`` by a live rung; ``floor`` by the route's floor; ``failed`` with an error after the
ladder was tried; ``rejected`` before it (the caller's fault, or overload); ``truncated`` after
commit; ``client_gone`` when the client left first; ``interrupted`` when the process died and
nobody knows.
"""

DRILL = "drill"
"""``wire`` of a record that no caller asked for: of a rung that was exercised."""


class Attempt(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One try of one rung.

    Attributes:
        rung: Kind of the rung: ``live``, ``template`` ...
        provider: Name in the workspace, or empty for rungs that call nobody.
        model: The deployment's model, or empty.
        started_us: Microseconds after the request's last byte.
        ended_us: Microseconds after the request's last byte.
        status: HTTP status upstream, or 0 if there was none.
        reason: ``ok``, or why it failed.
        region: Of the deployment, or empty.
        role: ``first``, ``fallback``, ``hedge``, ``probe``, ``harvest`` or ``drill``.
        input_tokens: Prompt tokens, where they are not those of the answer.
        output_tokens: Completion tokens, where they are not those of the answer.
        usage: Whether the provider counted these (``reported``) or we did (``estimated``); empty
            where there are none.
    """

    rung: str
    provider: str
    model: str
    started_us: int
    ended_us: int
    status: int
    reason: str
    region: str = ""
    role: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    usage: str = ""


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One request, as it ran. Times in microseconds, sizes in bytes, tokens as counted upstream.

    Attributes:
        request_id: Ours; sorts by time.
        client_request_id: The ``x-request-id`` the client sent, or empty.
        received_us: Wall clock at the last request byte, microseconds since 1970.
        tenant: Owner of the key, or empty if the key was not accepted.
        key: Name of the key, or empty.
        channel: Channel of the key, or empty.
        route: Name of the route, or empty if none was found.
        wire: The API spoken: ``chat``, ``models`` ...; or :data:`DRILL`.
        requested_model: What the client wrote in ``model``, shortened to 200 characters.
        stream: Whether a stream was asked for.
        slo: Name of the SLO class, or empty.
        budget_us: The latency budget that applied, or 0 for none.
        in_time: Whether first content (stream) or the whole answer met the budget.
        status: HTTP status sent; 499 if the client left before one.
        outcome: See :data:`Outcome`.
        reason: Named reason of the outcome.
        rung: The rung that spoke, or empty.
        provider: Provider that answered, or empty.
        model: Deployment's model that answered, or empty.
        served_model: The model upstream says it was, or empty.
        release: Digest of the snapshot in force.
        attempts: Every rung tried, in order.
        first_content_us: After the last request byte; 0 if there was no content.
        total_us: From the last request byte to the last answer byte.
        input_tokens: Prompt tokens, cached ones included.
        output_tokens: Completion tokens, reasoning included.
        cached_tokens: The part of ``input_tokens`` read from the provider's cache.
        reasoning_tokens: The part of ``output_tokens`` spent on reasoning.
        finish_reason: Of the first choice, or empty.
        has_tools: Whether the request offered tools.
        has_schema: Whether the request asked for a JSON schema.
        request_bytes: Size of the request body.
        response_bytes: Size of the response body.
        process: Number of the gateway process.
        supersedes: Sequence, in the same log, of the entry that this one takes the place of; 0 for
            none. An entry with the outcome ``interrupted`` is an *intent*: written before the
            answer began, and true only if nothing supersedes it.
        decision: What the planner decided from, and what happened: msgpack of
            :class:`steadyhand.routing.planning.decision.Decision`; empty if no ladder was climbed.
        source: Where a stored answer is from, or empty.
        age_ms: Age of a stored answer; -1 for none.
        confidence: How sure a curated answer is of its question, 0 to 1; -1 for none.
        route_release: Digest of the registry's release that answered; empty for the workspace.
        arm: ``stable``, ``candidate`` or ``control`` on a channel that the registry feeds, whoever
            answered in the end; empty elsewhere. ``control`` is a slice of stable that the
            candidate is compared with.
        rollout: Salt of the candidate that is tried on the channel; empty if none is.
        unit: Who asked, as a number that only means something within ``rollout``; 0 without one.
        candidate_bp: Weight of the candidate when this was assigned, basis points: the probability
            that this unit gets it.
        slice_bp: Size of each slice that was compared then, basis points.
        controls: Number of control slices then.
        part: Number of the compared slice, each arm's from 0; -1 if it is in none.
        traceparent: What the client said of the trace it is in, if it said that well; else empty.
    """

    request_id: str
    client_request_id: str
    received_us: int
    tenant: str
    key: str
    channel: str
    route: str
    wire: str
    requested_model: str
    stream: bool
    slo: str
    budget_us: int
    in_time: bool
    status: int
    outcome: Outcome
    reason: str
    rung: str
    provider: str
    model: str
    served_model: str
    release: str
    attempts: tuple[Attempt, ...]
    first_content_us: int
    total_us: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    finish_reason: str
    has_tools: bool
    has_schema: bool
    request_bytes: int
    response_bytes: int
    process: int
    supersedes: int = 0
    decision: bytes = b""
    source: str = ""
    age_ms: int = -1
    confidence: float = -1.0
    route_release: str = ""
    arm: str = ""
    rollout: str = ""
    unit: int = 0
    candidate_bp: int = 0
    slice_bp: int = 0
    controls: int = 0
    part: int = -1
    traceparent: str = ""


def tried(record: Record) -> tuple[Attempt, ...]:
    """Return the attempts that asked their rung. The others say why one was planned around.

    Those have no role, beside a decision; records of versions without decisions have neither.
    """
    if not record.decision:
        return record.attempts
    return tuple(each for each in record.attempts if each.role or not each.provider)


def parent_of(record: Record) -> TraceParent | None:
    """Return where the request stood in a trace that its client had begun."""
    return trace_context.parse(record.traceparent.encode()) if record.traceparent else None


def trace_id(record: Record) -> str:
    """Return the id of the trace that the request belongs to: its client's, or one of ours."""
    parent = parent_of(record)
    return trace_context.own_trace_id(record.request_id) if parent is None else parent.trace_id
