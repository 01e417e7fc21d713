"""What carries a roll-back from the registry to where gateways run."""

from typing import Literal, NamedTuple, Protocol

Outcome = Literal["done", "waiting", "refused", "failed"]


class Order(NamedTuple):
    """What is to be brought about.

    Attributes:
        route: Of the rollout.
        environment: Of the rollout.
        commit: That takes the bad release back, as hex; empty if it could not be pushed.
        bad: Digest of the release that must not be served any more.
        good: Digest of the one that is served in its place; empty for the floor alone.
    """

    route: str
    environment: str
    commit: str
    bad: str
    good: str


class Progress(NamedTuple):
    """How far it is.

    Attributes:
        outcome: ``done``; ``waiting``: ask again; ``refused``: a person must act; ``failed``: what
            was asked did not answer, ask again.
        reason: By name, for machines.
        message: For people; empty if there is nothing to say.
        held: What the driver wants to be given back at the next call; kept by the controller, also
            over its death.
    """

    outcome: Outcome
    reason: str
    message: str = ""
    held: str = ""


class Driver(Protocol):
    """Brings an order about, step by step."""

    @property
    def name(self) -> str:
        """Kind of the driver."""
        ...

    def sync(self, order: Order, held: str, now_s: float) -> Progress:
        """Go on with ``order`` and say how far it is; blocks for a few seconds at most.

        Called again and again, also by another process after a crash: doing a step twice must do
        no harm.

        Args:
            order: What is to be brought about.
            held: Of the last progress; empty at first.
            now_s: Wall clock, seconds since 1970.
        """
        ...
