"""Situations for tests: by hand, and drawn by hypothesis."""

from typing import Any

from hypothesis import strategies as st

from steadyhand.routing.planning.situation import Candidate, Cost, Policy, Situation

MS = 1_000
DRAW = 0.3


def cost(p50_ms: int, p90_ms: int, p99_ms: int, samples: int = 100) -> Cost:
    return Cost(p50_ms * MS, p90_ms * MS, p99_ms * MS, samples)


def live(rung: int = 0, of: Cost | None = None, **changes: Any) -> Candidate:
    return Candidate(rung, "live", f"provider-{rung}", "model", cost=of or Cost(), **changes)


def stored(rung: int, kind: str = "cache", p99_ms: int = 2, **changes: Any) -> Candidate:
    return Candidate(rung, kind, cost=Cost(MS // 5, MS // 2, p99_ms * MS, 0), **changes)


def situation(
    budget_ms: int, *candidates: Candidate, draw: float = DRAW, **policy: Any
) -> Situation:
    return Situation(budget_ms * MS, True, draw, Policy(**policy), candidates)


@st.composite
def costs(draw: st.DrawFn, most_ms: int = 3_000) -> Cost:
    """Draw what a rung takes: known, or not."""
    quantiles = sorted(draw(st.lists(st.integers(0, most_ms * MS), min_size=3, max_size=3)))
    p50_us, p90_us, p99_us = quantiles
    return Cost(p50_us, p90_us, p99_us, draw(st.sampled_from([0, 5, 20, 500])))


def lives(rung: int) -> st.SearchStrategy[Candidate]:
    return st.builds(
        Candidate,
        rung=st.just(rung),
        kind=st.just("live"),
        provider=st.sampled_from(["openai", "local"]),
        model=st.just("model"),
        cost=costs(),
        health=st.sampled_from(["closed", "closed", "open", "half_open"]),
        share=st.sampled_from([1.0, 1.0, 0.5, 0.0]),
        is_probe=st.booleans(),
        is_proven=st.sampled_from([True, True, False]),
        limit_us=st.sampled_from([0, 0, 1, 400 * MS]),
        barred=st.sampled_from(["", "", "tools"]),
        may_hedge=st.booleans(),
        is_spare=st.sampled_from([False, False, True]),
    )


def lookups(rung: int) -> st.SearchStrategy[Candidate]:
    return st.builds(
        Candidate,
        rung=st.just(rung),
        kind=st.sampled_from(["cache", "knowledge"]),
        cost=costs(20),
        is_proven=st.sampled_from([True, True, False]),
        barred=st.sampled_from(["", "", "policy"]),
    )


POLICIES = st.builds(
    Policy,
    floor_reserve_us=st.sampled_from([0, 10 * MS]),
    cap_us=st.sampled_from([0, 60_000 * MS]),
    lingers=st.booleans(),
    harvests=st.booleans(),
)
BUDGETS_US = st.sampled_from([0, 1, 5 * MS, 150 * MS, 1_500 * MS, 10_000 * MS])


@st.composite
def situations(draw: st.DrawFn, budgets_us: st.SearchStrategy[int] = BUDGETS_US) -> Situation:
    """Draw any situation: up to five candidates, some of one rung."""
    candidates = []
    rung = 0
    for _ in range(draw(st.integers(0, 5))):
        kind = draw(st.sampled_from([lives, lives, lookups]))
        candidates.append(draw(kind(rung)))
        rung += draw(st.integers(0, 1))
    return Situation(
        draw(budgets_us),
        draw(st.booleans()),
        draw(st.floats(0, 1, exclude_max=True)),
        draw(POLICIES),
        tuple(candidates),
    )
