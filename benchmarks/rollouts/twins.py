"""Identical releases through the real gateway with its cache on: how often is one taken back?

``python -m benchmarks.rollouts.twins [--gate] [--save NAME] [--rollouts N]``. The handler with its
stages, rungs, memory tier, health and records, as a gateway process has them, without sockets. Each
rollout has a candidate that is stable's twin, a new salt and so new caches; requests are drawn by
Zipf's law from many questions. The provider fails one call in twenty, so who finds fewer answers in
its cache fails over more often. Stable has been warm for long, which is what makes a naive
comparison wrong; the same records are judged so as well, to show that they could be.
"""

import argparse
import asyncio
import bisect
import itertools
import json
import sys
from hashlib import sha256
from math import log
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec
import uvloop
from typing_extensions import override

from benchmarks.machine import describe
from benchmarks.rollouts.rows import upper_bound
from steadyhand.app.serving import choice_of
from steadyhand.caching.hot import HotTier
from steadyhand.caching.service import Cache
from steadyhand.gateway.serving import Ladder, Rung, Serving
from steadyhand.http.messages import Limits
from steadyhand.providers.base import Call
from steadyhand.records.clock import wall_clock_us
from steadyhand.records.exposures.model import COMPARED, STABLE, exposure_of
from steadyhand.records.record import Record
from steadyhand.rollouts import sequential
from steadyhand.rollouts.assessment import Situation, assess
from steadyhand.rollouts.evidence import Bad, Batch, Evidence, Seen, Total
from steadyhand.rollouts.model import Policy
from steadyhand.rollouts.sequential import Split
from steadyhand.routing.ports import RungPorts
from steadyhand.routing.rungs import cache as cached
from steadyhand.routing.rungs import live, template
from steadyhand.snapshot.model import Lane
from steadyhand.tenancy.model import Key
from tests.support.chats import chat_body
from tests.support.gateways import GatewayBench, gateway_bench, request, snapshot
from tests.support.replies import MemoryReply
from tests.support.upstreams import Script, ScriptedProvider, ScriptedReply, answers

QUESTIONS: Final = 5_000
FAILS: Final = 0.05
PER_S: Final = 50
SECONDS: Final = 120
WARM_UP: Final = 20_000
WEIGHT: Final = 500
MOST: Final = 0.01
TOKEN: Final = b"sk-bench"
RESULTS: Final = Path(__file__).resolve().parent.parent / "results"


class Flaky(ScriptedProvider):
    """Answers, or fails one call in twenty; keeps nothing."""

    def __init__(self, chance: Random) -> None:
        super().__init__([])
        self._chance = chance

    @override
    async def open(self, call: Call, limits: Limits) -> ScriptedReply:
        """Answer or fail."""
        del call
        script = Script(500, {}, steps=(b"{}",)) if self._chance.random() < FAILS else answers()
        return ScriptedReply(script, limits.give_up_at_s, asyncio.Event())


