"""From samples to medians, and from medians to Markdown. Pure."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.budget import Medians, Verdict
from benchmarks.measure import EVENTS, RATE

Samples = Mapping[str, Sequence[Mapping[str, Any]]]
"""Load → what each round gave."""

SATURATED = 0.01
"""Share of the requests due of which, unanswered, no percentile means anything any more."""


def medians(samples: Samples, cold_starts_s: Sequence[float]) -> dict[str, float]:
    """Return measure → median of the rounds; what was not measured has no entry."""
    found: dict[str, float] = {
        "errors": sum(r["errors"] for all_ in samples.values() for r in all_)
    }
    if cold_starts_s:
        found["cold_start_s"] = median(cold_starts_s)
    for load, rounds in samples.items():
        for measure in ("per_s", "events_per_s", "load_share", "foreign_share"):
            found[f"{load}.{measure}"] = median(each[measure] for each in rounds)
        if any(each["processes"] for each in rounds):
            divisor = EVENTS if load in {"burst", "paced"} else 1
            for measure in ("cpu_us", "later_cpu_us"):
                found[f"{load}.{measure}"] = median(each[measure] for each in rounds) / divisor
            found[f"{load}.gateway_share"] = median(each["gateway_share"] for each in rounds)
            found[f"{load}.rss_mb"] = median(each["rss_mb"] for each in rounds)
            found[f"{load}.serving_rss_mb"] = median(
                each["processes"][0]["rss_mb"] for each in rounds
            )
        if not any(_is_saturated(each) for each in rounds):
            values = "event_delay_us" if load in {"burst", "paced"} else "latency_us"
            for percentile in ("p50", "p99"):
                found[f"{load}.{percentile}_us"] = median(
                    each[values][percentile] for each in rounds
                )
    return found


def _is_saturated(sample: Mapping[str, Any]) -> bool:
    due = sample["total"] + sample["unanswered"]
    return bool(sample["unanswered"] > SATURATED * due or not sample["latency_us"])


_PLAIN = (
    "target",
    "req/s",
    "CPU µs/req",
    "later",
    "gateway core",
    "load core",
    f"+p50 ms @{RATE}/s",
    f"+p99 ms @{RATE}/s",
    "RSS MB",
    "serving MB",
    "cold start s",
    "errors",
)
_STREAMS = (
    "target",
    "burst events/s",
    "CPU µs/event",
    "gateway core",
    "load core",
    "paced events/s",
    "+p50 ms/event",
    "+p99 ms/event",
)


def render(all_medians: Medians) -> str:
    """Return both tables; added times are against ``direct``, which shows its own."""
    plain, streams = [_PLAIN], [_STREAMS]
    base = all_medians.get("direct", {})
    for name, found in all_medians.items():
        against = {} if name == "direct" else base
        plain.append(
            (
                name,
                _number(found, "closed.per_s"),
                _number(found, "closed.cpu_us", digits=1),
                _number(found, "closed.later_cpu_us", digits=1),
                _share(found, "closed.gateway_share"),
                _share(found, "closed.load_share"),
                _added(found, against, "open.p50_us"),
                _added(found, against, "open.p99_us"),
                _number(found, "closed.rss_mb"),
                _number(found, "closed.serving_rss_mb"),
                _number(found, "cold_start_s", digits=2),
                _number(found, "errors"),
            )
        )
        streams.append(
            (
                name,
                _number(found, "burst.events_per_s"),
                _number(found, "burst.cpu_us", digits=2),
                _share(found, "burst.gateway_share"),
                _share(found, "burst.load_share"),
                _number(found, "paced.events_per_s"),
                _added(found, against, "paced.p50_us"),
                _added(found, against, "paced.p99_us"),
            )
        )
    return f"{markdown(plain)}\n\n{markdown(streams)}"


def render_verdicts(verdicts: Sequence[Verdict]) -> str:
    """Return one row for each limit."""
    rows: list[tuple[str, ...]] = [("limit", "measured", "must be", "aim", "")]
    for verdict in verdicts:
        limit = verdict.limit
        bounds = [f"≥ {_figure(limit.least)}"] if limit.least is not None else []
        bounds += [f"≤ {_figure(limit.most)}"] if limit.most is not None else []
        rows.append(
            (
                limit.say,
                "-" if verdict.value is None else f"{_figure(verdict.value)} {limit.unit}".strip(),
                " and ".join(bounds),
                "" if limit.aim is None else _figure(limit.aim),
                verdict.state.upper() if verdict.is_failure else verdict.state,
            )
        )
    return markdown(rows)


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return a table, first row its head: first column to the left, the others to the right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * width if at == 0 else "-" * (width - 1) + ":" for at, width in enumerate(widths)]
    return "\n".join([line(rows[0]), line(rule), *(line(row) for row in rows[1:])])


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def _number(found: Mapping[str, float], measure: str, digits: int = 0) -> str:
    return f"{found[measure]:,.{digits}f}" if measure in found else "-"


def _share(found: Mapping[str, float], measure: str) -> str:
    return f"{found[measure]:.0%}" if measure in found else "-"


def _added(found: Mapping[str, float], base: Mapping[str, float], measure: str) -> str:
    if measure not in found:
        return "saturated"
    return f"{(found[measure] - base.get(measure, 0.0)) / 1000:.2f}"
