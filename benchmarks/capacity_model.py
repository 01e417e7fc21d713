"""From measured costs to a formula, from a formula to cores, and both to Markdown. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import linear_regression, median
from typing import Any

from benchmarks.tables import markdown

UTILISATION = 0.5
"""Of a core, for planning: below it, waiting in line adds less than the work itself takes."""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Coefficients:
    """What one thing costs, of all processes together: answering, recording and counting.

    Attributes:
        plain_us: CPU of a request that is not a stream, without its bytes.
        stream_us: CPU of a stream, without its events.
        event_us: CPU of one event of a stream.
        in_kib_us: CPU of a KiB of the request's body.
        out_kib_us: CPU of a KiB of an answer that is not a stream.
        base_mb: Memory of a gateway process that has served, in 1,000,000 bytes.
        shared_mb: Memory of supervisor and control process.
        connection_kb: Memory of an idle client connection, in 1,000 bytes.
        stream_kb: Memory of a stream in flight, both of its connections included.
        log_bytes: Disk of a record in the log, until it is shipped.
        sql_bytes: Disk of a record in SQLite, indexes included.
    """

    plain_us: float
    stream_us: float
    event_us: float
    in_kib_us: float
    out_kib_us: float
    base_mb: float
    shared_mb: float
    connection_kb: float
    stream_kb: float
    log_bytes: float
    sql_bytes: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is expected at the busiest hour.

    Attributes:
        per_s: Requests in a second.
        stream_share: How many of them are streams, 0 to 1.
        events: Of a stream.
        stream_s: How long one takes.
        in_kib: Body of a request.
        out_kib: Body of an answer that is not a stream.
        connections: Open client connections, idle ones included.
        mean_per_s: Requests in a second over the whole day.
        days: How long records are kept.
    """

    per_s: float
    stream_share: float
    events: float
    stream_s: float
    in_kib: float
    out_kib: float
    connections: float
    mean_per_s: float
    days: float


@dataclass(frozen=True, slots=True)
class Need:
    """What that takes: ``busy_cores`` without headroom, ``cores`` with it."""

    plain_us: float
    stream_us: float
    busy_cores: float
    cores: float
    memory_mb: float
    disk_gb: float


EXAMPLE = Traffic(
    per_s=500,
    stream_share=0.4,
    events=300,
    stream_s=8,
    in_kib=8,
    out_kib=2,
    connections=4_000,
    mean_per_s=120,
    days=30,
)


def line(points: Points) -> tuple[float, float]:
    """Return (cost of nothing, cost of one more), by least squares; neither is below zero."""
    slope, intercept = linear_regression([x for x, _ in points], [y for _, y in points])
    return max(0.0, intercept), max(0.0, slope)


def fitted(samples: Mapping[str, Points], memory: Mapping[str, float]) -> Coefficients:
    """Return the coefficients behind ``samples``: cost in µs by KiB in, KiB out and events.

    The cost of bytes is taken from the slopes of two lines; what a plain request costs without
    bytes is the median of what is left of every sample, so no single point decides.
    """
    in_kib_us = line(samples["in_kib"])[1]
    out_kib_us = line(samples["out_kib"])[1]
    sent_kib, got_kib = memory["sent_kib"], memory["got_kib"]
    left = [cost - in_kib_us * kib - out_kib_us * got_kib for kib, cost in samples["in_kib"]]
    left += [cost - in_kib_us * sent_kib - out_kib_us * kib for kib, cost in samples["out_kib"]]
    stream_us, event_us = line(samples["events"])
    return Coefficients(
        plain_us=max(0.0, median(left)),
        stream_us=max(0.0, stream_us - in_kib_us * sent_kib),
        event_us=event_us,
        in_kib_us=in_kib_us,
        out_kib_us=out_kib_us,
        base_mb=memory["base_mb"],
        shared_mb=memory["shared_mb"],
        connection_kb=memory["connection_kb"],
        stream_kb=memory["stream_kb"],
        log_bytes=memory["log_bytes"],
        sql_bytes=memory["sql_bytes"],
    )


