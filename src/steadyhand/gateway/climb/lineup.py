"""Who may answer a request, in which order, and what is known of them: the planner's situation.

What changes slowly is made once: candidates are shared between requests for as long as the reading
of their health is the same object. Per request there is the budget and a draw.
"""

from math import inf
from typing import cast

import msgspec

from steadyhand.gateway.climb.gear import Gear
from steadyhand.gateway.climb.question import unit
from steadyhand.gateway.exchange import Exchange
from steadyhand.gateway.serving import Ladder
from steadyhand.routing.health.deployment import DeploymentHealth
from steadyhand.routing.health.reading import FULL, PROBE, Admission, Reading
from steadyhand.routing.planning.situation import Candidate, Policy, Situation
from steadyhand.routing.planning.situation import Health as HealthState
from steadyhand.routing.rungs.base import Deployment, LiveRung, StoredRung, is_live


class LiveSlot(msgspec.Struct):
    """A deployment at its place in the order of one request.

    Attributes:
        rung: Number of its rung in the route.
        deployment: Whom to ask.
        health: What it will be told.
        may_hedge: Whether its rung hedges.
        is_probe: It holds the place of a probe, to be given back if it is not asked.
    """

    rung: int
    deployment: Deployment
    health: DeploymentHealth
    may_hedge: bool = False
    is_probe: bool = False


class StoredSlot(msgspec.Struct, frozen=True):
    """A stored rung at its place.

    Attributes:
        rung: Number of its rung in the route.
        stored: Whom to ask.
    """

    rung: int
    stored: StoredRung


Slot = LiveSlot | StoredSlot


class Lineup(msgspec.Struct):
    """A situation, and who its candidates are.

    Attributes:
        situation: What the planner decides by.
        slots: Whom each of its candidates stands for.
        keepers: Stored rungs, which are offered good answers.
    """

    situation: Situation
    slots: list[Slot]
    keepers: list[StoredRung]


def line_up(exchange: Exchange, now_s: float) -> Lineup:
    """Return who may answer ``exchange``; places of probes are taken."""
    ladder, gear = exchange.answering_ladder(), exchange.gear
    draw = gear.draw()
    slots: list[Slot] = []
    candidates = []
    keepers = []
    for number, rung in enumerate(ladder.rungs):
        if is_live(rung):
            for deployment in rung.candidates(draw, unit(exchange, rung.sticky)):
                slot = LiveSlot(number, deployment, gear.health.of(deployment.id), rung.may_hedge)
                slots.append(slot)
                candidates.append(_live(exchange, rung, slot, draw, now_s))
        else:
            slots.append(StoredSlot(number, rung))
            candidates.append(_stored(ladder, gear, number, rung))
            keepers.append(rung)
    budget_s = exchange.deadline_s - exchange.request.received_s
    situation = Situation(
        0 if budget_s == inf else max(1, int(budget_s * 1e6)),
        exchange.stream,
        draw,
        _policy(ladder, gear, stream=exchange.stream, keeps=bool(keepers)),
        tuple(candidates),
    )
    return Lineup(situation, slots, keepers)


def _live(
    exchange: Exchange, rung: LiveRung, slot: LiveSlot, draw: float, now_s: float
) -> Candidate:
    admission = slot.health.admit(now_s, draw)
    reading = slot.health.reading(now_s)
    slot.is_probe = admission.kind == PROBE
    deployment = slot.deployment
    provider, model, region = deployment.id
    give_up_ms = deployment.give_up_ms
    proven = exchange.gear.is_proven
    route = exchange.answering_ladder().route
    return Candidate(
        slot.rung,
        "live",
        provider,
        model,
        region,
        reading.stream if exchange.stream else reading.whole,
        cast("HealthState", reading.state),
        share_for(admission, reading, draw),
        slot.is_probe,
        proven is None or proven(route, slot.rung, deployment.id),
        0 if give_up_ms is None else round(give_up_ms * 1000),
        "",
        rung.may_hedge,
    )


def share_for(admission: Admission, reading: Reading, draw: float) -> float:
    """Return the share that says of ``draw`` what ``admission`` has said.

    Health may admit a request beyond the share (a trickle that shows whether a deployment is well
    again) or refuse one within it (a pause that the provider asked for).
    """
    if admission.kind == FULL:
        return reading.share if draw < reading.share else 1.0
    return reading.share if admission.kind == PROBE else min(reading.share, draw)


def _stored(ladder: Ladder, gear: Gear, number: int, rung: StoredRung) -> Candidate:
    proven = gear.is_proven
    return Candidate(
        number,
        rung.kind,
        cost=rung.cost,
        is_proven=proven is None or proven(ladder.route, number, None),
    )


def _policy(ladder: Ladder, gear: Gear, *, stream: bool, keeps: bool) -> Policy:
    cap_s = ladder.cap_s(stream=stream)
    return Policy(
        cap_us=0 if cap_s == inf else round(cap_s * 1e6),
        harvests=keeps and gear.harvest.has_room,
    )
