"""From races to tables and curves. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from math import exp, inf, lgamma, log
from statistics import median
from typing import Any

from benchmarks.drift.race import BASES_S, CHANGED, FAMILIES, QUIET, RATES, SWEPT
from benchmarks.drift.traces import DAY_S

Runs = Sequence[Mapping[str, Any]]

SHOWN = {make(threshold).family: threshold for make, _, threshold in FAMILIES}
OURS = next(iter(SHOWN))


def poisson_upper(count: int, confidence: float = 0.95) -> float:
    """Return the exact upper bound of a Poisson mean of which ``count`` events were seen.

    The mean at which so few events have the probability ``1 - confidence`` (Garwood 1936).
    """
    low, high = 0.0, 10.0 * (count + 3)
    for _ in range(60):
        middle = (low + high) / 2
        few = sum(exp(k * log(middle) - middle - lgamma(k + 1)) for k in range(count + 1))
        low, high = (middle, high) if few > 1 - confidence else (low, middle)
    return high


def found(
    runs: Runs, scenario: str, base_s: float, rate: float, family: str, threshold: float
) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Return each run of a cell with what one detector made of it."""
    return [
        (run, each)
        for run in runs
        if run["scenario"] == scenario and run["base_s"] == base_s and run["rate"] == rate
        for each in run["found"]
        if each["family"] == family and each["threshold"] == threshold
    ]


def alarms(cell: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> tuple[int, float]:
    """Return the false alarms of quiet runs, and the simulated days."""
    pairs = list(cell)
    return sum(each["alarms"] for _, each in pairs), sum(run["seconds"] for run, _ in pairs) / DAY_S


def delays(cell: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> list[float]:
    """Return the delays of changed runs, smallest first; infinite where nothing was seen."""
    return sorted(inf if each["delay_s"] is None else each["delay_s"] for _, each in cell)


def said(delays_s: Sequence[float]) -> str:
    """Return median and slowest."""
    if not delays_s:
        return ""
    middle, last = median(delays_s), delays_s[-1]
    missed = sum(delay == inf for delay in delays_s)
    if missed == len(delays_s):
        return "not seen"
    slowest = f"{missed} of {len(delays_s)} missed" if missed else f"{last:.2f}"
    return f"{'–' if middle == inf else f'{middle:.2f}'} / {slowest}"


def rate_said(cell: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> str:
    """Return false alarms a day, their upper bound, and the days."""
    count, days = alarms(cell)
    if not days:
        return ""
    return f"{_short(count / days)} (≤ {_short(poisson_upper(count) / days)}; {days:.2g} d)"


def _short(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 or not rate else f"{rate:.2g}"


def row(cells: Sequence[str]) -> str:
    """Return one line of a table."""
    return "| " + " | ".join(cells) + " |"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    return "\n".join([row(head), row(["---"] * len(head)), *map(row, rows)])


def cells() -> list[tuple[float, float]]:
    """Return bases and rates, in the order of the columns."""
    return [(base_s, rate) for base_s in BASES_S for rate in RATES]


def columns() -> list[str]:
    """Return the heads of :func:`cells`."""
    return [f"{base_s * 1000:,.0f} ms, {rate:.0f}/s" for base_s, rate in cells()]


def ours_quiet(runs: Runs) -> str:
    """Return our false alarms a day."""
    return table(
        ("nothing to see", *columns()),
        (
            (q.name, *(rate_said(found(runs, q.name, b, r, OURS, SHOWN[OURS])) for b, r in cells()))
            for q in QUIET
        ),
    )


def delays_of(runs: Runs, family: str) -> str:
    """Return one family's delays."""
    return table(
        ("seconds to be seen: median / slowest", *columns()),
        (
            (
                c.name,
                *(
                    said(delays(found(runs, c.name, b, r, family, SHOWN[family])))
                    for b, r in cells()
                ),
            )
            for c in CHANGED
        ),
    )


def compared(runs: Runs, base_s: float) -> str:
    """Return every family at every threshold: delay of the swept change against false alarms."""
    rate = RATES[0]
    lines = []
    for make, thresholds, _ in FAMILIES:
        family = make(thresholds[0]).family
        for threshold in thresholds:
            quiet = (rate_said(found(runs, q.name, base_s, rate, family, threshold)) for q in QUIET)
            seen = said(delays(found(runs, SWEPT, base_s, rate, family, threshold)))
            lines.append((family, f"{threshold:g}", seen, *quiet))
    heads = [f"false alarms a day: {q.name}" for q in QUIET]
    return table(("method", "threshold", f"{SWEPT}: s", *heads), lines)


def curve(runs: Runs, base_s: float, family: str) -> list[tuple[float, float]]:
    """Return (median delay, false alarms a day at most) for each threshold that sees the step."""
    thresholds = next(ts for make, ts, _ in FAMILIES if make(ts[0]).family == family)
    points = []
    for threshold in thresholds:
        seen = delays(found(runs, SWEPT, base_s, RATES[0], family, threshold))
        count, days = alarms(found(runs, "stationary", base_s, RATES[0], family, threshold))
        if seen and days and median(seen) < inf:
            points.append((median(seen), poisson_upper(count) / days))
    return points


def problems(runs: Runs) -> list[str]:
    """Return which of the promised numbers are not kept."""
    wrong = []
    for base_s in BASES_S:
        count, days = alarms(found(runs, "stationary", base_s, RATES[0], OURS, SHOWN[OURS]))
        if not days or poisson_upper(count) / days > 1.0:
            wrong.append(
                f"base {base_s} s: {count} false alarms in {days:.1f} days do not show ≤ 1"
            )
        most_s = max(2.0, 1.5 * base_s)
        seen = delays(found(runs, "step ×3", base_s, RATES[0], OURS, SHOWN[OURS]))
        if not seen or seen[-1] > most_s:
            wrong.append(f"base {base_s} s: step seen after {seen[-1:]} s, not within {most_s} s")
    return wrong


def render(runs: Runs) -> str:
    """Return every table."""
    parts = ["## Ours", ours_quiet(runs), delays_of(runs, OURS)]
    for base_s in BASES_S:
        parts += [f"## Everybody, base {base_s * 1000:,.0f} ms, 100 tries a second"]
        parts += [compared(runs, base_s)]
    for family in list(SHOWN)[1:]:
        parts += [f"## {family}, threshold {SHOWN[family]:g}", delays_of(runs, family)]
    return "\n\n".join(parts) + "\n"
