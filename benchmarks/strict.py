"""What ``strict`` durability adds to an answer, beside ``batched``, in one run on one disk.

``python -m benchmarks.strict [--gate] [--directory DIR] [--json] [--save NAME]``. Two gateways over
one mock upstream, one core for both, the load on another: :data:`benchmarks.measure.RATE` requests
a second are due at fixed times, first on one, then on the other, the order changing with each
round. What strict adds is taken within each round, and the median of the rounds is held against
:data:`MOST_ADDED_MS`. Before each round the disk itself is asked what a sync costs: that is the
part which no gateway can better.
"""

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.load import spread
from benchmarks.machine import Cores, describe, usable_cores
from benchmarks.measure import RATE, Bench, measure
from benchmarks.running import Running, mock_upstream, start
from benchmarks.tables import markdown
from benchmarks.targets import Site, Target, everything
from steadyhand.telemetry.board import read_board

MOST_ADDED_MS = 2.0
"""At the 99th percentile."""

NOISY = 0.1
MODES = ("batched", "strict")
RESULTS = Path(__file__).resolve().parent / "results"
_PROBES = 200
_PROBE_GAP_S = 0.002
_PROBE_BYTES = 500


@dataclass(frozen=True, slots=True)
class Options:
    """How thorough a run is, and on which disk."""

    rounds: int
    warm_s: float
    counted_s: float
    directory: Path


def gateway(mode: str, site: Site) -> Target:
    """Return the whole gateway with the durability ``mode``."""
    target = everything(site)
    environment = {**target.environment, "STEADYHAND_RECORDS__DURABILITY": mode}
    return replace(target, environment=environment)


def raw_syncs_us(directory: Path) -> dict[str, float]:
    """Return what ``fdatasync`` of a record's bytes takes here, in room that was made before."""
    took_ns = []
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        descriptor = file.fileno()
        os.pwrite(descriptor, bytes(_PROBES * _PROBE_BYTES), 0)
        os.fsync(descriptor)
        for number in range(_PROBES):
            os.pwrite(descriptor, b"x" * _PROBE_BYTES, number * _PROBE_BYTES)
            begin_ns = time.perf_counter_ns()
            os.fdatasync(descriptor)
            took_ns.append(time.perf_counter_ns() - begin_ns)
            time.sleep(_PROBE_GAP_S)
    return spread(took_ns)


def log_counters(running: Running) -> dict[str, int]:
    """Return the record log's numbers of the one gateway process."""
    reading = read_board(running.folder / "workspace/.steadyhand/run/gateway-0.board")
    if reading is None:
        raise RuntimeError("the gateway has no board")
    return {name: value for name, value in reading.values.items() if name.startswith("log_")}


def one(bench: Bench, running: Running) -> dict[str, Any]:
    """Load one gateway; return what the load saw, and what the log did meanwhile."""
    time.sleep(0.5)  # boards are written four times a second
    before = log_counters(running)
    sample = measure(bench, running, "open")
    time.sleep(0.5)
    after = log_counters(running)
    done = {name: after[name] - before[name] for name in before}
    syncs = max(1, done["log_syncs"])
    return sample | {
        "syncs": done["log_syncs"],
        "group": done["log_flushed"] / syncs,
        "sync_mean_us": done["log_sync_total_us"] / syncs,
        "sync_longest_us": after["log_sync_longest_us"],
        "refused": sum(done[f"log_refused_{reason}"] for reason in ("full", "failing", "stalled")),
    }


def run(options: Options, cores: Cores) -> dict[str, Any]:
    """Run all rounds and return every sample."""
    samples: dict[str, list[dict[str, Any]]] = {mode: [] for mode in MODES}
    disk = []
    tempfile.tempdir = str(options.directory)  # where targets have their folders
    with mock_upstream(cores.load) as (upstream, mock_pid):
        bench = Bench(cores, mock_pid, options.warm_s, options.counted_s)
        started: dict[str, Running] = {}
        try:
            for mode in MODES:
                started[mode] = start(partial(gateway, mode), upstream, cores.gateway)
            for number in range(options.rounds):
                say(f"round {number + 1} of {options.rounds}")
                disk.append(raw_syncs_us(options.directory))
                for mode in MODES if number % 2 else MODES[::-1]:
                    started[mode].settle(5.0)
                    samples[mode].append(one(bench, started[mode]))
        finally:
            for running in started.values():
                running.stop()
    return {"disk": disk, "samples": samples}


def say(text: str) -> None:
    """Tell how far it is."""
    print(text, file=sys.stderr, flush=True)


