"""Offer a gateway more than it can do, and see what it still does in time.

``python -m benchmarks.overload`` finds out what one gateway process can do (closed loop, 64
connections), then offers shares of that as an open loop over many connections, in which requests
come whatever became of those before. *Goodput* is what comes back with status 200 within the
budget, counted from the moment the request was due: plain answers whole, streams begun. Once more
without overload control, for contrast. The gateway's whole process tree has one core, load and
upstream have the other.
"""

import argparse
import json
import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.load import raise_file_limit
from benchmarks.machine import Cores, describe, usable_cores
from benchmarks.measure import Bench, measure
from benchmarks.running import mock_upstream, start
from benchmarks.tables import markdown
from benchmarks.targets import Builder, Site, Target, everything

FOLDER = Path(__file__).resolve().parent
SHARES = (0.5, 1.0, 1.5, 2.0, 3.0)
BUDGET_MS = 1_500
"""``whole_ms`` of the class ``interactive``."""
CONNECTIONS = 6_000
"""So many that requests hardly wait in the load generator for one."""
KINDS: Mapping[str, tuple[str, ...]] = {"streams": ("--events", "20"), "plain": ()}
VARIANTS: Mapping[str, Mapping[str, str]] = {
    "with control": {},
    "without": {
        "STEADYHAND_SERVER__OVERLOAD_TARGET_MS": "0",
        "STEADYHAND_SERVER__MAX_IN_FLIGHT": "1000000",
    },
}


def builder(environment: Mapping[str, str]) -> Builder:
    """Return what builds the gateway with further environment variables.

    All connections come from one address: the bound on those of one client is lifted.
    """
    more = {"STEADYHAND_SERVER__MAX_CONNECTIONS_PER_CLIENT": "0", **environment}

    def build(site: Site) -> Target:
        target = everything(site)
        return replace(target, environment={**target.environment, **more})

    return build


def closed(kind: str) -> tuple[str, ...]:
    """Return the load that finds the capacity."""
    return ("--connections", "64", *KINDS[kind])


def offered(kind: str, rate: float) -> tuple[str, ...]:
    """Return the load that offers ``rate`` requests a second."""
    return (
        *KINDS[kind],
        *("--connections", str(CONNECTIONS), "--rate", f"{rate:.0f}"),
        *("--budget-ms", str(BUDGET_MS), "--may-refuse"),
    )


def run_round(
    bench: Bench,
    upstream: str,
    environment: Mapping[str, str],
    kind: str,
    capacity: float,
    shares: Sequence[float],
) -> dict[str, Any]:
    """Measure one variant; without a ``capacity`` given, find it first."""
    running = start(builder(environment), upstream, bench.cores.gateway)
    try:
        if not capacity:
            capacity = float(measure(bench, running, closed(kind))["per_s"])
        judged = "first_event_us" if kind == "streams" else "latency_us"
        steps = {}
        for share in shares:
            found = measure(bench, running, offered(kind, capacity * share))
            steps[f"{share:g}"] = {
                "offered_per_s": capacity * share,
                "goodput": found["good_per_s"] / capacity,
                "admitted_p50_ms": found[judged].get("p50", 0.0) / 1e3,
                "admitted_p99_ms": found[judged].get("p99", 0.0) / 1e3,
                "answered": found["per_s"] / capacity,
                "refused": found["refused_per_s"] / (capacity * share),
                "refused_p50_ms": found["refused_us"].get("p50", 0.0) / 1e3,
                "refused_p99_ms": found["refused_us"].get("p99", 0.0) / 1e3,
                "unanswered": found["unanswered"],
                "errors": found["errors"],
                "problem": found["problem"],
                "gateway_share": found["gateway_share"],
                "load_share": found["load_share"],
                "foreign_share": found["foreign_share"],
            }
    finally:
        running.stop()
    return {"capacity_per_s": capacity, "steps": steps}


