"""The planner: does it answer more requests in time than equal shares, and what does it cost?

``python -m benchmarks.planning`` prints two tables, in about two minutes. The first plays the same
requests, drawn once with a fixed seed, against each rule in simulated time: each rung's latency is
log-normal, some calls are silent or fail. Costs are learned before from 600 calls of the same
distributions, by the sketch that gateways use. The second measures, on this machine and on one
core, what the planner takes of a request; a mean of many calls, the least of seven rounds.
"""

import argparse
import sys
import timeit
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from random import Random
from time import process_time

from steadyhand.routing.costs import CostSketch
from steadyhand.routing.planning.action import Action
from steadyhand.routing.planning.decision import decode_decision
from steadyhand.routing.planning.forecast import plan
from steadyhand.routing.planning.planner import carried_out, decide, replan
from steadyhand.routing.planning.prepared import Prepared
from steadyhand.routing.planning.progress import Progress
from steadyhand.routing.planning.replay import replay
from steadyhand.routing.planning.situation import (
    FLOOR,
    UNKNOWN,
    Candidate,
    Cost,
    Event,
    Policy,
)
from tests.support.climbs import Says, climb, speaker

SEED = 20_261_126
LEARNED_FROM = 600
MS = 1_000
STARTS = frozenset({"started", "hedged"})


