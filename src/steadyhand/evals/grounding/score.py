"""From features to a score, and from the scores of claims to what is said of an answer. Pure.

The score is a logistic combination. Its weights were fitted on 349 claims that people had labelled
(WiCE, development part; ``python -m benchmarks.grounding --fit`` fits them again), but for three: a
denial, an opposite and an exact quote are so rare there that a fit would say nothing, so their
weights are set. Below :data:`UNGROUNDED_BELOW`, nine in ten claims there were not fully supported;
from :data:`GROUNDED_FROM` on, two in three were. What lies between is *not measured*: overlap of
words cannot tell, and a judge may be asked.
"""

from collections.abc import Mapping, Sequence
from math import exp
from typing import Final, Literal, NamedTuple

import msgspec

from steadyhand.evals.grounding.check import Context, Features
from steadyhand.evals.grounding.claims import Unmeasured, claims_of, is_english

CHECK: Final = "overlap-1"
"""Name of this check; another one whenever a weight, a limit or a feature becomes another."""

BIAS: Final = -1.79
FITTED: Final[Mapping[str, float]] = {
    "near": 1.92,
    "anywhere": 0.77,
    "pairs": 0.97,
    "names": -1.6,
    "numbers": -1.14,
    "absent_numbers": -1.73,
}
SET: Final[Mapping[str, float]] = {"quote": 4.0, "negation": -3.5, "direction": -3.5}

UNGROUNDED_BELOW: Final = 0.2
GROUNDED_FROM: Final = 0.5

State = Literal["grounded", "ungrounded", "not_measured"]
"""What is said of a claim or an answer."""

_SHOWN: Final = 300


class Scored(NamedTuple):
    """One claim.

    Attributes:
        text: It.
        score: 0 to 1.
        state: What it is; ``not_measured`` between the limits.
    """

    text: str
    score: float
    state: State


class Verdict(msgspec.Struct, frozen=True):
    """What is said of an answer.

    Attributes:
        state: ``ungrounded`` if a claim is; ``grounded`` if none is and at least half are grounded.
        reason: Why it is not measured; ``None`` if it is.
        claims: Claims that were scored.
        ungrounded: Of them, those that are.
        grounded: Of them, those that are.
        score: The lowest; ``None`` of no claim.
        worst: The claim that has it, cut short; empty of no claim.
        check: Which check said so.
    """

    state: State
    reason: Unmeasured | None = None
    claims: int = 0
    ungrounded: int = 0
    grounded: int = 0
    score: float | None = None
    worst: str = ""
    check: str = CHECK


def score(features: Features) -> float:
    """Return how well a claim stands, 0 to 1."""
    total = BIAS
    for name, weight in (*FITTED.items(), *SET.items()):
        total += weight * float(getattr(features, name))
    return 1 / (1 + exp(-total))


def state_of(found: float) -> State:
    """Return what a claim of this score is."""
    if found < UNGROUNDED_BELOW:
        return "ungrounded"
    return "grounded" if found >= GROUNDED_FROM else "not_measured"


def scored(claims: Sequence[str], context: Context) -> list[Scored]:
    """Score claims."""
    found = [(claim, score(context.check(claim).features)) for claim in claims]
    return [Scored(claim, one, state_of(one)) for claim, one in found]


def judge(answer: str, segments: Sequence[str]) -> Verdict:
    """Return what is said of ``answer``, which was given ``segments`` to stand in."""
    if not any(segment.strip() for segment in segments):
        return Verdict("not_measured", "no_context")
    claims = claims_of(answer)
    if claims.reason is not None:
        return Verdict("not_measured", claims.reason)
    if not all(is_english(segment) for segment in segments):
        return Verdict("not_measured", "language")
    context = Context(segments)
    if context.is_empty:
        return Verdict("not_measured", "no_context")
    return combined(scored(claims.texts, context))


def scored_claims(answer: str, segments: Sequence[str]) -> list[Scored]:
    """Return each claim of ``answer`` with its score; none if there is nothing to stand in."""
    context = Context(segments)
    return [] if context.is_empty else scored(claims_of(answer).texts, context)


def combined(claims: Sequence[Scored]) -> Verdict:
    """Return what is said of an answer with these claims, at least one."""
    ungrounded = sum(claim.state == "ungrounded" for claim in claims)
    grounded = sum(claim.state == "grounded" for claim in claims)
    worst = min(claims, key=lambda claim: claim.score)
    state: State = "not_measured"
    if ungrounded:
        state = "ungrounded"
    elif 2 * grounded >= len(claims):
        state = "grounded"
    return Verdict(
        state,
        "unsure" if state == "not_measured" else None,
        len(claims),
        ungrounded,
        grounded,
        round(worst.score, 4),
        worst.text[:_SHOWN],
    )
