"""Watch the memory of a gateway process over many requests of every kind.

``python -m benchmarks.memory`` serves a temporary workspace, sends 1,000,000 requests (or
``--requests``) of the :mod:`benchmarks.mixture`, and prints how much memory the process that
answers them holds. A leak shows as growth in the second half, when every buffer and pool has long
had its size: 3 MB there are 6 bytes lost with each request. It is read
off a robust line, the median of the slopes between all pairs of samples (Theil-Sen), because
single samples jump by what large bodies hold just then.
"""

import argparse
import asyncio
import json
import os
import sys
import time
import tomllib
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any

import uvloop

from benchmarks.machine import cpu_ns, describe, resident_mb, usable_cores
from benchmarks.mixture import Mix
from benchmarks.running import Running, mock_upstream, start
from benchmarks.tables import markdown
from benchmarks.targets import everything

FOLDER = Path(__file__).resolve().parent
SAMPLES = 100


class Disturbed(Exception):
    """The run says nothing about memory; the message says why."""


async def watch(running: Running, mix: Mix, limit_s: float) -> list[tuple[int, float]]:
    """Run ``mix`` and return (requests answered, memory in MB) as it went on.

    Of all processes the one counts that used the most CPU over the run: the one that answers.

    Raises:
        Disturbed: That process did not live through it, or ``limit_s`` was not enough.
    """
    pids = running.pids()
    begin = cpu_ns(pids)
    sending = asyncio.ensure_future(mix.run(limit_s))
    seen: list[tuple[int, dict[int, float]]] = []
    step = max(1, mix.wanted // SAMPLES)
    while not sending.done():
        if mix.answered >= len(seen) * step:
            seen.append((mix.answered, {pid: resident_mb(pid) for pid in pids}))
        await asyncio.sleep(0.005)
    seen.append((mix.answered, {pid: resident_mb(pid) for pid in pids}))
    if running.pids() != pids:
        raise Disturbed("a process of the gateway ended or was replaced during the run")
    try:
        await sending
    except TimeoutError:
        raise Disturbed(f"{mix.answered} requests were answered in {limit_s:.0f} s") from None
    end = cpu_ns(pids)
    serving = max(pids, key=lambda pid: end[pid] - begin[pid])
    return [(answered, resident[serving]) for answered, resident in seen]


def growth_mb(samples: Sequence[tuple[int, float]]) -> float:
    """Return the growth over the second half of the requests, along a robust line.

    The first half, in which buffers and pools get their size, is left out.

    Source: Theil (1950), Sen (1968): the median of all pairwise slopes.
    """
    total = samples[-1][0]
    late = [(answered, mb) for answered, mb in samples if answered >= total / 2]
    slopes = [
        (later_mb - mb) / (later - answered)
        for (answered, mb), (later, later_mb) in combinations(late, 2)
        if later > answered
    ]
    return median(slopes) * total / 2


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory")
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--limit-s", type=float, default=1_800.0, help="longest run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--only", default="", help="kinds whose name has this in it, to find a leak"
    )
    parser.add_argument("--save", metavar="NAME", help="write benchmarks/results/NAME.json")
    parser.add_argument("--gate", action="store_true", help="exit with 1 if a limit is past")
    return parser.parse_args(arguments)


def main() -> int:
    """Run from the command line; return the exit code."""
    given = read_arguments()
    cores = usable_cores()
    os.sched_setaffinity(0, {cores[-1]})
    with mock_upstream(cores[-1]) as (upstream, _):
        running = start(everything, upstream, cores[0])
        try:
            mix = Mix(running.target.url, given.requests, given.seed, given.only)
            begin_s = time.monotonic()
            samples = uvloop.run(watch(running, mix, given.limit_s))
            took_s = time.monotonic() - begin_s
        except Disturbed as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            running.stop()
    return _report(given, mix, samples, took_s)


def _report(
    given: argparse.Namespace, mix: Mix, samples: list[tuple[int, float]], took_s: float
) -> int:
    rows = [("requests", "RSS MB")]
    rows += [(f"{answered:,}", f"{mb:.1f}") for answered, mb in samples[:: len(samples) // 10]]
    peak, growth = max(mb for _, mb in samples), growth_mb(samples)
    limits = tomllib.loads((FOLDER / "budget.toml").read_text(encoding="utf-8"))["memory"]
    past = [
        text
        for text, is_past in (
            (f"peak {peak:.1f} MB > {limits['most_mb']}", peak > limits["most_mb"]),
            (
                f"growth {growth:.1f} MB > {limits['most_growth_mb']}",
                growth > limits["most_growth_mb"],
            ),
            (f"{mix.problems.total()} wrong answers", mix.problems.total() > 0),
        )
        if is_past
    ]
    print(markdown(rows))
    print(
        f"\npeak {peak:.1f} MB, growth in the second half {growth:+.1f} MB; "
        f"{mix.answered:,} requests in {took_s:.0f} s: {dict(mix.counts.most_common())}"
    )
    for problem, count in mix.problems.most_common(5):
        print(f"wrong {count} times: {problem}")
    print(f"past: {'; '.join(past)}" if past else "within every limit")
    if given.save:
        _save(given.save, {"peak_mb": peak, "growth_mb": growth, "samples": samples}, mix)
    return 1 if given.gate and past else 0


def _save(name: str, found: dict[str, Any], mix: Mix) -> None:
    whole = {
        "machine": describe(),
        "requests": dict(mix.counts),
        "problems": dict(mix.problems),
        **found,
    }
    path = FOLDER / "results" / f"{name}.json"
    path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
