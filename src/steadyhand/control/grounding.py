"""REST of grounding: how many sampled answers were ungrounded, which ones, and what they said."""

from collections.abc import Callable, Collection
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from steadyhand.core.errors import InvalidRequest, NotFound
from steadyhand.evals.grounding.finding import context_of
from steadyhand.evals.grounding.score import scored_claims
from steadyhand.evals.grounding.store import Kept, SampleStore, Which
from steadyhand.registry.writer import RoleMissing
from steadyhand.tenancy.principals import Principal

HOUR_US = 3_600_000_000
REQUEST_ID = "^req_[0-9a-z]{10,40}$"
VERDICTS = "^(grounded|ungrounded|not_measured)$"


class NothingNamed(InvalidRequest):
    """A deletion names neither a route nor a tenant."""

    code, status = "nothing_named", 422


class RateView(BaseModel):
    """How many sampled answers of a release were ungrounded: a proxy for hallucination."""

    route: str
    release: str = Field(description="digest of the registry's release; empty for the workspace")
    ungrounded: int
    grounded: int
    not_measured: int = Field(description="neither: see the reasons of the samples")
    ungrounded_percent: float | None = Field(
        description="of the measured answers, each weighed by the probability of its sample; null "
        "if none was measured"
    )
    low_percent: float = Field(description="lower end of its interval, 95 % (Wilson)")
    high_percent: float = Field(description="upper end")
    least_percent: float = Field(description="if all that was not measured were grounded")
    most_percent: float = Field(description="if none of it were")


class RateList(BaseModel):
    """Rates, by route and release."""

    items: list[RateView]


class SampledAnswerView(BaseModel):
    """What a sampled answer was found to be, without its content."""

    request_id: str
    tenant: str
    route: str
    release: str
    sampled_us: int = Field(description="microseconds since 1970")
    expires_us: int = Field(description="when the sample is deleted")
    probability: float = Field(description="with which it was drawn")
    verdict: str
    reason: str = Field(description="why it is not measured, else empty")
    by: str = Field(description="check or judge whose word counts")
    claims: int
    ungrounded_claims: int
    score: float | None = Field(description="lowest of a claim, 0 to 1")
    judged: str = Field(description="what came of asking the judge; empty if it was not asked")


class SampledAnswerList(BaseModel):
    """Findings, newest first."""

    items: list[SampledAnswerView]


class ClaimView(BaseModel):
    """One claim of an answer."""

    text: str
    score: float
    verdict: str


class SampleView(SampledAnswerView):
    """A sampled answer with what it said, and what it should stand in."""

    answer: str
    context: list[str] = Field(description="labelled parts of the messages, then curated answers")
    sources: list[str] = Field(description="citations of these curated answers")
    scores: list[ClaimView] = Field(description="each claim as the check of today scores it")
    explanation: str = Field(description="the judge's")


class Deleted(BaseModel):
    """How many samples were deleted."""

    deleted: int


def router(store: SampleStore, clock: Callable[[], float], login: Any) -> APIRouter:
    """Make the router; ``login`` is the dependency that tells who is asking."""
    routes = APIRouter(prefix="/grounding", tags=["grounding"])
    _look(routes, store, clock, Annotated[Principal, login])
    _delete(routes, store, Annotated[Principal, login])
    return routes


