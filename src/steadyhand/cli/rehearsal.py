"""``steadyhand rollout rehearse``: see a roll-back, or that there is none, before it matters."""

import base64
import re
import time
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote

import typer

from steadyhand.cli.errors import ExitCode, Usage
from steadyhand.cli.output import Row
from steadyhand.cli.session import Session
from steadyhand.cli.traffic import Traffic

OUTAGE_AFTER_S: Final = 5.0
OUTAGE_S: Final = 38.0
_MODEL: Final = re.compile(r'(?m)^(\s*model\s*=\s*")([^"]+)(")')


class Scenario(StrEnum):
    """What is rehearsed."""

    SLOW = "slow"
    OUTAGE = "outage"
    IDENTICAL = "identical"


WANTED: Final = {
    Scenario.SLOW: "rolled_back",
    Scenario.OUTAGE: "",
    Scenario.IDENTICAL: "",
}
"""How each must end; empty for anything but a roll-back."""


def rehearse(
    session: Session,
    scenario: Annotated[
        Scenario,
        typer.Argument(
            help="slow: a candidate whose model takes seconds. outage: the same release again, "
            "while its provider fails. identical: the same release again."
        ),
    ],
    route: Annotated[str, typer.Option(help="Route; its first rung asks a simulated model.")],
    environment: Annotated[str, typer.Option("--in", help="Environment: staging ...")],
    key_file: Annotated[Path, typer.Option(help="File with a key of that environment.")],
    per_s: Annotated[
        float, typer.Option("--per-s", min=1, max=500, help="Questions a second.")
    ] = 50,
    most_s: Annotated[
        float, typer.Option("--for", min=5, help="Most seconds; what is open then is aborted.")
    ] = 120,
    gateway: Annotated[
        str, typer.Option(help="HOST:PORT of the gateway; else as the workspace says.")
    ] = "",
) -> None:
    """Rehearse a rollout in a running installation: made traffic, a made release, the real loop.

    Exits with 0 if it ended as it must: slow is taken back, the others are not.

    Examples:
      steadyhand rollout rehearse slow --route support --in staging --key-file shop.key
      steadyhand rollout rehearse outage --route support --in staging --key-file shop.key
    """
    address = address_of(session.workspace, gateway)
    stable = _stable(session, route, environment)
    digest = _candidate(session, route, stable, scenario)
    traffic = Traffic(address, key_of(key_file), route, per_s)
    traffic.start()
    try:
        row = _roll(session, scenario, (route, digest, environment), most_s)
    finally:
        traffic.stop()
    told = ", ".join(f"{name} {number:,}" for name, number in traffic.outcomes.most_common())
    session.printer.note(f"answers by rung: {told}")
    wanted = WANTED[scenario]
    is_kept = row["outcome"] == wanted if wanted else row["outcome"] != "rolled_back"
    if row["commit"]:
        session.printer.note(f"next: steadyhand rollout verify {row['id']}")
    if not is_kept:
        session.printer.note(f"this is not how {scenario} must end: {row['outcome'] or 'open'}")
        raise typer.Exit(ExitCode.FAILED)


def _roll(session: Session, scenario: Scenario, what: tuple[str, str, str], most_s: float) -> Row:
    """Begin the rollout, follow it, and end it if it is open when the time is up."""
    from steadyhand.cli.rollout_picture import follow

    route, digest, environment = what
    wanted = {
        "route": route,
        "digest": digest,
        "environment": environment,
        "note": f"rehearsal: {scenario}",
        "hot": True,
    }
    id_ = str(session.client.post("/rollouts", wanted)["id"])
    breaker = _Outage(session.workspace) if scenario is Scenario.OUTAGE else None
    began_s = time.monotonic()

    def is_over() -> bool:
        passed_s = time.monotonic() - began_s
        if breaker is not None:
            breaker.look(passed_s)
        return passed_s >= most_s

    try:
        row = follow(session, id_, 1.0, is_over)
    finally:
        if breaker is not None:
            breaker.mend()
        with suppress(Exception):  # it may be over already
            session.client.post(f"/rollouts/{id_}/abort", {"note": "the rehearsal is over"})
    return row


class _Outage:
    """Breaks the simulated provider of a workspace for a while."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._is_broken = False
        self._is_done = False

    def look(self, passed_s: float) -> None:
        """Break it, or mend it, when it is time."""
        from steadyhand.settings.breaking import break_provider

        if not self._is_broken and not self._is_done and passed_s >= OUTAGE_AFTER_S:
            break_provider(self._workspace, "simulated", "error-500", "")
            self._is_broken = True
        elif self._is_broken and passed_s >= OUTAGE_AFTER_S + OUTAGE_S:
            self.mend()

    def mend(self) -> None:
        """Mend it, if it is broken."""
        from steadyhand.settings.breaking import mend_provider

        if self._is_broken:
            mend_provider(self._workspace, "simulated", "")
            self._is_broken, self._is_done = False, True


def address_of(workspace: Path, told: str) -> tuple[str, int]:
    """Return where the gateway listens: as told, else as the workspace says.

    Raises:
        Usage: What was told is no address, or there is no workspace.
    """
    import tomllib

    if told:
        name, _, number = told.rpartition(":")
        if not name or not number.isdigit():
            raise Usage(f"{told!r} is no address", hint="--gateway 127.0.0.1:8080")
        return name, int(number)

    try:
        with (workspace / "steadyhand.toml").open("rb") as file:
            server = tomllib.load(file).get("server", {})
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Usage(f"{workspace} is no workspace: {error}", hint="--workspace FOLDER") from error
    host = str(server.get("host", "127.0.0.1"))
    return ("127.0.0.1" if host in {"0.0.0.0", "::"} else host), int(server.get("port", 8080))  # noqa: S104 - not bound here


def _stable(session: Session, route: str, environment: str) -> str:
    for row in session.client.get("/channels")["items"]:
        if (row["environment"], row["route"]) == (environment, route) and row["stable"]:
            return str(row["stable"])
    raise Usage(
        f"nothing of {route} is stable in {environment}",
        hint=f"steadyhand channel promote {route} DIGEST --to {environment}",
    )


def _candidate(session: Session, route: str, stable: str, scenario: Scenario) -> str:
    """Put a release that differs from the stable one as the scenario says."""
    files = session.client.get(f"/releases/{quote(stable, safe=':')}/files")["files"]
    path = f"routes/{route}.toml"
    text = base64.b64decode(files[path]).decode()
    if scenario is Scenario.SLOW:
        found = _MODEL.search(text)
        if found is None:
            raise Usage(f"{path} asks no model", hint="its first rung must be a simulated model")
        begun = "," if ":" in found[2] else ":"
        text = f"{text[: found.end(2)]}{begun}ttft_ms=3000{text[found.end(2) :]}"
    text += f"# rehearsed at {int(time.time())}\n"
    wanted = {
        "route": route,
        "note": f"rehearsal: {scenario}",
        "files": files | {path: base64.b64encode(text.encode()).decode()},
    }
    return str(session.client.post("/releases", wanted)["short"])


def key_of(path: Path) -> str:
    """Return the key in a file.

    Raises:
        Usage: It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Usage(
            f"{path}: {error.strerror}", hint="steadyhand key create --channel ..."
        ) from error
