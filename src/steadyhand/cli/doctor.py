"""``steadyhand doctor``: what is wrong with an installation, and what mends it."""

from pathlib import Path
from typing import Annotated

import typer

from steadyhand.cli.output import RED, YELLOW, Column, Format, Printer, wants_colour

app = typer.Typer(add_completion=False, rich_markup_mode=None)

COLUMNS = [
    Column(
        "level",
        lambda row: row["level"],
        colour=lambda cell: {"error": RED, "warning": YELLOW}.get(cell, ""),
    ),
    Column("check", lambda row: row["check"]),
    Column("what is wrong", lambda row: row["message"]),
    Column("what works", lambda row: row["works"]),
    Column("what mends it", lambda row: row["mend"]),
]


@app.command()
def doctor(
    workspace: Annotated[Path, typer.Option(help="The workspace.")] = Path(),
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Look at a workspace, its state and its registry, without the control plane; change nothing.

    Exit code 1 if there is an error. Whether gateways answer is told by /readyz and upstreams list.

    Examples:
      steadyhand doctor --workspace demo
      steadyhand doctor --json
    """
    import os
    import sys

    from msgspec import to_builtins

    from steadyhand.app.doctor import diagnose
    from steadyhand.cli.control import state_dir

    found = diagnose(workspace, state_dir(workspace))
    printer = Printer(
        format=Format.JSON if json else Format.TABLE,
        colour=wants_colour(sys.stdout, os.environ, off=False),
        terminal=sys.stdout.isatty(),
    )
    printer.rows([to_builtins(one) for one in found], COLUMNS)
    if not found:
        printer.note(f"nothing is wrong with {workspace}")
    if any(one.level == "error" for one in found):
        raise typer.Exit(1)
