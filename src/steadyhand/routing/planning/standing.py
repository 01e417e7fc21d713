"""Which candidates may start at all: what health, policy and the request's draw say of each."""

from typing import Literal, NamedTuple

from steadyhand.routing.planning.situation import Candidate

GOLDEN = 0.618_033_988_749_894_9
"""Fractional part of the golden ratio: its multiples spread one draw over the candidates."""

Rank = Literal[0, 1, 2]
FIRM: Rank = 0
SOFT: Rank = 1
HARD: Rank = 2


class Standing(NamedTuple):
    """What is thought of a candidate before the climb.

    Attributes:
        rank: ``FIRM`` may start; ``SOFT`` only where else the floor would speak; ``HARD`` never.
        reason: Why it is planned around; empty if it is ``FIRM``.
    """

    rank: Rank
    reason: str


GOOD = Standing(FIRM, "")
SPARE = Standing(HARD, "spare")
OPEN = Standing(HARD, "open")
HALF_OPEN = Standing(HARD, "half_open")
SHED = Standing(SOFT, "shed")
NOT_PROVEN = Standing(SOFT, "not_proven")


def standing_of(candidate: Candidate, place: int, draw: float) -> Standing:
    """Judge ``candidate``, the one at ``place`` in its situation.

    Each candidate has a draw of its own, made from the request's: two deployments at half their
    share would otherwise lose the same requests.
    """
    if candidate.barred:
        return Standing(HARD, candidate.barred)
    if candidate.is_spare:
        return SPARE
    if candidate.health == "open":
        return OPEN
    if candidate.is_probe:
        return GOOD
    if candidate.health == "half_open":
        return HALF_OPEN
    if candidate.share < 1.0 and (draw + place * GOLDEN) % 1.0 >= candidate.share:
        return SHED
    return GOOD if candidate.is_proven else NOT_PROVEN
