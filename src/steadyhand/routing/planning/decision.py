"""The decision of one request as its record keeps it: inputs and events, nothing derived.

Msgpack arrays. The line-up is encoded once for many requests and copied in.
"""

from collections.abc import Sequence

import msgspec

from steadyhand.core.errors import SteadyhandError
from steadyhand.routing.planning.situation import Event, Lineup, Situation

VERSION = 3
"""Of the rule and the form: raised when old decisions would be made otherwise today."""


class Decision(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a climb was decided from.

    Attributes:
        version: Of the planner that decided.
        budget_us: See :class:`~.situation.Situation`.
        stream: Likewise.
        draw: Likewise.
        lineup: Likewise.
        events: In order.
    """

    version: int
    budget_us: int
    stream: bool
    draw: float
    lineup: Lineup
    events: tuple[Event, ...]

    @property
    def situation(self) -> Situation:
        """What was known at the beginning."""
        lineup = self.lineup
        return Situation(self.budget_us, self.stream, self.draw, lineup.policy, lineup.candidates)


class DecisionUnreadable(SteadyhandError):
    """What a record keeps of its decision cannot be read."""

    code, status = "decision_unreadable", 422


class _Wire(msgspec.Struct, frozen=True, array_like=True, gc=False):
    version: int
    budget_us: int
    stream: bool
    draw: float
    lineup: msgspec.Raw
    events: Sequence[Event]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Decision).decode


def encode_lineup(lineup: Lineup) -> msgspec.Raw:
    """Return ``lineup`` as decisions hold it."""
    return msgspec.Raw(_encode(lineup))


def encode_decision(
    lineup: msgspec.Raw, budget_us: int, draw: float, events: Sequence[Event], *, stream: bool
) -> bytes:
    """Return the bytes of a decision."""
    return _encode(_Wire(VERSION, budget_us, stream, draw, lineup, events))


def decode_decision(data: bytes) -> Decision:
    """Read a decision.

    Raises:
        DecisionUnreadable: It is damaged, or was made by another version.
    """
    try:
        decision = _decode(data)
    except (msgspec.DecodeError, ValueError) as error:
        raise DecisionUnreadable(
            f"the decision in this record is damaged: {error}",
            hint="nothing can be replayed from it; the record's attempts still tell what ran",
        ) from error
    if decision.version != VERSION:
        raise DecisionUnreadable(
            f"this decision was made by rule {decision.version}; here is rule {VERSION}",
            hint="replay it with the version of Steadyhand that made it",
        )
    places = range(-1, len(decision.lineup.candidates))
    if any(event.candidate not in places for event in decision.events):
        raise DecisionUnreadable(
            "the decision in this record names a candidate that it does not have",
            hint="nothing can be replayed from it; the record's attempts still tell what ran",
        )
    return decision
