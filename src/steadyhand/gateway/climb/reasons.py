"""Why candidates did not speak, as far as a climb has come: for record, headers and error."""

from steadyhand.gateway.climb.run import Run
from steadyhand.gateway.errors import RelayedFailure
from steadyhand.gateway.exchange import Exchange
from steadyhand.providers.base import Failure
from steadyhand.routing.planning.situation import FLOOR

NO_SECOND_OPINION = frozenset({"content_filter"})
"""Faults of a request after which no other deployment is asked: nobody shops for a laxer filter."""


class Reasons:
    """What is known of those that did not speak.

    Attributes:
        by_place: Reason of each candidate that failed, was given up or was planned around.
        failure: The last of them that was asked.
        refusal: The first that finds the request itself at fault.
    """

    __slots__ = ("by_place", "failure", "refusal")

    def __init__(self) -> None:
        """Nothing has happened."""
        self.by_place: dict[int, str] = {}
        self.failure: Failure | None = None
        self.refusal: Failure | None = None

    def gave_up(self, place: int) -> None:
        """Note that the time of a candidate was up."""
        self.by_place[place] = "gave_up"
        self.failure = Failure("gave_up")

    def failed(self, place: int, failure: Failure) -> bool:
        """Note a failure; return whether nobody else is to be asked."""
        self.by_place[place] = failure.reason
        self.failure = failure
        if not failure.callers_own:
            return False
        is_second = self.refusal is not None
        self.refusal = self.refusal or failure
        return is_second or failure.reason in NO_SECOND_OPINION

    def why(self, run: Run) -> str:
        """Return why ``run`` speaks and not the one before."""
        if self.by_place:
            before = max((place for place in self.by_place if place < run.place), default=FLOOR)
            if before != FLOOR:
                return self.by_place[before]
        return "hedge" if run.role == "hedge" else "first_choice"

    def last(self, otherwise: str) -> str:
        """Return why the last live candidate did not speak, ``otherwise`` if none had to."""
        if self.failure is not None:
            return self.failure.reason
        return next(reversed(self.by_place.values()), otherwise)

    def relay_refusal(self, exchange: Exchange) -> None:
        """End the climb with what the first provider said that finds the request at fault.

        Raises:
            RelayedFailure: If there was one.
        """
        if self.refusal is not None:
            exchange.trail.outcome, exchange.trail.reason = "rejected", self.refusal.reason
            raise RelayedFailure(self.refusal)
