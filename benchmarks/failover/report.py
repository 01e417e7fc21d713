"""The tables of a run as Markdown, and its files."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.failover.cases import CASES
from benchmarks.failover.plot import MEANINGS, Column, draw
from benchmarks.failover.scoring import LETTERS
from benchmarks.failover.summary import Totals, behind, is_both, mark, share, totals
from benchmarks.tables import markdown

RESULTS = Path(__file__).resolve().parents[1] / "results"
COMMON_RATE = "20"
"""Requests a second that every gateway is offered; what plot and long table show."""

_HEAD = (
    *("", "requests/s", "answered in time", "wire-valid", "in time", "truthful"),
    *("upstream calls a request", "an answer", "memory MB"),
)
_METHOD = """\
Each fault of the simulated provider is one case, and every request of it is asked of a first
deployment that has the fault and a second, healthy one; in "both broken" the second has it too.
Half of the requests are streams. *Answered in time*: a whole, wire-valid answer, a stream's first
content within 1.5 s, an answer that is not streamed within 10 s. *Wire-valid* and *in time* count
typed errors as well. Calls *an answer* are those of all requests for each that was answered in
time; counted from a case's first request to the end of its last, so without drills of routes that
nobody asks. *Truthful*: no cut, empty or erroneous answer passed off as a whole one. Every
case in either form weighs the same. How it is scored, and why so:
[decision 40](../../docs/decisions/0040-failover-is-scored-by-what-the-caller-can-use.md).
How each gateway is set up: [peers](../failover/peers/README.md)."""


def _runs(state: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    for name, gateway in state["gateways"].items():
        for rate, played in gateway["rates"].items():
            yield name, gateway["title"], rate, played


def _row(title: str, rate: str, found: Totals, memory_mb: float) -> tuple[str, ...]:
    return (
        title,
        rate,
        *(f"{value:.1%}" for value in (found.answered, found.valid, found.in_time)),
        f"{found.truthful:.1%}",
        f"{found.calls:.2f}",
        f"{found.calls_an_answer:.2f}" if found.calls_an_answer else "–",
        f"{memory_mb:.0f}",
    )


def summary_table(state: Mapping[str, Any], *, both: bool) -> str:
    """Return one row for each gateway and rate."""
    rows: list[tuple[str, ...]] = [_HEAD]
    for _, title, rate, played in _runs(state):
        cells = [cell for cell in played["cells"] if is_both(cell) == both]
        if cells:
            rows.append(_row(title, rate, totals(cells), played["memory_mb"]))
    return markdown(rows)


def _common(state: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return gateway → its run at the common rate."""
    return {name: run for name, _, rate, run in _runs(state) if rate == COMMON_RATE}


