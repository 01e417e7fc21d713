"""``steadyhand cache``: how the tiers of kept answers are, and flushing them."""

from typing import Annotated, Any

import typer

from steadyhand.cli.output import Column, Format, Row, thousands
from steadyhand.cli.session import Session, noun, verb

app = noun("Show and flush kept answers.")


def _counts(row: Row, name: str) -> str:
    found = sorted(row[name].items(), key=lambda item: -item[1])
    return ", ".join(f"{reason} {thousands(count)}" for reason, count in found) or "-"


def _known(value: Any) -> str:
    return "-" if value is None else thousands(value)


COLUMNS = [
    Column("process", lambda row: str(row["process"]), right=True),
    Column("tier", lambda row: row["tier"]),
    Column("backend", lambda row: row["backend"]),
    Column("up", lambda row: "yes" if row["is_up"] else "no"),
    Column("entries", lambda row: _known(row["entries"]), right=True),
    Column("bytes", lambda row: _known(row["size_bytes"]), right=True),
    Column("lookups", lambda row: _counts(row, "lookups")),
    Column("stores", lambda row: _counts(row, "stores")),
    Column("failures", lambda row: _counts(row, "failures")),
]


@verb(app, "show")
def show_cache(session: Session) -> None:
    """Show each tier of each gateway process, and what the database holds.

    Examples:
      steadyhand cache show
      steadyhand cache show --json
    """
    answer = session.client.get("/cache")
    if session.printer.format is Format.JSON:
        session.printer.object(answer, "")
        return
    session.printer.rows(answer["tiers"], COLUMNS)
    session.printer.note(
        f"database: {_known(answer['database_entries'])} entries, "
        f"{_known(answer['database_bytes'])} bytes"
    )
    for flush in answer["flushes"] or []:
        session.printer.note(f"flushed: {_scope(flush)}")


@verb(app, "flush")
def flush_cache(
    session: Session,
    route: Annotated[str, typer.Option(help="Only answers of this route.")] = "",
    tenant: Annotated[str, typer.Option(help="Only answers to this tenant.")] = "",
) -> None:
    """Put every kept answer out of reach, in every tier of every gateway, within a second.

    Examples:
      steadyhand cache flush
      steadyhand cache flush --route support --tenant acme
    """
    answer = session.client.post("/cache/flush", {"route": route, "tenant": tenant})
    deleted = answer["deleted"]
    done = "not reached" if deleted is None else f"{thousands(deleted)} deleted"
    session.printer.object(answer, f"flushed {_scope(answer)}; from the database: {done}")


def _scope(flush: Row) -> str:
    route = f"route {flush['route']}" if flush["route"] else "every route"
    tenant = f"tenant {flush['tenant']}" if flush["tenant"] else "every tenant"
    return f"{route}, {tenant}"
