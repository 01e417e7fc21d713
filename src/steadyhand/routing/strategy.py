"""In which order a live rung tries its deployments: pure functions of weights, loads and a draw.

The draw is an input, so an order can be computed again from a record. A *sticky* unit takes the
place of the draw: the same unit gets the same order for as long as the deployments are the same,
and when one is added or removed only the units move that must (rendezvous hashing).

Sources:
    Thaler, Ravishankar (1998), "Using name-based mappings to increase hit rates", IEEE/ACM
    Transactions on Networking 6(1): rendezvous hashing.
    Schindelhauer, Schomaker (2005), "Weighted distributed hash tables", SPAA: its logarithmic
    method, by which weights are exact in the limit.
    Mitzenmacher (2001), "The power of two choices in randomized load balancing", IEEE Transactions
    on Parallel and Distributed Systems 12(10).
"""

from collections.abc import Sequence
from hashlib import blake2b
from math import log
from typing import Literal

import msgspec

Strategy = Literal["priority", "weighted", "latency"]
"""How the first deployment of a request is chosen."""

_UNIT_BITS = 64


class Arm(msgspec.Struct, frozen=True):
    """One deployment, as a strategy sees it.

    Attributes:
        name: Unique within its rung; what sticky units are hashed with.
        weight: Its part of the requests, against those of the others; 0 for only after them.
        priority: Lower goes first; used by ``priority``.
    """

    name: str
    weight: float = 1.0
    priority: int = 0


def by_priority(arms: Sequence[Arm]) -> tuple[int, ...]:
    """Return the indices of ``arms`` by priority, as listed where priorities are equal."""
    return tuple(sorted(range(len(arms)), key=lambda index: arms[index].priority))


def by_weight(arms: Sequence[Arm], draw: float) -> tuple[int, ...]:
    """Return the indices of ``arms`` in a weighted random order without replacement.

    Each choice uses up the part of ``draw`` that decided it and leaves the rest, which is uniform
    again, to the next: one number is enough for the whole order.

    Args:
        arms: With weights of 0 or more; those of 0 come last, as listed.
        draw: In [0, 1).
    """
    left = [index for index, arm in enumerate(arms) if arm.weight > 0]
    order = []
    while left:
        total = sum(arms[index].weight for index in left)
        position, chosen = draw * total, left[-1]
        for index in left:
            if position < arms[index].weight:
                chosen = index
                break
            position -= arms[index].weight
        draw = min(max(position / arms[chosen].weight, 0.0), 1.0)
        order.append(chosen)
        left.remove(chosen)
    return (*order, *_weightless(arms))


def by_unit(arms: Sequence[Arm], unit: str) -> tuple[int, ...]:
    """Return the indices of ``arms`` in the order that ``unit`` always gets.

    Weighted rendezvous hashing: an arm's score is ``-ln(h) / weight`` with ``h`` uniform in (0, 1]
    from a hash of unit and name; the least score goes first. A minimum of independent exponentials
    falls on each with a probability in proportion to its rate, so over many units the weights hold.
    """

    def score(index: int) -> float:
        arm = arms[index]
        return -log(uniform(unit, arm.name)) / arm.weight

    weighted = [index for index, arm in enumerate(arms) if arm.weight > 0]
    return (*sorted(weighted, key=score), *_weightless(arms))


def by_load(loads: Sequence[float], draw: float) -> tuple[int, ...]:
    """Return the indices of ``loads``: the less loaded of two drawn first, the other second.

    The power of two choices: nearly as even as asking all, without the herd that runs to whoever
    looks best at the moment. The rest follow by load.

    Args:
        loads: Of each deployment, 0 or more; equal loads keep the order drawn.
        draw: In [0, 1).
    """
    count = len(loads)
    if count == 1:
        return (0,)
    pair = min(int(draw * count * (count - 1)), count * (count - 1) - 1)
    first, second = divmod(pair, count - 1)
    second += second >= first  # one of the others
    if loads[second] < loads[first]:
        first, second = second, first
    rest = [index for index in range(count) if index not in (first, second)]
    return (first, second, *sorted(rest, key=lambda index: loads[index]))


def uniform(unit: str, name: str) -> float:
    """Return a number in (0, 1] that depends on nothing but ``unit`` and ``name``."""
    text = f"{len(unit)}:{unit}:{name}".encode(errors="surrogatepass")
    hashed = int.from_bytes(blake2b(text, digest_size=_UNIT_BITS // 8).digest(), "big")
    return (hashed + 1) / (1 << _UNIT_BITS)


def _weightless(arms: Sequence[Arm]) -> list[int]:
    return [index for index, arm in enumerate(arms) if arm.weight <= 0]
