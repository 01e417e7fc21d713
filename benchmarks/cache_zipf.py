"""How much of a full outage the cache carries: a Zipf trace of 1,000,000 requests, real tiers.

``python -m benchmarks.cache_zipf [--requests N] [--tiers redis,database] [--save NAME] [--gate]``.

Two caches stand for two gateway processes; requests go to one or the other by a coin. They share a
real Redis and a real SQLite database, which a process of its own hosts as the control process does.
Questions are drawn by Zipf's law from many, each asked by one of several tenants. In the first half
of the trace live rungs answer whatever the cache does not; then every provider is gone, and only
the cache is left. A request of the outage counts if its *exact twin* (same tenant, route, body) was
answered by a live rung within the window; it is served if the rung ``cache`` says anything.

Memory is kept small (``HOT_MIB``), so that what is measured is the warm tier. The clock of ages is
the trace's own, ``RATE`` requests a second; the time limits of the tiers are real: a Redis that
takes longer than its cap counts against us. This runs the rung and the tiers as a gateway does, in
its event loop, but without HTTP: a million requests through sockets would measure the sockets.
"""

import argparse
import asyncio
import bisect
import itertools
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic, perf_counter

import uvloop

from steadyhand.caching.database_link import DatabaseLink
from steadyhand.caching.host import CacheHost
from steadyhand.caching.hot import HotTier
from steadyhand.caching.link import Link
from steadyhand.caching.redis_link import RedisLink
from steadyhand.caching.remote import RemoteTier
from steadyhand.caching.service import Cache
from steadyhand.caching.store import CacheStore
from steadyhand.records.clock import wall_clock_us
from steadyhand.routing.ports import RungPorts
from steadyhand.routing.rungs import cache as rung
from steadyhand.routing.rungs.base import GoodAnswer, Question
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import open_database, sqlite_url

LEAST_SERVED = 0.995
RATE = 500
"""Requests a second of the trace's clock."""
PACE = 4_000.0
"""Requests a second that are really made, at most: eight times the trace's own."""
QUESTIONS = 200_000
EXPONENT = 1.0
TENANTS = ("acme", "globex", "initech")
FRESH_S, STALE_S = 300.0, 1_500.0
"""The window is their sum: 1,800 s of a trace of 2,000 s."""
HOT_MIB = 2
WORKERS = 32
REDIS_CAP_S, DATABASE_CAP_S = 0.005, 0.025
"""The defaults of ``[cache]``."""
ANSWER = "VACUUM reclaims storage occupied by dead tuples. " * 16
RESULTS = Path(__file__).resolve().parent / "results"


class TraceClock:
    """The wall clock of the trace."""

    def __init__(self) -> None:
        """Begin now: tiers delete what has expired by their own clocks."""
        self.start_us = self.now_us = wall_clock_us()

    def __call__(self) -> int:
        """Return the trace's time, microseconds since 1970."""
        return self.now_us


@dataclass(slots=True)
class Outcome:
    """What came of one run.

    Attributes:
        tiers: Outside of memory, the nearer first.
        requests: In all.
        countable: Requests of the outage whose twin was answered within the window.
        served: Of those.
        by_memory: Of those served, without waiting.
        healthy_hits: Share of the first half that the cache answered.
        p50_us: Of looks beyond memory, in the outage.
        p99_us: Likewise.
        lost: Countable and not served, by what the tiers said.
        seconds: Of the whole run.
    """

    tiers: str
    requests: int
    countable: int = 0
    served: int = 0
    by_memory: int = 0
    healthy_hits: float = 0.0
    p50_us: float = 0.0
    p99_us: float = 0.0
    lost: dict[str, int] | None = None
    seconds: float = 0.0

    @property
    def share(self) -> float:
        """Of the countable requests, those that were served."""
        return self.served / self.countable if self.countable else 0.0


def zipf(chance: random.Random) -> Iterator[int]:
    """Yield ranks from 0, the most frequent, by Zipf's law."""
    weights = (1 / (rank**EXPONENT) for rank in range(1, QUESTIONS + 1))
    cumulated = list(itertools.accumulate(weights))
    while True:
        yield bisect.bisect_left(cumulated, chance.random() * cumulated[-1])


