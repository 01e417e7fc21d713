"""Rollouts and incidents as the REST API shows them."""

from collections.abc import Sequence
from math import exp
from typing import Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from steadyhand.control.registry.views import DIGITS, NAME
from steadyhand.records.exposures.model import CANDIDATE, COMPARED, CONTROL, STABLE
from steadyhand.rollouts.assessment import enabled
from steadyhand.rollouts.certificate import Look
from steadyhand.rollouts.incident import Incident
from steadyhand.rollouts.model import ANY, Rollout

ID = "[0-9a-z_]{4,40}"
MOST_POINTS = 240
_MOST = 50.0
"""E-values are shown up to e to this power."""


class StartRequest(BaseModel):
    """A rollout to begin."""

    model_config = ConfigDict(extra="forbid")

    route: str = Field(pattern=f"^{NAME}$")
    environment: str = Field(pattern=f"^{NAME}$")
    digest: str = Field(
        pattern=f"^({DIGITS})$", description="of the release; its first digits suffice"
    )
    note: str = Field(default="", max_length=2_000)
    hot: bool = Field(
        default=False,
        description="pass over the cool-down after a roll-back, and a spent error budget",
    )


class OrderRequest(BaseModel):
    """Why something is ordered."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field(default="", max_length=2_000)


class ForceRequest(BaseModel):
    """What is to be done whatever the evidence says."""

    model_config = ConfigDict(extra="forbid")

    decision: str = Field(pattern="^(promote|roll_back)$")
    note: str = Field(min_length=1, max_length=2_000, description="why")


class VerdictView(BaseModel):
    """What the evidence says."""

    decision: str = Field(description="promote, roll_back, hold, inconclusive or error")
    reason: str
    message: str
    pages: bool = Field(description="whether a person is called")


class MetricView(BaseModel):
    """One metric, over the whole rollout. Units that had it for the first time."""

    name: str
    candidate: int
    control: int
    worse: float = Field(description="e-value against: no worse than the control")
    no_worse: float | None = Field(description="e-value for the candidate; null for `any`")


class ArmView(BaseModel):
    """One arm, over the whole rollout."""

    arm: str
    requests: int
    bad: int = Field(description="requests with a bad event of any kind")


class LookView(BaseModel):
    """The evidence as it was seen last."""

    at_us: int
    against: float = Field(description="e-value against the candidate, all metrics together")
    beyond_slo: float = Field(description="e-value against: within the service level")
    breach_s: float = Field(description="for how long the service level has been breached")
    skewed: float = Field(description="e-value against: units are spread as they should be")
    rolls_back_at: float
    promotes_at: float
    metrics: list[MetricView]
    arms: list[ArmView]


class LookPointView(BaseModel):
    """One look at the evidence, for a line over time."""

    at_us: int
    against: float = Field(description="e-value against the candidate, all metrics together")
    for_candidate: float | None = Field(
        description="least e-value for it, over the metrics; null before any"
    )
    beyond_slo: float
    skewed: float
    candidate_requests: int
    candidate_bad: int
    control_requests: int
    control_bad: int


class LookList(BaseModel):
    """The path of the evidence, oldest first."""

    items: list[LookPointView]
    looks: int = Field(description="how many there were; of many, some are left out evenly")
    rolls_back_at: float | None = Field(
        description="what `against` or `beyond_slo` must reach; null before the first look"
    )
    promotes_at: float | None


class RolloutView(BaseModel):
    """One rollout."""

    id: str
    route: str
    environment: str
    candidate: str
    stable: str = Field(description="empty for a first release")
    phase: str
    step: int = Field(description="from 0")
    steps: int
    weight_percent: float
    is_paused: bool
    opened_us: int
    opened_by: str
    step_us: int
    ended_us: int
    outcome: str = Field(description="promoted, rolled_back, aborted or empty")
    reason: str
    by: str = Field(description="who forced or aborted it; empty for nobody")
    note: str
    verdict: VerdictView
    commit: str = Field(description="that took it back; empty if none did")
    incident: str
    work: dict[str, Any] = Field(description="how far a roll-back is; times in microseconds")
    policy: dict[str, Any]
    look: LookView | None = Field(default=None, description="null in lists and before the first")


class RolloutList(BaseModel):
    """Rollouts, newest first."""

    items: list[RolloutView]


class IncidentView(BaseModel):
    """One incident."""

    id: str
    rollout: str
    route: str
    environment: str
    opened_us: int
    closed_us: int = Field(description="0 while it is open")
    reason: str
    message: str
    commit: str
    needs: str = Field(description="what a person has to do; empty for nothing")
    report: str = Field(description="draft of the report, Markdown")


class IncidentList(BaseModel):
    """Incidents, newest first."""

    items: list[IncidentView]


class CertificateView(BaseModel):
    """The certificate of a roll-back, as it stands in the Git note."""

    certificate: str
    signature: str


def rollout_view(rollout: Rollout, look: Look | None = None) -> RolloutView:
    """Return a rollout as it is shown."""
    told = msgspec.to_builtins(rollout)
    work = told["work"]
    return RolloutView(
        **{name: told[name] for name in RolloutView.model_fields if name in told},
        steps=1 if rollout.is_first else len(rollout.policy.steps_percent),
        weight_percent=rollout.weight / 100 if rollout.phase != "ended" else 0.0,
        commit=work["commit"],
        incident=work["incident"],
        look=look_view(rollout, look) if look is not None else None,
    )


def look_view(rollout: Rollout, look: Look) -> LookView:
    """Return the evidence as it is shown."""
    found, steps = look.assessment, look.counts.steps
    splits = {
        name: [step.split(name) for step in steps] for name in (ANY, *enabled(rollout.policy))
    }
    mine = (STABLE,) if rollout.is_first else (COMPARED, CANDIDATE)
    arms = [("candidate", mine), ("control", (CONTROL,))]
    if not rollout.is_first:
        arms.append(("stable", (STABLE,)))
    return LookView(
        at_us=look.at_us,
        against=_plain(found.worse_all),
        beyond_slo=_plain(found.above),
        breach_s=look.at_us / 1e6 - found.breach_s if found.breach_s else 0.0,
        skewed=_plain(found.skewed),
        rolls_back_at=_plain(found.rolls_back_at),
        promotes_at=_plain(found.promotes_at),
        metrics=[
            MetricView(
                name=name,
                candidate=sum(split.candidate for split in parts),
                control=sum(split.control for split in parts),
                worse=_plain(found.worse[name]),
                no_worse=_plain(found.no_worse[name]) if name in found.no_worse else None,
            )
            for name, parts in splits.items()
        ],
        arms=[
            ArmView(
                arm=arm,
                requests=sum(step.requests[slot] for step in steps for slot in slots),
                bad=sum(step.bad[ANY][slot] for step in steps if ANY in step.bad for slot in slots),
            )
            for arm, slots in arms
        ],
    )


def look_list(rollout: Rollout, looks: Sequence[Look]) -> LookList:
    """Return the path of the evidence as it is shown."""
    last = looks[-1].assessment if looks else None
    return LookList(
        items=[_point(look_view(rollout, look)) for look in thinned(looks, MOST_POINTS)],
        looks=len(looks),
        rolls_back_at=None if last is None else _plain(last.rolls_back_at),
        promotes_at=None if last is None else _plain(last.promotes_at),
    )


def thinned(looks: Sequence[Look], most: int) -> Sequence[Look]:
    """Return at most ``most`` of them, evenly; the first and the last are kept."""
    if len(looks) <= most:
        return looks
    return [looks[round(place * (len(looks) - 1) / (most - 1))] for place in range(most)]


def _point(look: LookView) -> LookPointView:
    arms = {arm.arm: arm for arm in look.arms}
    known = [metric.no_worse for metric in look.metrics if metric.no_worse is not None]
    candidate, control = arms["candidate"], arms["control"]
    return LookPointView(
        at_us=look.at_us,
        against=look.against,
        for_candidate=min(known, default=None),
        beyond_slo=look.beyond_slo,
        skewed=look.skewed,
        candidate_requests=candidate.requests,
        candidate_bad=candidate.bad,
        control_requests=control.requests,
        control_bad=control.bad,
    )


def incident_view(incident: Incident) -> IncidentView:
    """Return an incident as it is shown."""
    return IncidentView(**msgspec.to_builtins(incident))


def _plain(log_e: float) -> float:
    return exp(min(log_e, _MOST))
