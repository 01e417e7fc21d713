"""What was found of one sampled answer: by the check, by the judge, and what counts. Pure."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from steadyhand.evals.grounding.context import segments
from steadyhand.evals.grounding.sample import Sample
from steadyhand.evals.grounding.score import State, Verdict, judge
from steadyhand.records.annotation import Grounding

Judged = Literal[
    "",
    "grounded",
    "ungrounded",
    "not_told",
    "failed",
    "late",
    "malformed",
    "over_budget",
    "resting",
]
"""What came of asking the judge; empty if it was not to be asked."""


class Source(msgspec.Struct, frozen=True, array_like=True):
    """A curated answer on what was asked, which the answer should stand in.

    Attributes:
        name: Its citation.
        text: What it says.
    """

    name: str
    text: str


_TOLD: Final = frozenset({"grounded", "ungrounded"})


class Finding(msgspec.Struct, frozen=True):
    """One checked answer.

    Attributes:
        request_id: Of the request.
        sampled_us: When it was answered, microseconds since 1970.
        verdict: What counts: the judge's word if there is one, else that of the check.
        check: What the check found.
        judged: What came of asking the judge.
        judge: Who that was; empty if nobody was asked.
        explanation: The judge's.
        sources: Curated answers that were held against it, beside what was labelled.
    """

    request_id: str
    sampled_us: int
    verdict: State
    check: Verdict
    judged: Judged = ""
    judge: str = ""
    explanation: str = ""
    sources: tuple[Source, ...] = ()

    @property
    def reason(self) -> str:
        """Why it is not measured, else empty."""
        return (self.check.reason or "unsure") if self.verdict == "not_measured" else ""

    @property
    def by(self) -> str:
        """Who said what counts."""
        return f"judge:{self.judge}" if self.judged in _TOLD else self.check.check


def context_of(sample: Sample, sources: Sequence[Source]) -> list[str]:
    """Return all that an answer should stand in: what was labelled, then curated answers."""
    return [*segments(sample.asked), *(source.text for source in sources)]


def checked(
    request_id: str, sampled_us: int, sample: Sample, sources: Sequence[Source] = ()
) -> Finding:
    """Return what the check finds of a sample."""
    if sample.problem:
        verdict = Verdict("not_measured", sample.problem)
    else:
        verdict = judge(sample.answer, context_of(sample, sources))
    return Finding(request_id, sampled_us, verdict.state, verdict, sources=tuple(sources))


def asks_judge(found: Finding, asks: str) -> bool:
    """Tell whether the judge is to be asked: of what has claims and context, as is wished."""
    if not found.check.claims:
        return False
    return asks == "all" or found.check.reason == "unsure"


def judged(found: Finding, outcome: Judged, judge: str, explanation: str = "") -> Finding:
    """Return ``found`` with what came of asking the judge; only a clear word of it counts."""
    verdict = found.verdict
    if outcome == "grounded" or outcome == "ungrounded":
        verdict = outcome
    return msgspec.structs.replace(
        found, verdict=verdict, judged=outcome, judge=judge, explanation=explanation
    )


def annotated(found: Finding, sample: Sample) -> Grounding:
    """Return what is said of it beside its record, without a word of its content."""
    check, arm = found.check, sample.arm
    return Grounding(
        sample.tenant,
        sample.route,
        sample.release,
        found.verdict,
        found.reason,
        sample.probability,
        found.by,
        check.claims,
        check.ungrounded,
        -1.0 if check.score is None else check.score,
        found.judged,
        arm.rollout,
        arm.unit,
        arm.slot,
        arm.weight,
        arm.controls,
        found.sampled_us,
    )
