"""``steadyhand plan`` and ``steadyhand replay``: which rung may take how long, and why."""

from typing import Annotated
from urllib.parse import quote

import typer

from steadyhand.cli.output import Column, Format, Row, thousands
from steadyhand.cli.requests import RequestId, resolve
from steadyhand.cli.session import Session, verb

plan_app = typer.Typer(add_completion=False, rich_markup_mode=None)
replay_app = typer.Typer(add_completion=False, rich_markup_mode=None)

TEN_MS_US = 10_000
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="PATH=VALUE", help="Change an input first; may be given more than once."
    ),
]


def _ms(microseconds: int | None) -> str:
    """Write milliseconds; a decimal below ten, where it tells something."""
    if microseconds is None:
        return "-"
    short = 0 < microseconds < TEN_MS_US
    return f"{microseconds / 1000:.1f}" if short else thousands(microseconds / 1000)


def _action(row: Row) -> str:
    return "planned around" if row["action"] == "skip" else str(row["action"])


STEPS = [
    Column("#", lambda row: str(row["candidate"]), right=True),
    Column("rung", lambda row: row["who"]),
    Column("p50 ms", lambda row: _ms(row["p50_us"]), right=True),
    Column("p90 ms", lambda row: _ms(row["p90_us"]), right=True),
    Column("p99 ms", lambda row: _ms(row["p99_us"]), right=True),
    Column("action", _action),
    Column("from ms", lambda row: _ms(row["start_us"]), right=True),
    Column("until ms", lambda row: _ms(row["until_us"]), right=True),
    Column("reason", lambda row: f"{row['reason']}: {row['meaning']}"),
]
CLIMB = [
    Column("at ms", lambda row: _ms(row["at_us"]), right=True),
    Column("rung", lambda row: row["who"] or "floor"),
    Column("event", lambda row: row["kind"].replace("_", " ")),
    Column("reason", lambda row: row["reason"] or row["detail"]),
]


def _headline(plan: Row) -> str:
    shape = "stream" if plan["stream"] else "whole answer"
    budget = f"{_ms(plan['budget_us'])} ms" if plan["budget_us"] else "no deadline"
    floor = plan["floor_at_us"]
    ends = "" if floor is None else f"; if nobody speaks, the floor does at {_ms(floor)} ms"
    return f"{shape}, {budget}, {plan['meaning']}{ends}"


@verb(plan_app, "plan")
def plan_route(
    session: Session,
    route: Annotated[str, typer.Argument(metavar="ROUTE", help="A route.")],
    stream: Annotated[bool, typer.Option("--stream", help="Plan a stream.")] = False,
    deadline_ms: Annotated[
        int | None,
        typer.Option(min=1, help="Budget that the caller asks for; never more than the route's."),
    ] = None,
    process: Annotated[
        int | None, typer.Option(min=0, help="As this gateway process sees it.")
    ] = None,
    changes: Changes = None,
) -> None:
    """Tell what would happen to a request now: who is asked when, for how long, and why.

    Times are milliseconds after the last byte of the request, if nobody before has spoken.

    Examples:
      steadyhand plan support --stream
      steadyhand plan support --deadline-ms 400
      steadyhand plan support --set candidates.0.health=open
    """
    found = session.client.get(
        f"/routes/{quote(route, safe='')}/plan",
        stream="true" if stream else None,
        deadline_ms=deadline_ms,
        process=process,
        set=changes or None,
    )
    if session.printer.format is not Format.JSON:
        session.printer.note(f"{found['route']}: {_headline(found)}")
        session.printer.rows(found["steps"], STEPS)
        session.printer.note(_seen(found))
    else:
        session.printer.object(found, "")


def _seen(found: Row) -> str:
    if found["process"] is None:
        return "no gateway says how its deployments do: planned from priors, all taken for well"
    seen = f"as gateway process {found['process']} saw it {found['age_s']:.1f} s ago"
    return f"{seen}; no cost is learned yet: priors" if found["is_prior"] else seen


@verb(replay_app, "replay")
def replay_request(session: Session, request_id: RequestId, changes: Changes = None) -> None:
    """Make the decision of one request again, from its recorded inputs only, and compare.

    With --set, an input is changed first: the plan that it would have led to is shown, and where
    the request would have gone another way.

    Examples:
      steadyhand replay last
      steadyhand replay req_01k5x --json
      steadyhand replay last --set candidates.0.health=open
    """
    found = session.client.get(
        f"/requests/{resolve(session, request_id)}/replay", set=changes or None
    )
    if session.printer.format is Format.JSON:
        session.printer.object(found, "")
        return
    session.printer.note(f"{found['request_id']}: {_headline(found['plan'])}")
    session.printer.rows(found["plan"]["steps"], STEPS)
    session.printer.note("\nwhat happened:")
    session.printer.rows(found["climb"], CLIMB)
    session.printer.note("\n" + _verdict(found))


def _verdict(found: Row) -> str:
    differences = [f"  {one}" for one in found["differences"]]
    if found["changes"]:
        changes = ", ".join(found["changes"])
        if not differences:
            return f"with {changes}: the same"
        return "\n".join([f"with {changes} it would have gone another way:", *differences])
    if not differences:
        return "the same: the recorded inputs lead to what is recorded"
    return "\n".join(
        ["DIFFERENT: the recorded inputs do not lead to what is recorded", *differences]
    )
