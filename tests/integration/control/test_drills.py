"""Drills over REST and as commands: what is known is shown, what is ordered is waited for."""

import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from steadyhand.app import proof_files
from steadyhand.control.drills import DrillPorts
from steadyhand.routing import drill_orders
from steadyhand.routing.drill_orders import Order, Outcome, Report
from steadyhand.routing.drilling import RungId
from steadyhand.routing.proofs import Row
from tests.support.commands import steadyhand
from tests.support.control_plane import RunningControl, running_control
from tests.support.made_records import NOON_US
from tests.support.records import until

LIVE = RungId("support", 0, "live", "openai", "gpt-fast")
BACKUP = RungId("support", 1, "live", "backup", "gpt-slow", "eu")
FLOOR = RungId("support", 2, "template")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "drills"


@pytest.fixture
def control(tmp_path: Path, folder: Path) -> Iterator[RunningControl]:
    rows = [
        Row(LIVE, NOON_US, NOON_US, "traffic", verdict="proven", due_us=NOON_US + 1),
        Row(BACKUP, NOON_US, 0, "", NOON_US, 2, "auth_failed", "failed", NOON_US + 2),
        Row(FLOOR, NOON_US, verdict="expired"),
    ]
    proof_files.write(tmp_path / "gateway-0.proofs", rows)
    ports = DrillPorts(
        rows=partial(proof_files.all_rows, tmp_path),
        routes=lambda: {"support"},
        place=partial(drill_orders.place, folder),
        report=partial(drill_orders.report_on, folder),
    )
    with running_control(tmp_path / "workspace", drills=ports) as running:
        yield running


def carry_out(folder: Path, *outcomes: Outcome) -> threading.Thread:
    """Do what a gateway does with the next order."""

    def act() -> None:
        taken: list[Order] = []
        until(
            lambda: taken.append(order) if (order := drill_orders.next_order(folder)) else taken, ""
        )
        for count in range(len(outcomes) + 1):
            report = Report(len(outcomes), outcomes[:count])
            drill_orders.write_report(folder, taken[0].name, report)

    thread = threading.Thread(target=act)
    thread.start()
    return thread


def test_each_rung_is_listed_with_what_proves_it(control: RunningControl) -> None:
    live, backup, floor = control.ask("/drills").json["items"]
    assert (live["verdict"], live["proven_by"], live["is_planned_around"]) == (
        "proven", "traffic", False,
    )  # fmt: skip
    assert (backup["provider"], backup["region"], backup["reason"], backup["failures"]) == (
        "backup", "eu", "auth_failed", 2,
    )  # fmt: skip
    assert (backup["is_planned_around"], backup["proven_us"]) == (True, None)
    assert (floor["verdict"], floor["is_planned_around"], floor["due_us"]) == (
        "expired", False, None,
    )  # fmt: skip


def test_the_command_lists_them(control: RunningControl) -> None:
    done = steadyhand("drills", "list", "--url", control.url, workspace=control.workspace)
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [(row[3], row[4], row[6]) for row in rows] == [
        ("openai/gpt-fast", "proven", "traffic"),
        ("backup/gpt-slow (eu)", "failed", "-"),
        ("-", "expired", "-"),
    ]


@pytest.mark.parametrize(
    ("result", "reason", "code", "said"),
    [(True, "ok", 0, ""), (False, "auth_failed", 1, "1 of 2 rungs are not proven\n"),
     (None, "shed", 1, "1 of 2 rungs are not proven\n")],
)  # fmt: skip
def test_a_run_waits_and_ends_with_what_it_found(
    control: RunningControl, folder: Path, result: bool | None, reason: str, code: int, said: str
) -> None:
    thread = carry_out(
        folder, Outcome(LIVE, is_proven=True, reason="ok", took_ms=3.5),
        Outcome(BACKUP, is_proven=result, reason=reason, took_ms=1),
    )  # fmt: skip
    done = steadyhand(
        "drills", "run", "--route", "support", "--json", "--url", control.url,
        workspace=control.workspace,
    )  # fmt: skip
    thread.join()
    assert (done.returncode, done.stderr) == (code, said)
    assert [row["reason"] for row in json.loads(done.stdout)] == ["ok", reason]


def test_an_unknown_route_is_not_drilled(control: RunningControl, folder: Path) -> None:
    done = steadyhand(
        "drills", "run", "--route", "suport", "--url", control.url, workspace=control.workspace
    )
    assert done.returncode != 0
    assert "no route 'suport'" in done.stderr
    assert not folder.exists()


def test_a_run_that_nobody_knows_has_not_begun(control: RunningControl) -> None:
    run = control.ask(f"/drills/runs/{'a' * 16}").json
    assert (run["has_begun"], run["is_done"], run["items"]) == (False, False, [])
    assert control.ask("/drills/runs/..%2Fdemo.key").status in {404, 422}