def question(tenant: str, number: int) -> Question:
    """Return one of the trace's questions."""
    text = f"Question {number}: how do I vacuum a table? " + "More context. " * 20
    messages = [{"role": "user", "content": text}]
    body = json.dumps({"messages": messages, "model": "support"}, separators=(",", ":")).encode()
    return Question(
        tenant=tenant,
        key="app",
        user="",
        route="support",
        release="r1",
        stream=False,
        modality="text",
        body=body,
        messages=[],
        asked_s=monotonic(),
    )


class Trace:
    """Plays the requests, and knows by itself what must be found."""

    def __init__(
        self, rungs: Sequence[rung.Cache], clock: TraceClock, requests: int, pace: float
    ) -> None:
        self._rungs = rungs
        self._clock = clock
        self._requests = requests
        self._pace = pace
        self._chance = random.Random(20261126)
        self._ranks = zipf(self._chance)
        self._answered_us: dict[tuple[str, int], int] = {}
        self._looks_us: list[float] = []
        self._hits = 0
        self._number = 0

    async def play(self, outcome: Outcome) -> None:
        """Play the trace to its end, by as many workers as a busy process has requests."""
        half = self._requests // 2
        await self._together(half, outcome, is_outage=False)
        outcome.healthy_hits = self._hits / half
        await asyncio.sleep(1.0)  # half a second and more of the trace's own rate: writes land
        await self._together(self._requests - half, outcome, is_outage=True)
        looks = sorted(self._looks_us)
        if looks:
            outcome.p50_us, outcome.p99_us = looks[len(looks) // 2], looks[len(looks) * 99 // 100]

    async def _together(self, count: int, outcome: Outcome, *, is_outage: bool) -> None:
        left = iter(range(count))
        began_s = monotonic()

        async def work() -> None:
            for number in left:
                early_s = began_s + number / self._pace - monotonic()
                if early_s > 0:
                    await asyncio.sleep(early_s)
                await self._one(outcome, is_outage=is_outage)

        await asyncio.gather(*(work() for _ in range(WORKERS)))

    async def _one(self, outcome: Outcome, *, is_outage: bool) -> None:
        self._number += 1
        self._clock.now_us = now_us = self._clock.start_us + self._number * 1_000_000 // RATE
        tenant, number = self._chance.choice(TENANTS), next(self._ranks)
        asked = question(tenant, number)
        mine = self._chance.choice(self._rungs)
        found = mine.peek(asked)
        in_memory = found is not None
        if found is None:
            began_s = perf_counter()
            found = await mine.fetch(asked, monotonic() + 1.0)
            if is_outage:
                self._looks_us.append((perf_counter() - began_s) * 1e6)
        if not is_outage:
            self._hits += found is not None and found.is_fresh
            if found is None or not found.is_fresh:
                mine.keep(asked, GoodAnswer(f"{number} {ANSWER}", "stop", "m", None, "p/m"))
                self._answered_us[tenant, number] = now_us
            return
        made_us = self._answered_us.get((tenant, number))
        if made_us is None or now_us - made_us >= (FRESH_S + STALE_S) * 1e6:
            return
        outcome.countable += 1
        outcome.served += found is not None
        outcome.by_memory += in_memory


async def run(tiers: Sequence[str], requests: int, pace: float, folder: Path) -> Outcome:
    """Run one trace over two caches with the named tiers."""
    outcome = Outcome("+".join(tiers), requests)
    clock = TraceClock()
    settings = rung.Settings(fresh_s=FRESH_S, stale_s=STALE_S)
    async with AsyncExitStack() as stack:
        addresses = {name: stack.enter_context(_SERVERS[name](folder)) for name in tiers}
        caches = []
        for _ in range(2):
            remotes = [_tier(name, addresses[name], place) for place, name in enumerate(tiers)]
            cache = Cache(b"s" * 32, HotTier(HOT_MIB << 20), remotes, clock, max_age_s=1e6)
            caches.append(await stack.enter_async_context(_closing(cache)))
        rungs = [rung.build(settings, RungPorts({}, cache=cache)) for cache in caches]
        began_s = perf_counter()
        await Trace(rungs, clock, requests, pace).play(outcome)
        outcome.seconds = perf_counter() - began_s
        said: Counter[str] = Counter()
        for cache in caches:
            for tier in cache.status()[1:]:
                for kind in (tier.lookups, tier.stores, tier.failures):
                    for reason, count in kind.items():
                        if reason not in ("hit", "miss", "kept"):
                            said[f"{tier.backend} {reason}"] += count
        outcome.lost = dict(said)
    return outcome


def _tier(name: str, address: str, place: int) -> RemoteTier:
    link: Link = RedisLink(address) if name == "redis" else DatabaseLink(Path(address))
    cap_s = REDIS_CAP_S if name == "redis" else DATABASE_CAP_S
    return RemoteTier(link, ("warm", "cold")[place], cap_s)


@asynccontextmanager
async def _closing(cache: Cache) -> AsyncIterator[Cache]:
    try:
        yield cache
    finally:
        await cache.close()


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    from tests.support.redis_servers import redis_server  # noqa: PLC0415 - a tool of development

    with redis_server(folder) as server:
        yield server.url


@contextmanager
def _database(folder: Path) -> Iterator[str]:
    path = folder / "cache.sock"
    command = [sys.executable, "-m", "benchmarks.cache_zipf", "--host", str(folder)]
    with subprocess.Popen(command) as process:
        try:
            give_up_s = monotonic() + 20
            while not path.exists():
                if monotonic() > give_up_s:
                    raise SystemExit("the host of the database does not start")
                process.poll()
            yield str(path)
        finally:
            process.terminate()


_SERVERS = {"redis": _redis, "database": _database}


async def _host(folder: Path) -> None:
    database = open_database(sqlite_url(folder / "steadyhand.db"))
    upgrade(database)
    host = CacheHost(CacheStore(database), 1 << 30, wall_clock_us)
    await host.serve(folder / "cache.sock")


def report(outcomes: Sequence[Outcome]) -> str:
    """Return the table."""
    heads = ["tiers", "requests", "healthy hits", "countable", "served", "from memory"]
    rows = [
        [
            each.tiers,
            f"{each.requests:,}",
            f"{each.healthy_hits:.1%}",
            f"{each.countable:,}",
            f"{each.share:.4%}",
            f"{each.by_memory / max(each.countable, 1):.1%}",
            f"{each.p50_us:,.0f} / {each.p99_us:,.0f}",
            ", ".join(f"{why} {count:,}" for why, count in (each.lost or {}).items()) or "-",
            f"{each.seconds:,.0f}",
        ]
        for each in outcomes
    ]
    heads += ["look p50 / p99 µs", "not found because", "s"]
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--pace", type=float, default=PACE, help="requests a second, of real time")
    parser.add_argument("--tiers", action="append", help="redis, database or redis,database")
    parser.add_argument("--save", metavar="NAME", help="also results/NAME.json")
    parser.add_argument("--gate", action="store_true", help="exit code 1 if too few are served")
    parser.add_argument("--host", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.host is not None:
        asyncio.run(_host(options.host))
        return 0
    outcomes = []
    for tiers in options.tiers or ["redis,database", "redis", "database"]:
        with (
            tempfile.TemporaryDirectory() as folder,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            outcomes.append(
                runner.run(run(tiers.split(","), options.requests, options.pace, Path(folder)))
            )
            print(report(outcomes[-1:]), flush=True)
    print(report(outcomes))
    if options.save:
        saved = {"outcomes": [{**asdict(each), "share": each.share} for each in outcomes]}
        (RESULTS / f"{options.save}.json").write_text(json.dumps(saved, indent=2) + "\n")
    return int(options.gate and any(each.share < LEAST_SERVED for each in outcomes))


if __name__ == "__main__":
    raise SystemExit(main())
