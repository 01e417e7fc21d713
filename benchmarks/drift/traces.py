"""Latencies as providers have them, made by a seeded generator: the same seed, the same trace.

A trace is an endless run of tries ``(began_s, latency_s, input_bytes)``, Poisson in time. Healthy
latency is heavy-tailed: lognormal with sigma 0.5 about the base and, for one try in fifty, Pareto
from twice the base on with exponent 1.5, which has no variance. What a scenario changes is a factor
on the latency of tries that begin at a time.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import exp, pi, sin

SIGMA = 0.5
OUTLIERS = 0.02
EXPONENT = 1.5
DAY_S = 86_400.0
SMALL_BYTES, LARGE_BYTES, LARGE_FACTOR = 1_000, 60_000, 3.0

Shape = Callable[[float], float]
"""Second of the trace → factor on the latency."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens to latency.

    Attributes:
        name: In tables.
        shape: The factor over time.
        changes_s: When the change that is to be seen begins; ``None`` if there is nothing to see.
        is_mixed: Long prompts come as well, and every other hour they are most of all.
        is_correlated: The level wanders: a random walk that returns, 10 % about the base.
    """

    name: str
    shape: Shape
    changes_s: float | None = None
    is_mixed: bool = False
    is_correlated: bool = False


def steady(_: float) -> float:
    """Return 1: nothing happens."""
    return 1.0


def step(at_s: float, factor: float) -> Shape:
    """Return a shape that jumps to ``factor``."""
    return lambda now_s: factor if now_s >= at_s else 1.0


def ramp(at_s: float, over_s: float, factor: float) -> Shape:
    """Return a shape that grows evenly to ``factor``."""
    return lambda now_s: 1.0 + (factor - 1.0) * min(max(now_s - at_s, 0.0) / over_s, 1.0)


def diurnal(now_s: float) -> float:
    """Return the factor of a day that is twice as slow at its peak as at its lowest."""
    return 1.5 + 0.5 * sin(2 * pi * now_s / DAY_S)


def flapping(at_s: float, factor: float) -> Shape:
    """Return a shape that is slow in every other second."""
    return lambda now_s: factor if now_s >= at_s and int(now_s - at_s) % 2 == 0 else 1.0


def tries(
    scenario: Scenario, base_s: float, rate: float, seed: int
) -> Iterator[tuple[float, float, int]]:
    """Yield tries for ever."""
    draws = random.Random(seed)
    gauss, uniform, wait = draws.gauss, draws.random, draws.expovariate
    now_s, level, level_s = 0.0, 0.0, 0.0
    while True:
        now_s += wait(rate)
        latency_s = base_s * scenario.shape(now_s)
        if uniform() < OUTLIERS:
            latency_s *= 2.0 * draws.paretovariate(EXPONENT)
        else:
            latency_s *= exp(SIGMA * gauss(0.0, 1.0))
        if scenario.is_correlated:
            while now_s >= level_s:  # once a second; remembers about a minute
                level = level * 0.983 + gauss(0.0, 0.0184)
                level_s += 1.0
            latency_s *= exp(level)
        size = SMALL_BYTES
        if scenario.is_mixed and uniform() < (0.9 if int(now_s / 3600) % 2 else 0.1):
            size, latency_s = LARGE_BYTES, latency_s * LARGE_FACTOR
        yield now_s, latency_s, size
