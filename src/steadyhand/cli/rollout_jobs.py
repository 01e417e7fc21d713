"""What runs as a job of a rollout: commands whose exit code is the verdict; the job around one."""

import os
import sys
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from steadyhand.cli.errors import Usage
from steadyhand.cli.output import Row
from steadyhand.cli.session import Session
from steadyhand.cli.traffic import Planned, Traffic
from steadyhand.core.errors import SteadyhandError

if TYPE_CHECKING:
    from steadyhand.rollouts.jobs.base import JobRunner

FINE: Final = frozenset({"live", "cache", "knowledge"})
"""Rungs that a probe takes for an answer; the floor is none."""

LOOK_S: Final = 1.0
MOST_REPLAYED: Final = 10_000
PAGE: Final = 200
Id = Annotated[str, typer.Argument(help="Id of the rollout; its first characters suffice.")]


def judge(
    session: Session,
    id_: Id,
    wait_s: Annotated[
        float, typer.Option("--for", min=0, help="Wait so long for promote or roll_back.")
    ] = 0.0,
) -> None:
    """Say the verdict by the exit code, for jobs and pipelines.

    0 promote, 1 roll back, 3 hold, 4 inconclusive; 2 if it cannot be told, whatever the reason.

    Examples:
      steadyhand rollout judge ro_1abc --for 600
    """
    until_s = time.monotonic() + wait_s
    try:
        while True:
            row = session.client.get(f"/rollouts/{id_}")
            decision = decided(row)
            if decision in {"promote", "roll_back"} or time.monotonic() >= until_s:
                break
            time.sleep(LOOK_S)
    except SteadyhandError as error:  # 1 and 3 would be verdicts
        sys.stderr.write(f"error[{error.code}]: {error.message}\n")
        raise typer.Exit(_code("error")) from error
    session.printer.object(row, f"{decision}: {row['reason'] or row['verdict']['reason']}")
    raise typer.Exit(_code(decision))


def decided(row: Row) -> str:
    """Return what a rollout came to, or its verdict so far."""
    ends = {"promoted": "promote", "rolled_back": "roll_back", "aborted": "inconclusive"}
    return ends.get(row["outcome"]) or str(row["verdict"]["decision"])


def _code(decision: str) -> int:
    from steadyhand.rollouts.jobs.model import EXIT_CODES, Verdict

    return EXIT_CODES[Verdict(decision)]


def probe(
    session: Session,
    route: Annotated[str, typer.Option(help="Route to ask.")],
    key_file: Annotated[Path, typer.Option(help="File with a key that may call it.")],
    gateway: Annotated[str, typer.Option(help="HOST:PORT of the gateway.")] = "127.0.0.1:8080",
    count: Annotated[int, typer.Option(min=1, max=10_000, help="Questions to ask.")] = 50,
    per_s: Annotated[float, typer.Option("--per-s", min=1, max=500, help="A second.")] = 20,
    most_percent: Annotated[float, typer.Option(min=0, max=100, help="That may go wrong.")] = 5,
) -> None:
    """Ask a route questions made for the purpose; the exit code says how it did.

    0 if it answered, 1 if more than --most-percent met its floor or an error, 2 if nobody was
    reached.

    Examples:
      steadyhand rollout probe --route support --key-file shop.key --count 50
    """
    from steadyhand.cli.rehearsal import address_of, key_of

    traffic = Traffic(address_of(session.workspace, gateway), key_of(key_file), route, per_s)
    _sent(session, traffic, count, count / per_s, most_percent)


def _sent(
    session: Session, traffic: Traffic, count: int, lasts_s: float, most_percent: float
) -> None:
    """Let traffic run to its end, say how it went, and exit with what that means."""
    traffic.start()
    until_s = time.monotonic() + lasts_s + 30
    while sum(traffic.outcomes.values()) < count and time.monotonic() < until_s:
        time.sleep(0.05)
    traffic.stop()
    asked = sum(traffic.outcomes.values())
    bad = sum(number for name, number in traffic.outcomes.items() if name not in FINE)
    told = ", ".join(f"{name} {number}" for name, number in sorted(traffic.outcomes.items()))
    row = {"asked": asked, "bad": bad, "outcomes": dict(traffic.outcomes)}
    session.printer.object(row, f"{asked} asked, {bad} bad: {told}")
    if not asked or traffic.outcomes["unreachable"] == asked:
        raise typer.Exit(_code("error"))
    raise typer.Exit(_code("roll_back" if bad * 100 > most_percent * asked else "promote"))


