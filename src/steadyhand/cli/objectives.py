"""``steadyhand objectives``: what routes promise, and whether they keep it."""

import os
from typing import Annotated

import typer

from steadyhand.cli.output import GREEN, RED, YELLOW, Column, Row, thousands
from steadyhand.cli.session import Session, noun, verb
from steadyhand.objectives.rule_file import rule_file
from steadyhand.objectives.rules import rule_set
from steadyhand.objectives.windows import told
from steadyhand.settings.objectives import load_objectives

app = noun("List objectives and their error budgets; print rules.")

_COLOURS = {"ok": GREEN, "burning": YELLOW, "exhausted": RED}


def _percent(value: float | None, digits: int = 4) -> str:
    return "-" if value is None else f"{value * 100:.{digits}g} %"


def _good(row: Row) -> str:
    return _percent(1 - row["bad"] / row["events"], 6) if row["events"] else "-"


def _burn(row: Row, number: int) -> str:
    if number >= len(row["burn"]):
        return "-"
    rate = row["burn"][number]["rate"]
    window = told(row["burn"][number]["window_s"])
    return f"{window} -" if rate is None else f"{window} {rate:.3g}x"


def _alerts(row: Row) -> str:
    return ", ".join(f"{one['name']} ({one['state']})" for one in row["alerts"]) or "-"


COLUMNS = [
    Column("route", lambda row: row["route"]),
    Column("objective", lambda row: row["objective"]),
    Column("target", lambda row: _percent(row["target_ratio"], 6), right=True),
    Column("good", _good, right=True),
    Column("events", lambda row: thousands(row["events"]), right=True),
    Column("bad", lambda row: thousands(row["bad"]), right=True),
    Column("budget left", lambda row: _percent(row["budget_left_ratio"]), right=True),
    Column("state", lambda row: row["state"], colour=lambda state: _COLOURS.get(state, "")),
    Column("burn", lambda row: _burn(row, 0)),
    Column("alerts", _alerts),
]


@verb(app, "list")
def list_objectives(
    session: Session,
    route: Annotated[str, typer.Option(help="Only this route's.")] = "",
) -> None:
    """List each objective, what is left of its error budget, and how fast it burns.

    Examples:
      steadyhand objectives list
      steadyhand objectives list --route support --json=objective,budget_left_ratio
    """
    rows = session.client.get("/objectives", route=route or None)["items"]
    session.printer.rows(rows, COLUMNS)
    if not rows:
        session.printer.note("no objectives: no route is in force, or all are switched off")


@verb(app, "rules")
def print_rules(session: Session) -> None:
    """Print the recording and alert rules for Prometheus, for the period of this workspace.

    Examples:
      steadyhand objectives rules > steadyhand.objectives.rules.yaml
      steadyhand objectives rules | promtool check rules /dev/stdin
    """
    told_of, _ = load_objectives(session.workspace, os.environ)
    rules = rule_set(told_of.period_s, told_of.sample_s)
    typer.echo(rule_file(rules, told_of.period_s, told_of.sample_s), nl=False)
