"""``steadyhand requests``: what ran, request by request."""

import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import typer

from steadyhand.cli.moments import clock_time, moment
from steadyhand.cli.output import GREEN, RED, YELLOW, Column, Row, thousands
from steadyhand.cli.session import Session, noun, verb
from steadyhand.core.errors import NotFound

LAST = "last"
PAGE = 200
POLL_S = 1.0
OVERLAP_S = 60  # records of several gateways reach the database out of order, seconds apart
SEEN = 20_000
TEN_MS_US = 10_000
COLOURS = {"answered": GREEN, "floor": YELLOW, "client_gone": YELLOW}

app = noun("List, show, explain and follow requests.")

RequestId = Annotated[str, typer.Argument(metavar="ID", help="A request id, or 'last'.")]
Tenant = Annotated[str | None, typer.Option(help="Only this tenant's.")]
RouteName = Annotated[str | None, typer.Option(help="Only this route's.")]
OutcomeName = Annotated[
    str | None,
    typer.Option(help="answered, floor, failed, rejected, truncated, client_gone or interrupted."),
]
Rung = Annotated[str | None, typer.Option(help="Only those that this kind of rung answered.")]
Provider = Annotated[str | None, typer.Option(help="Only those that this provider answered.")]
Wire = Annotated[
    str | None, typer.Option(help="Only this wire's: chat, or drill, which is left out otherwise.")
]
Status = Annotated[int | None, typer.Option(help="Only those answered with this HTTP status.")]


def _milliseconds(microseconds: int) -> str:
    """Write milliseconds; a decimal below ten, where it tells something."""
    if not microseconds:
        return "-"
    return (
        f"{microseconds / 1000:.1f}" if microseconds < TEN_MS_US else thousands(microseconds / 1e3)
    )


def _who(row: Row) -> str:
    return f"{row['provider']}/{row['model']}" if row["provider"] else row["rung"] or "-"


def _columns() -> list[Column]:
    now = datetime.now(UTC).astimezone()
    return [
        Column("id", lambda row: row["request_id"]),
        Column("received", lambda row: clock_time(row["received_us"], now)),
        Column("tenant", lambda row: row["tenant"] or "-"),
        Column("route", lambda row: row["route"] or row["requested_model"] or "-"),
        Column("outcome", lambda row: row["outcome"], colour=lambda o: COLOURS.get(o, RED)),
        Column("status", lambda row: str(row["status"]), right=True),
        Column("answered by", _who),
        Column("first ms", lambda row: _milliseconds(row["first_content_us"]), right=True),
        Column("total ms", lambda row: _milliseconds(row["total_us"]), right=True),
        Column("reason", lambda row: row["reason"]),
    ]


TAIL_WIDTHS = [28, 8, 12, 16, 11, 6, 28, 8, 8, 0]


@verb(app, "list")
def list_requests(
    session: Session,
    tenant: Tenant = None,
    route: RouteName = None,
    outcome: OutcomeName = None,
    rung: Rung = None,
    provider: Provider = None,
    status: Status = None,
    wire: Wire = None,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="From then on: 15m, 2h, 7d or ISO 8601.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Until then: 15m, 2h, 7d or ISO 8601.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
) -> None:
    """List requests, newest first.

    Examples:
      steadyhand requests list --since 15m --outcome floor
      steadyhand requests list --route support --json=request_id,total_us
    """
    now = datetime.now(UTC)
    query = {
        "tenant": tenant,
        "route": route,
        "outcome": outcome,
        "rung": rung,
        "provider": provider,
        "status": status,
        "wire": wire,
        "since": moment(since, now, "--since") if since else None,
        "until": moment(until, now, "--until") if until else None,
    }
    rows: list[Row] = []
    page: dict[str, Any] = {"next_cursor": None}
    while len(rows) < limit:
        size = min(PAGE, limit - len(rows))
        page = session.client.get("/requests", limit=size, cursor=page["next_cursor"], **query)
        rows += page["items"]
        if page["next_cursor"] is None:
            break
    session.printer.rows(rows, _columns())
    if page["next_cursor"] is not None:
        total = session.client.get("/requests", limit=1, count="true", **query)["total"]
        session.printer.note(
            f"showing {thousands(len(rows))} of {thousands(total)}; --limit shows more"
        )
    elif not rows:
        session.printer.note("no requests match")