def _cells(run: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {(cell["case"], cell["form"]): cell for cell in run["cells"]}


def long_table(state: Mapping[str, Any]) -> str:
    """Return one row for each case: what it comes to at each gateway, at the common rate."""
    runs = _common(state)
    found = {name: _cells(run) for name, run in runs.items()}
    titles = [state["gateways"][name]["title"] for name in runs]
    rows = [("fault", *(f"{title}: {form}" for title in titles for form in ("stream", "whole")))]
    rows += [
        (
            case,
            *(mark(found[name][case, form]) for name in runs for form in ("stream", "whole")),
        )
        for case in state["cases"]
    ]
    return markdown(rows)


def lost_columns(state: Mapping[str, Any]) -> list[str]:
    """Return in which columns of the common rate Steadyhand is behind whom."""
    runs = _common(state)
    ours = runs.get("steadyhand")
    if ours is None:
        return []
    found = []
    for name, theirs in runs.items():
        for both, where in ((False, "one broken"), (True, "both broken")):
            mine, other = (
                totals([cell for cell in run["cells"] if is_both(cell) == both])
                for run in (ours, theirs)
            )
            found += [f"{where}: {column} behind {name}" for column in behind(mine, other)]
    return found


def lost_cells(state: Mapping[str, Any]) -> list[str]:
    """Return each case and form that some peer answers in time more often than Steadyhand."""
    runs = _common(state)
    if "steadyhand" not in runs:
        return []
    ours = _cells(runs["steadyhand"])
    found = []
    for key, mine in ours.items():
        better = [
            f"{name} {mark(_cells(run)[key])}"
            for name, run in runs.items()
            if share(_cells(run)[key], "AF") > share(mine, "AF") + 0.001
        ]
        if better:
            found.append(f"{key[0]} ({key[1]}): {mark(mine)}, but {', '.join(better)}")
    return found


def page(state: Mapping[str, Any], name: str) -> str:
    """Return the whole page."""
    machine = state["machine"]
    versions = ", ".join(
        f"{gateway['title']} {next(iter(gateway['rates'].values()))['version']}"
        for gateway in state["gateways"].values()
        if gateway["rates"]
    )
    stalls_ms = sum(run["stalls_ms"] for *_, run in _runs(state))
    parts = [
        f"# Failover, {name[:10]}: what callers get while a provider fails",
        f"`python -m benchmarks.failover --save {name}`. {_METHOD}",
        f"Machine: {machine['cores']} cores of {machine['cpu']}, Linux {machine['kernel']}, "
        f"CPython {machine['python']}. Each gateway has one core, upstream and load another. "
        f"{versions}. "
        f"Each case {state['seconds']:g} s. {_capacities(state)} The machine stood still for "
        f"{stalls_ms:.0f} ms in all, which is not charged to anybody.",
        f"![What each fault comes to]({name}.svg)",
        "## One deployment broken",
        summary_table(state, both=False),
        _second_witness(state),
        "## Both broken",
        summary_table(state, both=True),
        "Where no model can answer, who gives up early asks less: calls a request are no merit "
        "by themselves, and are compared for each answer.",
        "## Every case, at 20 requests a second",
        "; ".join(f"**{letter}** {MEANINGS[letter]}" for letter in LETTERS) + ".",
        long_table(state),
    ]
    lost = lost_columns(state)
    if lost:
        parts += ["Steadyhand is behind in:", "\n".join(f"- {each}" for each in lost)]
    if cells := lost_cells(state):
        parts += [
            "Cases in which a peer answers more often in time:",
            "\n".join(f"- {each}" for each in cells),
        ]
    return "\n\n".join([*parts, f"[Every number]({name}.json)."]) + "\n"


def _second_witness(state: Mapping[str, Any]) -> str:
    said = [
        f"at {rate} requests a second {run['own']['in_time']:.2%} in time "
        f"({run['own']['in_time_raw']:.2%} on the clock, {run['own']['records']:,} records of "
        f"{run['own']['sent']:,} requests)"
        for name, _, rate, run in _runs(state)
        if name == "steadyhand" and run.get("own")
    ]
    return f"By Steadyhand's own records, all cases: {'; '.join(said)}." if said else ""


def _capacities(state: Mapping[str, Any]) -> str:
    found = [
        f"{gateway['title']} {gateway['capacity_per_s']:.0f}"
        for gateway in state["gateways"].values()
        if gateway["capacity_per_s"]
    ]
    if not found:
        return ""
    return f"Capacity, healthy, 16 requests at once: {', '.join(found)} a second."


def picture(state: Mapping[str, Any]) -> str:
    """Return the plot at the common rate."""
    runs = _common(state)
    titles = [state["gateways"][name]["title"] for name in runs]
    groups = {case.name: case.group for case in CASES}
    found = {name: _cells(run) for name, run in runs.items()}
    columns = [
        Column(
            case,
            groups[case],
            [
                {letter: share(found[name][case, form], letter) for letter in LETTERS}
                for name in runs
                for form in ("stream", "whole")
            ],
        )
        for case in state["cases"]
    ]
    rows = [f"{title}, {form}" for title in titles for form in ("stream", "whole")]
    return draw("What callers get while a provider fails", rows, columns, _words(runs, titles))


def _words(runs: Mapping[str, Mapping[str, Any]], titles: Sequence[str]) -> str:
    said = []
    for title, run in zip(titles, runs.values(), strict=True):
        one = totals([cell for cell in run["cells"] if not is_both(cell)])
        said.append(
            f"{title}: {one.answered:.0%} answered in time, {one.truthful:.0%} truthful with one "
            "deployment broken"
        )
    return "; ".join(said)


def write(state: Mapping[str, Any], save: str | None) -> None:
    """Print the page, or write it with its numbers and its plot."""
    if not save:
        print(page(state, "not-saved"))
        return
    (RESULTS / f"{save}.json").write_text(json.dumps(state) + "\n", encoding="utf-8")
    (RESULTS / f"{save}.md").write_text(page(state, save), encoding="utf-8")
    (RESULTS / f"{save}.svg").write_text(picture(state), encoding="utf-8")
    print(f"written: {RESULTS / save}.md, .json, .svg")
