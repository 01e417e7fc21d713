"""How plans and replays are shown by the REST API."""

from collections.abc import Sequence

import msgspec
from pydantic import BaseModel, Field

from steadyhand.records.record import Record
from steadyhand.routing.planning.action import Plan
from steadyhand.routing.planning.decision import Decision
from steadyhand.routing.planning.forecast import plan
from steadyhand.routing.planning.reasons import meaning
from steadyhand.routing.planning.replay import contradictions, name_of, replay
from steadyhand.routing.planning.situation import FLOOR, NEVER_US, Cost, Lineup, Situation
from steadyhand.routing.planning.whatif import changed


class StepView(BaseModel):
    """One rung in a plan; times in microseconds after the last byte of the request."""

    candidate: int = Field(description="place in the order of preference, from 0")
    rung: int = Field(description="number of its rung in the route, from 0")
    kind: str
    who: str = Field(description="the deployment, or the kind of a stored rung")
    action: str = Field(
        description="`start`, `prepare`, `hedge` or `harvest`; `skip` if it is planned around"
    )
    start_us: int | None = Field(description="if nobody before it speaks; null if it is skipped")
    until_us: int | None = Field(description="when it is given up; null for never")
    reason: str
    meaning: str = Field(description="the reason in words")
    p50_us: int | None = Field(description="what it usually takes; null if that is not known")
    p90_us: int | None
    p99_us: int | None
    samples: int = Field(description="what that was learned from; 0 for a prior")


class PlanView(BaseModel):
    """What happens if no rung says anything."""

    stream: bool
    budget_us: int = Field(description="0 for no deadline")
    sharing: str = Field(description="how the time is shared")
    meaning: str = Field(description="the same in words")
    floor_at_us: int | None = Field(description="when the floor speaks; null for never")
    steps: list[StepView]


class RoutePlanView(PlanView):
    """What a request to a route would find now."""

    route: str
    process: int | None = Field(description="gateway process whose view it is; null for none")
    age_s: float | None = Field(description="how old that view is")
    is_prior: bool = Field(description="whether no cost of a live rung has been learned yet")
    inputs: dict[str, object] = Field(description="all that the plan depends on")


class ClimbView(BaseModel):
    """One event of a climb."""

    at_us: int
    who: str
    kind: str = Field(description="`started`, `content`, `failed`, `gave_up`, `spoke` ...")
    detail: str
    reason: str = Field(description="why the planner told it; empty for what just happened")
    meaning: str


class PassedOverView(BaseModel):
    """A rung that was not asked."""

    who: str
    reason: str
    meaning: str


class ReplayView(BaseModel):
    """A decision made again, from what the record kept of its inputs."""

    request_id: str
    is_same: bool = Field(description="whether the planner decides as it did")
    differences: list[str] = Field(description="where not")
    changes: list[str] = Field(description="inputs that were changed first")
    plan: PlanView
    climb: list[ClimbView]
    passed_over: list[PassedOverView]
    inputs: dict[str, object] = Field(description="all that the plan depends on")


def replay_view(record: Record, decision: Decision, changes: Sequence[str]) -> ReplayView:
    """Make ``decision`` again, with ``changes``, and show it.

    Raises:
        InvalidValue: A change is not one.
    """
    situation = decision.situation
    for change in changes:
        situation = changed(situation, change)
    other = Decision(
        decision.version,
        situation.budget_us,
        situation.stream,
        situation.draw,
        Lineup(situation.policy, situation.candidates),
        decision.events,
    )
    again = replay(other)
    differences = [*again.differences]
    if not changes:
        differences += contradictions(decision, record)
    candidates = situation.candidates
    return ReplayView(
        request_id=record.request_id,
        is_same=not differences,
        differences=differences,
        changes=list(changes),
        plan=_shown(situation, again.plan),
        climb=[
            ClimbView(
                at_us=one.event.at_us,
                who=_who(situation, one.event.candidate),
                kind=one.event.kind,
                detail=one.event.detail,
                reason=one.reason if one.is_told else "",
                meaning=meaning(one.reason) if one.is_told else "",
            )
            for one in again.climb
        ],
        passed_over=[
            PassedOverView(who=name_of(candidates[place]), reason=why, meaning=meaning(why))
            for place, why in again.passed_over
        ],
        inputs=named(situation),
    )


def _who(situation: Situation, place: int) -> str:
    return "" if place == FLOOR else name_of(situation.candidates[place])


def plan_view(situation: Situation) -> PlanView:
    """Plan ``situation`` and show it."""
    return _shown(situation, plan(situation))


def _shown(situation: Situation, planned: Plan) -> PlanView:
    return PlanView(
        stream=situation.stream,
        budget_us=situation.budget_us,
        sharing=planned.reason,
        meaning=meaning(planned.reason),
        floor_at_us=_time(planned.floor_at_us),
        steps=[
            StepView(
                candidate=step.candidate,
                rung=candidate.rung,
                kind=candidate.kind,
                who=name_of(candidate),
                action=step.action,
                start_us=None if step.action == "skip" else step.start_us,
                until_us=None if step.action == "skip" else _time(step.until_us),
                reason=step.reason,
                meaning=meaning(step.reason),
                p50_us=_known(candidate.cost, candidate.cost.p50_us),
                p90_us=_known(candidate.cost, candidate.cost.p90_us),
                p99_us=_known(candidate.cost, candidate.cost.p99_us),
                samples=candidate.cost.samples,
            )
            for step in planned.steps
            for candidate in (situation.candidates[step.candidate],)
        ],
    )


def _time(at_us: int) -> int | None:
    return None if at_us >= NEVER_US else at_us


def _known(cost: Cost, quantile_us: int) -> int | None:
    return quantile_us if cost != Cost() else None


def named(situation: Situation) -> dict[str, object]:
    """Return ``situation`` as objects whose fields have their names."""
    fields = msgspec.structs.asdict(situation)
    fields["policy"] = msgspec.structs.asdict(situation.policy)
    fields["candidates"] = [
        msgspec.structs.asdict(one) | {"cost": msgspec.structs.asdict(one.cost)}
        for one in situation.candidates
    ]
    return fields