def replay(
    session: Session,
    route: Annotated[str, typer.Option(help="Route whose load is sent again.")],
    key_file: Annotated[Path, typer.Option(help="File with a key that may call it.")],
    gateway: Annotated[str, typer.Option(help="HOST:PORT of the gateway.")] = "127.0.0.1:8080",
    count: Annotated[int, typer.Option(min=1, max=MOST_REPLAYED, help="The last so many.")] = 200,
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="Times as fast.")] = 1.0,
    most_percent: Annotated[float, typer.Option(min=0, max=100, help="That may go wrong.")] = 5,
) -> None:
    """Send a route's recorded load again: when, how large, streamed or not; not what it said.

    Records hold no bodies, so the questions are made. Exit codes as of `rollout probe`.

    Examples:
      steadyhand rollout replay --route support --key-file shop.key --count 200 --speed 2
    """
    from steadyhand.cli.rehearsal import address_of, key_of

    plan = plan_of(_recorded(session, route, count), speed)
    if not plan:
        raise Usage(f"nothing of route {route!r} is recorded", hint="steadyhand requests list")
    address, key = address_of(session.workspace, gateway), key_of(key_file)
    traffic = Traffic(address, key, route, 1.0, plan)
    _sent(session, traffic, len(plan), plan[-1].at_s, most_percent)


def _recorded(session: Session, route: str, count: int) -> list[Row]:
    rows: list[Row] = []
    cursor: str | None = None
    while len(rows) < count:
        limit = min(count - len(rows), PAGE)
        page = session.client.get("/requests", route=route, limit=limit, cursor=cursor)
        rows += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    return rows


def plan_of(rows: Sequence[Row], speed: float) -> list[Planned]:
    """Return when each recorded request is sent again, the first at once.

    Args:
        rows: As the control plane lists them, in any order.
        speed: Times as fast as they came.
    """
    ordered = sorted(rows, key=lambda row: int(row["received_us"]))
    return [
        Planned(
            (row["received_us"] - ordered[0]["received_us"]) / 1e6 / speed,
            row["stream"],
            row["request_bytes"],
        )
        for row in ordered
    ]


class JobKind(StrEnum):
    """What can be run as a job from here."""

    JUDGE = "judge"
    PROBE = "probe"
    REPLAY = "replay"


def job(
    session: Session,
    id_: Id,
    kind: Annotated[JobKind, typer.Argument(help="What to run.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="Of the command, after --.", show_default=False)
    ] = None,
    step: Annotated[int, typer.Option(help="Of the rollout; one job for each.")] = 0,
    deadline_s: Annotated[int, typer.Option(help="Seconds after which it is stopped.")] = 600,
    image: Annotated[
        str, typer.Option(help="Run it as a Job of this pod's cluster, with this image.")
    ] = "",
    secret: Annotated[
        str, typer.Option(help="Secret with STEADYHAND_CONTROL_TOKEN for such a Job.")
    ] = "",
) -> None:
    """Run `rollout judge`, `probe` or `replay` as a job, once, and exit with its code.

    Asked again, also by another process, it waits for the same job. Without --image it is a
    process of this machine.

    Examples:
      steadyhand rollout job ro_1abc judge -- --for 600
      steadyhand rollout job ro_1abc probe -- --route support --key-file shop.key
    """
    from steadyhand.rollouts.jobs.model import JobSpec, job_name

    mine = (id_,) if kind is JobKind.JUDGE else ()
    command = ["rollout", str(kind), *mine, *(arguments or ())]
    if not image:
        command += ["--workspace", str(session.workspace.resolve())]
    if session.url is not None:
        command += ["--url", session.url]
    spec = JobSpec(job_name(id_, kind.value, step), kind.value, tuple(command), deadline_s)
    runner = _runner(session, image, secret)
    runner.start(spec)
    session.printer.note(f"job {spec.name}")
    while not (state := runner.look(spec.name)).is_over:
        time.sleep(LOOK_S)
    verdict = str(state.verdict)
    row = {
        "job": spec.name,
        "phase": str(state.phase),
        "exit_code": state.exit_code,
        "verdict": verdict,
        "reason": state.reason,
    }
    session.printer.object(row, f"{state.phase}: {verdict} {state.reason}".rstrip())
    raise typer.Exit(_code(verdict))


def _runner(session: Session, image: str, secret: str) -> "JobRunner":
    if not image:
        from steadyhand.cli.control import state_dir
        from steadyhand.rollouts.jobs.local import LocalJobs

        root = session.workspace.resolve()
        return LocalJobs(root / state_dir(session.workspace) / "run" / "jobs")
    from steadyhand.rollouts.jobs.cluster import Cluster, inside_cluster
    from steadyhand.rollouts.jobs.kubernetes import KubernetesJobs
    from steadyhand.rollouts.jobs.manifest import JobTemplate

    template = JobTemplate(image, "steadyhand-jobs", environment_secret=secret)
    return KubernetesJobs(Cluster(inside_cluster(os.environ)), template)
