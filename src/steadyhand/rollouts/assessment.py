"""From counts to a verdict. Pure: the same counts give the same verdict to everybody, offline too.

What is asked, in this order: Is anything known at all? Is the comparison fair? Is the candidate
worse than its control, or does it breach the service level where its control does not? Are both
bad, so that taking it back would not help? Has it been shown to be as good? No data is never
success, and what cannot be told is said to be so.

The chance of a false roll-back is shared: half of ``alpha`` for the comparison with the control,
half for the service level. Metrics share the first half as a weighted mean of e-values, which is an
e-value again.
"""

from math import exp, log
from typing import Final

import msgspec

from steadyhand.records.exposures.model import CANDIDATE, COMPARED, CONTROL, SLOTS, STABLE
from steadyhand.rollouts import sequential
from steadyhand.rollouts.counts import Counts, Step
from steadyhand.rollouts.model import ANY, METRICS, Policy, Verdict

PARTS: Final = {
    ANY: 0.5,
    "slow": 0.15,
    "error": 0.15,
    "fallback": 0.15,
    "invalid": 0.05,
    "over_cost": 0.05,
    "ungrounded": 0.1,
}
"""Parts of the bet against the candidate. Most faults show as several bad events of the same units,
so half of it is on any of them."""

SKEW_ALPHA: Final = 0.001
LEAST_BUDGET: Final = 200
"""Requests of stable below which nothing is said of its error budget."""

LEAST_SHORT: Final = 5
"""Requests of the last seconds below which the longer window is looked at."""


class Situation(msgspec.Struct, frozen=True):
    """What a verdict rests on beside the counts.

    Attributes:
        now_s: Wall clock, seconds since 1970.
        step: Number of the step, from 0.
        step_s: When it began.
        weight: Of the candidate at it, basis points.
        is_first: Whether there is no control.
        breach_s: Since when the service level is breached, as of the last look; 0 for not.
        judges: Versions of the judge whose scores were counted.
        budget_left: Part of the error budget of the route's period that is left, of its objective
            that has least; ``None`` for unknown.
    """

    now_s: float
    step: int
    step_s: float
    weight: int
    is_first: bool = False
    breach_s: float = 0.0
    judges: tuple[str, ...] = ()
    budget_left: float | None = None


class Assessment(msgspec.Struct, frozen=True):
    """A verdict and what it was made of. E-values are natural logarithms.

    Attributes:
        verdict: What is to be done.
        worse: For each metric, against "no worse than the control".
        worse_all: Their weighted mean.
        above: Against "within the service level".
        no_worse: For each metric, for the candidate: a mean of "less than ``promote_margin`` times
            as bad" and "negligible".
        skewed: Against "units are spread as they should be".
        rolls_back_at: What ``worse_all`` or ``above`` must reach.
        promotes_at: What each of ``no_worse`` must reach.
        breach_s: Since when the service level is breached, seconds since 1970; 0 for not.
    """

    verdict: Verdict
    worse: dict[str, float]
    worse_all: float
    above: float
    no_worse: dict[str, float]
    skewed: float
    rolls_back_at: float
    promotes_at: float
    breach_s: float


def enabled(policy: Policy) -> tuple[str, ...]:
    """Return the metrics that are counted under ``policy``."""
    left_out = set() if policy.most_tokens else {"over_cost"}
    if not policy.counts_ungrounded:
        left_out.add("ungrounded")
    return tuple(name for name in METRICS if name not in left_out)


def shown(policy: Policy, situation: Situation) -> tuple[str, ...]:
    """Return the metrics in which a candidate must be shown to be no worse before it goes on."""
    asks = policy.least_measured > 0 and not situation.is_first
    return tuple(name for name in enabled(policy) if name != "ungrounded" or asks)


