"""What a hot hit costs through the whole gateway, beside a proxied answer, in one run.

``python -m benchmarks.cache_hits [--gate] [--save NAME]``. Two gateways over one mock upstream, one
core for both, the load on another. ``proxied`` has a live rung only, and no two questions are the
same; ``cached`` has a rung ``cache`` above it, and :data:`QUESTIONS` questions in turn, so that all
but the first of each are hot hits. Each round puts a closed loop on both (how much can it do?),
then an open one of 500 requests a second (how long does it take?), the order changing with each
round.

The questions have a blank after each colon and comma, as Python's ``json.dumps`` writes them: not
the cheapest spelling for the address.
"""

import argparse
import json
import os
import signal
import statistics
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import Cores, describe, usable_cores
from benchmarks.measure import LOADS, Bench, measure
from benchmarks.running import Running, mock_upstream, start
from benchmarks.tables import markdown
from benchmarks.targets import Site, Target, everything

LEAST_RATIO = 1.0
"""Hot hits per second over proxied answers per second: a hit spares the model, not the gateway."""
MOST_P99_MS = 2.0
"""Of a hot hit at 500 requests a second, with client and loopback in it."""
NOISY = 0.1
QUESTIONS = 200
MODES = ("proxied", "cached")
RUNG = '[[rungs]]\nkind = "cache"\nfresh_s = 86400\n\n[[rungs]]\nkind = "live"'
RESULTS = Path(__file__).resolve().parent / "results"


def cached(site: Site) -> Target:
    """Return the whole gateway with a rung ``cache`` above its live one."""
    target = everything(site)
    for route in (site.folder / "workspace" / "routes").glob("*.toml"):
        text = route.read_text(encoding="utf-8")
        route.write_text(text.replace('[[rungs]]\nkind = "live"', RUNG, 1), encoding="utf-8")
    return target


BUILDERS = {"proxied": everything, "cached": cached}


def one(bench: Bench, running: Running, mode: str, load: str) -> dict[str, Any]:
    """Put one load on one gateway."""
    questions = ("--questions", str(QUESTIONS)) if mode == "cached" else ()
    return measure(bench, running, (*LOADS[load], *questions))


def run(rounds: int, counted_s: float, cores: Cores) -> dict[str, list[dict[str, Any]]]:
    """Run all rounds and return every sample, by mode and load."""
    samples: dict[str, list[dict[str, Any]]] = {
        f"{mode}.{load}": [] for mode in MODES for load in ("closed", "open")
    }
    with mock_upstream(cores.load) as (upstream, mock_pid):
        bench = Bench(cores, mock_pid, 1.0, counted_s)
        started: dict[str, Running] = {}
        try:
            for mode in MODES:
                started[mode] = start(BUILDERS[mode], upstream, cores.gateway)
            for number in range(rounds):
                say(f"round {number + 1} of {rounds}")
                for load in ("closed", "open"):
                    for mode in MODES if number % 2 else MODES[::-1]:
                        started[mode].settle(10.0)
                        samples[f"{mode}.{load}"].append(one(bench, started[mode], mode, load))
        finally:
            for running in started.values():
                running.stop()
    return samples


def summarise(samples: dict[str, list[dict[str, Any]]]) -> dict[str, float]:
    """Return medians of the rounds; the ratio is the median of the rounds' ratios."""
    summary: dict[str, float] = {}
    for mode in MODES:
        closed, paced = samples[f"{mode}.closed"], samples[f"{mode}.open"]
        summary[f"{mode}.per_s"] = statistics.median(each["per_s"] for each in closed)
        summary[f"{mode}.cpu_us"] = statistics.median(
            each["processes"][0]["cpu_us"] for each in closed
        )
        for name in ("p50", "p99"):
            summary[f"{mode}.{name}_ms"] = statistics.median(
                each["latency_us"][name] / 1000 for each in paced
            )
        summary[f"{mode}.errors"] = sum(each["errors"] for each in (*closed, *paced))
        summary[f"{mode}.foreign_share"] = max(each["foreign_share"] for each in (*closed, *paced))
    pairs = zip(samples["cached.closed"], samples["proxied.closed"], strict=True)
    summary["ratio"] = statistics.median(hit["per_s"] / miss["per_s"] for hit, miss in pairs)
    return summary


def problems(summary: dict[str, float]) -> list[str]:
    """Return why the run does not count, or does not keep the limits."""
    found = []
    if summary["ratio"] < LEAST_RATIO:
        found.append(f"hot hits are not {LEAST_RATIO:g} times as many as proxied answers")
    if summary["cached.p99_ms"] > MOST_P99_MS:
        found.append(f"a hot hit takes more than {MOST_P99_MS:g} ms at p99")
    for mode in MODES:
        if summary[f"{mode}.errors"]:
            found.append(f"{mode}: {summary[f'{mode}.errors']:.0f} errors")
        if summary[f"{mode}.foreign_share"] > NOISY:
            share = summary[f"{mode}.foreign_share"]
            found.append(f"{mode}: others used {share:.0%} of a core; run again when it is quiet")
    return found


def render(summary: dict[str, float]) -> str:
    """Return the table and the ratio."""
    names = (("per_s", 0), ("cpu_us", 0), ("p50_ms", 2), ("p99_ms", 2))
    rows = [("", "req/s", "CPU µs/req of the gateway", "p50 ms at 500/s", "p99 ms at 500/s")]
    rows += [
        (mode, *(f"{summary[f'{mode}.{name}']:,.{digits}f}" for name, digits in names))  # type: ignore[misc]  # as many as the head
        for mode in MODES
    ]
    return f"{markdown(rows)}\n\nratio of throughput: {summary['ratio']:.2f}"


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """Run from the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cache_hits")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="counted of each load")
    parser.add_argument("--save", metavar="NAME", help="write benchmarks/results/NAME.json")
    parser.add_argument("--gate", action="store_true", help="exit with 1 if a limit is not kept")
    given = parser.parse_args()
    cores = usable_cores()
    if len(cores) < 2:
        say("This needs two cores: one for the gateways, one for the load. There is one.")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.sched_setaffinity(0, {cores[1]})
    samples = run(given.rounds, given.seconds, Cores(gateway=cores[0], load=cores[1]))
    summary = summarise(samples)
    print(render(summary))
    for problem in problems(summary):
        say(f"warning: {problem}")
    if given.save:
        whole = {
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": describe(),
            "summary": summary,
            "samples": samples,
        }
        path = RESULTS / f"{given.save}.json"
        path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    return 1 if given.gate and problems(summary) else 0


if __name__ == "__main__":
    sys.exit(main())
