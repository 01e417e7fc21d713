"""``steadyhand alerts``: what fires, what webhooks were told, and whether a message is genuine."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from steadyhand.alerting.signature import is_genuine
from steadyhand.cli.output import GREEN, RED, YELLOW, Column, Row, thousands
from steadyhand.cli.release import when
from steadyhand.cli.session import Session, noun, verb
from steadyhand.core.errors import SteadyhandError

POLL_S = 0.2
app = noun("List alerts and what webhooks were told; try a webhook.")

_STATES = {"delivered": GREEN, "waiting": YELLOW, "dropped": RED, "given_up": RED}


class NotDelivered(SteadyhandError):
    """A test message was not taken by its webhook."""

    code = "not_delivered"


class NotGenuine(SteadyhandError):
    """A message was not signed with this secret, was changed, or is an old one sent again."""

    code = "not_genuine"


def _moment(microseconds: int | None) -> str:
    return when(microseconds / 1e6) if microseconds else "-"


FIRING = [
    Column("alert", lambda row: row["name"]),
    Column("severity", lambda row: row["severity"]),
    Column("since", lambda row: _moment(row["since_us"])),
    Column("what", lambda row: row["summary"]),
    Column("runbook", lambda row: row["runbook"]),
]
DELIVERIES = [
    Column("message", lambda row: row["id"]),
    Column("webhook", lambda row: row["webhook"]),
    Column("made", lambda row: _moment(row["made_us"])),
    Column("state", lambda row: row["state"], colour=lambda state: _STATES.get(state, "")),
    Column("tries", lambda row: thousands(row["attempts"]), right=True),
    Column("next try", lambda row: _moment(row["next_us"])),
    Column("tells", lambda row: _told(row)),
    Column("problem", lambda row: row["problem"] or "-"),
]


def _told(row: Row) -> str:
    parts = [*row["began"], *(f"{name} over" for name in row["ended"])]
    return ", ".join(dict.fromkeys(parts)) or ("a test" if row["is_test"] else "-")


@verb(app, "list")
def list_alerts(session: Session) -> None:
    """List the alerts that fire by the rules that are evaluated here.

    Examples:
      steadyhand alerts list
      steadyhand alerts list --json=name,labels
    """
    found = session.client.get("/alerts")
    session.printer.rows(found["firing"], FIRING)
    if not found["firing"]:
        session.printer.note("nothing fires")
    if found["hints"]:
        last = found["hints"][0]
        session.printer.note(
            f"an Alertmanager last told of {last['name']} ({last['status']}): {last['outcome']}"
        )


@verb(app, "deliveries")
def list_deliveries(
    session: Session,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Most messages to list.")] = 50,
) -> None:
    """List what webhooks were told, newest first, and whether they took it.

    Examples:
      steadyhand alerts deliveries
      steadyhand alerts deliveries --json=id,state,problem
    """
    rows = session.client.get("/alerts/deliveries", limit=limit)["items"]
    session.printer.rows(rows, DELIVERIES)
    if not rows:
        session.printer.note("no webhook was told anything; [[alerts.webhooks]] names them")


@verb(app, "test")
def test_webhook(
    session: Session, webhook: Annotated[str, typer.Argument(help="Name of the webhook.")]
) -> None:
    """Send a test message to a webhook and wait until it is taken; exit with 1 if it is not.

    Examples:
      steadyhand alerts test team-chat
    """
    found = session.client.post("/alerts/test", {"webhook": webhook})
    end_s = time.monotonic() + session.timeout_s
    while found["state"] == "waiting" and not found["problem"] and time.monotonic() < end_s:
        time.sleep(POLL_S)
        found = session.client.get(f"/alerts/deliveries/{found['id']}")
    if found["state"] != "delivered":
        raise NotDelivered(
            f"{webhook} did not take the message: {found['problem'] or 'no answer yet'}",
            hint="it is sent again for a day: steadyhand alerts deliveries",
        )
    session.printer.object(found, f"{webhook} took the message {found['id']}")


@verb(app, "verify")
def verify(
    session: Session,
    secret_file: Annotated[Path, typer.Option(help="File with the webhook's secret.")],
    id_: Annotated[str, typer.Option("--id", help="Header webhook-id.")],
    timestamp: Annotated[int, typer.Option(help="Header webhook-timestamp.")],
    signature: Annotated[str, typer.Option(help="Header webhook-signature.")],
) -> None:
    """Tell whether a message that was received, its body on standard input, is from here.

    Examples:
      steadyhand alerts verify --secret-file hook.secret --id msg_1 --timestamp 1790000000
        --signature v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4= < body.json
    """
    body, secret = sys.stdin.buffer.read(), secret_file.read_text(encoding="utf-8").strip()
    if not is_genuine(secret, id_, timestamp, body, signature, time.time()):
        raise NotGenuine(
            "the message was not signed with this secret, was changed, or is older than 5 minutes",
            hint="check that the body is byte for byte what was received",
        )
    session.printer.object({"genuine": True}, "genuine")
