"""How often the gate cries wolf, and what it sees: simulated replays of whole runs.

``python -m benchmarks.gate [--replays N] [--gate] [--save NAME]``

Each replay draws, for every case of a suite and every repeat, whether the answer of either arm is
good, and asks :mod:`steadyhand.evals.gate.statistics` as the command does. In A/A replays both arms
have the same probability for each case, drawn once by a shape; a verdict *worse* is a false alarm.
For the power, the candidate's probabilities are lowered so that the mean falls by the smallest drop
that the gate says it would see at the noise of that shape.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steadyhand.evals.gate.statistics import Pairs, is_worse, most_drop, smallest_drop

Floats = NDArray[np.float64]
Shape = Callable[[np.random.Generator, int], Floats]
ALPHA = 0.05
MARGIN = 0.05
REPLAYS = 20_000
RESULTS = Path(__file__).parent / "results"

SHAPES: Mapping[str, Shape] = {
    "all alike, 95 %": lambda draw, n: np.full(n, 0.95),
    "all alike, 50 %": lambda draw, n: np.full(n, 0.5),
    "mostly sure": lambda draw, n: draw.beta(8, 0.5, n),
    "sure or hopeless": lambda draw, n: np.where(draw.random(n) < 0.8, 0.999, 0.02),
    "anything": lambda draw, n: draw.random(n),
}
SIZES = ((20, 3), (60, 3), (200, 1), (400, 3))


@dataclass(frozen=True)
class Row:
    """One shape at one size.

    Attributes:
        shape: Of the probabilities.
        cases: In the suite.
        repeats: Of each.
        alarms: Share of A/A replays that were called worse.
        passes: Share of A/A replays that passed at a margin of 5 points.
        smallest: Drop that would be seen, as the gate says; 0 for none.
        seen: Share of replays with that drop that were called worse.
    """

    shape: str
    cases: int
    repeats: int
    alarms: float
    passes: float
    smallest: float
    seen: float


@lru_cache(maxsize=100_000)
def verdict(n: int, lost: int, won: int) -> tuple[bool, bool]:
    """Return whether pairs are called worse, and whether they pass."""
    pairs = Pairs(n, lost, won)
    return is_worse(pairs, ALPHA, MARGIN), most_drop(pairs, ALPHA) <= MARGIN


def replay(
    draw: np.random.Generator, before: Floats, now: Floats, repeats: int, replays: int
) -> tuple[float, float]:
    """Return the shares of replays that are called worse and that pass."""
    worse = passed = 0
    n = len(before) * repeats
    for _ in range(replays):
        good = draw.random((repeats, len(before))) < before
        then = draw.random((repeats, len(now))) < now
        lost, won = int((good & ~then).sum()), int((then & ~good).sum())
        is_worse, is_through = verdict(n, lost, won)
        worse += is_worse
        passed += is_through
    return worse / replays, passed / replays


def lowered(shares: Floats, drop: float) -> Floats:
    """Return shares whose mean is lower by ``drop``, each in proportion."""
    return np.asarray(shares * max(0.0, 1 - drop / max(shares.mean(), 1e-9)), dtype=np.float64)


def measured(shape: str, cases: int, repeats: int, replays: int, seed: int) -> Row:
    """Play one shape at one size."""
    draw = np.random.default_rng(seed)
    shares = SHAPES[shape](draw, cases)
    alarms, passes = replay(draw, shares, shares, repeats, replays)
    noise = float((shares * (1 - shares)).mean())
    smallest = smallest_drop(cases * repeats, noise, ALPHA, MARGIN) or 0.0
    reachable = smallest and smallest <= float(shares.mean())
    seen = (
        replay(draw, shares, lowered(shares, smallest), repeats, replays // 5)[0]
        if reachable
        else 0.0
    )
    return Row(shape, cases, repeats, alarms, passes, smallest if reachable else 0.0, seen)


def main() -> None:
    """Play all, print a table, keep it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--replays", type=int, default=REPLAYS)
    parser.add_argument("--gate", action="store_true", help="fail if a goal is missed")
    parser.add_argument("--save", metavar="NAME")
    told = parser.parse_args()
    rows = [
        measured(shape, cases, repeats, told.replays, number)
        for number, (shape, (cases, repeats)) in enumerate(
            (shape, size) for shape in SHAPES for size in SIZES
        )
    ]
    lines = [
        "| answers | cases × repeats | A/A called worse | A/A passes | smallest drop | seen |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {row.shape} | {row.cases} × {row.repeats} | {row.alarms:.2%} | {row.passes:.1%} | "
        + (f"{row.smallest:.1%} | {row.seen:.1%} |" if row.smallest else "none | – |")
        for row in rows
    ]
    table = "\n".join(lines) + "\n"
    sys.stdout.write(table)
    # The bound of a binomial share at three standard errors: more would be no accident.
    slack = 3 * (ALPHA * (1 - ALPHA) / told.replays) ** 0.5
    worst = max(row.alarms for row in rows)
    weakest = min((row.seen for row in rows if row.smallest), default=0.0)
    whole = sum(row.alarms for row in rows) / len(rows)
    sys.stdout.write(
        f"\n{told.replays * len(rows):,} A/A replays: {whole:.2%} called worse, {worst:.2%} at the "
        f"worst shape; power at the smallest drop at least {weakest:.1%}\n"
    )
    if told.save:
        content = {"replays": told.replays, "rows": [asdict(row) for row in rows]}
        (RESULTS / f"{told.save}.json").write_text(json.dumps(content, indent=1) + "\n")
    if told.gate and (worst > ALPHA + slack or weakest < 0.8 - 0.02):
        sys.exit("a goal is missed: at most 5 % false alarms, at least 80 % power")


if __name__ == "__main__":
    main()