def _look(routes: APIRouter, store: SampleStore, clock: Callable[[], float], by: Any) -> None:
    @routes.get("/rates", summary="Rates of ungrounded answers", operation_id="grounding_rates")
    def grounding_rates(
        principal: by,
        route: str | None = None,
        hours: Annotated[float, Query(gt=0, le=2_160)] = 24.0,
    ) -> RateList:
        now_us = round(clock() * 1e6)
        since_us = now_us - round(hours * HOUR_US)
        which = Which(_tenants(principal), route, since_us=since_us)
        items = [
            RateView(
                route=name,
                release=release,
                ungrounded=found.ungrounded,
                grounded=found.grounded,
                not_measured=found.not_measured,
                ungrounded_percent=None if found.share is None else found.share * 100,
                low_percent=found.low * 100,
                high_percent=found.high * 100,
                least_percent=found.least * 100,
                most_percent=found.most * 100,
            )
            for (name, release), found in store.rates(which, now_us=now_us).items()
        ]
        return RateList(items=items)

    @routes.get("/samples", summary="List sampled answers", operation_id="list_samples")
    def list_samples(
        principal: by,
        route: str | None = None,
        verdict: Annotated[str | None, Query(pattern=VERDICTS)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> SampledAnswerList:
        which = Which(_tenants(principal), route, verdict)
        found = store.list(which, now_us=round(clock() * 1e6), limit=limit)
        return SampledAnswerList(items=[SampledAnswerView(**_finding(one)) for one in found])

    @routes.get(
        "/samples/{request_id}",
        summary="Show a sampled answer",
        operation_id="show_sample",
        description="With messages and answer; takes the role operator.",
    )
    def show_sample(
        request_id: Annotated[str, Path(pattern=REQUEST_ID)], principal: by
    ) -> SampleView:
        if not principal.may("operator"):
            raise RoleMissing(
                f"{principal.name} has not the role operator",
                hint="a sample has what callers wrote; findings without it are in the list",
            )
        which = Which(_tenants(principal), request_id=request_id)
        found = store.list(which, now_us=round(clock() * 1e6), limit=1)
        if not found:
            raise _gone(request_id)
        return _sample(found[0])


def _delete(routes: APIRouter, store: SampleStore, by: Any) -> None:
    @routes.delete(
        "/samples/{request_id}", summary="Delete a sampled answer", operation_id="delete_sample"
    )
    def delete_sample(
        request_id: Annotated[str, Path(pattern=REQUEST_ID)], principal: by
    ) -> Deleted:
        count = store.delete(Which(_tenants(principal), request_id=request_id))
        if not count:
            raise _gone(request_id)
        return Deleted(deleted=count)

    @routes.delete("/samples", summary="Delete sampled answers", operation_id="delete_samples")
    def delete_samples(
        principal: by, route: str | None = None, tenant: str | None = None
    ) -> Deleted:
        if route is None and tenant is None:
            raise NothingNamed("name a route or a tenant", hint="?route=NAME or ?tenant=NAME")
        tenants, own = ({tenant} if tenant is not None else None), _tenants(principal)
        if own is not None:
            tenants = set(own) if tenants is None else tenants & set(own)
        return Deleted(deleted=store.delete(Which(tenants, route)))


def _tenants(principal: Principal) -> Collection[str] | None:
    """Return whose samples a principal may have to do with, ``None`` for everybody's."""
    return principal.tenants or None


def _gone(request_id: str) -> NotFound:
    return NotFound(
        f"there is no sample of {request_id}",
        hint="it was not drawn, is not checked yet, or has expired",
    )


def _finding(kept: Kept) -> dict[str, Any]:
    finding, sample, check = kept.finding, kept.sample, kept.finding.check
    return {
        "request_id": finding.request_id,
        "tenant": sample.tenant,
        "route": sample.route,
        "release": sample.release,
        "sampled_us": finding.sampled_us,
        "expires_us": kept.expires_us,
        "probability": sample.probability,
        "verdict": finding.verdict,
        "reason": finding.reason,
        "by": finding.by,
        "claims": check.claims,
        "ungrounded_claims": check.ungrounded,
        "score": check.score,
        "judged": finding.judged,
    }


def _sample(kept: Kept) -> SampleView:
    sources = kept.finding.sources
    context = context_of(kept.sample, sources)
    claims = scored_claims(kept.sample.answer, context)
    scores = [ClaimView(text=one.text, score=one.score, verdict=one.state) for one in claims]
    return SampleView(
        **_finding(kept),
        answer=kept.sample.answer,
        context=context,
        sources=[source.name for source in sources],
        scores=scores,
        explanation=kept.finding.explanation,
    )
