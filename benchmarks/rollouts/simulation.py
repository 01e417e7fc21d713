"""Thousands of rollouts at once, second by second, decided by the product's rule.

The rule is written a second time here, on arrays; tests/unit/benchmarks holds it against
:func:`steadyhand.rollouts.assessment.assess`, second by second. Every request is a unit of its own
and bad in one way (it is slow), the hardest case for the weighted mean over metrics.
"""

from dataclasses import dataclass, field
from math import inf, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.rollouts import sequential
from steadyhand.rollouts.assessment import LEAST_SHORT, PARTS, enabled
from steadyhand.rollouts.counts import LEAST_CONTROL
from steadyhand.rollouts.evidence import LONG_S, SHORT_S
from steadyhand.rollouts.model import ANY, Policy
from steadyhand.routing.exposure import WHOLE, Slices, slices

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
MINE = (PARTS[ANY] + PARTS["slow"]) / sum(PARTS[name] for name in (ANY, *enabled(Policy())))
"""Part of the bet that a fault which shows as slow answers only moves."""


@dataclass(frozen=True)
class World:
    """What happens.

    Attributes:
        per_s: Requests a second, of all arms.
        base: Part of them that is bad with the stable release.
        ratio: Times as many with the candidate.
        lasts_s: How long it is watched.
        outage: From when to when a provider fails for everybody, and the part that is bad then.
        goes_on: Whether steps are taken; otherwise it stays at the first.
        controls: Number of control slices at the first step; ``None`` for the product's.
        every_s: How often is looked.
    """

    per_s: float
    base: float
    ratio: float = 1.0
    lasts_s: int = 3_600
    outage: tuple[int, int, float] | None = None
    goes_on: bool = True
    controls: int | None = None
    every_s: int = 1

    def rates(self, second: int) -> tuple[float, float]:
        """Return which part of stable's and of the candidate's requests is bad."""
        base = self.base
        if self.outage is not None and self.outage[0] <= second < self.outage[1]:
            base = self.outage[2]
        return base, min(1.0, base * self.ratio)


@dataclass
class Found:
    """What became of each run; times in seconds, infinite for never.

    Attributes:
        rolled_back_s: When it was taken back.
        by_slo: Whether by the service level.
        promoted_s: When it left the first step.
        finished_s: When it was promoted to everybody.
    """

    rolled_back_s: Numbers
    by_slo: Flags
    promoted_s: Numbers
    finished_s: Numbers


@dataclass
class State:
    """All runs at one second. Arrays are (runs, steps), windows (runs, seconds)."""

    step: NDArray[np.int64]
    step_s: Numbers
    requests: Numbers
    control: Numbers
    rest: Numbers
    bad: Numbers
    control_bad: Numbers
    rest_bad: Numbers
    windows: list[Numbers]
    breach_s: Numbers
    guarded: Numbers
    guarded_bad: Numbers
    cuts: list[Slices] = field(default_factory=list)


def simulate(world: World, policy: Policy, runs: int, seed: int) -> Found:
    """Return what becomes of ``runs`` rollouts."""
    random = np.random.default_rng(seed)
    state = begun(world, policy, runs)
    found = Found(np.full(runs, inf), np.zeros(runs, bool), np.full(runs, inf), np.full(runs, inf))
    rows = np.arange(runs)
    for second in range(1, world.lasts_s + 1):
        draw(state, world, policy, second, random)
        if second % world.every_s:
            continue
        is_open = np.isinf(found.rolled_back_s) & np.isinf(found.finished_s)
        if not is_open.any():
            break
        worse, slo = rolls_back(state, policy, second)
        gone = (worse | slo) & is_open
        found.rolled_back_s[gone] = second
        found.by_slo[gone & ~worse] = True
        if world.goes_on or second == world.lasts_s:
            on = promotes(state, policy, second) & is_open & ~gone
        else:
            on = np.zeros(runs, bool)
        found.promoted_s[on & (state.step == 0)] = second
        last = len(state.cuts) - 1
        found.finished_s[on & (state.step == last)] = second
        if world.goes_on:
            moved = rows[on & (state.step < last)]
            state.step[moved] += 1
            state.step_s[moved] = second
    return found


