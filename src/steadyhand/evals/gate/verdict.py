"""What the gate says, and why. Pure."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Final, Literal, NamedTuple

from steadyhand.evals.gate.checks import Answer, judge
from steadyhand.evals.gate.statistics import Pairs, is_worse, most_drop, p_worse, smallest_drop
from steadyhand.evals.gate.suite import Case, Suite

Decision = Literal["passes", "worse", "over_budget", "undecided", "not_measured"]
MOST_UNMEASURED: Final = 0.1
"""Greatest share of pairs without an answer from which something is still said."""


class Pair(NamedTuple):
    """One case, asked once of each release.

    Attributes:
        case: It.
        stable: Answer of what is served.
        candidate: Answer of the change.
    """

    case: Case
    stable: Answer
    candidate: Answer


class CaseResult(NamedTuple):
    """What came of one case.

    Attributes:
        id: Of the case.
        asked: Of each release.
        measured: Pairs that say something.
        stable_good: Good answers of the stable one among them.
        candidate_good: Good answers of the candidate among them.
        failures: What was wrong with the candidate's, each once.
        was: An answer of the stable one.
        now: An answer of the candidate: one that was not good, if there was one.
    """

    id: str
    asked: int
    measured: int
    stable_good: int
    candidate_good: int
    failures: tuple[str, ...]
    was: str
    now: str

    @property
    def is_lost(self) -> bool:
        """Whether the candidate is good less often."""
        return self.candidate_good < self.stable_good


class Taken(NamedTuple):
    """What one release took.

    Attributes:
        tokens: In and out, all answers together.
        p95_ms: The time that 95 % of its answers did not exceed; 0 without any.
    """

    tokens: int
    p95_ms: float


class Verdict(NamedTuple):
    """What the gate says.

    Attributes:
        decision: In a word.
        message: In a sentence.
        pairs: What it was made of.
        unmeasured: Pairs that said nothing.
        p_worse: See :func:`steadyhand.evals.gate.statistics.p_worse`.
        most_drop: Greatest drop that the answers leave possible, at the suite's level.
        smallest_drop: That it would have seen with probability 0.8; ``None`` for none.
        cases: In the suite's order.
        stable: What it took.
        candidate: What it took.
    """

    decision: Decision
    message: str
    pairs: Pairs
    unmeasured: int
    p_worse: float
    most_drop: float
    smallest_drop: float | None
    cases: Sequence[CaseResult]
    stable: Taken
    candidate: Taken


def decide(suite: Suite, pairs: Sequence[Pair]) -> Verdict:
    """Return what the gate says of ``pairs``."""
    results = [
        _result(case, [pair for pair in pairs if pair.case.id == case.id]) for case in suite.cases
    ]
    counted = _counted(pairs)
    unmeasured = len(pairs) - counted.n
    most = most_drop(counted, suite.alpha)
    noise = counted.won / counted.n if counted.n else 0.0
    found = Verdict(
        "undecided",
        "",
        counted,
        unmeasured,
        p_worse(counted),
        most,
        smallest_drop(counted.n, noise, suite.alpha, suite.margin_points / 100)
        if counted.n
        else None,
        results,
        _taken([pair.stable for pair in pairs]),
        _taken([pair.candidate for pair in pairs]),
    )
    decision, message = _said(suite, found, len(pairs))
    return found._replace(decision=decision, message=message)


def _said(suite: Suite, found: Verdict, asked: int) -> tuple[Decision, str]:
    margin = suite.margin_points / 100
    pairs = found.pairs
    if not pairs.n or found.unmeasured > MOST_UNMEASURED * asked:
        return "not_measured", (
            f"{found.unmeasured} of {asked} pairs had no answer that says something of the releases"
        )
    told = f"{_good(found, 'stable')} of {pairs.n} good before, {_good(found, 'candidate')} now"
    if is_worse(pairs, suite.alpha, margin):
        lost = [each for each in found.cases if each.is_lost]
        return "worse", (
            f"worse: {told}; {len(lost)} of {len(found.cases)} cases lost "
            f"(p = {found.p_worse:.2g}, exact McNemar)"
        )
    over = _over(suite, found)
    if over:
        return "over_budget", f"{told}, but {over}"
    if found.most_drop <= margin:
        return "passes", (
            f"no worse: {told}; a drop of more than {found.most_drop * 100:.1f} % is ruled out, "
            f"{margin * 100:.1f} % are tolerated"
        )
    return "undecided", (
        f"cannot tell: {told}; a drop of up to {found.most_drop * 100:.1f} % is possible and "
        f"{margin * 100:.1f} % are tolerated: ask more often, or of more cases"
    )


def _good(found: Verdict, arm: Literal["stable", "candidate"]) -> int:
    return sum(getattr(each, f"{arm}_good") for each in found.cases)


def _over(suite: Suite, found: Verdict) -> str:
    budgets = suite.budgets
    limits: Mapping[str, tuple[float, float, float]] = {
        "tokens": (found.stable.tokens, found.candidate.tokens, budgets.tokens_ratio),
        "p95 latency": (found.stable.p95_ms, found.candidate.p95_ms, budgets.p95_latency_ratio),
    }
    for name, (before, now, ratio) in limits.items():
        if ratio and before and now > before * ratio:
            return f"it takes {now / before:.2f} times the {name}, above {ratio:g}"
    return ""


def _counted(pairs: Sequence[Pair]) -> Pairs:
    n = lost = won = 0
    for case, stable, candidate in pairs:
        before, now = judge(case, stable), judge(case, candidate)
        if before.is_measured and now.is_measured:
            n += 1
            lost += before.is_good and not now.is_good
            won += now.is_good and not before.is_good
    return Pairs(n, lost, won)


def _result(case: Case, pairs: Sequence[Pair]) -> CaseResult:
    judged = [(pair, judge(case, pair.stable), judge(case, pair.candidate)) for pair in pairs]
    both = [each for each in judged if each[1].is_measured and each[2].is_measured]
    failures = dict.fromkeys(text for _, _, now in judged for text in now.failures)
    bad = next((pair for pair, _, now in judged if not now.is_good), None)
    return CaseResult(
        case.id,
        len(pairs),
        len(both),
        sum(before.is_good for _, before, _ in both),
        sum(now.is_good for _, _, now in both),
        tuple(failures),
        pairs[0].stable.text if pairs else "",
        (bad or pairs[0]).candidate.text if pairs else "",
    )


def _taken(answers: Sequence[Answer]) -> Taken:
    times = sorted(each.took_ms for each in answers if not each.problem)
    p95 = times[max(0, ceil(0.95 * len(times)) - 1)] if times else 0.0
    return Taken(sum(each.tokens for each in answers), p95)
