"""Compare the gateway with what else there is, on one core each, in one run.

``make bench`` or ``python -m benchmarks.compare`` prints two tables and what they mean for the
limits of ``budget.toml``. README.md in this folder says how it is done and how to read it.
"""

import argparse
import json
import os
import signal
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import peers
from benchmarks.budget import Verdict, judge, read_limits
from benchmarks.machine import Cores, describe, usable_cores
from benchmarks.measure import LOADS, Bench, measure
from benchmarks.running import NotStarted, Running, mock_upstream, start
from benchmarks.tables import medians, render, render_verdicts
from benchmarks.targets import OTHER_CARRIERS, OWN, Builder, Unavailable

FOLDER = Path(__file__).resolve().parent
NOISY = 0.1
"""Share of a core which, used by others, makes a run unfit to be believed."""


@dataclass(frozen=True, slots=True)
class Options:
    """How thorough a run is."""

    rounds: int
    warm_s: float
    counted_s: float
    starts: int


QUICK = Options(rounds=1, warm_s=0.5, counted_s=1.0, starts=1)
THOROUGH = Options(rounds=3, warm_s=1.0, counted_s=3.0, starts=3)


@dataclass(slots=True)
class Entry:
    """What is known of one target so far."""

    running: Running
    cold_starts_s: list[float]
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, file=sys.stderr, flush=True)


def open_all(
    builders: Mapping[str, Builder], upstream: str, core: int, starts: int
) -> dict[str, Entry]:
    """Start every target ``starts`` times; leave out, and say so, those that do not answer."""
    entries: dict[str, Entry] = {}
    try:
        for name, builder in builders.items():
            try:
                entries[name] = _open(builder, upstream, core, starts)
            except (Unavailable, NotStarted) as error:
                say(f"{name}: left out: {error}")
                continue
            cold = entries[name].cold_starts_s
            say(f"{name}: ready" + (f" after {median(cold):.2f} s" if cold else ""))
    except BaseException:
        close_all(entries)
        raise
    return entries


def _open(builder: Builder, upstream: str, core: int, starts: int) -> Entry:
    cold_starts_s: list[float] = []
    while True:
        running = start(builder, upstream, core)
        if running.cold_start_s is None:
            return Entry(running, [])
        cold_starts_s.append(running.cold_start_s)
        if len(cold_starts_s) >= starts:
            return Entry(running, cold_starts_s)
        running.stop()


def close_all(entries: Mapping[str, Entry]) -> None:
    """Stop every target."""
    for entry in entries.values():
        entry.running.stop()


def compare(builders: Mapping[str, Builder], options: Options, cores: Cores) -> dict[str, Entry]:
    """Run all rounds; each round loads every target in turn, so that drift meets all alike."""
    with mock_upstream(cores.load) as (upstream, mock_pid):
        bench = Bench(cores, mock_pid, options.warm_s, options.counted_s)
        entries = open_all(builders, upstream, cores.gateway, options.starts)
        try:
            for number in range(options.rounds):
                for name, entry in entries.items():
                    say(f"round {number + 1} of {options.rounds}: {name}")
                    entry.running.settle(5.0)
                    for load in LOADS:
                        sample = measure(bench, entry.running, LOADS[load])
                        entry.samples.setdefault(load, []).append(sample)
        finally:
            close_all(entries)
    return entries


def warnings(entries: Mapping[str, Entry]) -> list[str]:
    """Return what a reader must know before believing the numbers."""
    found = []
    noise = {}
    for name, entry in entries.items():
        for load, rounds in entry.samples.items():
            problems = [each["problem"] for each in rounds if each["problem"]]
            if problems:
                found.append(f"{name}, {load}: {problems[0]}")
            noise[f"{name}, {load}"] = median(each["foreign_share"] for each in rounds)
    noisy = [each for each, share in noise.items() if share > NOISY]
    if noisy:
        worst = max(noisy, key=noise.__getitem__)
        found.append(
            f"this machine was not quiet: in {len(noisy)} of {len(noise)} rows others used more "
            f"than {NOISY:.0%} of a core, at worst {noise[worst]:.0%} ({worst})"
        )
    return found


def save(
    name: str,
    options: Options,
    entries: Mapping[str, Entry],
    found: Mapping[str, Mapping[str, float]],
    verdicts: Sequence[Verdict],
) -> Path:
    """Write everything to ``results/NAME.json``."""
    path = FOLDER / "results" / f"{name}.json"
    whole = {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": describe(),
        "options": asdict(options),
        "versions": {each: entry.running.target.version for each, entry in entries.items()},
        "medians": found,
        "limits": [
            {"say": verdict.limit.say, "value": verdict.value, "state": verdict.state}
            for verdict in verdicts
        ],
        "warnings": warnings(entries),
        "cold_starts_s": {each: entry.cold_starts_s for each, entry in entries.items()},
        "samples": {each: entry.samples for each, entry in entries.items()},
    }
    path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    return path


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compare",
        description="Compare the gateway with nginx, with bare pass-through and with peers.",
    )
    parser.add_argument("--quick", action="store_true", help="one short round, to see that it runs")
    parser.add_argument("--rounds", type=int, help="rounds (3)")
    parser.add_argument("--seconds", type=float, help="seconds counted of each load (3)")
    parser.add_argument("--only", help="names of targets, with commas between them")
    parser.add_argument("--peers", default="", help=f"any of {', '.join(peers.PEERS)}")
    parser.add_argument("--peers-home", type=Path, help="folder with an environment for each")
    parser.add_argument("--save", metavar="NAME", help="write benchmarks/results/NAME.json")
    parser.add_argument("--gate", action="store_true", help="exit with 1 if a limit is past")
    return parser.parse_args(arguments)


def main() -> int:
    """Run from the command line; return the exit code."""
    given = read_arguments()
    cores = usable_cores()
    if len(cores) < 2:
        say("This needs two cores: one for the gateway, one for the load. There is one.")
        return 2
    preset = QUICK if given.quick else THOROUGH
    options = Options(
        rounds=given.rounds or preset.rounds,
        warm_s=preset.warm_s,
        counted_s=given.seconds or preset.counted_s,
        starts=preset.starts,
    )
    try:
        wanted = peers.builders([each for each in given.peers.split(",") if each], given.peers_home)
    except Unavailable as error:
        say(str(error))
        return 2
    builders = {**OWN, **OTHER_CARRIERS, **wanted}
    only = given.only.split(",") if given.only else [*OWN, *wanted]
    if unknown := set(only) - builders.keys():
        say(f"no target is called {', '.join(sorted(unknown))}; known are {', '.join(builders)}")
        return 2
    builders = {name: builder for name, builder in builders.items() if name in only}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.sched_setaffinity(0, {cores[1]})
    entries = compare(builders, options, Cores(gateway=cores[0], load=cores[1]))
    return _report(given, options, entries)


def _report(given: argparse.Namespace, options: Options, entries: dict[str, Entry]) -> int:
    found = {name: medians(each.samples, each.cold_starts_s) for name, each in entries.items()}
    budget = tomllib.loads((FOLDER / "budget.toml").read_text(encoding="utf-8"))
    verdicts = judge(read_limits(budget["limit"]), found)
    print(f"{render(found)}\n\n{render_verdicts(verdicts)}")
    for warning in warnings(entries):
        print(f"\nwarning: {warning}")
    if given.save:
        say(f"saved: {save(given.save, options, entries, found, verdicts).name}")
    return 1 if given.gate and any(verdict.is_failure for verdict in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
