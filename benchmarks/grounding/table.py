"""The page of the measurement."""

from collections.abc import Callable
from typing import Any

_TOP = """# Grounding, {date}

How well the check of grounding tells claims that people call fully supported from others, and what
it costs. Made by `python -m benchmarks.grounding FOLDER --save NAME`; the numbers are in the
`.json` beside. The sets are WiCE (Kamoi et al., EMNLP 2023): sentences of Wikipedia, each with the
whole web article that it cites, which people labelled supported, partially or not supported.
Weights were fitted on `dev` only ([how](#method)).
"""
_GUARD = """
## As a guard of rollouts

`counts_ungrounded` in the policy of an environment: rollouts of an hour at a weight of 25 %, 20
answers a second, a fifth of them sampled unless the row says otherwise, looked at each ten seconds;
the false roll-backs that the policy allows are 1 %, for all metrics together. Of {runs} rollouts of
twins, {rolled_back} were taken back: at most {percent} with 95 % confidence. The draw, the fold and
the verdict are the product's; what the check finds is drawn.
"""
_METHOD = """
## Method

One process, nothing pinned, the context of each claim read anew. AUROC: chance that a supported
claim scores above another, ties half; its interval is a bootstrap over claims, 2,000 draws.
*Coverage alone* is the IDF-weighted part of the claim's words that three sentences carry, the
baseline. *Called ungrounded* and *called grounded* are the shares below and above the limits of
`evals/grounding/score.py`, each with the part of them that people agree with; the rest is *not
measured*. Weights for exact quotes, denials and opposites are set by hand, since WiCE has next to
none of them; they cost 0.007 on both sets. While the features were chosen, their AUROC was looked
at on both sets, so that of `test` is a little flattering; the data of another source will tell.

No text of the sets is in this repository: annotations are ODC-BY, the articles' terms are their
publishers'.
"""


def render(document: dict[str, Any]) -> str:
    """Return the page, in Markdown."""
    rows: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
        ("claims, of them supported", lambda n: f"{n['claims']}, {n['supported']}"),
        ("**AUROC**", lambda n: f"**{n['auroc']:.3f}**"),
        ("95 %", lambda n: f"{n['auroc_low']:.3f} to {n['auroc_high']:.3f}"),
        ("coverage alone", lambda n: f"{n['auroc_coverage_alone']:.3f}"),
        (
            "called ungrounded, rightly",
            lambda n: f"{n['ungrounded_share']:.0%}, {n['ungrounded_right']:.0%}",
        ),
        (
            "called grounded, rightly",
            lambda n: f"{n['grounded_share']:.0%}, {n['grounded_right']:.0%}",
        ),
        ("not measured", lambda n: f"{n['not_measured_share']:.0%}"),
        ("words of a context, median", lambda n: f"{n['words_median']:,.0f}"),
        ("CPU ms a claim, its context read before: mean, p99", lambda n: _spread(n["claim_ms"])),
        ("CPU ms a claim with its context: mean, p99", lambda n: _spread(n["with_context_ms"])),
    ]
    sets = document["sets"]
    lines = [
        _TOP.format(date=document["made_at"][:10]),
        f"| | {' | '.join(sets)} |",
        f"|---|{'---|' * len(sets)}",
        *(f"| {title} | {' | '.join(cell(sets[name]) for name in sets)} |" for title, cell in rows),
    ]
    return "\n".join([*lines, *_rollouts(document), _METHOD])


def _rollouts(document: dict[str, Any]) -> list[str]:
    rows = document["rollouts"]
    if not rows:
        return []
    twins = document["twins"]
    return [
        _GUARD.format(**twins | {"percent": f"{twins['at_most']:.2%}"}),
        "| world | taken back | at most, at least (95 %) | s until then, samples, medians |",
        "|---|---|---|---|",
        *(
            f"| {row['world']['name']} | {row['rolled_back']} of {row['runs']} "
            f"| {row['at_most']:.2%}, {row['at_least']:.2%} "
            f"| {_median(row)} |"
            for row in rows
        ),
    ]


def _median(row: dict[str, Any]) -> str:
    if row["median_s"] is None:
        return "-"
    return f"{row['median_s']:,.0f}, {row['median_measured']:,.0f}"


def _spread(numbers: dict[str, float]) -> str:
    return f"{numbers['mean']:.2f}, {numbers['p99']:.2f}"