def assess(counts: Counts, policy: Policy, situation: Situation) -> Assessment:
    """Return the verdict on a candidate and what it was made of."""
    names = enabled(policy)
    planned = len(policy.steps_percent)
    worse, worse_all = _worse(counts, policy, names, planned)
    slo = policy.slo_percent / 100
    found = Assessment(
        Verdict("inconclusive", "gathering", "not enough is known yet"),
        worse,
        worse_all if not situation.is_first else 0.0,
        sequential.above(counts.guarded.bad, counts.guarded.requests, slo),
        {name: _no_worse(counts, policy, name, situation) for name in shown(policy, situation)},
        sequential.skewed(sequential.summed([_units(step) for step in counts.steps])),
        log(2 / policy.alpha),
        log(1 / policy.promote_alpha),
        _breach_s(counts, slo, situation),
    )
    return msgspec.structs.replace(found, verdict=_verdict(found, counts, policy, situation))


def _worse(
    counts: Counts, policy: Policy, names: tuple[str, ...], planned: int
) -> tuple[dict[str, float], float]:
    logs = {
        name: sequential.worse(
            [{step.controls: step.split(name)} for step in counts.steps if step.controls],
            policy.margin,
            max(planned, len(counts.steps)),
        )
        for name in (ANY, *names)
    }
    whole = sum(PARTS[name] for name in logs)
    parts = [PARTS[name] / whole for name in logs]
    return logs, sequential.mean([*logs.values()], parts)


def _no_worse(counts: Counts, policy: Policy, name: str, situation: Situation) -> float:
    """Return the log e-value for the candidate in one metric."""
    slots = _slots(situation.is_first)
    requests = sum(_of(step, name)[slot] for step in counts.steps for slot in slots)
    if name == "ungrounded" and requests < policy.least_measured:
        return 0.0
    bad = sum(step.bad[name][slot] for step in counts.steps if name in step.bad for slot in slots)
    few = sequential.below(bad, requests, policy.negligible_percent / 100)
    if situation.is_first:  # with nothing to compare it with, the service level is what is asked
        return sequential.below(bad, requests, policy.slo_percent / 100)
    splits = [{step.controls: step.split(name)} for step in counts.steps if step.controls]
    return sequential.mean([sequential.no_worse(splits, policy.promote_margin), few])


def _of(step: Step, name: str) -> list[int]:
    """Return among how many, by slot, the bad events of a metric are counted."""
    return (step.measured or [0] * SLOTS) if name == "ungrounded" else step.requests


def _slots(is_first: bool) -> tuple[int, ...]:  # noqa: FBT001 - private, one caller each
    return (STABLE,) if is_first else (COMPARED, CANDIDATE)


def _units(step: Step) -> dict[int, sequential.Split]:
    if not step.controls:
        return {}
    return {step.controls: sequential.Split(step.units[COMPARED], step.units[CONTROL])}


def _breach_s(counts: Counts, slo: float, situation: Situation) -> float:
    short = counts.candidate_short
    window = short if short.requests >= LEAST_SHORT else counts.candidate_long
    if not window.requests or window.rate <= slo:
        return 0.0
    return situation.breach_s or situation.now_s


def _verdict(found: Assessment, counts: Counts, policy: Policy, situation: Situation) -> Verdict:
    for rule in (_unfair, _bad, _silent):
        verdict = rule(found, counts, policy, situation)
        if verdict is not None:
            return verdict
    return _good(found, counts, policy, situation)


def _unfair(
    found: Assessment, counts: Counts, policy: Policy, situation: Situation
) -> Verdict | None:
    if len(situation.judges) > 1:
        told = ", ".join(situation.judges)
        return Verdict("hold", "judge_changed", f"scores are of several judges: {told}", pages=True)
    if found.skewed >= log(1 / SKEW_ALPHA):
        return Verdict(
            "hold",
            "sample_ratio_mismatch",
            f"units are not spread over the slices as they should be (e-value "
            f"{exp(min(found.skewed, 50)):.3g}): no comparison of them says anything",
            pages=True,
        )
    return None


