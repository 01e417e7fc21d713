"""``steadyhand registry``: the release registry as a whole."""

from pathlib import Path
from typing import Annotated

import typer

from steadyhand.cli.output import Column, Row
from steadyhand.cli.session import Session, noun, verb

app = noun("Show the release registry, examine and mend it.")
COLUMNS = [
    Column("level", lambda row: row["level"]),
    Column("check", lambda row: row["check"]),
    Column("what is wrong", lambda row: row["message"]),
    Column("what works", lambda row: row["works"]),
    Column("what mends it", lambda row: row["mend"]),
]
At = Annotated[
    Path | None, typer.Option("--at", help="The repository; else that of the workspace.")
]


def _environment(row: Row) -> str:
    asks = [
        f"from {row['origin']}" if row["origin"] else "from anywhere",
        f"{row['approvals']} approval(s)",
        "moved by operators" if row["protected"] else "moved by authors and operators",
        f"bakes {row['bake_s']} s",
    ]
    return f"environment {row['name']}: {', '.join(asks)}"


@verb(app, "status")
def status(session: Session) -> None:
    """Tell how the registry is, what environments ask for, and what could not be put in force.

    Examples:
      steadyhand registry status
    """
    row = session.client.get("/registry")
    lines = [
        f"head        {row['head'] or 'nothing yet'}",
        f"releases    {row['releases']}",
        f"channels    {row['channels']}",
        *map(_environment, row["environments"]),
        *(
            f"not in force: {one['environment']}/{one['route']}: {one['message']}"
            for one in row["refused"]
        ),
    ]
    if row["remote"] is not None:
        remote = row["remote"]
        said = f", {remote['message']}" if remote["message"] else ""
        lines.insert(1, f"remote      {remote['url']}: {remote['outcome'] or 'not yet'}{said}")
    session.printer.object(row, "\n".join(lines))


@verb(app, "environments")
def environments(
    session: Session,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="TOML with all of them; else shows.")
    ] = None,
    note: Annotated[str, typer.Option("--note", "-m", help="For who reads the history.")] = "",
) -> None:
    """Show what environments ask for, or say it.

    Operators may ask for more. To ask for less takes the installation's own token.

    Examples:
      steadyhand registry environments
      steadyhand registry environments environments.toml -m "two approvals"
    """
    if file is None:
        row = session.client.get("/registry")
    else:
        from steadyhand.core.errors import InvalidValue

        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidValue(f"{file} cannot be read: {error}") from error
        row = session.client.put("/registry/environments", {"toml": text, "note": note})
    known = row["environments"]
    session.printer.object({"environments": known}, "\n".join(map(_environment, known)))


@app.command("hook")
def hook(
    signers: Annotated[
        Path, typer.Option(help="Who may sign, as steadyhand principal signers writes it.")
    ],
) -> None:
    """Judge a push, as pre-receive hook of the Git server that hosts the registry.

    Git runs it in the repository and gives it what is pushed. Nothing is let in that the control
    plane would refuse: unsigned commits, approvals of one's own release, moves without approval.

    Examples:
      steadyhand registry hook --signers allowed_signers < updates
    """
    import sys

    from steadyhand.core.errors import InvalidValue
    from steadyhand.registry.git.hook import receive
    from steadyhand.registry.signatures import parse_signers

    try:
        text = signers.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValue(f"{signers} cannot be read: {error}") from error
    for line in receive(Path(), sys.stdin, parse_signers(text)):
        sys.stderr.write(f"steadyhand: {line}\n")


@verb(app, "key")
def key(session: Session) -> None:
    """Print the public key with which this control plane signs commits and snapshots.

    Examples:
      steadyhand registry key --workspace demo
    """
    from steadyhand.cli.control import state_dir
    from steadyhand.registry.signing import open_signer

    line = open_signer(state_dir(session.workspace) / "registry_ed25519").public_line()
    session.printer.object({"public_key": line}, line)


@verb(app, "doctor")
def doctor(session: Session, at: At = None) -> None:
    """Look for what is wrong with the repository, without the control plane; changes nothing.

    Exits with 1 if releases cannot be made or moved.

    Examples:
      steadyhand registry doctor --workspace demo
    """
    from msgspec import to_builtins

    from steadyhand.registry.doctor import examine

    path = _path(session, at)
    found = examine(path)
    session.printer.rows([to_builtins(one) for one in found], COLUMNS)
    if not found:
        session.printer.note(f"nothing is wrong with {path}")
    if any(one.level == "error" for one in found):
        raise typer.Exit(1)


@verb(app, "rebuild")
def rebuild(session: Session, at: At = None) -> None:
    """Make the index of versions again from the repository's commits.

    Examples:
      steadyhand registry rebuild --workspace demo
    """
    from time import time

    from steadyhand.registry.git.store import open_registry

    store = open_registry(_path(session, at), clock=time)
    try:
        commits, versions = store.rebuild_index()
    finally:
        store.close()
    row = {"commits": commits, "versions": versions}
    session.printer.object(row, f"{versions:,} versions in {commits:,} commits")


def _path(session: Session, at: Path | None) -> Path:
    from steadyhand.cli.control import state_dir

    return at or state_dir(session.workspace) / "registry.git"
