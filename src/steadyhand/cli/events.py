"""``steadyhand events``: what happens, as it happens."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from steadyhand.cli.output import Column, Row
from steadyhand.cli.session import Session, noun, verb

if TYPE_CHECKING:
    from collections.abc import Iterator

app = noun("Follow what happens: releases, snapshots, the registry's remote.")

COLUMNS = [
    Column("event", lambda row: row["kind"]),
    Column("what", lambda row: _said(row)),
]
WIDTHS = [10, 0]
AGAIN_S = 1.0


@verb(app, "events")
def follow(
    session: Session,
    kind: Annotated[
        list[str] | None, typer.Option(help="registry, snapshot, sync or lease. May be repeated.")
    ] = None,
    after: Annotated[
        int | None, typer.Option(help="Number of the last event seen: what came after is shown.")
    ] = None,
) -> None:
    """Print events until interrupted; a connection that breaks is taken up again where it was.

    Examples:
      steadyhand events
      steadyhand events --kind registry --json
    """
    for row in _rows(session, kind or [], after):
        session.printer.stream_row(row, COLUMNS, WIDTHS)


def _rows(session: Session, kinds: list[str], after: int | None) -> "Iterator[Row]":
    import time

    from steadyhand.cli.errors import ControlTimedOut, ControlUnreachable

    reached = False
    while True:
        try:
            for number, kind, data in session.client.events(kinds, after):
                reached, after = True, number
                yield {"number": number, "kind": kind, "data": json.loads(data)}
        except (ControlUnreachable, ControlTimedOut) as error:
            if not reached:
                raise
            session.printer.note(f"{error.message}; trying again")
        time.sleep(AGAIN_S)


def _said(row: Row) -> str:
    data = row["data"]
    told = data.get("subject") or data.get("digest") or data.get("reason") or data.get("message")
    by = f", by {data['principal']}" if data.get("principal") else ""
    return f"{told or data}{by}"
