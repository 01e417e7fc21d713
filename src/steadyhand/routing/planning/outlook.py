"""The situation that a request would find now, as a gateway's status tells it.

For people who ask ``steadyhand plan``. What a status does not know is a prior, and a deployment
that no request has asked is taken for well.
"""

from collections.abc import Mapping
from typing import get_args

import msgspec

from steadyhand.routing.model import DeploymentId, Route, RungEntry, deployments_of
from steadyhand.routing.planning.situation import (
    UNKNOWN,
    Candidate,
    Cost,
    Health,
    Policy,
    Situation,
)
from steadyhand.telemetry.status import CostStatus, DeploymentStatus, RungStatus, Status


class _LiveKeys(msgspec.Struct, frozen=True):
    """The keys of a live rung's table that concern its times."""

    give_up_ms: float | None = None
    hedge: bool = False


LIVE = "live"
EVEN_DRAW = 0.0
"""The draw that loses against no share above 0: the plan of a request that is let through."""


def policy_of(route: Route, *, cap_us: int) -> Policy:
    """Return what ``route`` allows: late live answers are worth having where they can be kept.

    Args:
        route: The route.
        cap_us: Longest time of one live rung where there is no deadline; 0 for no cap.
    """
    return Policy(cap_us=cap_us, harvests=any(rung.kind == "cache" for rung in route.rungs))


def outlook(
    route: Route,
    status: Status | None,
    priors: Mapping[str, Cost],
    *,
    budget_us: int,
    cap_us: int,
    stream: bool,
) -> Situation:
    """Return the situation of a request that comes now.

    Args:
        route: That it calls.
        status: What one gateway process says, or ``None`` for nothing.
        priors: Cost of the stored rungs, by kind.
        budget_us: Its latency budget, 0 for none.
        cap_us: See :func:`policy_of`.
        stream: Whether it asks for a stream.
    """
    told = Status() if status is None else status
    health = {DeploymentId(d.provider, d.model, d.region): d for d in told.deployments}
    proofs = {
        (p.rung, p.provider, p.model, p.region): p for p in told.rungs if p.route == route.name
    }
    candidates: list[Candidate] = []
    for rung, entry in enumerate(route.rungs):
        if entry.kind != LIVE:
            proof = proofs.get((rung, "", "", ""))
            prior = priors.get(entry.kind, UNKNOWN)
            candidates.append(Candidate(rung, entry.kind, cost=prior, is_proven=_is_proven(proof)))
            continue
        candidates += _live(rung, entry, health, proofs, stream=stream)
    policy = policy_of(route, cap_us=cap_us)
    return Situation(budget_us, stream, EVEN_DRAW, policy, tuple(candidates))


def _live(
    rung: int,
    entry: RungEntry,
    health: Mapping[DeploymentId, DeploymentStatus],
    proofs: Mapping[tuple[int, str, str, str], RungStatus],
    *,
    stream: bool,
) -> list[Candidate]:
    own = msgspec.json.decode(entry.settings, type=_LiveKeys)
    found = []
    for table in deployments_of(entry):
        name = DeploymentId(table.provider or "", table.model or "", table.region)
        seen = health.get(name, DeploymentStatus(share=1.0))
        found.append(
            Candidate(
                rung,
                LIVE,
                *name,
                cost=_cost(seen.stream if stream else seen.whole),
                health=_state(seen.state),
                share=seen.share,
                is_proven=_is_proven(proofs.get((rung, *name))),
                limit_us=round((own.give_up_ms or 0) * 1000),
                may_hedge=own.hedge,
            )
        )
    return found


def _cost(seen: CostStatus) -> Cost:
    return Cost(seen.p50_us, seen.p90_us, seen.p99_us, seen.samples)


def _state(state: str) -> Health:
    for known in get_args(Health):
        if state == known:
            found: Health = known
            return found
    return "closed"


def _is_proven(proof: RungStatus | None) -> bool:
    """Tell what ``proof`` says; a rung of which nothing is said is taken as proven."""
    return proof is None or proof.is_proven or not (proof.proven_us or proof.reason)
