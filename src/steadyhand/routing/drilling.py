"""Which rungs count as proven, which is drilled next, and why. Pure; seconds of any one clock.

A rung is *proven* by a real request that it answered, or else by a drill, for ``window_s``. What
is not proven is planned around. Two states are no verdicts: a process that has just learned of a
rung takes it for proven until the window has passed, and a deployment whose breaker is not closed
is the breaker's to judge.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import inf
from typing import Literal, NamedTuple

import msgspec

By = Literal["", "traffic", "drill"]
Verdict = Literal["proven", "cold_start", "not_drilled", "left_to_breaker", "expired", "failed"]
"""Why a rung counts as proven (the first four) or does not.

``failed``: so many drills in a row that chance is no excuse; then the window is not waited for.
"""

NOT_PROVEN: frozenset[Verdict] = frozenset({"expired", "failed"})
PROVEN: frozenset[Verdict] = frozenset({"proven", "cold_start", "not_drilled"})
MOST_FAILURES = 2
"""Failed drills in a row, without a proof since, that are evidence against a rung."""

RETRIES = 10
"""So many times sooner than others is a rung drilled that failed its last drill."""


class RungId(NamedTuple):
    """One candidate of one rung of one route; the floor has the last number.

    Attributes:
        route: Name of the route.
        rung: Number of the rung, from 0.
        kind: ``live``, ``cache``, ``knowledge``, ``template`` ...
        provider: Of a live candidate, else empty.
        model: Of a live candidate, else empty.
        region: Of a live candidate, or empty.
    """

    route: str
    rung: int
    kind: str
    provider: str = ""
    model: str = ""
    region: str = ""


class Terms(msgspec.Struct, frozen=True):
    """When drills are due, and how long a proof lasts.

    Attributes:
        is_enabled: Whether there are drills at all; without, everything counts as proven.
        interval_s: About how long after its last proof a rung is drilled.
        window_s: How long a proof lasts; two intervals or more.
    """

    is_enabled: bool = True
    interval_s: float = 300.0
    window_s: float = 750.0


class Proof(msgspec.Struct, frozen=True):
    """What is known of one rung.

    Attributes:
        since_s: When this installation came to know of it.
        draw: Number in [0, 1) that spreads its drills; drawn anew after each.
        proven_s: When it was last shown to answer; ``-inf`` for never.
        by: What showed it.
        tried_s: When the last drill ended that proved nothing; ``-inf`` for never.
        failures: Drills that failed in a row since the last proof.
        reason: Why the last of them did.
    """

    since_s: float
    draw: float = 0.0
    proven_s: float = -inf
    by: By = ""
    tried_s: float = -inf
    failures: int = 0
    reason: str = ""


def proved(proof: Proof, now_s: float, by: By, draw: float) -> Proof:
    """Return ``proof`` after the rung has answered."""
    return Proof(proof.since_s, draw, now_s, by)


def failed(proof: Proof, now_s: float, reason: str, draw: float) -> Proof:
    """Return ``proof`` after a drill in which the rung did not answer as it should."""
    return msgspec.structs.replace(
        proof, tried_s=now_s, failures=proof.failures + 1, reason=reason, draw=draw
    )


def undecided(proof: Proof, now_s: float, reason: str, draw: float) -> Proof:
    """Return ``proof`` after a drill that says nothing of the rung, as when it was not asked."""
    return msgspec.structs.replace(proof, tried_s=now_s, reason=reason, draw=draw)


def merge(mine: Proof, theirs: Proof) -> Proof:
    """Return what two processes know together: the newer of each. The order does not matter."""
    proven = max(mine, theirs, key=lambda proof: (proof.proven_s, proof.by))
    tried = max(mine, theirs, key=lambda proof: (proof.tried_s, proof.failures, proof.reason))
    since_s, draw = min(mine.since_s, theirs.since_s), mine.draw
    if proven.proven_s >= tried.tried_s:
        return Proof(since_s, draw, proven.proven_s, proven.by)
    return Proof(
        since_s,
        draw,
        proven.proven_s,
        proven.by,
        tried.tried_s,
        tried.failures,
        tried.reason,
    )


def verdict(proof: Proof, terms: Terms, state: str, now_s: float) -> Verdict:
    """Say whether a rung counts as proven.

    ``state`` is that of its breaker, ``closed`` for rungs that have none.
    """
    if not terms.is_enabled:
        return "not_drilled"
    if state != "closed":
        return "left_to_breaker"
    if proof.failures >= MOST_FAILURES:
        return "failed"
    if now_s - proof.proven_s <= terms.window_s:
        return "proven"
    if now_s - proof.since_s <= terms.window_s:
        return "cold_start"
    return "expired"


def due_at(proof: Proof, terms: Terms) -> float:
    """Return when the next drill is due; ``inf`` without drills.

    Intervals are spread by half of their length, so that the drills of many rungs, which all began
    at one time, do not stay together.
    """
    if not terms.is_enabled:
        return inf
    if proof.failures:
        return proof.tried_s + terms.interval_s / RETRIES
    last_s = max(proof.proven_s, proof.tried_s)
    if last_s == -inf:
        return proof.since_s + terms.interval_s * (0.5 + 0.5 * proof.draw)
    return last_s + terms.interval_s * (0.75 + 0.5 * proof.draw)


def next_due(
    proofs: Mapping[RungId, Proof], terms: Terms, states: Mapping[RungId, str], now_s: float
) -> RungId | None:
    """Return the rung whose drill is overdue for longest; ``None`` if none is due.

    Left out are rungs whose breaker is ``open``: nothing may be sent there yet. Once it is half
    open a drill is the probe, as a fallback that nobody needs would get no other.
    """
    due = [
        (at_s, rung)
        for rung, proof in proofs.items()
        if (at_s := due_at(proof, terms)) <= now_s and states.get(rung, "closed") != "open"
    ]
    return min(due)[1] if due else None


def planned_around(verdicts: Mapping[RungId, Verdict], floors: Iterable[str]) -> frozenset[RungId]:
    """Return the rungs that no request should be sent to, for want of a proof.

    Never a floor, and never all that is live on a route: what drills say of everything at once
    says more of the drills. ``floors`` are the kinds that are one.
    """
    never = frozenset(floors)
    live: defaultdict[str, list[RungId]] = defaultdict(list)
    bad = {rung for rung, said in verdicts.items() if said in NOT_PROVEN and rung.kind not in never}
    for rung in verdicts:
        if rung.kind == "live":
            live[rung.route].append(rung)
    for rungs in live.values():
        if bad.issuperset(rungs):
            bad.difference_update(rungs)
    return frozenset(bad)
