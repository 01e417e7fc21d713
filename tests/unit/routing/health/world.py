"""Requests at one deployment on a virtual clock: what a provider does is a function of time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import exp, inf
from random import Random

from steadyhand.routing.health.book import Health
from steadyhand.routing.health.deployment import DeploymentHealth
from steadyhand.routing.health.tries import Try
from steadyhand.routing.model import DeploymentId

SMALL = 1_000
MODEL = DeploymentId("acme", "small")
BEAT_S = 0.25

Fate = tuple[float, str]
"""Seconds until a try ends, and how; ``inf`` for a provider that says nothing."""

Provider = Callable[[float, Random], Fate]
"""What becomes of a try that begins at a second."""


def healthy(base_s: float = 0.05, sigma: float = 0.5) -> Provider:
    """Return a provider with lognormal latency."""
    return lambda _, draws: (base_s * exp(sigma * draws.gauss(0, 1)), "ok")


def slower(factor: float, begins_s: float, ends_s: float = inf, base_s: float = 0.05) -> Provider:
    """Return a provider that is slow for a while."""
    plain = healthy(base_s)

    def fate(now_s: float, draws: Random) -> Fate:
        latency_s, outcome = plain(now_s, draws)
        return latency_s * (factor if begins_s <= now_s < ends_s else 1.0), outcome

    return fate


def failing(outcome: str, begins_s: float, ends_s: float = inf) -> Provider:
    """Return a provider that fails at once for a while."""
    plain = healthy()
    return lambda now_s, draws: (
        (0.001, outcome) if begins_s <= now_s < ends_s else plain(now_s, draws)
    )


@dataclass
class World:
    """A deployment, its requests and the clock.

    Attributes:
        provider: What becomes of tries.
        rate: Requests a second.
        limit_s: What each has; a try that is not answered by then is given up as ``slow``.
        beats: Whether the gateway's loop runs, as it does in a process.
        seed: Of everything random.
    """

    provider: Provider
    rate: float = 100.0
    limit_s: float = 0.0
    beats: bool = True
    seed: int = 1
    input_bytes: int = SMALL
    stream: bool = True
    now_s: float = 1_000.0
    sent: int = 0
    turned_away: int = 0
    most_probes: int = 0
    book: Health = field(default_factory=Health)

    def __post_init__(self) -> None:
        """Begin with nothing known."""
        self.health: DeploymentHealth = self.book.of(MODEL)
        self._draws = Random(self.seed)
        self._ends: list[tuple[float, int, str, Try]] = []
        self._probes = 0
        self._next_s = self.now_s
        self._beat_s = self.now_s

    def run(self, seconds: float) -> None:
        """Let requests come for some time."""
        until_s = self.now_s + seconds
        while self._next_s < until_s:
            self._to(self._next_s)
            self._next_s += self._draws.expovariate(self.rate)
            self.request()
        self._to(until_s)

    def idle(self, seconds: float) -> None:
        """Let time pass without requests."""
        self._to(self.now_s + seconds)
        self._next_s = self.now_s

    def sleep(self, seconds: float) -> None:
        """Suspend the machine: time passes, and nothing runs."""
        self.now_s += seconds
        self._next_s = self._beat_s = self.now_s

    def until(self, is_so: Callable[[DeploymentHealth], bool], most_s: float) -> float:
        """Return the seconds until something is so of the deployment, asked every 20 ms."""
        began_s = self.now_s
        while not is_so(self.health):
            assert self.now_s - began_s < most_s, f"not so after {most_s} s"
            self.run(0.02)
        return self.now_s - began_s

    def request(self) -> None:
        """Let one request come."""
        admission = self.health.admit(self.now_s, self._draws.random())
        self.health.reading(self.now_s)
        if not admission.may_go:
            self.turned_away += 1
            return
        self.sent += 1
        begun = self.health.began(
            self.now_s,
            self.input_bytes,
            self.stream,
            self.limit_s,
            probe_of=admission.generation,
        )
        if admission.kind == "probe":
            self._probes += 1
            self.most_probes = max(self.most_probes, self._probes)
        latency_s, outcome = self.provider(self.now_s, self._draws)
        if self.limit_s and latency_s > self.limit_s:
            latency_s, outcome = self.limit_s, "slow"
        if latency_s < inf:
            heappush(self._ends, (self.now_s + latency_s, self.sent, outcome, begun))

    def _to(self, until_s: float) -> None:
        while self._ends and self._ends[0][0] <= until_s:
            end_s, _, outcome, begun = heappop(self._ends)
            self.now_s = max(self.now_s, end_s)
            self._beat()
            self._probes -= begun.generation >= 0
            begun.ended(self.now_s, outcome)
        self.now_s = until_s
        self._beat()

    def _beat(self) -> None:
        if not self.beats:
            return
        while self._beat_s <= self.now_s:
            self.book.beat(self._beat_s)
            self._beat_s += BEAT_S
