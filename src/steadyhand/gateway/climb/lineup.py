"""Who may answer a request, in which order, and what is known of them: the planner's candidates.

While all is well, nothing is made for a request: the candidates of its ladder are shared with those
before it for as long as health gives the same readings, and at most for ``RENEWED_S``.
"""

from math import inf
from typing import NamedTuple, cast

import msgspec

from steadyhand.gateway.climb.gear import Gear
from steadyhand.gateway.climb.question import unit
from steadyhand.gateway.exchange import Exchange
from steadyhand.gateway.serving import Ladder
from steadyhand.routing.health.deployment import DeploymentHealth
from steadyhand.routing.health.reading import FULL, PROBE, Admission, Reading
from steadyhand.routing.planning.prepared import Prepared
from steadyhand.routing.planning.situation import Candidate, Policy
from steadyhand.routing.planning.situation import Health as State
from steadyhand.routing.planning.standing import GOLDEN
from steadyhand.routing.rungs.base import Deployment, StoredRung, is_live

RENEWED_S = 0.1
"""Costs of stored rungs, proofs of drills and room for harvests may be so old."""

MOST_KEPT = 64
"""Orders of one ladder that are kept; more than these are not worth it."""


class LiveSlot(msgspec.Struct, frozen=True):
    """A deployment at its place.

    Attributes:
        rung: Number of its rung in the route.
        deployment: Whom to ask.
        health: What it will be told.
        may_hedge: Whether its rung hedges.
        cap_s: Most seconds of a whole exchange, ``inf`` for no cap.
        is_spare: It stands there only for a hedge: the same deployment a second time.
    """

    rung: int
    deployment: Deployment
    health: DeploymentHealth
    may_hedge: bool
    cap_s: float
    is_spare: bool = False


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
    """Candidates, and whom they stand for.

    Attributes:
        prepared: What the planner decides by.
        slots: Whom each candidate stands for.
        keepers: Stored rungs, which are offered good answers.
        readings: Health of each live slot when the candidates were made.
        until_s: Monotonic second until which this may be shared.
    """

    prepared: Prepared
    slots: tuple[Slot, ...]
    keepers: tuple[StoredRung, ...]
    readings: tuple[Reading, ...]
    until_s: float


class HeldProbe(NamedTuple):
    """The place of a probe at a half-open breaker, which a request holds.

    Attributes:
        health: Of the deployment.
        generation: With which the place was given, and is given back.
    """

    health: DeploymentHealth
    generation: int


Probes = dict[int, HeldProbe]
"""Places of probes, by candidate."""


class Cast(msgspec.Struct):
    """Who stands where in one order of a ladder; its line-up is renewed in place.

    Attributes:
        slots: Whom each candidate stands for.
        live: Place, health and part of the draw of each live slot that may start by itself.
        lineup: The last that was made.
    """

    slots: tuple[Slot, ...]
    live: tuple[tuple[int, DeploymentHealth, float], ...]
    lineup: Lineup | None = None


def line_up(exchange: Exchange, draw: float, now_s: float) -> tuple[Lineup, Probes | None]:
    """Return who may answer ``exchange``, and the places of probes that were taken for it.

    Args:
        exchange: The request, resolved.
        draw: Its random number, in [0, 1).
        now_s: Monotonic seconds.
    """
    found = exchange.answering_ladder().lineups.get(exchange.stream)
    if found is None:
        found = _cast(exchange, draw)
    lineup: Lineup | None = found.lineup
    if lineup is not None and now_s < lineup.until_s:
        for (_, health, part), before in zip(found.live, lineup.readings, strict=True):
            if health.steady(now_s, (draw + part) % 1.0) is not before:
                break
        else:
            return lineup, None
    admissions, readings = [], []
    for place, health, part in found.live:
        admissions.append((place, health.admit(now_s, (draw + part) % 1.0)))
        readings.append(health.reading(now_s))
    lineup = found.lineup = _renewed(exchange, found, dict(admissions), readings, draw, now_s)
    probes = {
        place: HeldProbe(health, admission.generation)
        for (place, health, _), (_, admission) in zip(found.live, admissions, strict=True)
        if admission.kind == PROBE
    }
    return lineup, probes or None


