"""``steadyhand release``: make releases of routes, compare, approve and revoke them."""

import os
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from steadyhand.cli.orders import As, Clone, order
from steadyhand.cli.output import Column, Row
from steadyhand.cli.session import Session, noun, verb

app = noun("Make, compare, approve and revoke releases.")

Digest = Annotated[
    str, typer.Argument(metavar="DIGEST", help="Of the release, or its first digits, 4 or more.")
]
Note = Annotated[str, typer.Option("--note", "-m", help="For people who read the history.")]
Reason = Annotated[str, typer.Option("--reason", "-m", help="Why; in the history for ever.")]


def when(seconds: float) -> str:
    """Return a time for people."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _state(row: Row) -> str:
    revocation = row["revocation"]
    if revocation is None:
        return "-"
    return "revoked" if revocation["holds"] else "waived"


def _approvals(row: Row) -> str:
    return ", ".join(f"{one['principal']} for {one['environment']}" for one in row["approvals"])


COLUMNS = [
    Column("release", lambda row: row["short"]),
    Column("route", lambda row: row["route"]),
    Column("author", lambda row: row["author"]),
    Column("made", lambda row: when(row["created_s"])),
    Column("serves", lambda row: " ".join(row["serves"]) or "-"),
    Column("approved by", lambda row: _approvals(row) or "-"),
    Column("revoked", _state),
]


FINDINGS = [
    Column("level", lambda row: row["level"]),
    Column("code", lambda row: row["code"]),
    Column("place", lambda row: f"{row['path']}:{row['line']}"),
    Column("what", lambda row: row["message"]),
    Column("hint", lambda row: row["hint"] or "-"),
    Column("allowed", lambda row: row["allowed"] or "-"),
]


@verb(app, "create")
def create(
    session: Session,
    route: Annotated[str, typer.Argument(help="Name of the route.")],
    note: Note = "",
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Workspace here to release; else the one that is served."),
    ] = None,
    clone: Clone = None,
    name: As = "",
) -> None:
    """Make a release of what a workspace says of a route now; the same again changes nothing.

    Examples:
      steadyhand release create support -m "Answers begin with the command"
      steadyhand release create support --from . -m "$(git log -1 --format=%s)"
    """
    wanted: dict[str, object] = {"route": route, "note": note}
    here = source or (session.workspace if clone is not None else None)
    files = _files(here, route) if here is not None else {}
    if here is not None:
        wanted["files"] = {path: b64encode(raw).decode() for path, raw in files.items()}
    made = order(
        session,
        "/releases",
        wanted,
        (clone, name),
        lambda service, by: service.create(route, files, by, note),
    )
    if made is None:
        return
    session.printer.object(made, made["short"])
    session.printer.note(f"release {made['digest']} of {made['route']}, {made['files']} files")


def _files(source: Path, route: str) -> dict[str, bytes]:
    """Return path → content of a release of the workspace in ``source``."""
    from steadyhand.settings.load import load
    from steadyhand.settings.release import collect

    return collect(load(source, os.environ, {}), route)


@verb(app, "list")
def list_releases(
    session: Session, route: Annotated[str, typer.Option(help="Only of this route.")] = ""
) -> None:
    """List releases, newest first, and where they serve.

    Examples:
      steadyhand release list --route support
    """
    items = session.client.get("/releases", route=route or None)["items"]
    session.printer.rows(items, COLUMNS)
    if not items:
        session.printer.note("no releases yet; make one: steadyhand release create ROUTE")


@verb(app, "show")
def show(session: Session, digest: Digest) -> None:
    """Show one release.

    Examples:
      steadyhand release show 1a2b3c4d
    """
    row = session.client.get(f"/releases/{quote(digest, safe=':')}")
    lines = [
        f"release   {row['digest']}",
        f"route     {row['route']}",
        f"made      {when(row['created_s'])} by {row['author']}",
        f"files     {row['files']}, about {row['prompt_tokens']:,} prompt tokens",
        f"serves    {' '.join(row['serves']) or 'nowhere'}",
        f"approved  {_approvals(row) or 'by nobody yet'}",
    ]
    if row["revocation"] is not None:
        lines.append(f"{_state(row):<9} {row['revocation']['reason']}")
    session.printer.object(row, "\n".join(lines))


@verb(app, "diff")
def diff(
    session: Session,
    digest: Digest,
    to: Annotated[
        str,
        typer.Argument(help="Another digest, 'workspace', or a channel as 'production/support'"),
    ] = "workspace",
) -> None:
    """Tell what differs between a release and another, a channel, or the workspace.

    Examples:
      steadyhand release diff 1a2b3c4d
      steadyhand release diff 1a2b3c4d production/support
    """
    found = session.client.get(f"/releases/{quote(digest, safe=':')}/diff", to=to)
    session.printer.object(found, "\n".join(found["lines"]))


@verb(app, "lint")
def lint(session: Session, digest: Digest) -> None:
    """Check the prompts of a release, as prompt lint checks those of a workspace.

    Exit code 1 if there is an error that the prompt does not allow.

    Examples:
      steadyhand release lint 1a2b3c4d
    """
    found = session.client.get(f"/releases/{quote(digest, safe=':')}/lint")
    session.printer.rows(found["items"], FINDINGS)
    if not found["items"]:
        session.printer.note("nothing to be said of it")
    if found["fails"]:
        raise typer.Exit(1)


@verb(app, "preview")
def preview(
    session: Session,
    digest: Digest,
    to: Annotated[
        str,
        typer.Argument(help="Show what changes to another digest, 'workspace', or a channel."),
    ] = "",
) -> None:
    """Show what the prompts of a release become with their samples.

    Examples:
      steadyhand release preview 1a2b3c4d
      steadyhand release preview 1a2b3c4d workspace
    """
    path = f"/releases/{quote(digest, safe=':')}/preview"
    found = session.client.get(path, to=to or None)
    session.printer.object(found, "\n\n".join(_previewed(one, to) for one in found["items"]))
    if not found["items"]:
        session.printer.note("the release has no prompt")


def _previewed(one: Row, to: str) -> str:
    language = f" in {one['locale']}" if one["locale"] else ""
    lines = [f"# {one['prompt']}, {one['sample']}{language}: about {one['tokens']:,} tokens"]
    if one["mistake"]:
        lines.append(f"cannot be made: {one['mistake']}")
    if to:
        return "\n".join([*lines, *(one["changes"] or ["nothing changes"])])
    for message in one["messages"]:
        lines += [f"[{message['role']}]", "".join(piece["text"] for piece in message["segments"])]
    return "\n".join(lines)


@verb(app, "approve")
def approve(
    session: Session,
    digest: Digest,
    environment: Annotated[str, typer.Option("--for", help="Environment that it may go to.")],
    note: Note = "",
    clone: Clone = None,
    name: As = "",
) -> None:
    """Say that somebody else's release may go to an environment.

    Examples:
      steadyhand release approve 1a2b3c4d --for production --token-file bob.token
    """
    path = f"/releases/{quote(digest, safe=':')}/approvals"
    said = order(
        session,
        path,
        {"environment": environment, "note": note},
        (clone, name),
        lambda service, by: service.approve(digest, environment, by, note),
    )
    if said is None:
        return
    session.printer.object(said, f"approved by {said['principal']} for {said['environment']}")


@verb(app, "revoke")
def revoke(
    session: Session, digest: Digest, reason: Reason, clone: Clone = None, name: As = ""
) -> None:
    """Refuse a release wherever it turns up; channels that serve it go back where they can.

    Examples:
      steadyhand release revoke 1a2b3c4d -m "tells people to drop their tables"
    """
    path = f"/releases/{quote(digest, safe=':')}/revocation"
    said = order(
        session,
        path,
        {"reason": reason},
        (clone, name),
        lambda service, by: service.revoke(digest, reason, by),
    )
    if said is None:
        return
    session.printer.object(said, f"revoked by {said['by']}: {said['reason']}")


@verb(app, "waive")
def waive(
    session: Session, digest: Digest, reason: Reason, clone: Clone = None, name: As = ""
) -> None:
    """Ask that a revoked release may serve again, or agree to it; it takes two people.

    Examples:
      steadyhand release waive 1a2b3c4d -m "the provider was at fault"
    """
    path = f"/releases/{quote(digest, safe=':')}/waiver"
    said = order(
        session,
        path,
        {"reason": reason},
        (clone, name),
        lambda service, by: service.waive(digest, reason, by),
    )
    if said is None:
        return
    told = f"waits for a second person, after {said['waiver_by']}" if said["holds"] else "waived"
    session.printer.object(said, told)
