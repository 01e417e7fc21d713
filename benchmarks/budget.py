"""Hold medians against the limits of ``budget.toml``. Pure.

A limit is on a value of a target, on its ratio to another target's (``over``), or on what it adds
to another's (``beyond``): the last two stay true on a slower machine. What was not measured is
unknown, never within.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Medians = Mapping[str, Mapping[str, float]]
"""Target → measure → median of the rounds."""


class State(StrEnum):
    """What a limit has come to."""

    WITHIN = "within"
    PAST = "past"
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True)
class Limit:
    """One entry of ``budget.toml``.

    Attributes:
        say: What it is about, for people.
        measure: Which median.
        target: Whose.
        unit: Of ``least``, ``most`` and ``aim``.
        over: Target that the value is divided by, or empty.
        beyond: Target whose value is taken off, or empty.
        least: The value must not be below it, or ``None``.
        most: The value must not be above it, or ``None``.
        aim: What we would like, for information.
    """

    say: str
    measure: str
    target: str = "ours"
    unit: str = ""
    over: str = ""
    beyond: str = ""
    least: float | None = None
    most: float | None = None
    aim: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one limit.

    Attributes:
        limit: Which.
        state: How it came out.
        value: What was measured, or ``None``.
        is_optional: Unknown because the other target, which not every machine has, did not run.
    """

    limit: Limit
    state: State
    value: float | None
    is_optional: bool = False

    @property
    def is_failure(self) -> bool:
        """Whether a gate must stay shut: past, or unknown though it should be known."""
        return self.state is State.PAST or (self.state is State.UNKNOWN and not self.is_optional)


def read_limits(tables: Sequence[Mapping[str, Any]]) -> list[Limit]:
    """Return the limits of ``[[limit]]`` tables.

    Raises:
        ValueError: A table with neither bound, or with both kinds of comparison.
    """
    limits = [Limit(**table) for table in tables]
    for limit in limits:
        if limit.least is None and limit.most is None:
            raise ValueError(f"limit {limit.say!r} has neither least nor most")
        if limit.over and limit.beyond:
            raise ValueError(f"limit {limit.say!r} has both over and beyond")
    return limits


def judge(limits: Sequence[Limit], medians: Medians) -> list[Verdict]:
    """Return what each limit comes to."""
    return [_judge_one(limit, medians) for limit in limits]


def _judge_one(limit: Limit, medians: Medians) -> Verdict:
    value = medians.get(limit.target, {}).get(limit.measure)
    other = limit.over or limit.beyond
    if other:
        others = medians.get(other, {}).get(limit.measure)
        if others is None or (limit.over and others == 0):
            is_optional = other not in medians and limit.target in medians
            return Verdict(limit, State.UNKNOWN, None, is_optional)
        if value is not None:
            value = value / others if limit.over else value - others
    if value is None:
        return Verdict(limit, State.UNKNOWN, None)
    is_past = (limit.least is not None and value < limit.least) or (
        limit.most is not None and value > limit.most
    )
    return Verdict(limit, State.PAST if is_past else State.WITHIN, value)
