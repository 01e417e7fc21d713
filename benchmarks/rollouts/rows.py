"""What is simulated, and what must come out."""

from math import isfinite
from typing import Any, Literal, NamedTuple

import numpy as np

from benchmarks.rollouts.simulation import World, simulate
from steadyhand.rollouts.model import Policy

Kind = Literal["false", "wrong", "found", "good"]
Z_95 = 1.6449
HOUR_S = 3_600


class Row(NamedTuple):
    """One row of the table.

    Attributes:
        name: What happens.
        kind: ``false`` roll-backs and ``wrong`` promotions are held against a part of the runs,
            ``found`` against the median delay in seconds; ``good`` is told only.
        world: It.
        most: What must not be passed; ``None`` if nothing must.
    """

    name: str
    kind: Kind
    world: World
    most: float | None = None


def _healthy(per_s: float, base: float = 0.03, **more: Any) -> World:
    return World(per_s, base, **more)


ROWS = (
    Row("healthy, 20/s, an hour at 5 %", "false", _healthy(20, goes_on=False), 0.01),
    Row("healthy, 100/s, an hour at 5 %", "false", _healthy(100, goes_on=False), 0.01),
    Row("healthy, 500/s, an hour at 5 %", "false", _healthy(500, goes_on=False), 0.01),
    Row(
        "healthy, 100/s, six hours at 5 %",
        "false",
        _healthy(100, goes_on=False, lasts_s=6 * HOUR_S, every_s=3),
        0.01,
    ),
    Row("healthy, 20/s, all steps", "false", _healthy(20), 0.01),
    Row("healthy, 100/s, all steps", "false", _healthy(100), 0.01),
    Row("near the limit (4.5 %), 20/s, an hour", "false", _healthy(20, 0.045, goes_on=False), 0.01),
    Row(
        "near the limit (4.5 %), 100/s, an hour", "false", _healthy(100, 0.045, goes_on=False), 0.01
    ),
    Row("near the limit (4.5 %), 100/s, all steps", "false", _healthy(100, 0.045), 0.01),
    Row(
        "provider fails for 60 s (half is bad), 20/s",
        "false",
        _healthy(20, goes_on=False, outage=(100, 160, 0.5)),
        0.01,
    ),
    Row(
        "provider fails for 60 s (half is bad), 100/s",
        "false",
        _healthy(100, goes_on=False, outage=(100, 160, 0.5)),
        0.01,
    ),
    Row(
        "provider fails for 60 s (all is bad), 100/s, all steps",
        "false",
        _healthy(100, outage=(100, 160, 1.0)),
        0.01,
    ),
    Row("2 × worse, 20/s: promoted", "wrong", World(20, 0.03, 2, lasts_s=HOUR_S), 0.05),
    Row("2 × worse, 100/s: promoted", "wrong", World(100, 0.03, 2, lasts_s=HOUR_S), 0.05),
    Row("2 × worse, 500/s: promoted", "wrong", World(500, 0.03, 2, lasts_s=HOUR_S), 0.05),
    Row("hard fault (60 % bad), 20/s", "found", World(20, 0.03, 20, lasts_s=300), 20),
    Row("5 × worse, 100/s", "found", World(100, 0.03, 5, lasts_s=600), 25),
    Row("2 × worse, 100/s", "found", World(100, 0.03, 2, lasts_s=2_400), 240),
    Row("5 × worse, 20/s", "found", World(20, 0.03, 5, lasts_s=1_200)),
    Row("2 × worse, 20/s", "found", World(20, 0.03, 2, lasts_s=3 * HOUR_S)),
    Row(
        "hard fault, 20/s, one control slice",
        "found",
        World(20, 0.03, 20, lasts_s=300, controls=1),
    ),
    Row(
        "5 × worse, 100/s, one control slice",
        "found",
        World(100, 0.03, 5, lasts_s=600, controls=1),
    ),
    Row(
        "2 × worse, 100/s, one control slice",
        "found",
        World(100, 0.03, 2, lasts_s=2_400, controls=1),
    ),
    Row(
        "2 × worse, 100/s, two control slices",
        "found",
        World(100, 0.03, 2, lasts_s=2_400, controls=2),
    ),
    Row(
        "2 × worse, 100/s, six control slices",
        "found",
        World(100, 0.03, 2, lasts_s=2_400, controls=6),
    ),
    Row("as good, 20/s: to everybody", "good", World(20, 0.03)),
    Row("as good, 100/s: to everybody", "good", World(100, 0.03)),
    Row("as good, 500/s: to everybody", "good", World(500, 0.03)),
)


def simulated(row: Row, runs: int, seed: int) -> dict[str, Any]:
    """Return what became of the runs of a row."""
    found = simulate(row.world, Policy(), runs, seed)
    back = np.isfinite(found.rolled_back_s)
    on = np.isfinite(found.finished_s if row.kind == "good" else found.promoted_s)
    hits = int(on.sum() if row.kind in {"wrong", "good"} else back.sum())
    times = found.finished_s if row.kind == "good" else found.rolled_back_s
    return {
        "name": row.name,
        "kind": row.kind,
        "most": row.most,
        "runs": runs,
        "seed": seed,
        "hits": hits,
        "part": hits / runs,
        "upper": upper_bound(hits, runs),
        "median_s": _quantile(times, 0.5),
        "p90_s": _quantile(times, 0.9),
        "by_slo": float(found.by_slo.mean()),
    }


def upper_bound(hits: int, runs: int) -> float:
    """Return the one-sided upper 95 % bound of a part, by Wilson (1927)."""
    part, square = hits / runs, Z_95 * Z_95
    middle = part + square / (2 * runs)
    spread = Z_95 * np.sqrt(part * (1 - part) / runs + square / (4 * runs * runs))
    return float((middle + spread) / (1 + square / runs))


def _quantile(times: Any, part: float) -> float | None:
    """Return a quantile over all runs; ``None`` if it falls on those in which nothing came."""
    found = float(np.sort(times)[min(len(times) - 1, int(part * len(times)))])
    return found if isfinite(found) else None


def judge(row: dict[str, Any]) -> str:
    """Return what is not kept of a row; empty if all is."""
    most = row["most"]
    if most is None:
        return ""
    if row["kind"] == "found":
        is_kept = row["median_s"] is not None and row["median_s"] <= most
        return "" if is_kept else f"{row['name']}: {row['median_s']} s, at most {most:g} s"
    if row["upper"] <= most:
        return ""
    return f"{row['name']}: up to {row['upper']:.2%}, at most {most:.0%}"
