"""``steadyhand gate``: is the change worse than what it would replace? The exit code says it."""

from pathlib import Path
from typing import Annotated

import typer

from steadyhand.cli.errors import ExitCode

app = typer.Typer(add_completion=False, rich_markup_mode=None)

CODES = {
    "passes": ExitCode.OK,
    "worse": ExitCode.WORSE,
    "over_budget": ExitCode.WORSE,
    "undecided": ExitCode.UNDECIDED,
    "not_measured": ExitCode.UNDECIDED,
}


@app.command()
def gate(
    suite: Annotated[Path, typer.Argument(help="The cases, a TOML file.", show_default=False)],
    stable: Annotated[
        str,
        typer.Option(help="What is served now: a folder, or a commit as origin/main."),
    ],
    workspace: Annotated[Path, typer.Option(help="The workspace with the change.")] = Path(),
    repeats: Annotated[
        int, typer.Option(min=0, max=100, help="Ask each case so often; 0 for as the suite says.")
    ] = 0,
    seed: Annotated[
        int, typer.Option(min=0, help="Of the order of questions; 0 draws one and prints it.")
    ] = 0,
    junit: Annotated[Path | None, typer.Option(help="Also write JUnit XML there.")] = None,
    summary: Annotated[
        Path | None, typer.Option(help="Also append Markdown there, as $GITHUB_STEP_SUMMARY.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Ask the change and what it would replace the same questions, and compare the answers.

    Both workspaces are copied, served on loopback and asked in turns. Exit code 0: no worse than
    the suite's margin allows. 10: worse, or over its budget. 11: that cannot be told.

    Examples:
      steadyhand gate suites/support.toml --stable origin/main
      steadyhand gate suites/support.toml --stable ../released --repeats 5 --junit gate.xml
    """
    import json as json_format
    import secrets
    import sys

    from msgspec import structs

    from steadyhand.app.gate import compare
    from steadyhand.evals.gate.report import junit as junit_of
    from steadyhand.evals.gate.report import markdown, plain
    from steadyhand.evals.gate.suite import InvalidSuite, read
    from steadyhand.evals.gate.verdict import decide

    try:
        wanted = read(suite.read_text(encoding="utf-8"), str(suite))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSuite(f"{suite} cannot be read: {error}") from error
    if repeats:
        wanted = structs.replace(wanted, repeats=repeats)
    seed = seed or secrets.randbelow(2**31 - 1) + 1
    sys.stderr.write(
        f"asking {len(wanted.cases)} cases {wanted.repeats} times each of both, seed {seed}\n"
    )
    is_terminal = sys.stderr.isatty()

    def progress(done: int, total: int) -> None:
        if is_terminal:
            sys.stderr.write(f"\r{done} of {total} pairs" + ("\n" if done == total else ""))

    verdict = decide(wanted, compare(wanted, stable, workspace, seed, progress))
    page = markdown(wanted, verdict, seed)
    if junit is not None:
        junit.write_text(junit_of(wanted, verdict), encoding="utf-8")
    if summary is not None:
        with summary.open("a", encoding="utf-8") as file:
            file.write(page)
    shown = json_format.dumps(plain(wanted, verdict, seed), indent=2) + "\n" if json else page
    sys.stdout.write(shown)
    raise typer.Exit(CODES[verdict.decision])
