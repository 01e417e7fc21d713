"""The five situations that every page is looked at in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from steadyhand import console
from steadyhand.app.breaking import breaking_ports
from steadyhand.control.rollouts.orders import RolloutPorts
from steadyhand.records.record import Attempt, Record
from steadyhand.settings.scaffold import write_workspace
from steadyhand.telemetry.ring import Ring
from steadyhand.telemetry.status import CostStatus, DeploymentStatus, Status
from tests.support.control_plane import RunningControl, running_control
from tests.support.made_records import LIMITED, NOON_US, SPOKE, TIMED_OUT, made, ship
from tests.support.rollouts import World

COST = CostStatus(310_000, 520_000, 980_000, 400)
FAILED = Attempt("live", "openai", "gpt-fast", 0, 12_000, 500, "server_error", role="first")


def healthy(number: int) -> Record:
    draw = Random(number)
    took_us = round(draw.lognormvariate(12.6, 0.4))
    spoke = Attempt("live", "openai", "gpt-fast", 0, took_us, 200, "ok", role="first")
    return made(
        number,
        attempts=(spoke,),
        provider="openai",
        model="gpt-fast",
        first_content_us=took_us // 3,
        total_us=took_us,
        stream=number % 2 == 0,
    )


def floored(number: int) -> Record:
    return made(
        number,
        attempts=(FAILED,),
        outcome="floor",
        reason="server_error",
        rung="template",
        provider="",
        model="",
        first_content_us=13_000,
        total_us=14_000,
        output_tokens=0,
    )


def slow(number: int) -> Record:
    late = number % 3 == 0
    return made(
        number,
        attempts=(TIMED_OUT, LIMITED, SPOKE),
        in_time=not late,
        total_us=2_600_000 if late else 1_956_000,
    )


def status(**of_fast: object) -> Status:
    fast = {"state": "closed", "share": 1.0, "whole": COST, "drift": 1.02} | of_fast
    return Status(
        made_us=NOON_US,
        deployments=(
            DeploymentStatus("openai", "gpt-fast", **fast),  # type: ignore[arg-type]
            DeploymentStatus("backup", "gpt-slow", state="closed", share=1.0, whole=COST),
        ),
    )


SITUATIONS: dict[str, tuple[Callable[[int], Record] | None, Status | None]] = {
    "healthy": (healthy, status()),
    "down": (floored, status(state="open", share=0.0, reason="server_error")),
    "drifting": (slow, status(share=0.4, reason="drift", drift=2.31)),
    "rollout": (healthy, status()),
    "empty": (None, None),
}


@contextmanager
def seeded(root: Path, name: str, at: int = 0) -> Iterator[RunningControl]:
    """Serve a control plane in one of the situations."""
    make, told = SITUATIONS[name]
    workspace = root / "demo"
    if not workspace.exists():
        write_workspace(workspace)
    ring = Ring(NOON_US / 1e6)
    found = [] if make is None else [make(number) for number in range(59)]
    ring.consume(found)
    world = World(root) if name == "rollout" else None
    rollouts = None
    if world is not None:
        world.stable()
        world.start()
        world.run(12, per_s=100)
        rollouts = RolloutPorts(world.store, world.service(), world.git.noted)
    assert (console.folder() / "index.html").exists(), "no console: make console"
    try:
        with running_control(
            workspace,
            at,
            ring=ring,
            statuses=lambda: {} if told is None else {0: told},
            console=console.folder(),
            breaking=breaking_ports(workspace),
            rollouts=rollouts or empty_rollouts(root),
        ) as control:
            ship(control.store, found)
            yield control
    finally:
        if world is not None:
            world.git.close()
            world.database.close()


def empty_rollouts(root: Path) -> RolloutPorts:
    """Return rollouts of which there are none."""
    world = World(root)
    return RolloutPorts(world.store, world.service(), world.git.noted)
