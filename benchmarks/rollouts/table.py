"""The simulations as a page."""

from collections.abc import Sequence
from typing import Any

from benchmarks.rollouts.rows import judge

HEADS = {
    "false": (
        "False roll-backs",
        "| rollout | taken back | upper 95 % bound | at most | |",
    ),
    "wrong": (
        "Wrong promotions: past the first step, though twice as bad",
        "| rollout | promoted | upper 95 % bound | at most | |",
    ),
    "found": (
        "Delay until a bad release is taken back, at 5 % of the traffic at first",
        "| rollout | median | 90 % | at most | |",
    ),
    "good": (
        "Delay until a good release has everybody",
        "| rollout | median | 90 % | finished | |",
    ),
}


def render(rows: Sequence[dict[str, Any]], runs: int, seed: int, made_at: str) -> str:
    """Return the page in Markdown."""
    lines = [
        "# Rollouts, simulated",
        "",
        f"`python -m benchmarks.rollouts --save NAME --gate`, {made_at}, {runs:,} rollouts a row, "
        f"seed {seed} and following, looked at each second (three seconds where it is six hours). "
        "Default policy: alpha 1 % in halves, margin 1.1, steps 5, 25, 50, 100 % with 5 % held "
        "back. Each request is a unit of its own; base rate 3 % bad where nothing else is said. "
        "Bad in one way only (slow), which is the slowest case: the bet is spread over metrics. "
        "The rule is the product's, on arrays; a test holds the two against each other.",
    ]
    for kind, (title, head) in HEADS.items():
        lines += ["", f"## {title}", "", head, "|---|---|---|---|---|"]
        lines += [_line(row) for row in rows if row["kind"] == kind]
    return "\n".join(lines)


def _line(row: dict[str, Any]) -> str:
    kept = "" if row["most"] is None else "missed" if judge(row) else "kept"
    if row["kind"] in {"false", "wrong"}:
        most = "-" if row["most"] is None else f"{row['most']:.0%}"
        return f"| {row['name']} | {row['part']:.2%} | {row['upper']:.2%} | {most} | {kept} |"
    last = f"{row['part']:.1%}" if row["kind"] == "good" else _seconds(row["most"])
    return (
        f"| {row['name']} | {_seconds(row['median_s'])} | {_seconds(row['p90_s'])} | {last} "
        f"| {kept} |"
    )


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f} s"
