"""Simulate thousands of rollouts, and write what became of them as a table and as numbers."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.rollouts.rows import ROWS, Row, judge, simulated
from benchmarks.rollouts.table import render

RESULTS = Path(__file__).parent.parent / "results"


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rollouts",
        description="False roll-backs, false promotions and delays of the rule for rollouts.",
    )
    parser.add_argument("--runs", type=int, default=10_000, help="rollouts of each row")
    parser.add_argument("--seed", type=int, default=6, help="of the random numbers")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--save", metavar="NAME", help="write results/NAME.json and NAME.md")
    parser.add_argument("--gate", action="store_true", help="exit with 1 if a number is not kept")
    return parser.parse_args(arguments)


def _run(job: tuple[Row, int, int]) -> dict[str, Any]:
    row, runs, seed = job
    return simulated(row, runs, seed)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every row; return 1 if one must be kept and is not."""
    wanted = read_arguments(arguments)
    jobs = [(row, wanted.runs, wanted.seed + number) for number, row in enumerate(ROWS)]
    found = []
    with ProcessPoolExecutor(wanted.jobs, initializer=os.nice, initargs=(5,)) as pool:
        for row in pool.map(_run, jobs):
            found.append(row)
            print(f"{len(found)} of {len(jobs)}: {row['name']}", file=sys.stderr, flush=True)
    problems = [text for row in found if (text := judge(row))]
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    text = render(found, wanted.runs, wanted.seed, made_at)
    print(text)
    for problem in problems:
        print(f"not kept: {problem}", file=sys.stderr)
    if wanted.save:
        document = {
            "made_at": made_at,
            "runs": wanted.runs,
            "seed": wanted.seed,
            "worlds": {row.name: asdict(row.world) for row in ROWS},
            "rows": found,
        }
        RESULTS.joinpath(f"{wanted.save}.json").write_text(json.dumps(document, indent=1) + "\n")
        RESULTS.joinpath(f"{wanted.save}.md").write_text(text + "\n")
    return 1 if problems and wanted.gate else 0


if __name__ == "__main__":
    sys.exit(main())
