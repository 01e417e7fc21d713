"""The simulations decide by the product's rule: held against it, second by second."""

from math import isfinite
from typing import Any

import numpy as np
import pytest

from benchmarks.rollouts.rows import ROWS, judge, simulated, upper_bound
from benchmarks.rollouts.simulation import State, World, begun, draw, promotes, rolls_back, simulate
from benchmarks.rollouts.table import render
from steadyhand.rollouts.assessment import Situation, assess
from steadyhand.rollouts.counts import Counts, Step, Window
from steadyhand.rollouts.evidence import LONG_S, SHORT_S
from steadyhand.rollouts.model import Policy

POLICY = Policy(dwell_s=10, bake_s=20, least_requests=20)


def counts_of(state: State, run: int, second: int) -> Counts:
    """Return one run as the product would have counted it."""
    steps = tuple(
        Step(
            cut.weight,
            cut.controls,
            [
                int(state.requests[run, number]),
                int(state.control[run, number]),
                int(state.rest[run, number]),
                0,
            ],
            events := {
                name: [
                    int(state.bad[run, number]),
                    int(state.control_bad[run, number]),
                    int(state.rest_bad[run, number]),
                    0,
                ]
                for name in ("any", "slow")
            },
            events,
            [0, 0, 0, 0],
        )
        for number, cut in enumerate(state.cuts[: int(state.step[run]) + 1])
    )
    short = [(second - back) % LONG_S for back in range(SHORT_S)]
    windows = [[int(window[run].sum()), int(window[run, short].sum())] for window in state.windows]
    (mine, mine_short), (bad, bad_short), (theirs, theirs_short), (wrong, wrong_short) = windows
    return Counts(
        steps,
        Window(int(state.guarded[run]), int(state.guarded_bad[run])),
        Window(mine_short, bad_short),
        Window(mine, bad),
        Window(theirs_short, wrong_short),
        Window(theirs, wrong),
        second,
    )


@pytest.mark.parametrize(
    "world",
    [
        World(60, 0.03),
        World(60, 0.03, 3),
        World(60, 0.045),
        World(60, 0.03, 12),
        World(60, 0.03, outage=(20, 60, 0.6)),
    ],
)
def test_arrays_and_the_product_decide_alike(world: World) -> None:
    runs, random = 4, np.random.default_rng(1)
    state = begun(world, POLICY, runs)
    breach_s = [0.0] * runs
    decided = set()
    for second in range(1, 200):
        draw(state, world, POLICY, second, random)
        worse, slo = rolls_back(state, POLICY, second)
        on = promotes(state, POLICY, second)
        for run in range(runs):
            situation = Situation(
                now_s=float(second),
                step=int(state.step[run]),
                step_s=float(state.step_s[run]),
                weight=state.cuts[int(state.step[run])].weight,
                breach_s=breach_s[run],
            )
            found = assess(counts_of(state, run, second), POLICY, situation)
            breach_s[run] = found.breach_s
            assert found.breach_s == state.breach_s[run]
            wanted = "roll_back" if worse[run] or slo[run] else "promote" if on[run] else ""
            if wanted or found.verdict.decision in {"roll_back", "promote"}:
                assert found.verdict.decision in {wanted, "hold"}, (second, run, found.verdict)
                decided.add(found.verdict.reason)
            if on[run] and not worse[run] and not slo[run] and state.step[run] < 3:
                state.step[run] += 1
                state.step_s[run] = second
    assert decided


def test_a_seed_gives_the_same_again_and_a_bad_world_ends() -> None:
    world = World(100, 0.03, 10, lasts_s=120)
    one, other = (simulate(world, POLICY, 20, 5) for _ in range(2))
    assert (one.rolled_back_s == other.rolled_back_s).all()
    assert np.isfinite(one.rolled_back_s).all()
    assert not np.isfinite(one.finished_s).any()


def test_a_good_world_reaches_everybody() -> None:
    found = simulate(World(400, 0.03, lasts_s=240), POLICY, 10, 5)
    assert np.isfinite(found.finished_s).all()
    assert (found.promoted_s < found.finished_s).all()


def test_bounds_and_judgements() -> None:
    assert 0.0002 < upper_bound(0, 10_000) < 0.0004
    assert 0.05 < upper_bound(5, 100) < 0.11
    kept: dict[str, Any] = {"name": "x", "kind": "false", "most": 0.01, "upper": 0.009}
    assert judge(kept) == ""
    assert judge(kept | {"upper": 0.011}) == "x: up to 1.10%, at most 1%"
    late = {"name": "x", "kind": "found", "most": 20, "median_s": 21.0}
    assert judge(late) == "x: 21.0 s, at most 20 s"
    assert judge(late | {"median_s": None}).startswith("x: None")
    assert judge(late | {"median_s": 20.0}) == ""
    assert judge(late | {"most": None}) == ""


def test_every_row_is_told() -> None:
    small = [row._replace(world=World(20, 0.03, row.world.ratio, lasts_s=5)) for row in ROWS[::9]]
    found = [simulated(row, 10, 1) for row in small]
    page = render(found, 10, 1, "now")
    assert all(row.name in page for row in small)
    assert all(row["median_s"] is None or isfinite(row["median_s"]) for row in found)
