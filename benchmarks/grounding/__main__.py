"""Measure the check of grounding: how well it tells, its cost, and what rollouts risk by it.

``python -m benchmarks.grounding FOLDER [--rollouts N] [--fit] [--gate] [--save NAME]``: each
``.jsonl.gz`` of the folder is a set of rows with ``claim``, ``sentences`` (of its context) and
``human`` (a label). ``--rollouts`` also draws so many rollouts of each world of ``twins.py``;
``--fit`` prints weights fitted on ``dev.jsonl.gz`` beside those in force.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.grounding.labelled import checked, read
from benchmarks.grounding.table import render
from benchmarks.grounding.telling import committed, fit, told
from benchmarks.grounding.twins import pooled, simulated
from benchmarks.machine import describe

RESULTS: Final = Path(__file__).parent.parent / "results"
MOST_MS: Final = 10.0
MOST_FALSE: Final = 0.01
LEAST_AUROC: Final = 0.75
DEVELOPMENT: Final = "dev"


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grounding", description=__doc__)
    parser.add_argument("folder", type=Path, help="with labelled claims")
    parser.add_argument("--rollouts", type=int, default=0, help="of each world")
    parser.add_argument("--fit", action="store_true", help="fit the weights again")
    parser.add_argument("--gate", action="store_true", help="exit with 1 if a number is not kept")
    parser.add_argument("--save", metavar="NAME", help="write results/NAME.json and NAME.md")
    return parser.parse_args(arguments)


def problems(sets: dict[str, Any]) -> list[str]:
    """Return which numbers are not kept."""
    found = []
    for name, numbers in sets.items():
        if numbers["with_context_ms"]["mean"] > MOST_MS:
            found.append(f"{name}: {numbers['with_context_ms']['mean']:.1f} ms a claim")
        if numbers["auroc"] < LEAST_AUROC:
            found.append(f"{name}: an AUROC of {numbers['auroc']:.3f}")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every set; return 1 if a number must be kept and is not."""
    wanted = read_arguments(arguments)
    sets: dict[str, Any] = {}
    for path in sorted(wanted.folder.glob("*.jsonl.gz")):
        claims = checked(read(path))
        name = path.name.removesuffix(".jsonl.gz")
        sets[name] = told(claims)
        if wanted.fit and name == DEVELOPMENT:
            for weight, value in fit(claims).items():
                print(f"{weight:16} fitted {value:7.3f}, in force {committed()[weight]:7.3f}")
    rollouts = simulated(wanted.rollouts) if wanted.rollouts else []
    twins = pooled(rollouts)
    document = {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": describe(),
        "sets": sets,
        "rollouts": rollouts,
        "twins": twins,
    }
    text = render(document)
    print(text)
    missed = problems(sets)
    if twins["rolled_back"] > MOST_FALSE * twins["runs"]:
        missed.append(f"{twins['rolled_back']} twins were taken back")
    for problem in missed:
        print(f"not kept: {problem}", file=sys.stderr)
    if wanted.save:
        (RESULTS / f"{wanted.save}.json").write_text(json.dumps(document, indent=1) + "\n")
        (RESULTS / f"{wanted.save}.md").write_text(text)
    return 1 if wanted.gate and (missed or not sets) else 0


if __name__ == "__main__":
    sys.exit(main())
