"""Objectives: a share of a route's requests that has to be good, and which ones are. Pure."""

from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from steadyhand.records.prices import Prices, spent, unpriced
from steadyhand.records.record import DRILL, Record

Kind = Literal["availability", "in_time", "latency", "answered", "grounded", "cost"]
"""What an objective is about.

``availability``: the caller got a valid answer, of whatever rung. ``in_time``: within the latency
budget of its class. ``latency``: within a threshold of the objective's own. ``answered``: by
another rung than the floor. ``grounded``: of the answers that were measured, not ungrounded.
``cost``: within an amount.
"""

KINDS: Final[tuple[Kind, ...]] = (
    "availability",
    "in_time",
    "latency",
    "answered",
    "grounded",
    "cost",
)

_SERVED = frozenset({"answered", "floor"})
_OURS = frozenset({"answered", "floor", "failed", "truncated"})
"""Outcomes of requests that the route had to answer and whose client stayed."""
_SERVER_ERROR = 500


class Objective(msgspec.Struct, frozen=True):
    """What one route promises in one respect.

    Attributes:
        route: Its name.
        kind: See :data:`Kind`.
        target_ratio: Share of good events, above 0 and below 1.
        threshold_us: Of ``latency``: longest that is good, microseconds.
        most_usd: Of ``cost``: most that a good request may cost.
    """

    route: str
    kind: Kind
    target_ratio: float
    threshold_us: int = 0
    most_usd: float = 0.0

    @property
    def budget_ratio(self) -> float:
        """The share that may be bad."""
        return 1.0 - self.target_ratio


class Key(NamedTuple):
    """Which objective."""

    route: str
    kind: str


def is_good(objective: Objective, record: Record, prices: Prices) -> bool | None:
    """Tell whether a request was good; ``None`` if it does not count.

    Requests that a caller made wrongly, or gave up, are nobody's failure and do not count; one that
    was refused for want of room does. ``grounded`` is not told by records.
    """
    if record.wire == DRILL or objective.kind == "grounded":
        return None
    if objective.kind == "cost":
        return _is_cheap(objective, record, prices)
    return _JUDGES[objective.kind](objective, record)


def _is_available(_: Objective, record: Record) -> bool | None:
    if record.outcome == "rejected":
        return False if record.status >= _SERVER_ERROR else None
    return None if record.outcome == "client_gone" else record.outcome in _SERVED


def _is_in_time(_: Objective, record: Record) -> bool | None:
    return record.in_time if record.budget_us and record.outcome in _OURS else None


def _is_quick(objective: Objective, record: Record) -> bool | None:
    if record.outcome not in _SERVED:
        return None
    took_us = record.first_content_us if record.stream else record.total_us
    return took_us <= objective.threshold_us


def _is_answered(_: Objective, record: Record) -> bool | None:
    return record.outcome == "answered" if record.outcome in _OURS else None


def _is_cheap(objective: Objective, record: Record, prices: Prices) -> bool | None:
    if record.outcome not in _OURS or unpriced(record, prices):
        return None
    return sum(one.usd for one in spent(record, prices)) <= objective.most_usd


_JUDGES: Final[Mapping[Kind, Callable[[Objective, Record], bool | None]]] = {
    "availability": _is_available,
    "in_time": _is_in_time,
    "latency": _is_quick,
    "answered": _is_answered,
}
