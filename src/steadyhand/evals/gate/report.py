"""The gate's verdict for people and machines: Markdown, JUnit, one JSON object. Pure.

Answers are somebody else's text: in Markdown they stand as code, without what ends it.
"""

from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree

from steadyhand.evals.gate.suite import Suite
from steadyhand.evals.gate.verdict import CaseResult, Verdict

MOST_CHARACTERS: Final = 300
MOST_LOST: Final = 20
GLYPHS: Final = {
    "passes": "✓",
    "worse": "✕",
    "over_budget": "✕",
    "undecided": "◔",
    "not_measured": "–",
}


def seen_by(verdict: Verdict) -> str:
    """Return the smallest drop that would have been seen, in words."""
    if verdict.smallest_drop is None:
        return "with so few answers, no drop would have been seen with 80 % probability"
    return (
        f"a drop of {verdict.smallest_drop * 100:.1f} % would have been seen with 80 % "
        "probability; smaller ones may have been missed"
    )


def markdown(suite: Suite, verdict: Verdict, seed: int) -> str:
    """Return the verdict as a page for a pull request."""
    pairs = verdict.pairs
    lines = [
        f"## {GLYPHS[verdict.decision]} Gate of `{suite.route}`: "
        + verdict.decision.replace("_", " "),
        "",
        f"{verdict.message[:1].upper()}{verdict.message[1:]}.",
        "",
        "| | stable | candidate |",
        "|---|---:|---:|",
        f"| good answers of {pairs.n} | {_good(verdict.cases, 0)} | {_good(verdict.cases, 1)} |",
        f"| lost / won pairs | | {pairs.lost} / {pairs.won} |",
        f"| tokens | {verdict.stable.tokens:,} | {verdict.candidate.tokens:,} |",
        f"| p95, ms | {verdict.stable.p95_ms:.0f} | {verdict.candidate.p95_ms:.0f} |",
        "",
        f"{seen_by(verdict)[:1].upper()}{seen_by(verdict)[1:]}. "
        f"{len(suite.cases)} cases, {suite.repeats} times each, seed {seed}; "
        f"{verdict.unmeasured} pairs without a measurable answer.",
    ]
    lost = [each for each in verdict.cases if each.is_lost]
    if lost:
        lines += ["", "### Cases that were lost", ""]
    for each in lost[:MOST_LOST]:
        lines += [
            f"- **{each.id}**: {each.candidate_good} of {each.measured} good, "
            f"{each.stable_good} before; {'; '.join(map(_inert, each.failures))}",
            f"  - was: `{_inert(each.was)}`",
            f"  - is: `{_inert(each.now)}`",
        ]
    if len(lost) > MOST_LOST:
        lines.append(f"- and {len(lost) - MOST_LOST} more")
    return "\n".join(lines) + "\n"


def junit(suite: Suite, verdict: Verdict) -> str:
    """Return the verdict as JUnit XML: one test for each case, and one for the whole."""
    root = ElementTree.Element(
        "testsuite",
        name=f"steadyhand gate {suite.route}",
        tests=str(len(verdict.cases) + 1),
        failures=str(sum(each.is_lost for each in verdict.cases) + (verdict.decision != "passes")),
    )
    whole = ElementTree.SubElement(root, "testcase", classname=suite.route, name="verdict")
    if verdict.decision != "passes":
        failure = ElementTree.SubElement(whole, "failure", message=_xml(verdict.message))
        failure.text = _xml(seen_by(verdict))
    for each in verdict.cases:
        test = ElementTree.SubElement(root, "testcase", classname=suite.route, name=each.id)
        if each.is_lost:
            failure = ElementTree.SubElement(
                test, "failure", message=_xml("; ".join(each.failures))
            )
            failure.text = _xml(f"was: {each.was}\nis: {each.now}")
        elif not each.measured:
            ElementTree.SubElement(test, "skipped", message=_xml("; ".join(each.failures)))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def plain(suite: Suite, verdict: Verdict, seed: int) -> dict[str, object]:
    """Return the verdict as an object for programs."""
    return {
        "route": suite.route,
        "decision": verdict.decision,
        "message": verdict.message,
        "pairs": verdict.pairs._asdict(),
        "unmeasured": verdict.unmeasured,
        "p_worse": verdict.p_worse,
        "most_drop": verdict.most_drop,
        "smallest_drop": verdict.smallest_drop,
        "seed": seed,
        "stable": verdict.stable._asdict(),
        "candidate": verdict.candidate._asdict(),
        "cases": [each._asdict() | {"is_lost": each.is_lost} for each in verdict.cases],
    }


def _good(cases: Sequence[CaseResult], arm: int) -> int:
    return sum((each.stable_good, each.candidate_good)[arm] for each in cases)


def _inert(text: str) -> str:
    """Return text that neither ends a line of Markdown nor its code."""
    shown = "".join(each if each.isprintable() else " " for each in text).replace("`", "'")
    shown = " ".join(shown.split())
    return shown if len(shown) <= MOST_CHARACTERS else f"{shown[: MOST_CHARACTERS - 1]}…"


def _xml(text: str) -> str:
    """Return text without the characters that no XML document may have."""
    return "".join(each if each.isprintable() or each in "\n\t" else "�" for each in text[:5_000])
