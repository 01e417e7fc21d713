"""``steadyhand upstreams``: the configured providers, their deployments and how they do.

``break`` and ``mend`` are in :mod:`steadyhand.cli.breaking`.
"""

from typing import Annotated
from urllib.parse import quote

import typer

from steadyhand.cli import health
from steadyhand.cli.breaking import break_upstream, mend_upstream
from steadyhand.cli.output import GREEN, RED, YELLOW, Column, Row, thousands
from steadyhand.cli.session import Session, noun, verb

app = noun("List and show providers and how they do; break simulated ones.")
app.command("break")(break_upstream)
app.command("mend")(mend_upstream)


def _latency(row: Row, name: str) -> str:
    value = row[name]
    return "-" if value is None else thousands(value)


def _failures(row: Row) -> str:
    reasons = sorted(row["failures"].items(), key=lambda item: -item[1])
    return ", ".join(f"{reason} {count}" for reason, count in reasons) or "-"


def _colour(state: str) -> str:
    known = {"closed": GREEN, "open": RED, "half_open": YELLOW}
    return known.get(state.partition(" ")[0], "")


COLUMNS = [
    Column("provider", lambda row: row["provider"]),
    Column("kind", lambda row: row["kind"]),
    Column("model", lambda row: _model(row)),
    Column("state", lambda row: health.state(row["health"]), colour=_colour),
    Column("share", lambda row: health.share(row["health"]), right=True),
    Column("why", lambda row: health.why(row["health"])),
    Column("p50 ms", lambda row: health.latency(row["health"], "p50_ms"), right=True),
    Column("p90 ms", lambda row: health.latency(row["health"], "p90_ms"), right=True),
    Column("ok", lambda row: thousands(row["succeeded"]), right=True),
    Column("failed", lambda row: thousands(row["failed"]), right=True),
    Column("last", lambda row: row["last_reason"] or "-"),
    Column("failures", _failures),
]


def _model(row: Row) -> str:
    return f"{row['model']} ({row['region']})" if row["region"] else str(row["model"])


def _rows(provider: Row) -> list[Row]:
    shared = {"provider": provider["name"], "kind": provider["kind"]}
    unused: Row = {
        "model": "-",
        "region": "",
        "health": None,
        "succeeded": 0,
        "failed": 0,
        "latency_p50_ms": None,
        "latency_p95_ms": None,
        "last_reason": "",
        "failures": {},
    }
    return [{**shared, **deployment} for deployment in provider["deployments"] or [unused]]


@verb(app, "list")
def list_upstreams(session: Session) -> None:
    """List providers and deployments: how they are, and how attempts of the last minutes ended.

    State, share and latencies are what the gateway processes have learned; `unknown` means that
    none of them said anything, not that all is well.

    Examples:
      steadyhand upstreams list
      steadyhand upstreams list --json
    """
    answer = session.client.get("/upstreams")
    session.printer.rows([row for item in answer["items"] for row in _rows(item)], COLUMNS)
    session.printer.note(_window(answer))


@verb(app, "show")
def show_upstream(
    session: Session, name: Annotated[str, typer.Argument(metavar="NAME", help="A provider.")]
) -> None:
    """Show one provider and its deployments, as each gateway process sees them.

    Examples:
      steadyhand upstreams show openai
      steadyhand upstreams show simulated --json
    """
    answer = session.client.get(f"/upstreams/{quote(name, safe='')}")
    lines = [f"{answer['name']} · {answer['kind']}"]
    for row in answer["deployments"]:
        lines.append(
            f"  {_model(row)}: {thousands(row['succeeded'])} ok, "
            f"{thousands(row['failed'])} failed ({_failures(row)}), "
            f"p50 {_latency(row, 'latency_p50_ms')} ms, p95 {_latency(row, 'latency_p95_ms')} ms"
        )
        lines += [f"    {sentence}" for sentence in health.sentences(row["health"])]
    session.printer.object(answer, "\n".join(lines))
    session.printer.note(_window(answer))


def _window(answer: Row) -> str:
    sampled = ", a sample of the newest" if answer["is_sample"] else ""
    return f"attempts of the last {answer['window_s'] // 60} minutes{sampled}"
