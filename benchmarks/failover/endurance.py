"""Ask a gateway for minutes while every provider is broken, and see that it stays what it is.

    python -m benchmarks.failover.endurance                     # five minutes each, 500 a second
    python -m benchmarks.failover.endurance --seconds 20        # to see that it runs
    python -m benchmarks.failover.endurance --only dead,mixed --save 2026-11-26-endurance

A fresh ``steadyhand serve`` for each scenario, one gateway process; routes of the class ``instant``
(150 ms) with a cache, two deployments, curated answers and a floor. Both deployments are healthy
first and break at once. Half of the requests are streams; a tenth repeats what was answered while
everything was well, a tenth asks what has a curated answer.

In time is told twice: by the client, and by the gateway's own records, which count from the last
request byte to the last answer byte (streams: the first content). Both raw, and without what a
ticker of one millisecond on the same core marks as stalls of the machine. ``--gate`` exits with 1
if a limit of :data:`LIMITS` is past.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.failover import cases, gateways
from benchmarks.failover.cases import Case
from benchmarks.failover.load import Row, Step
from benchmarks.failover.own_records import Span, await_records, judge, record_spans, records
from benchmarks.failover.playing import events_of, go_on, loading, plan_for, running, watching
from benchmarks.failover.upstreams import Upstreams, upstreams
from benchmarks.failover.watch import Watch, slope_mb
from benchmarks.load import raise_file_limit
from benchmarks.machine import Cores, describe, usable_cores
from benchmarks.tables import markdown

RATE = 500.0
SECONDS = 300.0
BUDGET_US = 150_000
CLIENT_ALLOWANCE_US = 25_000
RESULTS = Path(__file__).resolve().parents[1] / "results"
LIMITS = {"valid": 1.0, "in_time": 0.9999, "growth_mb": 3.0, "pending_mb": 16.0}
"""Least shares; most growth of memory over the second half; most records waiting."""

SCENARIOS: Mapping[str, tuple[str, ...]] = {
    "dead": ("all-dead",),
    "silent": ("all-silent",),
    "slow": ("all-slow",),
    "dripping": ("all-dripping",),
    "lying": ("all-lying", "all-lying-html", "all-lying-empty"),
    "mixed": tuple(case.name for case in cases.LASTING),
}
"""Scenario → cases of which each request draws one."""


@dataclass(frozen=True, slots=True)
class Lasted:
    """One scenario.

    Attributes:
        sent: Requests of the client.
        valid: Share that was answered whole and in the documented form.
        letters: Letter → how many, whatever their time (:mod:`benchmarks.failover.scoring`).
        client_raw: Share within 150 ms and an allowance of 25 ms, by the client's clock.
        client: The same without stalls.
        records: How many the gateway has of these requests.
        gateway_raw: Share in time by its records.
        gateway: The same without stalls.
        latest_ms: The slowest answer by its records.
        rungs: Rung that spoke → how many.
        growth_mb: Of the memory of the answering process over the second half.
        memory_mb: Its most.
        in_flight: Requests at once, at most.
        pending_mb: Records waiting for the disk, at most.
        upstream: Open connections to providers, at most.
        waiting: Requests waiting for one, at most.
        calls: Upstream calls of each request; -1 if nobody listens there.
        stalls_ms: The machine stood still, in all.
        generator_late_ms: The load generator was late, at most.
    """

    sent: int
    valid: float
    letters: dict[str, int]
    client_raw: float
    client: float
    records: int
    gateway_raw: float
    gateway: float
    latest_ms: float
    rungs: dict[str, int]
    growth_mb: float
    memory_mb: float
    in_flight: float
    pending_mb: float
    upstream: float
    waiting: float
    calls: float
    stalls_ms: float
    generator_late_ms: float


def client_spans(rows: Sequence[Row]) -> list[Span]:
    """Return when each request was sent, how long its answer took, and how long it may."""
    limit_us = BUDGET_US + CLIENT_ALLOWANCE_US
    return [
        Span(sent_ns, first_us if stream else ended_us, limit_us)
        for stream, sent_ns, _kind, _why, _valid, first_us, ended_us in rows
    ]


def last(name: str, found: Upstreams, cores: Cores, rate: float, seconds: float) -> Lasted:
    """Run one scenario."""
    mixed: list[Case] = cases.chosen(SCENARIOS[name])
    found.heal(mixed, cases.HEALTHY_FOR_100_MS)
    gateway = gateways.instant()
    rows: list[Row] = []
    latest_us = 0
    with (
        tempfile.TemporaryDirectory(prefix="steadyhand-endurance-") as place,
        running(gateway, found, mixed, cores, Path(place)) as alive,
        watching(cores, Path(place)) as stalled,
    ):
        plan = plan_for(gateway, found, mixed, alive.url, rate=rate, seconds=seconds, warm=20)
        plan.steps = [Step(name, [case.name for case in mixed])]
        plan.prepared = [cases.PREPARED, cases.curated_answer(gateways.ANSWERS)]
        plan.repeats = True
        apart_ns = time.time_ns() - time.monotonic_ns()
        begun_us, before = 0, {}
        with (
            loading(plan, cores.load, Path(place)) as process,
            Watch(alive.pid, alive.control_url) as watch,
        ):
            for event in events_of(process):
                match event["event"]:
                    case "warm":
                        before = found.calls()
                        found.break_(mixed)
                        begun_us = time.time_ns() // 1000
                        watch.begin()
                        go_on(process)
                    case "next":
                        go_on(process)
                    case "case":
                        rows = [tuple(row) for row in event["rows"]]
                        watch.end()
                    case "end":
                        latest_us = event["latest_us"]
        database = gateways.database_of_ours(alive.folder)
        await_records(database, begun_us, len(rows), 60.0)
        kept = list(records(database, begun_us))
        marked = stalled()
    called = sum(count - before.get(model, 0) for model, count in found.calls().items())
    client = judge(client_spans(rows), marked).shares()
    own = judge(record_spans(kept, apart_ns), marked).shares()
    return Lasted(
        sent=len(rows),
        valid=sum(row[2] in "AF" and row[4] for row in rows) / max(1, len(rows)),
        letters={letter: sum(row[2] == letter for row in rows) for letter in "AFEBHX"},
        client_raw=client[0],
        client=client[1],
        records=len(kept),
        gateway_raw=own[0],
        gateway=own[1],
        latest_ms=max((span.length_us for span in record_spans(kept, 0)), default=0) / 1e3,
        rungs={rung: sum(each.rung == rung for each in kept) for rung in {e.rung for e in kept}},
        growth_mb=slope_mb(watch.memory_mb),
        memory_mb=max((mb for _, mb in watch.memory_mb), default=0.0),
        in_flight=watch.most("steadyhand_requests_in_flight"),
        pending_mb=watch.most("steadyhand_record_log_pending_bytes") / 1e6,
        upstream=watch.most("steadyhand_upstream_connections"),
        waiting=watch.most("steadyhand_upstream_waiting"),
        calls=called / max(1, len(rows)) if called else -1.0,
        stalls_ms=marked.total_ms(),
        generator_late_ms=latest_us / 1e3,
    )


def past_limits(found: Mapping[str, Lasted]) -> list[str]:
    """Return which limits are past, and where."""
    past = []
    for name, one in found.items():
        if one.valid < LIMITS["valid"]:
            past.append(f"{name}: {one.valid:.4%} answered in valid form")
        if one.gateway < LIMITS["in_time"]:
            past.append(f"{name}: {one.gateway:.4%} in time")
        if one.records < one.sent:
            past.append(f"{name}: {one.sent - one.records} requests without a record")
        if one.growth_mb > LIMITS["growth_mb"]:
            past.append(f"{name}: memory grew by {one.growth_mb:.1f} MB")
        if one.pending_mb > LIMITS["pending_mb"]:
            past.append(f"{name}: {one.pending_mb:.1f} MB of records waited")
    return past


def table(found: Mapping[str, Lasted]) -> str:
    """Return one row for each scenario."""
    rows: list[tuple[str, ...]] = [
        ("every provider", "requests", "answered, valid", "in time, gateway (raw)",
         "in time, client (raw)", "slowest ms", "who spoke", "memory MB (growth)",
         "at once", "upstream sockets", "records waiting MB", "calls a request"),
    ]  # fmt: skip
    for name, one in found.items():
        spoke = ", ".join(f"{rung} {count}" for rung, count in sorted(one.rungs.items()))
        rows.append(
            (
                name,
                f"{one.sent:,}",
                f"{one.valid:.4%}",
                f"{one.gateway:.4%} ({one.gateway_raw:.4%})",
                f"{one.client:.4%} ({one.client_raw:.4%})",
                f"{one.latest_ms:.1f}",
                spoke,
                f"{one.memory_mb:.1f} ({one.growth_mb:+.2f})",
                f"{one.in_flight:.0f}",
                f"{one.upstream:.0f}",
                f"{one.pending_mb:.2f}",
                f"{one.calls:.2f}" if one.calls >= 0 else "–",
            )
        )
    return markdown(rows)


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.failover.endurance")
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(SCENARIOS))
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each scenario")
    parser.add_argument("--rate", type=float, default=RATE, help="requests a second")
    parser.add_argument("--gate", action="store_true", help="exit with 1 if a limit is past")
    parser.add_argument("--save", metavar="NAME", help="write benchmarks/results/NAME.md and .json")
    given = parser.parse_args(arguments)
    unknown = set(given.only) - SCENARIOS.keys()
    if unknown:
        parser.error(f"no scenario is called {', '.join(sorted(unknown))}")
    return given


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit code."""
    given = read_arguments(arguments)
    raise_file_limit()
    usable = usable_cores()
    cores = Cores(usable[0], usable[-1])
    os.sched_setaffinity(0, {cores.load})
    done: dict[str, Lasted] = {}
    for name in given.only:
        with upstreams(cores.load) as found:
            done[name] = last(name, found, cores, given.rate, given.seconds)
        print(f"{name}: {done[name]}", file=sys.stderr, flush=True)
    past = past_limits(done)
    print(table(done))
    print(f"\npast: {'; '.join(past)}" if past else "\nwithin every limit")
    if given.save:
        save(given.save, done, past, given)
    return 1 if given.gate and past else 0