def need(cost: Coefficients, traffic: Traffic) -> Need:
    """Return what ``traffic`` takes."""
    in_us = cost.in_kib_us * traffic.in_kib
    plain_us = cost.plain_us + in_us + cost.out_kib_us * traffic.out_kib
    stream_us = cost.stream_us + in_us + cost.event_us * traffic.events
    share = traffic.stream_share
    busy = traffic.per_s * ((1 - share) * plain_us + share * stream_us) / 1e6
    cores = busy / UTILISATION
    streams = traffic.per_s * share * traffic.stream_s
    processes = max(1, -(-cores // 1))
    memory_mb = (
        cost.shared_mb
        + processes * cost.base_mb
        + (traffic.connections * cost.connection_kb + streams * cost.stream_kb) / 1e3
    )
    disk_gb = traffic.mean_per_s * 86_400 * traffic.days * cost.sql_bytes / 1e9
    return Need(plain_us, stream_us, busy, cores, memory_mb, disk_gb)


def page(result: Mapping[str, Any], name: str) -> str:
    """Return the measured part of ``docs/operations/capacity.md``."""
    cost = Coefficients(**result["coefficients"])
    found = need(cost, EXAMPLE)
    machine = result["machine"]
    lines = [
        f"Measured {result['date']} on one core of {machine['cpu']}: "
        f"[method and samples](../../benchmarks/results/{name}.md).",
        *([f"**{result['warning']}**"] if result["warning"] else []),
        markdown(table(cost)),
        "### Worked example",
        f"{EXAMPLE.per_s:g} requests a second at the busiest hour, {EXAMPLE.stream_share:.0%} of "
        f"them streams of {EXAMPLE.events:g} events over {EXAMPLE.stream_s:g} s; prompts of "
        f"{EXAMPLE.in_kib:g} KiB, plain answers of {EXAMPLE.out_kib:g} KiB; "
        f"{EXAMPLE.connections:,.0f} connections; {EXAMPLE.mean_per_s:g} requests a second over "
        f"the day; records kept for {EXAMPLE.days:g} days.",
        _worked(cost, found),
    ]
    return "\n\n".join(lines)


def table(cost: Coefficients) -> list[tuple[str, str, str]]:
    """Return the coefficients as rows, head first."""
    return [
        ("what", "cost", "symbol"),
        ("a plain request, without its bytes", f"{cost.plain_us:,.0f} µs CPU", "`plain`"),
        ("a stream, without its events", f"{cost.stream_us:,.0f} µs CPU", "`stream`"),
        ("an event of a stream", f"{cost.event_us:,.1f} µs CPU", "`event`"),
        ("a KiB of the request", f"{cost.in_kib_us:,.2f} µs CPU", "`in`"),
        ("a KiB of a plain answer", f"{cost.out_kib_us:,.2f} µs CPU", "`out`"),
        ("a gateway process", f"{cost.base_mb:,.0f} MB", "`base`"),
        ("supervisor and control process", f"{cost.shared_mb:,.0f} MB", "`shared`"),
        ("an idle connection", f"{cost.connection_kb:,.1f} kB", "`conn`"),
        ("a stream in flight", f"{cost.stream_kb:,.1f} kB", "`flight`"),
        ("a record in the log, until shipped", f"{cost.log_bytes:,.0f} bytes", "`log`"),
        ("a record in SQLite", f"{cost.sql_bytes:,.0f} bytes", "`sql`"),
    ]


def _worked(cost: Coefficients, found: Need) -> str:
    asked = EXAMPLE
    streams = asked.per_s * asked.stream_share * asked.stream_s
    return "\n".join(
        (
            f"- one plain request: {cost.plain_us:,.0f} + {asked.in_kib:g} × {cost.in_kib_us:,.2f}"
            f" + {asked.out_kib:g} × {cost.out_kib_us:,.2f} = {found.plain_us:,.0f} µs",
            f"- one stream: {cost.stream_us:,.0f} + {asked.in_kib:g} × {cost.in_kib_us:,.2f}"
            f" + {asked.events:g} × {cost.event_us:,.1f} = {found.stream_us:,.0f} µs",
            f"- busy: {asked.per_s:g} × ({1 - asked.stream_share:.1f} × {found.plain_us:,.0f} + "
            f"{asked.stream_share:.1f} × {found.stream_us:,.0f}) µs = {found.busy_cores:.2f} cores",
            f"- with headroom: {found.busy_cores:.2f} ÷ {UTILISATION:g} = "
            f"**{found.cores:.1f} cores**, rounded up",
            f"- memory, with {streams:,.0f} streams in flight: **{found.memory_mb:,.0f} MB**",
            f"- disk: {asked.mean_per_s:g} × 86,400 × {asked.days:g} × {cost.sql_bytes:,.0f} bytes"
            f" = **{found.disk_gb:,.0f} GB**",
        )
    )


def method(result: Mapping[str, Any], name: str) -> str:
    """Return the result file: how it was measured, every sample, the coefficients."""
    machine = result["machine"]
    samples = [("load", "KiB in", "KiB out", "events", "CPU µs", "rounds"), *result["rows"]]
    memory = [("what", "value"), *((k, f"{v:,.2f}") for k, v in result["memory"].items())]
    return "\n\n".join(
        (
            f"# Capacity: what one core and one record cost, {result['date']}",
            f"`python -m benchmarks.capacity --save {name}`, commit {result['commit']}. Machine: "
            f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}, CPython "
            f"{machine['python']}.",
            *([f"**{result['warning']}**"] if result["warning"] else []),
            "`steadyhand serve` with one gateway process and everything on (key, route, records "
            "into SQLite, metrics, control process) has one core to itself; mock upstream and "
            "load generator have another. CPU is that of all its processes, for each request "
            "answered, and what they did after the load is added. Plain requests: a closed loop "
            "of 64 connections. Streams: 60 at once, an event every "
            f"{result['gap_ms']:g} ms, so that events arrive one by one. Medians of "
            f"{result['rounds']} rounds of {result['seconds']:g} s.",
            markdown(samples),
            "Memory is resident: of the processes after all loads; of connections and streams by "
            "what the answering process of a fresh installation grew by while they stood still. "
            "Disk: records written to a log and shipped to SQLite, size by count.",
            markdown(memory),
            "From these, by least squares:",
            markdown([row[:2] for row in table(Coefficients(**result["coefficients"]))]),
            "",
        )
    )