class House:
    """A gateway with two releases that are twins."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)
        self.records: list[Record] = []
        cache = Cache(b"secret" * 6, HotTier(256 << 20), [], wall_clock_us, max_age_s=1e6)

        def rungs(ports: RungPorts) -> list[Rung]:
            kept = RungPorts(ports.providers, cache=cache)
            terms = cached.Settings(fresh_s=1e6, shared=True)
            asked = live.Settings(provider="first", model="m")
            return [cached.build(terms, kept), live.build(asked, ports)]

        floor = template.build(template.Settings(text="Later."), RungPorts({}))
        self.bench: GatewayBench = gateway_bench(
            real={"first": Flaky(self._chance)},
            rungs=rungs,
            floor=floor,
            append=self.records.append,
        )
        self.bench.gateway.gear.lease.until_us = 1 << 62
        self._held = self.bench.gateway.serving
        weights = itertools.accumulate(1 / rank for rank in range(1, QUESTIONS + 1))
        self._cumulated = list(weights)
        self._conversations = itertools.count()

    def serve(self, salt: str) -> None:
        """Try a twin of stable; without a salt nothing is tried."""
        ladder: Ladder = self._held.ladders["assistant"]
        twin = msgspec.structs.replace(ladder, lineups={}, digest="sha256:" + "2" * 64)
        lane = Lane("one", "two" if salt else "", WEIGHT if salt else 0, salt)
        choice = choice_of(ladder, twin if salt else None, lane)
        key = Key("app", "acme", "production", routes=("*",))
        self.bench.gateway.serving = Serving(
            msgspec.structs.replace(snapshot(), keys={sha256(TOKEN).hexdigest(): key}),
            self._held.ladders,
            self._held.providers,
            self._held._direct,
            {"production": {"assistant": choice}},
        )

    async def ask(self, count: int) -> list[Record]:
        """Let so many requests happen; return their records."""
        del self.records[:]
        for _ in range(count):
            drawn = self._chance.random() * self._cumulated[-1]
            question = bisect.bisect_left(self._cumulated, drawn)
            body = chat_body(
                messages=[{"role": "user", "content": f"What does setting {question} do?"}],
                steadyhand={"conversation": f"c{next(self._conversations)}"},
            )
            await self.bench.gateway.handle(request(body, token=TOKEN), MemoryReply())
        return list(self.records)


class Naive:
    """The same test with all of stable as the control, whose cache is warm."""

    def __init__(self) -> None:
        self._split = Split()
        self.most = 0.0

    def add(self, rows: list[Bad]) -> None:
        """Count bad events of the candidate and of stable outside of the slices."""
        mine = sum(row.slot == COMPARED for row in rows)
        theirs = sum(row.slot == STABLE for row in rows)
        self._split = Split(self._split.candidate + mine, self._split.control + theirs)
        # 80 % of the traffic: sixteen slices of the candidate's size
        self.most = max(self.most, sequential.worse([{16: self._split}], 1.1, 4))


def batch_of(records: list[Record], second: int) -> Batch:
    """Return what happened in a second as the store would tell it."""
    exposures = [one for one in map(exposure_of, records) if one is not None]
    rows = [
        Bad(one.unit, one.slot, one.weight, one.controls, second, 0, one.tokens, one.flags)
        for one in exposures
        if one.flags
    ]
    totals = [Total(one.weight, one.controls, one.slot, second, 1) for one in exposures]
    seen = [Seen(one.unit, one.slot, one.weight, one.controls) for one in exposures]
    return Batch(second, totals, rows, seen)


async def run(rollouts: int, seed: int) -> dict[str, Any]:
    """Return how often a twin was taken back, by the rule and by the naive one."""
    house, policy = House(seed), Policy()
    house.serve("")
    await house.ask(WARM_UP)
    taken_back = naive_back = 0
    shares: dict[str, list[int]] = {}
    for number in range(rollouts):
        house.serve(f"salt {seed} {number}")
        evidence, naive, breach_s = Evidence(policy, is_first=False), Naive(), 0.0
        is_back = False
        for second in range(1, SECONDS + 1):
            records = await house.ask(PER_S)
            batch = batch_of(records, second)
            evidence.add(batch, second)
            naive.add([*batch.bad])
            situation = Situation(float(second), 0, 0.0, WEIGHT, breach_s=breach_s)
            found = assess(evidence.counts(second), policy, situation)
            breach_s = found.breach_s
            is_back = is_back or found.verdict.decision == "roll_back"
            for record in records:
                told = shares.setdefault(record.arm, [0, 0, 0])
                told[0] += 1
                told[1] += record.rung == "cache"
                told[2] += record.outcome == "floor"
        taken_back += is_back
        naive_back += naive.most >= log(2 / policy.alpha)
        if (number + 1) % 50 == 0:
            print(f"{number + 1} of {rollouts}: {taken_back}, naive {naive_back}", file=sys.stderr)
    return {
        "machine": describe(),
        "seed": seed,
        "rollouts": rollouts,
        "requests_each": PER_S * SECONDS,
        "taken_back": taken_back,
        "upper": upper_bound(taken_back, rollouts),
        "taken_back_against_all_of_stable": naive_back,
        "part_against_all_of_stable": naive_back / rollouts,
        "arms": {
            arm: {"requests": n, "from_cache": hits / n, "fallback": floors / n}
            for arm, (n, hits, floors) in sorted(shares.items())
        },
    }


def main() -> int:
    """Run, and say whether the limit is past."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gate", action="store_true")
    parser.add_argument("--save", default="")
    parser.add_argument("--rollouts", type=int, default=280)
    parser.add_argument("--seed", type=int, default=6)
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(run(given.rollouts, given.seed))
    print(json.dumps(found, indent=1))
    if given.save:
        (RESULTS / f"{given.save}.json").write_text(json.dumps(found, indent=1) + "\n")
    if found["upper"] > MOST:
        print(f"past the limit: up to {found['upper']:.2%}, at most {MOST:.0%}", file=sys.stderr)
        return int(given.gate)
    return 0


if __name__ == "__main__":
    sys.exit(main())