def save(
    name: str, done: Mapping[str, Lasted], past: Sequence[str], given: argparse.Namespace
) -> None:
    """Write the table and the numbers."""
    machine = describe()
    whole: dict[str, Any] = {
        "machine": machine,
        "version": gateways.version_of_ours(),
        "seconds": given.seconds,
        "rate": given.rate,
        "past": list(past),
        "scenarios": {each: asdict(one) for each, one in done.items()},
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    stalls_ms = median(one.stalls_ms for one in done.values())
    text = "\n\n".join(
        (
            f"# Endurance, {name[:10]}: every provider broken at once",
            f"`python -m benchmarks.failover.endurance --seconds {given.seconds:g} --save {name}`: "
            f"{given.rate:g} requests a second, half of them streams, class `instant` (150 ms), "
            "a cache, two deployments that break together, curated answers, a floor. A tenth "
            "of the requests repeats one that was answered before, a tenth asks what has a curated "
            "answer. *In time* is without stalls of the "
            "machine, raw in brackets; the gateway's figure is of its own records, the client's "
            f"has an allowance of {CLIENT_ALLOWANCE_US // 1000} ms. Memory is of the process that "
            "answers; its growth is along a robust line over the second half (Theil–Sen).",
            f"Steadyhand {whole['version']}; {machine['cores']} cores of {machine['cpu']}, Linux "
            f"{machine['kernel']}, CPython {machine['python']}. The machine stood still for "
            f"{stalls_ms:.0f} ms in the median scenario.",
            table(done),
            f"Past limits: {'; '.join(past)}." if past else "Every limit holds.",
        )
    )
    (RESULTS / f"{name}.md").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
