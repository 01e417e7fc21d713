"""``steadyhand drills``: what proves each rung, and drills on demand."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from steadyhand.cli.moments import clock_time
from steadyhand.cli.output import GREEN, RED, YELLOW, Column, Row, thousands
from steadyhand.cli.session import Session, noun, verb
from steadyhand.core.errors import SteadyhandError

POLL_S = 0.25
PATIENCE_S = 30.0
"""A gateway that drills looks for orders every second, and between two drills."""
LONGEST_S = 610.0
"""No drill takes longer; see ``[drills] timeout_s``."""

app = noun("List what proves each rung, and drill now.")

_COLOURS = {
    "proven": GREEN,
    "cold_start": YELLOW,
    "left_to_breaker": YELLOW,
    "expired": RED,
    "failed": RED,
}


class NobodyDrills(SteadyhandError):
    """No gateway took up an order for drills, or none goes on with it."""

    code = "nobody_drills"


def _who(row: Row) -> str:
    region = f" ({row['region']})" if row["region"] else ""
    return f"{row['provider']}/{row['model']}{region}" if row["provider"] else "-"


def _rung() -> list[Column]:
    return [
        Column("route", lambda row: row["route"]),
        Column("rung", lambda row: str(row["rung"]), right=True),
        Column("kind", lambda row: row["kind"]),
        Column("who", _who),
    ]


@verb(app, "list")
def list_drills(session: Session) -> None:
    """List the last proof of every rung, by what, and when its next drill is due.

    Examples:
      steadyhand drills list
      steadyhand drills list --json=route,rung,verdict,reason
    """
    now = datetime.now(UTC).astimezone()

    def moment(row: Row, name: str) -> str:
        return clock_time(row[name], now) if row[name] else "-"

    columns = [
        *_rung(),
        Column("state", lambda row: row["verdict"], colour=lambda v: _COLOURS.get(v, "")),
        Column("last proof", lambda row: moment(row, "proven_us")),
        Column("by", lambda row: row["proven_by"] or "-"),
        Column("failed", lambda row: str(row["failures"]), right=True),
        Column("next drill", lambda row: moment(row, "due_us")),
        Column("reason", lambda row: row["reason"] or "-"),
    ]
    rows = session.client.get("/drills")["items"]
    session.printer.rows(rows, columns)
    if not rows:
        session.printer.note("no gateway tells of its rungs")


@verb(app, "run")
def run_drills(
    session: Session,
    route: Annotated[str, typer.Option(help="Only this route's rungs.")] = "",
) -> None:
    """Drill every rung now, one after another; exit with 1 if one of them is not proven by it.

    Examples:
      steadyhand drills run
      steadyhand drills run --route support --json
    """
    run = session.client.post("/drills/runs", {"route": route})
    ended, last_s = -1, time.monotonic()
    while not run["is_done"]:
        if len(run["items"]) > ended and run["has_begun"]:
            ended, last_s = len(run["items"]), time.monotonic()
        _go_on(last_s, has_begun=ended >= 0)
        time.sleep(POLL_S)
        run = session.client.get(f"/drills/runs/{run['id']}")
    columns = [
        *_rung(),
        Column("result", _result, colour=lambda said: GREEN if said == "ok" else RED),
        Column("ms", lambda row: thousands(row["took_ms"]), right=True),
    ]
    session.printer.rows(run["items"], columns)
    bad = [row for row in run["items"] if row["is_proven"] is not True]
    if bad:
        session.printer.note(f"{len(bad)} of {run['total']} rungs are not proven")
        raise typer.Exit(1)


def _go_on(last_s: float, *, has_begun: bool) -> None:
    """Go on waiting, unless nothing has come for longer than a drill may take.

    Raises:
        NobodyDrills: Nothing will come any more.
    """
    waited_s = time.monotonic() - last_s
    if waited_s < (LONGEST_S if has_begun else PATIENCE_S):
        return
    what = "the gateway that drilled is gone" if has_begun else "no gateway takes the order up"
    raise NobodyDrills(what, hint="see whether one runs: its /readyz, or steadyhand upstreams list")


def _result(row: Row) -> str:
    return "ok" if row["is_proven"] else str(row["reason"])