def summarise(found: dict[str, Any]) -> dict[str, float]:
    """Return medians of the rounds; what strict adds is the median of the rounds' differences."""
    summary: dict[str, float] = {}
    samples = found["samples"]
    for mode in MODES:
        for name in ("p50", "p99", "p999"):
            values = [each["latency_us"][name] / 1000 for each in samples[mode]]
            summary[f"{mode}.{name}_ms"] = statistics.median(values)
        for name in ("group", "cpu_us", "foreign_share"):
            summary[f"{mode}.{name}"] = statistics.median(each[name] for each in samples[mode])
        summary[f"{mode}.sync_ms"] = statistics.median(
            each["sync_mean_us"] / 1000 for each in samples[mode]
        )
        for name in ("errors", "refused", "unanswered"):
            summary[f"{mode}.{name}"] = sum(each[name] for each in samples[mode])
    for name in ("p50", "p99"):
        pairs = zip(samples["strict"], samples["batched"], strict=True)
        summary[f"added.{name}_ms"] = statistics.median(
            (strict["latency_us"][name] - batched["latency_us"][name]) / 1000
            for strict, batched in pairs
        )
        summary[f"disk.{name}_ms"] = statistics.median(each[name] / 1000 for each in found["disk"])
    return summary


def render(summary: dict[str, float]) -> str:
    """Return the table, what strict adds, and what the disk takes."""
    head = (
        f"{RATE} req/s",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "records/sync",
        "sync ms",
        "CPU µs/req",
    )
    names = ("p50_ms", "p99_ms", "p999_ms", "group", "sync_ms", "cpu_us")
    digits = (2, 2, 2, 1, 2, 0)
    rows = [head] + [
        (mode, *(f"{summary[f'{mode}.{n}']:.{d}f}" for n, d in zip(names, digits, strict=True)))
        for mode in MODES
    ]
    return "\n\n".join(
        (
            markdown(rows),
            f"strict adds {summary['added.p50_ms']:.2f} ms at p50 and {summary['added.p99_ms']:.2f}"
            f" ms at p99 (at most {MOST_ADDED_MS:g}); fdatasync alone takes this disk"
            f" {summary['disk.p50_ms']:.2f} ms at p50 and {summary['disk.p99_ms']:.2f} at p99",
        )
    )


def problems(summary: dict[str, float]) -> list[str]:
    """Return why the run does not count, or does not keep the limit."""
    found = []
    if summary["added.p99_ms"] > MOST_ADDED_MS:
        found.append(f"strict adds more than {MOST_ADDED_MS:g} ms at p99")
    for mode in MODES:
        for name in ("errors", "refused", "unanswered"):
            if summary[f"{mode}.{name}"]:
                found.append(f"{mode}: {summary[f'{mode}.{name}']:.0f} {name}")
        if summary[f"{mode}.foreign_share"] > NOISY:
            share = summary[f"{mode}.foreign_share"]
            found.append(f"{mode}: others used {share:.0%} of a core; run again when it is quiet")
    return found


def save(name: str, options: Options, found: dict[str, Any], summary: dict[str, float]) -> Path:
    """Write everything to ``results/NAME.json``."""
    path = RESULTS / f"{name}.json"
    whole = {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": describe(),
        "rounds": options.rounds,
        "counted_s": options.counted_s,
        "summary": summary,
        **found,
    }
    path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    return path


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.strict", description="What strict durability adds."
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="counted of each load")
    parser.add_argument("--directory", type=Path, help="on the disk to measure (that of $TMPDIR)")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("--save", metavar="NAME", help="write benchmarks/results/NAME.json")
    parser.add_argument("--gate", action="store_true", help="exit with 1 if the limit is not kept")
    return parser.parse_args(arguments)


def main() -> int:
    """Run from the command line; return the exit code."""
    given = read_arguments()
    cores = usable_cores()
    if len(cores) < 2:
        say("This needs two cores: one for the gateways, one for the load. There is one.")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.sched_setaffinity(0, {cores[1]})
    directory = given.directory or Path(tempfile.gettempdir())
    options = Options(given.rounds, 1.0, given.seconds, directory.resolve())
    found = run(options, Cores(gateway=cores[0], load=cores[1]))
    summary = summarise(found)
    print(json.dumps(summary) if given.json else render(summary))
    for problem in problems(summary):
        say(f"warning: {problem}")
    if given.save:
        say(f"saved: {save(given.save, options, found, summary).name}")
    return 1 if given.gate and problems(summary) else 0


if __name__ == "__main__":
    sys.exit(main())
