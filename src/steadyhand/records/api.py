"""REST of the records: what ran, request by request.

Endpoints are plain functions: the store blocks, so FastAPI runs them in its thread pool.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Protocol

import msgspec
from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from steadyhand.core.errors import NotFound
from steadyhand.records.annotation import (
    Annotation,
    Counting,
    Feedback,
    Grounding,
    LateUsage,
    body_of,
    heard,
)
from steadyhand.records.explanation import PassedOver, explanation
from steadyhand.records.record import DRILL, Outcome, Record, trace_id
from steadyhand.records.selection import RecordFilter
from steadyhand.records.store import RecordStore

MAX_LIMIT = 500


class RecordPorts(Protocol):
    """What the router needs; filled by the control plane."""

    @property
    def records(self) -> RecordStore:
        """The records that have been shipped."""
        ...

    def passed_over(self, record: Record) -> Sequence[PassedOver]:
        """Return the rungs that were planned around, by the record's own decision."""
        ...


class AttemptView(BaseModel):
    """One try of one rung; times in microseconds after the last byte of the request."""

    rung: str = Field(description="kind of the rung")
    provider: str = Field(description="empty for rungs that call nobody")
    model: str
    started_us: int
    ended_us: int
    status: int = Field(description="HTTP status upstream, 0 if there was none")
    reason: str = Field(description="`ok`, or why it failed")
    region: str = Field(description="of the deployment, or empty")
    role: str = Field(description="`first`, `fallback`, `hedge`, `probe`, `harvest` or `drill`")
    input_tokens: int = Field(description="where they are not those of the answer")
    output_tokens: int = Field(description="where they are not those of the answer")
    usage: str = Field(description="`reported` by the provider, `estimated`, or empty for none")


class RequestView(BaseModel):
    """One request, as it ran. Times in microseconds, sizes in bytes, tokens as counted upstream."""

    request_id: str
    client_request_id: str = Field(description="the `x-request-id` that the client sent, or empty")
    received_at: datetime = Field(description="`received_us` in ISO 8601")
    received_us: int = Field(description="wall clock at the last request byte, since 1970")
    tenant: str
    key: str = Field(description="name of the key")
    channel: str
    route: str
    wire: str = Field(description="the API spoken: `chat`, `models` ...")
    requested_model: str
    stream: bool
    slo: str
    budget_us: int = Field(description="the latency budget, 0 for none")
    in_time: bool
    status: int = Field(description="HTTP status sent; 499 if the client left before one")
    outcome: Outcome
    reason: str = Field(description="named reason of the outcome")
    rung: str = Field(description="the rung that spoke, or empty")
    provider: str
    model: str
    served_model: str = Field(description="the model that upstream says it was")
    release: str = Field(description="digest of the snapshot in force")
    attempts: list[AttemptView]
    first_content_us: int = Field(description="after the last request byte; 0 if no content")
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
    supersedes: int = Field(
        description="sequence of the log entry that this one took the place of; 0 for none"
    )
    source: str = Field(description="where a stored answer is from, or empty")
    age_ms: int = Field(description="age of a stored answer; -1 for none")
    confidence: float = Field(
        description="how sure a curated answer is of its question, 0 to 1; -1 for none"
    )
    route_release: str = Field(
        description="digest of the registry's release that answered; empty for the workspace"
    )
    arm: str = Field(
        description="`stable`, `candidate` or `control` (a slice of stable that is compared); "
        "empty where the workspace answers"
    )
    rollout: str = Field(description="salt of the candidate that is tried; empty if none is")
    unit: int = Field(description="who asked, as a number that only means something within it")
    candidate_bp: int = Field(description="weight of the candidate then, in 1/10000")
    slice_bp: int = Field(description="size of each compared slice then, in 1/10000")
    controls: int = Field(description="number of control slices then")
    part: int = Field(description="number of its compared slice; -1 if it is in none")
    traceparent: str = Field(description="of the trace that the client began, or empty")
    trace_id: str = Field(description="of its spans, where traces are sent")
    has_decision: bool = Field(description="whether `/requests/{request_id}/replay` can replay it")


class LateUsageView(BaseModel):
    """Tokens that were spent on a request and are not in its record, which was made before."""

    tenant: str
    route: str
    provider: str
    model: str
    region: str
    role: str = Field(description="what they were spent on: `hedge`, `harvest` ...")
    input_tokens: int
    output_tokens: int
    counting: Counting = Field(description="whether the provider counted them or the gateway did")


class FeedbackView(BaseModel):
    """What a caller said of an answer."""

    key: str = Field(description="name of the key that said it")
    id: str = Field(description="the caller's own")
    thumbs: str = Field(description="`up`, `down` or empty")
    rating: int = Field(description="1 to 5; 0 for none")
    escalated: bool | None
    task_completed: bool | None
    correction: str = Field(description="what the answer should have been, or empty")


