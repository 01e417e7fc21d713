"""Run the races, or read those of a run before, and write table, numbers and curves."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.drift.plot import draw
from benchmarks.drift.race import BASES_S, jobs, run
from benchmarks.drift.report import SHOWN, curve, problems, render

RESULTS = Path(__file__).parent.parent / "results"


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.drift", description="Delay and false alarms of drift detectors."
    )
    parser.add_argument("--days", type=float, default=4.0, help="simulated, of stationary latency")
    parser.add_argument("--seeds", type=int, default=30, help="traces of each change")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--read", metavar="NAME", help="only write the tables of a saved run again")
    parser.add_argument("--save", metavar="NAME", help="write results/NAME.json and NAME.svg")
    parser.add_argument("--gate", action="store_true", help="exit with 1 if a number is not kept")
    return parser.parse_args(arguments)


def race(days: float, seeds: int, processes: int) -> dict[str, Any]:
    """Run everything, at low priority; a run that is interrupted keeps what it has."""
    wanted = jobs(days, seeds)
    runs: list[dict[str, Any]] = []
    found = {"made_at": datetime.now(UTC).isoformat(timespec="seconds"), "runs": runs}
    with (
        suppress(KeyboardInterrupt),
        ProcessPoolExecutor(processes, initializer=os.nice, initargs=(5,)) as pool,
    ):
        for each in pool.map(run, wanted):
            runs.append(each)
            print(f"{len(runs)} of {len(wanted)}: {each['scenario']}", file=sys.stderr, flush=True)
    return found


def picture(found: dict[str, Any]) -> str:
    """Return the curves."""
    return draw(
        "Latency drift: how soon it is seen, how often there is none",
        {
            f"base {base_s * 1000:,.0f} ms, 100 tries a second": {
                family: points
                for family in SHOWN
                if (points := curve(found["runs"], base_s, family))
            }
            for base_s in BASES_S
        },
    )


def main() -> int:
    """Run from the command line; return the exit code."""
    given = read_arguments()
    if given.read:
        found = json.loads((RESULTS / f"{given.read}.json").read_text(encoding="utf-8"))
    else:
        found = race(given.days, given.seeds, given.jobs)
    name = given.save or given.read
    if given.save:
        written = json.dumps(found, separators=(",", ":")).replace(
            '},{"scenario"', '},\n{"scenario"'
        )
        (RESULTS / f"{name}.json").write_text(written + "\n", encoding="utf-8")
    if name:
        (RESULTS / f"{name}.svg").write_text(picture(found), encoding="utf-8")
    print(render(found["runs"]))
    wrong = problems(found["runs"])
    for problem in wrong:
        print(f"warning: {problem}", file=sys.stderr)
    return 1 if given.gate and wrong else 0


if __name__ == "__main__":
    sys.exit(main())
