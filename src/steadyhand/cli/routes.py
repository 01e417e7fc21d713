"""``steadyhand routes``: what can be called, and what happens if providers fail."""

from typing import Annotated
from urllib.parse import quote

import typer

from steadyhand.cli import health
from steadyhand.cli.output import Column, Row, thousands
from steadyhand.cli.session import Session, noun, verb

app = noun("List and show routes.")


def _budget(milliseconds: int) -> str:
    return thousands(milliseconds) if milliseconds else "none"


def _rung(rung: Row) -> str:
    called = " | ".join(f"{d['provider']}/{d['model']}" for d in rung["deployments"])
    return f"{rung['kind']} {called}" if called else str(rung["kind"])


def _lines(title: str, rung: Row) -> list[str]:
    """Tell of one rung: a line, and one for each deployment if it has several."""
    said = health.proofs(rung)
    lines = [f"  {title} {_rung(rung)}" + (f" · {said}" if said else "")]
    if len(rung["deployments"]) > 1:
        for each in rung["deployments"]:
            at = f" ({each['region']})" if each["region"] else ""
            own = [proof for proof in rung["proofs"] if _is_of(proof, each)]
            said = health.proofs({"proofs": own})
            name = f"{each['provider']}/{each['model']}{at}, weight {each['weight']:g}"
            lines.append(f"     {name}" + (f" · {said}" if said else ""))
    return lines


def _is_of(proof: Row, deployment: Row) -> bool:
    return all(proof[name] == deployment[name] for name in ("provider", "model", "region"))


def _variable(one: Row) -> str:
    """Tell of a variable that a request gives."""
    needed = "needed" if one["is_required"] else "may be left out"
    fields = f" of {', '.join(one['fields'])}" if one["fields"] else ""
    choices = f", one of {', '.join(one['choices'])}" if one["choices"] else ""
    kind = f"{one['type']}{fields}{choices}"
    return f"  variable {one['name']}: {kind} · {one['origin']}, {one['trust']} · {needed}"


COLUMNS = [
    Column("route", lambda row: row["name"]),
    Column("slo", lambda row: row["slo"]["name"]),
    Column("first ms", lambda row: _budget(row["slo"]["first_content_ms"]), right=True),
    Column("whole ms", lambda row: _budget(row["slo"]["whole_ms"]), right=True),
    Column("rungs", lambda row: " > ".join(_rung(rung) for rung in row["rungs"]) or "-"),
    Column("floor", lambda row: row["floor"]["kind"]),
]


@verb(app, "list")
def list_routes(session: Session) -> None:
    """List the routes of the snapshot in force.

    Examples:
      steadyhand routes list
      steadyhand routes list --output md
    """
    session.printer.rows(session.client.get("/routes")["items"], COLUMNS)


@verb(app, "show")
def show_route(
    session: Session, name: Annotated[str, typer.Argument(metavar="NAME", help="A route.")]
) -> None:
    """Show one route: its latency budget, its rungs in order, its floor, and their last proofs.

    Examples:
      steadyhand routes show support
      steadyhand routes show support --json=rungs,floor
    """
    route = session.client.get(f"/routes/{quote(name, safe='')}")
    slo = route["slo"]
    lines = [
        f"{route['name']} · {slo['name']}: first content {_budget(slo['first_content_ms'])} ms, "
        f"whole answer {_budget(slo['whole_ms'])} ms",
    ]
    for place, rung in enumerate(route["rungs"], start=1):
        lines += _lines(f"{place}.", rung)
    lines += _lines("floor:", route["floor"])
    lines += [_variable(one) for one in route["variables"]]
    session.printer.object(route, "\n".join(lines))
