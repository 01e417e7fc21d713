"""What health says to those who plan: states, shares, costs and admissions, by name. Pure."""

from typing import Final

import msgspec

from steadyhand.routing.planning.situation import Cost

CLOSED: Final = "closed"
OPEN: Final = "open"
HALF_OPEN: Final = "half_open"

FULL: Final = "full"
PROBE: Final = "probe"
SHED: Final = "shed"

NOT_A_PROBE: Final = -1
"""In place of a generation of the breaker."""

OUTCOMES: Final = (
    "ok",
    "error",
    "refused",
    "denied",
    "limited",
    "truncated",
    "slow",
    "cancelled",
    "callers_own",
)
"""How a try may end.

``ok`` whole, ``error`` the provider failed or answered nonsense, ``refused`` no connection,
``denied`` it does not accept our key, our quota is used up or it has no such model,
``limited`` 429, ``truncated`` a stream without its end,
``slow`` given up for its time, ``cancelled`` unknown (client gone, a hedge's loser),
``callers_own`` the request was at fault.
"""


class Reading(msgspec.Struct, frozen=True):
    """What is known of a deployment; at most 100 ms old.

    Attributes:
        state: ``closed``, ``open`` or ``half_open``.
        share: 0 to 1: the part of requests that it is to be given.
        reason: Why state and share are so; ``steady`` if nothing is wrong.
        stream: Cost to the first content of a stream.
        whole: Cost of a whole answer.
        is_drifting: Latency drift has been seen and is not over.
    """

    state: str
    share: float
    reason: str
    stream: Cost
    whole: Cost
    is_drifting: bool


class Admission(msgspec.Struct, frozen=True):
    """Whether one request may go to a deployment.

    Attributes:
        kind: ``full``, ``probe`` (may go, and takes one of the probe slots), ``shed`` (lost its
            draw against the share) or ``open``.
        reason: Why, by name.
        generation: Of the breaker, to be given back with the place of a probe.
    """

    kind: str
    reason: str
    generation: int = NOT_A_PROBE

    @property
    def may_go(self) -> bool:
        """Whether the deployment may be asked."""
        return self.kind in (FULL, PROBE)


STEADY: Final = Admission(FULL, "steady")
WITHIN_SHARE: Final = Admission(FULL, "within_share")
TRICKLE: Final = Admission(FULL, "trickle")
BEYOND_SHARE: Final = Admission(SHED, "beyond_share")
RETRY_AFTER: Final = Admission(SHED, "retry_after")
BREAKER_OPEN: Final = Admission(OPEN, "breaker_open")
PROBES_IN_FLIGHT: Final = Admission(OPEN, "probes_in_flight")
