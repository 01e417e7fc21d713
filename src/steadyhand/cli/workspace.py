"""``steadyhand init`` and ``steadyhand validate``: write a workspace, and check one."""

import json as json_format
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from steadyhand.settings.problems import Problem
    from steadyhand.settings.scaffold import Scaffold

init = typer.Typer(add_completion=False, rich_markup_mode=None)
validate = typer.Typer(add_completion=False, rich_markup_mode=None)


@init.command("init")
def init_workspace(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write it.")],
    force: Annotated[
        bool, typer.Option("--force", help="Write even if DIR is not empty, replacing its files.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Write what was done as JSON.")] = False,
) -> None:
    """Write a workspace that runs: a support assistant over the PostgreSQL manual.

    Examples:
      steadyhand init demo
      steadyhand serve --workspace demo
    """
    from steadyhand.settings.scaffold import write_workspace

    _say_written(write_workspace(directory, overwrite=force), as_json=json)


@validate.command("validate")
def validate_workspace(
    workspace: Annotated[Path, typer.Option(help="The workspace to check.")] = Path(),
    json: Annotated[bool, typer.Option("--json", help="Write the problems as JSON.")] = False,
) -> None:
    """Check a workspace: every mistake with its place, the reason and what to do.

    Overrides from the environment are checked too. Exit code 1 if there is any mistake. An answer
    that is out of date is one here; a gateway goes on without it.

    Examples:
      steadyhand validate --workspace demo
      steadyhand validate --json
    """
    problems = check(workspace)
    _say_problems(problems, as_json=json)
    if problems:
        raise typer.Exit(1)


def check(workspace: Path) -> "Sequence[Problem]":
    """Return what is wrong with ``workspace`` under this process's environment."""
    from steadyhand.settings.answers import expired
    from steadyhand.settings.load import load
    from steadyhand.settings.problems import InvalidWorkspace

    try:
        settings = load(workspace, os.environ, {})
    except InvalidWorkspace as error:
        return error.problems
    return expired(settings.collections, datetime.now(tz=UTC).date())


def _say_written(scaffold: "Scaffold", *, as_json: bool) -> None:
    if as_json:
        report = {
            "directory": str(scaffold.directory),
            "written": list(scaffold.written),
            "key_file": str(scaffold.key_file),
        }
        sys.stdout.write(f"{json_format.dumps(report, indent=2)}\n")
        return
    sys.stdout.write(
        f"wrote a support assistant over the PostgreSQL 15 manual to {scaffold.directory}\n"
        f"its key is in {scaffold.key_file}, readable by you only\n"
        f"next: steadyhand serve --workspace {scaffold.directory}\n"
    )


def _say_problems(problems: "Sequence[Problem]", *, as_json: bool) -> None:
    if as_json:
        report = {"problems": [problem.fields() for problem in problems]}
        sys.stdout.write(f"{json_format.dumps(report, ensure_ascii=False, indent=2)}\n")
        return
    for problem in problems:
        sys.stderr.write(f"{problem.text()}\n\n")
    count = len(problems)
    verdict = f"{count} problem{'s' if count > 1 else ''}" if count else "no problems"
    sys.stderr.write(f"{verdict}\n")