def _cast(exchange: Exchange, draw: float) -> Cast:
    """Return who stands where for this request; kept under ``stream`` if it is so for all."""
    ladder = exchange.answering_ladder()
    orders = tuple(
        rung.candidates(draw, unit(exchange, rung.sticky)) if is_live(rung) else ()
        for rung in ladder.rungs
    )
    kept = ladder.lineups
    found: Cast | None = kept.get((exchange.stream, orders))
    if found is None:
        slots = _slots(ladder, exchange.gear, orders, ladder.cap_s(stream=exchange.stream))
        live = tuple(
            (place, slot.health, place * GOLDEN)
            for place, slot in enumerate(slots)
            if isinstance(slot, LiveSlot) and not slot.is_spare
        )
        found = Cast(slots, live)
        if len(kept) >= MOST_KEPT:
            kept.clear()
        kept[exchange.stream, orders] = found
        if not any(is_live(rung) and rung.is_drawn for rung in ladder.rungs):
            kept[exchange.stream] = found
    return found


def _slots(
    ladder: Ladder, gear: Gear, orders: tuple[tuple[Deployment, ...], ...], cap_s: float
) -> tuple[Slot, ...]:
    slots: list[Slot] = []
    book = gear.health.arm(ladder.health)
    for number, (rung, order) in enumerate(zip(ladder.rungs, orders, strict=True)):
        if not is_live(rung):
            slots.append(StoredSlot(number, rung))
            continue
        for deployment in order:
            health = book.of(deployment.id)
            slots.append(LiveSlot(number, deployment, health, rung.may_hedge, cap_s))
        if rung.may_hedge and len(order) == 1:
            health = book.of(order[0].id)
            slots.append(LiveSlot(number, order[0], health, rung.may_hedge, cap_s, is_spare=True))
    return tuple(slots)


def _renewed(
    exchange: Exchange,
    found: Cast,
    admissions: dict[int, Admission],
    readings: list[Reading],
    draw: float,
    now_s: float,
) -> Lineup:
    """Return a line-up of what is known now; what was computed for an equal one is kept."""
    candidates = []
    for place, slot in enumerate(found.slots):
        if isinstance(slot, LiveSlot):
            admission, own_draw = admissions.get(place), (draw + place * GOLDEN) % 1.0
            reading = slot.health.reading(now_s)
            candidates.append(_live(exchange, slot, reading, admission, own_draw))
        else:
            candidates.append(_stored(exchange, slot))
    keepers = tuple(slot.stored for slot in found.slots if isinstance(slot, StoredSlot))
    policy, made = _policy(exchange, keeps=bool(keepers)), tuple(candidates)
    held = found.lineup
    if held is not None and (held.prepared.candidates, held.prepared.policy) == (made, policy):
        prepared = held.prepared
    else:
        prepared = Prepared(policy, made)
    return Lineup(prepared, found.slots, keepers, tuple(readings), now_s + RENEWED_S)


def _live(
    exchange: Exchange,
    slot: LiveSlot,
    reading: Reading,
    admission: Admission | None,
    draw: float,
) -> Candidate:
    deployment = slot.deployment
    provider, model, region = deployment.id
    give_up_ms = deployment.give_up_ms
    proven = exchange.gear.is_proven
    return Candidate(
        slot.rung,
        "live",
        provider,
        model,
        region,
        reading.stream if exchange.stream else reading.whole,
        cast("State", reading.state),
        1.0 if admission is None else share_for(admission, reading, draw),
        admission is not None and admission.kind == PROBE,
        proven is None or proven(exchange.answering_ladder().route, slot.rung, deployment.id),
        0 if give_up_ms is None else round(give_up_ms * 1000),
        "",
        slot.may_hedge,
        slot.is_spare,
    )


def share_for(admission: Admission, reading: Reading, draw: float) -> float:
    """Return the share that says of ``draw`` what ``admission`` has said.

    Health may admit a request beyond the share (a trickle that shows whether a deployment is well
    again) or refuse one within it (a pause that the provider asked for).
    """
    if admission.kind == FULL:
        return reading.share if draw < reading.share else 1.0
    return reading.share if admission.kind == PROBE else min(reading.share, draw)


def _stored(exchange: Exchange, slot: StoredSlot) -> Candidate:
    proven = exchange.gear.is_proven
    route = exchange.answering_ladder().route
    return Candidate(
        slot.rung,
        slot.stored.kind,
        cost=slot.stored.cost,
        is_proven=proven is None or proven(route, slot.rung, None),
    )


def _policy(exchange: Exchange, *, keeps: bool) -> Policy:
    cap_s = exchange.answering_ladder().cap_s(stream=exchange.stream)
    return Policy(
        cap_us=0 if cap_s == inf else round(cap_s * 1e6),
        harvests=keeps and exchange.gear.harvest.has_room,
    )
