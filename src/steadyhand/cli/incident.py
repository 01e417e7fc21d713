"""``steadyhand incident``: what went wrong in rollouts."""

from typing import Annotated

import typer

from steadyhand.cli.output import Column
from steadyhand.cli.release import when
from steadyhand.cli.session import Session, noun, verb

app = noun("List incidents, and show the draft of their report.")

COLUMNS = [
    Column("incident", lambda row: row["id"]),
    Column("route", lambda row: row["route"]),
    Column("environment", lambda row: row["environment"]),
    Column("reason", lambda row: row["reason"]),
    Column("opened", lambda row: when(row["opened_us"] / 1e6)),
    Column("state", lambda row: "closed" if row["closed_us"] else "OPEN"),
    Column("commit", lambda row: row["commit"][:10] or "-"),
]


@verb(app, "list")
def list_incidents(session: Session) -> None:
    """List incidents, newest first.

    Examples:
      steadyhand incident list
    """
    items = session.client.get("/incidents")["items"]
    session.printer.rows(items, COLUMNS)
    if not items:
        session.printer.note("no rollout was ever taken back")


@verb(app, "show")
def show(session: Session, id_: Annotated[str, typer.Argument(help="Id of the incident.")]) -> None:
    """Write the draft of an incident's report in Markdown.

    Examples:
      steadyhand incident show incident-ro_1abc > report.md
    """
    row = session.client.get(f"/incidents/{id_}")
    session.printer.object(row, row["report"])