def resolve(session: Session, request_id: str) -> str:
    """Return ``request_id`` as a path takes it, the newest request's for ``last``.

    Raises:
        NotFound: There are no requests yet.
    """
    if request_id != LAST:
        return quote(request_id, safe="")
    items = session.client.get("/requests", limit=1)["items"]
    if not items:
        raise NotFound("there are no requests yet", hint="send one to a route, then look again")
    return str(items[0]["request_id"])


@verb(app, "show")
def show_request(session: Session, request_id: RequestId) -> None:
    """Show everything that is kept of one request.

    Examples:
      steadyhand requests show last
      steadyhand requests show req_01k5x --json
    """
    record = session.client.get(f"/requests/{resolve(session, request_id)}")
    plain = {k: v for k, v in record.items() if k not in {"attempts", "annotations", "explanation"}}
    width = max(len(name) for name in plain)
    lines = [f"{name.ljust(width)}  {_value(value)}" for name, value in plain.items()]
    session.printer.object(record, "\n".join([*lines, "", record["explanation"]]))


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value in ("", None) else str(value)


@verb(app, "explain")
def explain_request(session: Session, request_id: RequestId) -> None:
    """Tell how one request was answered: each rung that was tried, when and why it ended.

    Examples:
      steadyhand requests explain last
      steadyhand requests explain req_01k5x
    """
    record = session.client.get(f"/requests/{resolve(session, request_id)}")
    session.printer.object(record, record["explanation"])


@verb(app, "tail")
def tail_requests(
    session: Session,
    tenant: Tenant = None,
    route: RouteName = None,
    outcome: OutcomeName = None,
    rung: Rung = None,
    provider: Provider = None,
    status: Status = None,
    wire: Wire = None,
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="Begin with requests since then.")
    ] = "0s",
    limit: Annotated[int, typer.Option(min=0, help="Stop after so many; 0 for never.")] = 0,
) -> None:
    """Follow requests as they end; interrupt to stop.

    Examples:
      steadyhand requests tail
      steadyhand requests tail --route support --outcome failed --json
    """
    query = {
        "tenant": tenant,
        "route": route,
        "outcome": outcome,
        "rung": rung,
        "provider": provider,
        "status": status,
        "wire": wire,
    }
    begin = moment(since, datetime.now(UTC), "--since")
    columns = _columns()
    session.printer.note("following; interrupt to stop")
    for count, row in enumerate(_follow(session, query, begin), start=1):
        session.printer.stream_row(row, columns, TAIL_WIDTHS)
        if count == limit:
            return


def _follow(session: Session, query: dict[str, Any], begin: str) -> Iterator[Row]:
    """Yield each request once, oldest first; look back a little, as some arrive late."""
    seen: deque[str] = deque(maxlen=SEEN)
    known: set[str] = set()
    while True:
        lately = moment(f"{OVERLAP_S}s", datetime.now(UTC), "--since")
        fresh: list[Row] = []
        cursor = None
        while True:
            page = session.client.get(
                "/requests",
                limit=PAGE,
                cursor=cursor,
                since=begin if not seen else max(begin, lately),
                **query,
            )
            fresh += [row for row in page["items"] if row["request_id"] not in known]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        for row in reversed(fresh):
            yield row
            if len(seen) == SEEN:
                known.discard(seen[0])
            seen.append(row["request_id"])
            known.add(row["request_id"])
        time.sleep(POLL_S)
