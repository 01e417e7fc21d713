"""``steadyhand upstreams``: the configured providers, their deployments and how they do.

``break`` and ``mend`` are in :mod:`steadyhand.cli.breaking`.
"""

from typing import Annotated
from urllib.parse import quote

import typer

from steadyhand.cli.breaking import break_upstream, mend_upstream
from steadyhand.cli.output import Column, Row, thousands
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


COLUMNS = [
    Column("provider", lambda row: row["provider"]),
    Column("kind", lambda row: row["kind"]),
    Column("model", lambda row: row["model"]),
    Column("ok", lambda row: thousands(row["succeeded"]), right=True),
    Column("failed", lambda row: thousands(row["failed"]), right=True),
    Column("p50 ms", lambda row: _latency(row, "latency_p50_ms"), right=True),
    Column("p95 ms", lambda row: _latency(row, "latency_p95_ms"), right=True),
    Column("last", lambda row: row["last_reason"] or "-"),
    Column("failures", _failures),
]


def _rows(provider: Row) -> list[Row]:
    shared = {"provider": provider["name"], "kind": provider["kind"]}
    unused = {
        "model": "-",
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
    """List providers and deployments, with attempts and latencies of the last minutes.

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
    """Show one provider and its deployments.

    Examples:
      steadyhand upstreams show openai
      steadyhand upstreams show simulated --json
    """
    answer = session.client.get(f"/upstreams/{quote(name, safe='')}")
    lines = [f"{answer['name']} · {answer['kind']}"]
    for row in answer["deployments"]:
        lines.append(
            f"  {row['model']}: {thousands(row['succeeded'])} ok, "
            f"{thousands(row['failed'])} failed ({_failures(row)}), "
            f"p50 {_latency(row, 'latency_p50_ms')} ms, p95 {_latency(row, 'latency_p95_ms')} ms"
        )
    session.printer.object(answer, "\n".join(lines))
    session.printer.note(_window(answer))


def _window(answer: Row) -> str:
    sampled = ", a sample of the newest" if answer["is_sample"] else ""
    return f"attempts of the last {answer['window_s'] // 60} minutes{sampled}"
