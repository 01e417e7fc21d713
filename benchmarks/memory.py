"""Watch the memory of a gateway process over many requests of every kind.

``python -m benchmarks.memory`` serves a temporary workspace, sends 200,000 requests (or
``--requests``) of the :mod:`benchmarks.mixture`, and prints how much memory the process that
answers them holds. A leak shows as growth in the second half, when every buffer and pool has long
had its size.
"""

import argparse
import asyncio
import json
import os
import sys
import time
import tomllib
from collections.abc import Sequence
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

    Raises:
        Disturbed: The process was replaced, or ``limit_s`` was not enough.
    """
    sending = asyncio.ensure_future(mix.run(limit_s))
    begin = cpu_ns(running.pids())
    await asyncio.sleep(0.5)
    spent = {pid: ns - begin.get(pid, 0) for pid, ns in cpu_ns(running.pids()).items()}
    serving = max(spent, key=spent.__getitem__)  # the one that answers
    samples: list[tuple[int, float]] = []
    step = max(1, mix.wanted // SAMPLES)
    while not sending.done():
        if mix.answered >= len(samples) * step:
            samples.append((mix.answered, resident_mb(serving)))
        await asyncio.sleep(0.005)
    samples.append((mix.answered, resident_mb(serving)))
    if samples[-1][1] == 0:
        raise Disturbed("the gateway process ended during the run")
    try:
        await sending
    except TimeoutError:
        raise Disturbed(f"{mix.answered} requests were answered in {limit_s:.0f} s") from None
    return samples


def growth_mb(samples: Sequence[tuple[int, float]]) -> float:
    """Return by how much the last tenth lies above the sixth, medians of each.

    Counted in requests; the first half, in which buffers and pools get their size, is left out.
    """
    total = samples[-1][0]
    middle = [mb for answered, mb in samples if 0.5 <= answered / total <= 0.6]
    last = [mb for answered, mb in samples if answered / total >= 0.9]
    return median(last) - median(middle)


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory")
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--limit-s", type=float, default=1_800.0, help="longest run")
    parser.add_argument("--seed", type=int, default=1)
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
            mix = Mix(running.target.url, given.requests, given.seed)
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