class GroundingView(BaseModel):
    """What a sampled answer was found to be."""

    verdict: str = Field(description="`grounded`, `ungrounded` or `not_measured`")
    reason: str = Field(description="why it is not measured, else empty")
    probability: float = Field(description="with which the answer was sampled")
    by: str = Field(description="check or judge whose word counts")
    claims: int
    ungrounded: int = Field(description="of the claims")
    score: float = Field(description="lowest of a claim, 0 to 1; -1 of none")
    judged: str = Field(description="what came of asking the judge; empty if it was not asked")


class AnnotationView(BaseModel):
    """What became known of a request after its record."""

    kind: str = Field(
        description="`late_usage`: tokens of work that ended after the record; `feedback`; "
        "`grounding`: what a sampled answer was found to be"
    )
    made_us: int = Field(description="wall clock, microseconds since 1970")
    late_usage: LateUsageView | None = Field(description="null for every other kind")
    feedback: FeedbackView | None = Field(description="null for every other kind")
    grounding: GroundingView | None = Field(description="null for every other kind")


class ExplainedRequest(RequestView):
    """One request, with the story of its ladder."""

    annotations: list[AnnotationView] = Field(description="oldest first")
    explanation: str = Field(description="the ladder as text")


class RequestPage(BaseModel):
    """Some requests, newest first."""

    items: list[RequestView]
    next_cursor: str | None = Field(description="pass as `cursor` for older ones; null at the end")
    total: int | None = Field(description="how many match in all; null unless `count` was asked")


class RequestQuery(BaseModel):
    """Which requests are wanted; what is left out is not filtered by."""

    model_config = ConfigDict(extra="forbid")  # a misspelt filter must not list everything

    tenant: str | None = None
    route: str | None = None
    outcome: Outcome | None = None
    rung: str | None = Field(None, description="kind of the rung that spoke")
    provider: str | None = Field(None, description="provider that answered")
    status: int | None = Field(None, ge=100, le=599)
    wire: str | None = Field(None, description="`chat`, or `drill`; drills are left out otherwise")
    since: AwareDatetime | None = Field(None, description="received then or later")
    until: AwareDatetime | None = Field(None, description="received before")
    limit: int = Field(50, ge=1, le=MAX_LIMIT)
    cursor: str | None = Field(None, description="`next_cursor` of the page before")
    count: bool = Field(default=False, description="count all that match; reads them all")

    def wanted(self) -> RecordFilter:
        """Return these wishes as the store takes them."""
        return RecordFilter(
            tenant=self.tenant,
            route=self.route,
            outcome=self.outcome,
            rung=self.rung,
            provider=self.provider,
            status=self.status,
            wire=self.wire,
            wire_not=DRILL if self.wire is None else None,
            since_us=_microseconds(self.since),
            until_us=_microseconds(self.until),
        )


_SHOWN = tuple(GroundingView.model_fields)


def router(ports: RecordPorts) -> APIRouter:
    """Make the requests' router."""
    routes = APIRouter(prefix="/requests", tags=["requests"])

    @routes.get("", summary="List requests, newest first", operation_id="list_requests")
    def list_requests(query: Annotated[RequestQuery, Query()]) -> RequestPage:
        wanted = query.wanted()
        page = ports.records.list(wanted, limit=query.limit, before=query.cursor)
        return RequestPage(
            items=[RequestView.model_validate(_fields(row.record)) for row in page.records],
            next_cursor=page.before,
            total=ports.records.count(wanted) if query.count else None,
        )

    @routes.get("/{request_id}", summary="Show a request", operation_id="show_request")
    def show_request(request_id: str) -> ExplainedRequest:
        found = ports.records.show(request_id)
        if found is None:
            raise NotFound(
                f"no request {request_id!r}",
                hint="it may not have been shipped yet, which takes seconds; or it has expired",
            )
        notes = heard(ports.records.annotations_of(request_id), found.record.tenant)
        more = {
            "annotations": [_annotation(note) for note in notes],
            "explanation": explanation(found.record, notes, ports.passed_over(found.record)),
        }
        return ExplainedRequest.model_validate(_fields(found.record) | more)

    return routes


def _fields(record: Record) -> dict[str, object]:
    fields = msgspec.structs.asdict(record)
    fields["has_decision"] = bool(fields.pop("decision"))
    fields["trace_id"] = trace_id(record)
    fields["attempts"] = [msgspec.structs.asdict(attempt) for attempt in record.attempts]
    fields["received_at"] = datetime.fromtimestamp(record.received_us / 1e6, tz=UTC)
    return fields


def _annotation(note: Annotation) -> AnnotationView:
    body = body_of(note)
    usage = feedback = grounding = None
    if isinstance(body, LateUsage):
        usage = LateUsageView.model_validate(msgspec.structs.asdict(body))
    elif isinstance(body, Feedback):
        feedback = FeedbackView.model_validate(msgspec.structs.asdict(body))
    elif isinstance(body, Grounding):
        fields = msgspec.structs.asdict(body)
        grounding = GroundingView.model_validate({key: fields[key] for key in _SHOWN})
    return AnnotationView(
        kind=note.kind,
        made_us=note.made_us,
        late_usage=usage,
        feedback=feedback,
        grounding=grounding,
    )


def _microseconds(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1e6)
