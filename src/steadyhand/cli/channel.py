"""``steadyhand channel``: what each environment serves, and moving it."""

from typing import Annotated

import typer

from steadyhand.cli.orders import As, Clone, order
from steadyhand.cli.output import Column, Row
from steadyhand.cli.release import Digest, Note, when
from steadyhand.cli.session import Session, noun, verb

app = noun("Show, promote and roll back what environments serve.")

Environment = Annotated[str, typer.Option("--to", help="Environment: staging, production ...")]
Where = Annotated[str, typer.Option("--in", help="Environment: staging, production ...")]
Route = Annotated[str, typer.Argument(help="Name of the route.")]


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:16] or "-"


def _candidate(row: Row) -> str:
    return f"{_short(row['candidate'])} {row['weight_percent']:g} %" if row["candidate"] else "-"


COLUMNS = [
    Column("environment", lambda row: row["environment"]),
    Column("route", lambda row: row["route"]),
    Column("stable", lambda row: _short(row["stable"])),
    Column("candidate", _candidate),
    Column("since", lambda row: when(row["since_us"] / 1e6)),
    Column("moved by", lambda row: row["by"]),
    Column("commit", lambda row: row["commit"][:10]),
]


@verb(app, "list")
def list_channels(session: Session) -> None:
    """List what every environment serves.

    Examples:
      steadyhand channel list
    """
    items = session.client.get("/channels")["items"]
    session.printer.rows(items, COLUMNS)
    if not items:
        hint = "steadyhand channel promote ROUTE DIGEST --to staging"
        session.printer.note(f"nothing has been promoted yet: {hint}")


@verb(app, "history")
def history(session: Session, route: Route, environment: Where) -> None:
    """Tell what an environment has served of a route, newest first.

    Examples:
      steadyhand channel history support --in production
    """
    found = session.client.get(f"/channels/{environment}/{route}")
    session.printer.rows(found["items"], COLUMNS)


@verb(app, "changelog")
def changelog(session: Session, route: Route, environment: Where) -> None:
    """Write the change log of a channel in Markdown.

    Examples:
      steadyhand channel changelog support --in production > CHANGELOG.md
    """
    found = session.client.get(f"/channels/{environment}/{route}")
    session.printer.object(found, found["markdown"])


@verb(app, "promote")
def promote(
    session: Session,
    route: Route,
    digest: Digest,
    environment: Environment,
    note: Note = "",
    clone: Clone = None,
    name: As = "",
) -> None:
    """Make a release the stable one of an environment.

    Examples:
      steadyhand channel promote support 1a2b3c4d --to staging
    """
    path = f"/channels/{environment}/{route}/promote"
    wanted = {"digest": digest, "note": note}
    _say(
        session,
        order(
            session,
            path,
            wanted,
            (clone, name),
            lambda service, by: service.promote(digest, environment, by, note),
        ),
    )


@verb(app, "candidate")
def candidate(
    session: Session,
    route: Route,
    digest: Digest,
    environment: Where,
    percent: Annotated[float, typer.Option(help="Part of the traffic.")] = 5.0,
    note: Note = "",
    clone: Clone = None,
    name: As = "",
) -> None:
    """Try a release beside the stable one, with a part of the traffic.

    Examples:
      steadyhand channel candidate support 1a2b3c4d --in production --percent 5
    """
    wanted = {"digest": digest, "weight_percent": percent, "note": note}
    path = f"/channels/{environment}/{route}/candidate"
    weight = round(percent * 100)
    _say(
        session,
        order(
            session,
            path,
            wanted,
            (clone, name),
            lambda service, by: service.try_candidate(digest, environment, weight, by, note),
        ),
    )


@verb(app, "give-up")
def give_up(
    session: Session,
    route: Route,
    environment: Where,
    note: Note = "",
    clone: Clone = None,
    name: As = "",
) -> None:
    """End the trial of the candidate: everybody gets the stable release.

    Examples:
      steadyhand channel give-up support --in production
    """
    _say(
        session,
        order(
            session,
            f"/channels/{environment}/{route}/give-up",
            {"note": note},
            (clone, name),
            lambda service, by: service.give_up(route, environment, by, note),
        ),
    )


@verb(app, "rollback")
def rollback(
    session: Session,
    route: Route,
    environment: Where,
    to: Annotated[
        str, typer.Option(help="Digest; else the last one that had completed its bake.")
    ] = "",
    note: Note = "",
    clone: Clone = None,
    name: As = "",
) -> None:
    """Go back to an earlier release, and revoke the one that is left.

    Examples:
      steadyhand channel rollback support --in production -m "too slow"
    """
    path = f"/channels/{environment}/{route}/rollback"
    _say(
        session,
        order(
            session,
            path,
            {"to": to, "note": note},
            (clone, name),
            lambda service, by: service.roll_back(route, environment, by, to, note),
        ),
    )


def _say(session: Session, row: Row | None) -> None:
    if row is None:
        return
    tried = f", candidate {_candidate(row)}" if row["candidate"] else ""
    told = f"{row['environment']} serves {_short(row['stable'])} of {row['route']}{tried}"
    session.printer.object(row, told)