def begun(world: World, policy: Policy, runs: int) -> State:
    """Return runs in which nothing has happened."""
    cuts = [slices(weight) for weight in policy.weights()]
    if world.controls is not None:
        cuts[0] = cuts[0]._replace(controls=world.controls)
    shape = (runs, len(cuts))
    return State(
        np.zeros(runs, np.int64),
        np.zeros(runs),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape),
        [np.zeros((runs, LONG_S)) for _ in range(4)],
        np.zeros(runs),
        np.zeros(runs),
        np.zeros(runs),
        cuts,
    )


def draw(
    state: State, world: World, policy: Policy, second: int, random: np.random.Generator
) -> None:
    """Let a second happen."""
    healthy, _ = control_is(state, policy, second - 1)
    runs = len(state.step)
    rows, at = np.arange(runs), state.step
    stable, candidate = world.rates(second)
    size = np.array([cut.size for cut in state.cuts])[at] / WHOLE * world.per_s
    controls = np.array([cut.controls for cut in state.cuts])[at]
    rest = np.array([cut.weight - cut.size for cut in state.cuts])[at] / WHOLE * world.per_s
    mine, theirs, others = (random.poisson(each) for each in (size, size * controls, rest))
    bad, theirs_bad = random.binomial(mine, candidate), random.binomial(theirs, stable)
    others_bad = random.binomial(others, candidate)
    for total, new in (
        (state.requests, mine),
        (state.control, theirs),
        (state.rest, others),
        (state.bad, bad),
        (state.control_bad, theirs_bad),
        (state.rest_bad, others_bad),
    ):
        total[rows, at] += new
    state.guarded += np.where(healthy, mine + others, 0)
    state.guarded_bad += np.where(healthy, bad + others_bad, 0)
    for window, new in zip(
        state.windows, (mine + others, bad + others_bad, theirs, theirs_bad), strict=True
    ):
        window[:, second % LONG_S] = new


def control_is(state: State, policy: Policy, second: int) -> tuple[Flags, Flags]:
    """Return whose control is healthy, and whose is past the service level, after a second."""
    slo = policy.slo_percent / 100
    places = [(second - back) % LONG_S for back in range(SHORT_S)]
    breached = np.zeros(len(state.step), bool)
    for asked, bad in (
        (state.windows[2].sum(1), state.windows[3].sum(1)),
        (state.windows[2][:, places].sum(1), state.windows[3][:, places].sum(1)),
    ):
        breached |= (asked >= LEAST_CONTROL) & (bad > slo * asked)
    healthy: Flags = ~breached & (state.windows[2].sum(1) >= LEAST_CONTROL)
    return healthy, breached


def log_mean(logs: Numbers, weights: Any, axis: int) -> Numbers:
    """Return the logarithm of a weighted mean of e-values along an axis."""
    most: Numbers = logs.max(axis, keepdims=True)
    inside: Numbers = (np.exp(logs - most) * weights).sum(axis)
    result: Numbers = most.squeeze(axis) + np.log(inside)
    return result


def worse(state: State, policy: Policy) -> Numbers:
    """Return :func:`steadyhand.rollouts.sequential.worse` of each run."""
    bets = [policy.margin * each for each in sequential.WORSE]
    parts = _ratio_logs(state, policy.margin, bets)
    suffix = np.flip(np.cumsum(np.flip(parts, 1), 1), 1)  # from each step on
    each_start = log_mean(suffix, 1 / len(bets), 2)
    planned, used = len(state.cuts), each_start.shape[1]
    if planned == 1:
        first: Numbers = each_start[:, 0]
        return first
    rest = (1 - sequential.FIRST_START) / (planned - 1)
    begun = [sequential.FIRST_START] + [rest] * (used - 1)
    if used == planned:
        return log_mean(each_start, np.array(begun), 1)
    waiting = np.zeros((len(state.step), 1))
    weights = np.array([*begun, rest * (planned - used)])
    return log_mean(np.concatenate([each_start, waiting], 1), weights, 1)


