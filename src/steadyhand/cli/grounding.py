"""``steadyhand grounding``: how many sampled answers do not stand in what they were given."""

from typing import Annotated

import typer

from steadyhand.cli.output import GREEN, RED, YELLOW, Column, Row, thousands
from steadyhand.cli.release import when
from steadyhand.cli.session import Session, noun, verb

app = noun("List ungrounded answers and their rate; show or delete samples.")

_COLOURS = {"grounded": GREEN, "ungrounded": RED, "not_measured": YELLOW}


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g} %"


def _interval(row: Row) -> str:
    return f"{_percent(row['low_percent'])} to {_percent(row['high_percent'])}"


def _bounds(row: Row) -> str:
    return f"{_percent(row['least_percent'])} to {_percent(row['most_percent'])}"


def _found(row: Row) -> str:
    return f"not measured: {row['reason']}" if row["reason"] else row["verdict"]


RATES = [
    Column("route", lambda row: row["route"]),
    Column("release", lambda row: row["release"].removeprefix("sha256:")[:12] or "workspace"),
    Column("ungrounded", lambda row: _percent(row["ungrounded_percent"]), right=True),
    Column("95 %", _interval),
    Column("measured", lambda row: thousands(row["ungrounded"] + row["grounded"]), right=True),
    Column("not measured", lambda row: thousands(row["not_measured"]), right=True),
    Column("whatever these are", _bounds),
]
SAMPLES = [
    Column("request", lambda row: row["request_id"]),
    Column("answered", lambda row: when(row["sampled_us"] / 1e6)),
    Column("route", lambda row: row["route"]),
    Column("found", _found, colour=lambda found: _COLOURS.get(found, YELLOW)),
    Column("claims", lambda row: thousands(row["claims"]), right=True),
    Column("ungrounded", lambda row: thousands(row["ungrounded_claims"]), right=True),
    Column(
        "lowest", lambda row: "-" if row["score"] is None else f"{row['score']:.2f}", right=True
    ),
    Column("by", lambda row: row["by"]),
]


@verb(app, "rates")
def list_rates(
    session: Session,
    route: Annotated[str, typer.Option(help="Only this route's.")] = "",
    hours: Annotated[float, typer.Option(min=0.01, help="Of the answers of so many hours.")] = 24,
) -> None:
    """List the rate of ungrounded answers by route and release, a proxy for hallucination.

    Examples:
      steadyhand grounding rates
      steadyhand grounding rates --route support --hours 1 --json=release,ungrounded_percent
    """
    rows = session.client.get("/grounding/rates", route=route or None, hours=hours)["items"]
    session.printer.rows(rows, RATES)
    if not rows:
        session.printer.note("no samples: [grounding.routes.NAME] says what is sampled")


@verb(app, "list")
def list_samples(
    session: Session,
    route: Annotated[str, typer.Option(help="Only this route's.")] = "",
    verdict: Annotated[
        str, typer.Option(help="Only `ungrounded`, `grounded` or `not_measured`.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="Most samples to list.")] = 50,
) -> None:
    """List sampled answers and what they were found to be, newest first, without their content.

    Examples:
      steadyhand grounding list --verdict ungrounded
      steadyhand grounding list --route support --json=request_id,verdict,reason
    """
    rows = session.client.get(
        "/grounding/samples", route=route or None, verdict=verdict or None, limit=limit
    )["items"]
    session.printer.rows(rows, SAMPLES)
    if not rows:
        session.printer.note("no such samples")


@verb(app, "show")
def show_sample(
    session: Session, request: Annotated[str, typer.Argument(help="Id of the request.")]
) -> None:
    """Show a sampled answer claim by claim; with --json also what it should stand in.

    Examples:
      steadyhand grounding show req_01jz8q6v6m
      steadyhand grounding show req_01jz8q6v6m --json=answer,context
    """
    found = session.client.get(f"/grounding/samples/{request}")
    lines = [
        f"{request}: {_found(found)}, says {found['by']}",
        f"texts to stand in: {len(found['context'])}"
        + (f", of them curated: {', '.join(found['sources'])}" if found["sources"] else ""),
        *(f"  {one['score']:.2f} {one['verdict']:<12} {one['text']}" for one in found["scores"]),
    ]
    if found["explanation"]:
        lines.append(f"judge: {found['explanation']}")
    session.printer.object(found, "\n".join(lines))


@verb(app, "delete")
def delete_samples(
    session: Session,
    request: Annotated[str, typer.Argument(help="Id of a request.")] = "",
    route: Annotated[str, typer.Option(help="All samples of this route.")] = "",
    tenant: Annotated[str, typer.Option(help="All samples of this tenant.")] = "",
) -> None:
    """Delete a sample, or all of a route or a tenant, before their time.

    Examples:
      steadyhand grounding delete req_01jz8q6v6m
      steadyhand grounding delete --tenant acme
    """
    path = f"/grounding/samples/{request}" if request else "/grounding/samples"
    found = session.client.delete(path, route=route or None, tenant=tenant or None)
    session.printer.object(found, f"{found['deleted']} deleted")
