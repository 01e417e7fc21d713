"""``steadyhand rollout``: try a release on a part of the traffic, and let evidence decide."""

from pathlib import Path
from typing import Annotated

import typer

from steadyhand.cli.errors import ExitCode
from steadyhand.cli.output import Column, Row
from steadyhand.cli.rehearsal import rehearse
from steadyhand.cli.release import Digest, Note, when
from steadyhand.cli.rollout_jobs import job, judge, probe, replay
from steadyhand.cli.session import Session, noun, verb

app = noun("Begin, watch, pause and end rollouts; verify why one was taken back.")

Id = Annotated[str, typer.Argument(help="Id of the rollout; its first characters suffice.")]
Where = Annotated[str, typer.Option("--in", help="Environment: staging, production ...")]

COLUMNS = [
    Column("rollout", lambda row: row["id"]),
    Column("route", lambda row: row["route"]),
    Column("environment", lambda row: row["environment"]),
    Column("candidate", lambda row: short(row["candidate"])),
    Column("weight", lambda row: f"{row['weight_percent']:g} %"),
    Column("state", lambda row: state_of(row)),
    Column(
        "verdict", lambda row: row["verdict"]["reason"] if not row["outcome"] else row["reason"]
    ),
    Column("begun", lambda row: when(row["opened_us"] / 1e6)),
]


def short(digest: str) -> str:
    """Return as much of a digest as people read."""
    return digest.removeprefix("sha256:")[:16] or "-"


def state_of(row: Row) -> str:
    """Return where a rollout is, in a word."""
    if row["outcome"]:
        return str(row["outcome"])
    return "paused" if row["is_paused"] else str(row["phase"])


@verb(app, "start")
def start(
    session: Session,
    route: Annotated[str, typer.Argument(help="Name of the route.")],
    digest: Digest,
    environment: Where,
    note: Note = "",
    hot: Annotated[
        bool,
        typer.Option("--hot", help="Pass over a cool-down and a spent error budget."),
    ] = False,
) -> None:
    """Begin a rollout: the candidate gets its first weight, and evidence does the rest.

    Examples:
      steadyhand rollout start support 1a2b3c4d --in production
    """
    wanted = {
        "route": route,
        "digest": digest,
        "environment": environment,
        "note": note,
        "hot": hot,
    }
    row = session.client.post("/rollouts", wanted)
    session.printer.object(row, f"{row['id']} tries {short(row['candidate'])} of {route}")
    session.printer.note(f"next: steadyhand rollout watch {row['id']}")


@verb(app, "list")
def list_rollouts(
    session: Session,
    is_open: Annotated[bool, typer.Option("--open", help="Only those that are not over.")] = False,
) -> None:
    """List rollouts, newest first.

    Examples:
      steadyhand rollout list --open
    """
    items = session.client.get("/rollouts", open="true" if is_open else None)["items"]
    session.printer.rows(items, COLUMNS)
    if not items:
        session.printer.note(
            "none; begin one: steadyhand rollout start ROUTE DIGEST --in ENVIRONMENT"
        )


@verb(app, "show")
def show(session: Session, id_: Id) -> None:
    """Show a rollout and its evidence.

    Examples:
      steadyhand rollout show ro_1abc
    """
    from steadyhand.cli.rollout_picture import picture

    row = session.client.get(f"/rollouts/{id_}")
    session.printer.object(row, "\n".join(picture(row)))


@verb(app, "watch")
def watch(
    session: Session,
    id_: Annotated[str, typer.Argument(help="Id; without one, the newest that is open.")] = "",
    every: Annotated[float, typer.Option(min=0.2, help="Seconds between looks.")] = 1.0,
) -> None:
    """Follow a rollout until it is over: evidence against thresholds, counts by arm, verdict.

    Exits with 0 if it was promoted, 1 if it was not.

    Examples:
      steadyhand rollout watch
      steadyhand rollout watch ro_1abc --json
    """
    from steadyhand.cli.rollout_picture import follow

    row = follow(session, id_, every)
    if row["outcome"] != "promoted":
        raise typer.Exit(ExitCode.FAILED)


def _ordered(session: Session, id_: str, order: str, note: str, told: str) -> None:
    row = session.client.post(f"/rollouts/{id_}/{order}", {"note": note})
    session.printer.object(row, f"{row['id']}: {told}")


@verb(app, "pause")
def pause(session: Session, id_: Id, note: Note = "") -> None:
    """Keep a rollout at its step; a bad candidate is still taken back.

    Examples:
      steadyhand rollout pause ro_1abc -m "over the weekend"
    """
    _ordered(session, id_, "pause", note, "stays at its step; evidence goes on")


@verb(app, "resume")
def resume(session: Session, id_: Id, note: Note = "") -> None:
    """Let a paused rollout go on.

    Examples:
      steadyhand rollout resume ro_1abc
    """
    _ordered(session, id_, "resume", note, "goes on")


@verb(app, "abort")
def abort(session: Session, id_: Id, note: Note = "") -> None:
    """End a rollout: everybody gets the stable release, and nothing is revoked.

    Examples:
      steadyhand rollout abort ro_1abc -m "found a typing mistake"
    """
    _ordered(session, id_, "abort", note, "everybody gets the stable release")


@verb(app, "force")
def force(
    session: Session,
    id_: Id,
    decision: Annotated[str, typer.Argument(help="promote or roll_back.")],
    note: Annotated[str, typer.Option("--note", "-m", help="Why; it is recorded.")],
) -> None:
    """Promote or roll back whatever the evidence says.

    Examples:
      steadyhand rollout force ro_1abc roll_back -m "support reports wrong answers"
    """
    row = session.client.post(f"/rollouts/{id_}/force", {"decision": decision, "note": note})
    session.printer.object(row, f"{row['id']}: {decision}, as ordered")


verb(app, "judge")(judge)
verb(app, "probe")(probe)
verb(app, "replay")(replay)
verb(app, "job")(job)
verb(app, "rehearse")(rehearse)

CHECK_COLUMNS = [
    Column("check", lambda row: row["name"]),
    Column("holds", lambda row: "yes" if row["holds"] else "NO"),
    Column("found", lambda row: row["message"]),
]


@verb(app, "verify")
def verify(
    session: Session,
    id_: Annotated[
        str, typer.Argument(help="Id of a rollout, if the control plane is asked.")
    ] = "",
    file: Annotated[
        Path | None, typer.Option(help="File with the certificate; - for standard input.")
    ] = None,
    repository: Annotated[
        Path | None, typer.Option(help="Clone of the registry with the notes; see --commit.")
    ] = None,
    commit: Annotated[str, typer.Option(help="That took the release back; else the newest.")] = "",
    key: Annotated[
        str, typer.Option(help="Public key that must have signed it; steadyhand registry key.")
    ] = "",
) -> None:
    """Make the verdict of a roll-back again from its counts, and say whether it is the same.

    With --file or --repository nothing is asked of anybody. Exits with 1 if it is not the same.

    Examples:
      steadyhand rollout verify ro_1abc
      git notes --ref=rollouts show HEAD | steadyhand rollout verify --file -
      steadyhand rollout verify --repository registry --key "ssh-ed25519 AAAA..."
    """
    from steadyhand.cli.certificates import checks, read

    text = read(session, id_, file, (repository, commit))
    rows = checks(text, key)
    session.printer.rows(rows, CHECK_COLUMNS)
    if not all(row["holds"] for row in rows):
        raise typer.Exit(ExitCode.FAILED)