def _bad(found: Assessment, counts: Counts, policy: Policy, situation: Situation) -> Verdict | None:
    if found.worse_all >= found.rolls_back_at:
        name = max(found.worse, key=lambda each: (found.worse[each], each == ANY))
        return Verdict(
            "roll_back",
            "worse_than_control",
            f"more bad events ({name}) fall to the candidate than to its control: e-value "
            f"{exp(min(found.worse_all, 50)):.3g}, needed {exp(found.rolls_back_at):.3g}",
        )
    lasted_s = situation.now_s - found.breach_s if found.breach_s else 0.0
    if lasted_s <= policy.hold_s:
        return None
    control = counts.control_long
    health = "healthy" if situation.is_first else counts.control_is(policy.slo_percent / 100)
    if health == "breached":
        return Verdict(
            "hold",
            "both_degraded",
            f"candidate and control are both past the service level ({control.rate:.1%} of the "
            "control's requests are bad): taking the candidate back would not help",
            pages=True,
        )
    if found.above >= found.rolls_back_at and health == "healthy":
        return Verdict(
            "roll_back",
            "slo_breached",
            f"past the service level of {policy.slo_percent:g} % for {lasted_s:.0f} s, while "
            f"{control.rate:.1%} of the control's requests are bad: e-value "
            f"{exp(min(found.above, 50)):.3g}, needed {exp(found.rolls_back_at):.3g}",
        )
    return None


def _silent(
    found: Assessment, counts: Counts, policy: Policy, situation: Situation
) -> Verdict | None:
    since_s = situation.now_s - max(counts.candidate_second, situation.step_s)
    if since_s <= policy.silent_s:
        return None
    return Verdict(
        "hold",
        "no_data",
        f"no request has come to the candidate for {since_s:.0f} s: nothing can be said of it",
        pages=True,
    )


def _good(found: Assessment, counts: Counts, policy: Policy, situation: Situation) -> Verdict:
    lasted_s = situation.now_s - situation.step_s
    slots = _slots(situation.is_first)
    here = [step for step in counts.steps if step.weight == situation.weight or situation.is_first]
    asked = sum(step.requests[slot] for step in here for slot in slots)
    short = [name for name, value in found.no_worse.items() if value < found.promotes_at]
    if not short and asked >= policy.least_requests and lasted_s >= policy.least_s(situation.step):
        part = _spent(counts)
        if part > policy.slo_percent / 100:
            return Verdict(
                "hold",
                "error_budget_spent",
                f"it would go on, but {part:.1%} of stable's own requests since the rollout began "
                "were bad: the error budget is spent",
                pages=True,
            )
        if situation.budget_left is not None and situation.budget_left <= 0:
            return Verdict(
                "hold",
                "error_budget_spent",
                "it would go on, but the route's error budget for the period is spent",
                pages=True,
            )
        return Verdict("promote", "no_worse", "shown to be no worse in every metric")
    if found.breach_s:
        return Verdict(
            "inconclusive", "slo_breach", "past the service level; not proved or not long enough"
        )
    if lasted_s > policy.longest_step_s:
        told = f"not shown to be good in {', '.join(short)}" if short else "too few requests"
        return Verdict("inconclusive", "step_overdue", f"{told} after {lasted_s:.0f} s", pages=True)
    if short:
        return Verdict(
            "inconclusive", "gathering", f"not yet shown to be good in {', '.join(short)}"
        )
    return Verdict("inconclusive", "dwelling", "good so far; the step has its least time")


def _spent(counts: Counts) -> float:
    """Return which part of stable's requests, its compared slices included, was bad; 0 of few."""
    slots = (CONTROL, STABLE)
    requests = sum(step.requests[slot] for step in counts.steps for slot in slots)
    bad = sum(step.bad[ANY][slot] for step in counts.steps if ANY in step.bad for slot in slots)
    return bad / requests if requests >= LEAST_BUDGET else 0.0
