"""All that a decision of the ladder may depend on: recorded, so that it can be made again.

Times are integer microseconds after the last byte of the request. These values are kept in
records: fields are appended, never reordered or reused.
"""

from typing import Literal

import msgspec

NEVER_US = 1 << 53
"""A time that does not come: no deadline, no limit. Exact as a JSON number."""

FLOOR = -1
"""Stands for the floor where a candidate's place is asked for."""

Health = Literal["closed", "open", "half_open"]
"""State of a deployment's circuit breaker; stored rungs have one, too."""

EventKind = Literal[
    "started",  # a candidate was asked; what the planner told, carried out
    "hedged",  # the same, beside another of its rung
    "harvested",  # the same, but nobody waits for it
    "no_hedge",  # a hedge was told and the hedge budget refused; candidate: the one to be hedged
    "ready",  # a stored rung has an answer; detail: "fresh" or "stale"
    "empty",  # a stored rung has none
    "content",  # first content of a stream, or a whole good answer
    "failed",  # detail: the reason
    "shut",  # its turn came, and its breaker had opened meanwhile; detail: the breaker's state
    "gave_up",  # its time was up; it may go on, and may still say something
    "spoke",  # its answer began to leave; candidate: FLOOR for the floor
    "client_gone",  # candidate: FLOOR
]


class Cost(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How long a rung usually takes: to first content (stream) or to its whole answer.

    Attributes:
        p50_us: Median.
        p90_us: 90th percentile.
        p99_us: 99th percentile.
        samples: What they were learned from; 0 says that nothing is known yet. A live rung's
            numbers then say nothing; a stored rung's are its prior.
    """

    p50_us: int = 0
    p90_us: int = 0
    p99_us: int = 0
    samples: int = 0


UNKNOWN = Cost()


class Candidate(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One rung, or one deployment of a live rung, at its place in the order of this request.

    Attributes:
        rung: Number of its rung in the route, from 0.
        kind: ``live``, or the kind of a stored rung: ``cache``, ``knowledge``.
        provider: Name in the workspace; empty for stored rungs.
        model: The deployment's model; empty for stored rungs.
        region: Of the deployment, or empty.
        cost: What it usually takes.
        health: State of its breaker.
        share: Part of the requests that it is given, 0 to 1; the request's draw decides.
        is_probe: Whether this request holds a probe slot of a half-open breaker.
        is_proven: Whether a drill or real traffic has proved it within its window.
        limit_us: The route's own limit for it (``give_up_ms``), or 0.
        barred: Why it cannot serve this request (``tools``, ``schema``, ``policy``,
            ``residency`` ...), or empty.
        may_hedge: Whether its rung hedges; the next candidate of the same rung is the hedge.
        is_spare: Whether it may only be a hedge: the same deployment a second time.
    """

    rung: int
    kind: str
    provider: str = ""
    model: str = ""
    region: str = ""
    cost: Cost = UNKNOWN
    health: Health = "closed"
    share: float = 1.0
    is_probe: bool = False
    is_proven: bool = True
    limit_us: int = 0
    barred: str = ""
    may_hedge: bool = False
    is_spare: bool = False

    @property
    def is_live(self) -> bool:
        """Whether it asks a model."""
        return self.kind == "live"


class Policy(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What route and tenant allow.

    Attributes:
        floor_reserve_us: Kept for rendering and writing the last answer.
        cap_us: Longest time of one live rung where there is no deadline; 0 for no cap.
        lingers: Whether a live rung whose time is up goes on until the deadline, and speaks if
            it is the first. Costs what a cancelled call would have cost.
        harvests: Whether a live rung that is too slow for the deadline may be asked all the
            same, for later requests.
    """

    floor_reserve_us: int = 10_000
    cap_us: int = 0
    lingers: bool = True
    harvests: bool = False


DEFAULT_POLICY = Policy()


class Lineup(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The part of a situation that changes slowly: many requests in a row share one.

    Attributes:
        policy: See :class:`Policy`.
        candidates: In the order in which they are preferred.
    """

    policy: Policy
    candidates: tuple[Candidate, ...]


class Situation(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is known when the ladder is begun.

    Attributes:
        budget_us: The latency budget, or 0 for none.
        stream: Whether a stream was asked for.
        draw: Random number of this request in [0, 1).
        policy: See :class:`Policy`.
        candidates: In the order in which they are preferred.
    """

    budget_us: int
    stream: bool
    draw: float
    policy: Policy
    candidates: tuple[Candidate, ...]


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Something that happened on the way.

    Attributes:
        at_us: When.
        candidate: Its place in :attr:`Situation.candidates`, or :data:`FLOOR`.
        kind: See :data:`EventKind`.
        detail: As the kind says, or empty.
    """

    at_us: int
    candidate: int
    kind: EventKind
    detail: str = ""