def _ratio_logs(state: State, claim: float, bets: list[float]) -> Numbers:
    used = int(state.step.max()) + 1  # later steps have seen nothing: their logarithms are 0
    logs = np.zeros((len(state.step), used, len(bets)))
    for number, cut in enumerate(state.cuts[:used]):
        for place, bet in enumerate(bets):
            claimed = sequential.share(cut.controls, claim)
            wagered = sequential.share(cut.controls, bet)
            logs[:, number, place] = state.bad[:, number] * log(wagered / claimed)
            logs[:, number, place] += state.control_bad[:, number] * log(
                (1 - wagered) / (1 - claimed)
            )
    return logs


def _rate_logs(bad: Numbers, total: Numbers, claim: float, bets: list[float]) -> Numbers:
    good = total - bad
    logs = [bad * log(bet / claim) + good * log((1 - bet) / (1 - claim)) for bet in bets]
    return log_mean(np.stack(logs, 1), 1 / len(bets), 1)


def rolls_back(state: State, policy: Policy, second: int) -> tuple[Flags, Flags]:
    """Return which runs are taken back, by comparison and by service level."""
    whole = worse(state, policy)
    combined = log_mean(np.stack([whole, np.zeros_like(whole)], 1), np.array([MINE, 1 - MINE]), 1)
    needed, slo = log(2 / policy.alpha), policy.slo_percent / 100
    bets = [min(slo * each, (1 + slo) / 2) for each in (1.3, 2.0, 4.0, 10.0)]
    above = _rate_logs(state.guarded_bad, state.guarded, slo, bets)
    long = [window.sum(1) for window in state.windows[:2]]
    places = [(second - back) % LONG_S for back in range(SHORT_S)]
    short = [window[:, places].sum(1) for window in state.windows[:2]]
    is_short = short[0] >= LEAST_SHORT
    asked = np.where(is_short, short[0], long[0])
    rate = np.where(is_short, short[1], long[1]) / np.maximum(asked, 1)
    breached = (asked > 0) & (rate > slo)
    state.breach_s = np.where(breached, np.where(state.breach_s > 0, state.breach_s, second), 0)
    lasted = np.where(breached, second - state.breach_s, 0)
    healthy, _ = control_is(state, policy, second)
    return combined >= needed, (lasted > policy.hold_s) & (above >= needed) & healthy


def promotes(state: State, policy: Policy, second: int) -> Flags:
    """Return which runs go on."""
    bets = [each for each in sequential.AS_GOOD if each < policy.promote_margin]
    logs = _ratio_logs(state, policy.promote_margin, bets).sum(1)
    no_worse = log_mean(logs, 1 / len(bets), 1)
    few = policy.negligible_percent / 100
    requests = (state.requests + state.rest).sum(1)
    bad = (state.bad + state.rest_bad).sum(1)
    mine = _rate_logs(bad, requests, few, [few / 8, few / 3])
    others = _rate_logs(np.zeros_like(requests), requests, few, [few / 8, few / 3])
    needed = log(1 / policy.promote_alpha)
    is_shown = log_mean(np.stack([no_worse, mine], 1), 0.5, 1) >= needed
    is_shown &= log_mean(np.stack([np.zeros_like(others), others], 1), 0.5, 1) >= needed
    rows = np.arange(len(state.step))
    asked = (state.requests + state.rest)[rows, state.step]
    least = np.array([policy.least_s(step) for step in range(len(state.cuts))])[state.step]
    shown: Flags = is_shown & (asked >= policy.least_requests)
    return shown & (second - state.step_s >= least)