def medians(rounds: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return share → measure → median over rounds."""
    found = {}
    for share in rounds[0]["steps"]:
        steps = [one["steps"][share] for one in rounds]
        names = [name for name in steps[0] if name != "problem"]
        found[share] = {name: median(float(step[name]) for step in steps) for name in names}
    return found


def table(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """Return the medians as a table for people."""
    rows = [
        ("", "offered × capacity", "goodput × capacity", "admitted p50 / p99 ms", "refused",
         "refused p50 / p99 ms", "unanswered", "errors", "busy: gateway / load core"),
    ]  # fmt: skip
    for variant, steps in found.items():
        for share, step in steps.items():
            rows.append(
                (
                    variant,
                    share,
                    f"{step['goodput']:.2f}",
                    f"{step['admitted_p50_ms']:.0f} / {step['admitted_p99_ms']:.0f}",
                    f"{step['refused']:.0%}",
                    f"{step['refused_p50_ms']:.0f} / {step['refused_p99_ms']:.0f}",
                    f"{step['unanswered']:.0f}",
                    f"{step['errors']:.0f}",
                    f"{step['gateway_share']:.2f} / {step['load_share']:.2f}",
                )
            )
    return markdown(rows)


def past_limits(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[str]:
    """Return which limits of ``budget.toml`` are past."""
    limits = tomllib.loads((FOLDER / "budget.toml").read_text(encoding="utf-8"))["overload"]
    at_double = found["with control"].get("2")
    if at_double is None:
        return ["2 × was not measured"]
    past = []
    if at_double["goodput"] < limits["least_goodput"]:
        past.append(f"goodput at 2 × {at_double['goodput']:.2f} < {limits['least_goodput']}")
    if at_double["admitted_p99_ms"] > BUDGET_MS:
        past.append(f"p99 of the admitted {at_double['admitted_p99_ms']:.0f} ms > {BUDGET_MS}")
    if any(step["errors"] for step in found["with control"].values()):
        past.append("errors with overload control")
    return past


def _shares(text: str) -> tuple[float, ...]:
    return tuple(float(each) for each in text.split(","))


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="counted, of each load")
    parser.add_argument(
        "--shares", type=_shares, default=SHARES, help="of the capacity, for example 1,2"
    )
    parser.add_argument(
        "--kind", choices=tuple(KINDS), default="streams", help="streams of 20 events, or plain"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--save", metavar="NAME", help="write benchmarks/results/NAME.json")
    parser.add_argument("--gate", action="store_true", help="exit with 1 if a limit is past")
    return parser.parse_args(arguments)


def main() -> int:
    """Run from the command line; return the exit code."""
    given = read_arguments()
    raise_file_limit()
    cores = usable_cores()
    os.sched_setaffinity(0, {cores[-1]})
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in VARIANTS}
    with mock_upstream(cores[-1]) as (upstream, mock_pid):
        bench = Bench(Cores(cores[0], cores[-1]), mock_pid, 3.0, given.seconds)
        for _ in range(given.rounds):
            capacity = 0.0
            for name, environment in VARIANTS.items():
                one = run_round(bench, upstream, environment, given.kind, capacity, given.shares)
                capacity = one["capacity_per_s"]
                rounds[name].append(one)
    found = {name: medians(each) for name, each in rounds.items()}
    capacity = median(one["capacity_per_s"] for one in rounds["with control"])
    past = past_limits(found)
    whole = {
        "machine": describe(),
        "kind": given.kind,
        "capacity_per_s": capacity,
        "medians": found,
        "past": past,
        "rounds": rounds,
    }
    if given.json:
        print(json.dumps(whole, indent=1))
    else:
        print(table(found))
        print(f"\ncapacity {capacity:.0f} requests/s of {given.kind} (median of rounds)")
        print(f"past: {'; '.join(past)}" if past else "within every limit")
    if given.save:
        path = FOLDER / "results" / f"{given.save}.json"
        path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    return 1 if given.gate and past else 0


if __name__ == "__main__":
    sys.exit(main())