@dataclass(frozen=True)
class Rung:
    """How one rung behaves.

    Attributes:
        p50_ms: Median latency.
        sigma: Of the logarithm of its latency.
        silent: Part of the calls that never answer.
        failing: Part of the calls that fail, after a tenth of their latency.
        kind: ``live``, or a stored rung's kind.
        hits: Of a stored rung: part of the questions that it has an answer to.
    """

    p50_ms: float
    sigma: float = 0.4
    silent: float = 0.0
    failing: float = 0.0
    kind: str = "live"
    hits: float = 0.0

    def says(self, random: Random) -> Says | None:
        """Draw one call; ``None`` for silence. Takes the same number of draws each time."""
        took_us = int(random.lognormvariate(log(self.p50_ms * MS), self.sigma))
        fate = random.random()
        if self.kind != "live":
            found = Says(took_us, "ready", "fresh")
            return found if fate < self.hits else Says(took_us, "empty")
        if fate < self.silent:
            return None
        if fate < self.silent + self.failing:
            return Says(took_us // 10, "failed", "server_error")
        return Says(took_us)


CACHE = Rung(0.8, 0.3, kind="cache", hits=0.4)
KNOWLEDGE = Rung(0.5, 0.3, kind="knowledge", hits=0.3)
WORLDS: Mapping[str, tuple[int, Sequence[Rung]]] = {
    "healthy pair, 1.5 s": (1_500, [Rung(400), Rung(200)]),
    "first at 2/3 of the budget": (1_500, [Rung(1_000, 0.25), Rung(150)]),
    "first usually too slow": (1_500, [Rung(2_200, 0.3), Rung(200)]),
    "first silent in 5 %": (1_500, [Rung(400, silent=0.05), Rung(200)]),
    "first silent in half": (1_500, [Rung(400, silent=0.5), Rung(200)]),
    "first fails in 20 %": (1_500, [Rung(900, 0.3, failing=0.2), Rung(300)]),
    "tight: 600 ms, both take 300": (600, [Rung(300), Rung(300)]),
    "three rungs, 1.5 s": (1_500, [Rung(700), Rung(400), Rung(150)]),
    "whole answers, 10 s": (10_000, [Rung(4_500, 0.35), Rung(1_500, 0.3)]),
    "fast pair, 1.5 s": (1_500, [Rung(50), Rung(60)]),
    "very fast pair, 1.5 s": (1_500, [Rung(2, 0.8), Rung(2, 0.8)]),
    "heavy tails, 10 s": (10_000, [Rung(300, 1.0), Rung(300, 1.0)]),
    "fast pair, first silent in 5 %": (1_500, [Rung(50, silent=0.05), Rung(60)]),
    "whole answers, 10 s, first silent in 5 %": (
        10_000,
        [Rung(900, silent=0.05), Rung(900)],
    ),
    "instant, 150 ms": (150, [CACHE, Rung(600, 0.3), KNOWLEDGE]),
}


@dataclass(frozen=True)
class Rule:
    """A way of sharing the time.

    Attributes:
        learns: Whether costs are known.
        lingers: Whether a rung whose time is up may still speak.
    """

    learns: bool
    lingers: bool


RULES = {
    "equal shares (0007)": Rule(learns=False, lingers=False),
    "equal, late may speak": Rule(learns=False, lingers=True),
    "learned": Rule(learns=True, lingers=False),
    "learned, late may speak": Rule(learns=True, lingers=True),
}


@dataclass
class Score:
    """What a rule has come to in one world.

    Attributes:
        answered: Requests that a rung answered in time; the floor spoke to the others.
        by_first: Of these, by the first rung of the route.
        took_us: When each was answered, the floor's included.
        calls: Live calls.
    """

    answered: int = 0
    by_first: int = 0
    calls: int = 0
    took_us: list[int] | None = None

    def row(self) -> str:
        """Return its cells."""
        took = sorted(self.took_us or [0])
        count = len(took)
        p50, p99 = (took[int(count * share)] / MS for share in (0.5, 0.99))
        return (
            f"{self.answered / count:.2%} | {self.by_first / count:.1%} | {p50:,.0f} | {p99:,.0f} "
            f"| {self.calls / count:.3f}"
        )


def learned(rung: Rung) -> Cost:
    """Return what a gateway would know of ``rung``: its prior, or quantiles of its answers."""
    if rung.kind != "live":
        return Cost(1_000, 3_000, 5_000)
    random, sketch = Random(SEED), CostSketch()
    for _ in range(LEARNED_FROM):
        said = rung.says(random)
        if said is not None and said.kind == "content":
            sketch.add(said.after_us, 1.0)
    return sketch.cost(1.0)


def line_up(rungs: Sequence[Rung], rule: Rule) -> tuple[Candidate, ...]:
    """Return the candidates of ``rungs``; a stored rung has its prior under every rule."""
    return tuple(
        Candidate(
            number,
            rung.kind,
            provider=f"p{number}",
            model="m",
            cost=learned(rung) if rule.learns or rung.kind != "live" else UNKNOWN,
        )
        for number, rung in enumerate(rungs)
    )


def play(budget_ms: int, rungs: Sequence[Rung], rule: Rule, requests: int) -> Score:
    """Play ``requests`` under ``rule``; the same draws for every rule."""
    random = Random(SEED + 1)
    policy = Policy(lingers=rule.lingers)
    situation = Prepared(policy, line_up(rungs, rule)).situation(budget_ms * MS, 0.0)
    score = Score(took_us=[])
    for _ in range(requests):
        said = {place: rung.says(random) for place, rung in enumerate(rungs)}
        events = climb(situation, {place: one for place, one in said.items() if one})
        heard = speaker(events)
        assert heard is not None
        assert heard[1] <= budget_ms * MS
        assert score.took_us is not None
        score.took_us.append(heard[1])
        score.answered += heard[0] != FLOOR
        score.by_first += heard[0] == 0
        score.calls += sum(
            event.kind in STARTS and situation.candidates[event.candidate].is_live
            for event in events
        )
    return score


def compare(requests: int) -> None:
    """Print how each rule does in each world."""
    print(f"{requests:,} requests each, seed {SEED}\n")
    print("| world | rule | answered in time | by the first rung | p50 ms | p99 ms | live calls |")
    print("|---|---|---|---|---|---|---|")
    for world, (budget_ms, rungs) in WORLDS.items():
        for name, rule in RULES.items():
            print(f"| {world} | {name} | {play(budget_ms, rungs, rule, requests).row()} |")
            sys.stdout.flush()


def cost_us(call: Callable[[], object], number: int = 20_000) -> float:
    """Return the microseconds of CPU time of one ``call``: the least of seven rounds."""
    took_s = timeit.repeat(call, number=number, repeat=7, timer=process_time)
    return min(took_s) / number * 1e6


def measure() -> None:
    """Print what the planner takes of a request."""
    known = Cost(400 * MS, 700 * MS, 1_100 * MS, 500)
    candidates = (
        Candidate(0, "live", "openai", "gpt-4.1", cost=known),
        Candidate(1, "live", "azure", "gpt-4.1-mini", "eu", cost=known),
        Candidate(2, "cache", cost=Cost(1_000, 3_000, 5_000)),
    )
    prepared = Prepared(Policy(), candidates)
    situation = prepared.situation(1_500 * MS, 0.3, stream=True)
    looks = [Event(90, 2, "empty")]
    first = replan(situation, (), 100)
    healthy = [
        carried_out(first, 100),
        Event(400 * MS, 0, "content"),
        Event(400 * MS, 0, "spoke", "first_content"),
    ]

    def failing() -> Action:
        progress = Progress(situation)
        progress.note(healthy[0])
        progress.note(Event(20 * MS, 0, "failed", "server_error"))
        action = decide(progress, 20 * MS)
        progress.note(carried_out(action, 20 * MS))
        return action

    sketch, now_s = CostSketch(), 1_000.0
    random = Random(SEED)
    for _ in range(3_000):
        sketch.add(int(random.lognormvariate(13, 0.5)), now_s)
    recorded = prepared.record(1_500 * MS, 0.3, healthy, stream=True)
    rows: dict[str, tuple[Callable[[], object], int]] = {
        "first action, as requests before it": (
            lambda: prepared.first(1_500 * MS, 0.3, 100), 50_000,
        ),
        "the same, after a look at the cache": (
            lambda: prepared.first(1_500 * MS, 0.3, 100, looks), 50_000,
        ),
        "record of the decision": (
            lambda: prepared.record(1_500 * MS, 0.3, healthy, stream=True), 50_000,
        ),
        "first action, from nothing": (lambda: replan(situation, (), 100), 5_000),
        "all that is asked when the first fails": (failing, 2_000),
        "a line-up made ready (once per 0.1 s)": (
            lambda: Prepared(Policy(), candidates), 5_000,
        ),
        "a time added to the sketch": (lambda: sketch.add(512_345, now_s), 50_000),
        "a cost read from the sketch (once per 0.1 s)": (lambda: sketch.cost(now_s), 2_000),
        "a whole plan, for people": (lambda: plan(situation), 1_000),
        "a replay, for people": (lambda: replay(decode_decision(recorded)), 1_000),
    }  # fmt: skip
    print("\n| what | µs |\n|---|---|")
    took = {name: cost_us(call, number) for name, (call, number) in rows.items()}
    for name, each_us in took.items():
        print(f"| {name} | {each_us:.2f} |")
    path_us = took["first action, as requests before it"] + took["record of the decision"]
    print(f"\nOf a healthy request: {path_us:.2f} µs, {path_us / 15:.0%} of the 15 µs for plan and")
    print(f"health. A decision is {len(recorded)} bytes of the record.")


def main() -> None:
    """Run both parts, or one."""
    parser = argparse.ArgumentParser(description="The planner against equal shares, and its cost.")
    parser.add_argument("--requests", type=int, default=4_000)
    parser.add_argument("--only", choices=["worlds", "cost"])
    chosen = parser.parse_args()
    if chosen.only != "cost":
        compare(chosen.requests)
    if chosen.only != "worlds":
        measure()


if __name__ == "__main__":
    main()
