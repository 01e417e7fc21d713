"""Drills in a running gateway: found before it is needed, planned around, taken back."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from steadyhand.app import proof_files
from steadyhand.app.drills import DrillPorts, Drills, busy
from steadyhand.app.state import State
from steadyhand.gateway.serving import Ladder
from steadyhand.records.record import Record
from steadyhand.routing import drill_orders
from steadyhand.routing.drill_orders import Order, Report
from steadyhand.routing.drilling import RungId, Terms
from steadyhand.routing.model import DeploymentId
from steadyhand.routing.proofs import ProofBook, Row
from steadyhand.routing.rungs.template import Template
from steadyhand.routing.settings import DrillSettings
from tests.support.gateways import GatewayBench, gateway_bench
from tests.support.records import ATTEMPT, RECORD
from tests.support.upstreams import Script, answers, hangs, refuses

SECOND = RungId("assistant", 1, "live", "second", "second-model")
SETTINGS = DrillSettings(timeout_s=0.2)
TERMS = Terms(interval_s=0.2, window_s=5)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steadyhand.app.drills.TICK_S", 0.01)
    monkeypatch.setattr("steadyhand.app.drills.GRACE_S", 0.2)


def state_in(directory: Path) -> State:
    server = SimpleNamespace(state_dir=".steadyhand")
    state = State(SimpleNamespace(workspace=directory, server=server))  # type: ignore[arg-type]
    state.prepare()
    return state


class Bench:
    """A gateway in memory, and the drills of its process."""

    def __init__(
        self,
        directory: Path,
        scripts: Mapping[str, Sequence[Script]],
        *,
        terms: Terms | None = None,
        is_busy: Callable[[], bool] = lambda: False,
        state_of: Callable[[DeploymentId], str] = lambda deployment: "closed",
    ) -> None:
        self.state = state_in(directory)
        self.records: list[Record] = []
        self.proofs = ProofBook(terms or TERMS, lambda: 0.9)
        self.gateway: GatewayBench = gateway_bench(scripts, floor=Template("Later."))
        ladders = cast("dict[str, Ladder]", self.gateway.gateway.serving.ladders)
        del ladders["classify"]  # the same rungs once more: they would share breakers
        ports = DrillPorts(self.records.append, lambda: 0.9, state_of, is_busy)
        self.drills = Drills(self.proofs, self.gateway.gateway, SETTINGS, self.state, ports)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [
            asyncio.ensure_future(self.drills.watch()),
            asyncio.ensure_future(self.drills.run()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    def is_proven(self, rung: RungId) -> bool:
        return self.proofs.is_proven(rung.route, rung.rung, DeploymentId(rung.provider, rung.model))


async def until(holds: Callable[[], object], timeout_s: float = 20.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


async def test_a_dead_fallback_is_found_planned_around_and_taken_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fine = [answers()] * 400
    bench = Bench(tmp_path, {"first": fine, "second": [refuses(401)] * 400})
    with caplog.at_level(logging.WARNING):
        async with bench.running():
            assert bench.is_proven(SECOND)
            await until(lambda: not bench.is_proven(SECOND))
            (status,) = (s for s in bench.drills.status() if (s.route, s.rung) == SECOND[:2])
            assert (status.is_proven, status.reason) == (False, "auth_failed")
            bench.gateway.providers["second"].plays(fine)  # somebody has mended the key
            await until(lambda: bench.is_proven(SECOND))
    said = [r.getMessage() for r in caplog.records if "assistant" in r.getMessage()]
    assert len(said) == 2
    assert "is not proven and is planned around: auth_failed" in said[0]
    assert "second/second-model" in said[1]
    assert "proven again" in said[1]
    assert bench.gateway.records == []  # no request was touched
    assert {record.wire for record in bench.records} == {"drill"}


async def test_what_traffic_proves_is_not_drilled_and_the_rest_is(tmp_path: Path) -> None:
    terms = Terms(interval_s=1.5, window_s=5)  # more than the second in which proofs are one
    bench = Bench(tmp_path, {"first": [], "second": [answers()] * 200}, terms=terms)
    learn, now = bench.proofs.learn, asyncio.get_running_loop().time
    spoke = msgspec.structs.replace(
        RECORD,
        route="assistant",
        attempts=(
            msgspec.structs.replace(ATTEMPT, provider="first", model="first-model"),
            msgspec.structs.replace(ATTEMPT, provider="second", model="other-model"),
        ),
    )
    async with bench.running():
        while not any(record.provider == "second" for record in bench.records):
            learn(spoke, now())
            await asyncio.sleep(0.005)
    assert not any(record.provider == "first" for record in bench.records)


async def test_silence_is_bounded_and_drills_are_one_at_a_time(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"first": [hangs()] * 99, "second": [hangs()] * 99})
    async with bench.running():
        await until(lambda: len(bench.records) >= 6)
    times = sorted((r.received_us, r.received_us + r.total_us) for r in bench.records)
    assert all(before[1] <= after[0] + 1_000 for before, after in pairwise(times))
    assert {record.reason for record in bench.records if record.rung == "live"} == {"gave_up"}


async def test_none_begins_while_the_process_is_busy(tmp_path: Path) -> None:
    is_busy = True
    bench = Bench(tmp_path, {"first": [answers()] * 99}, is_busy=lambda: is_busy)
    async with bench.running():
        await asyncio.sleep(0.5)  # two intervals and more
        assert bench.records == []
        is_busy = False
        await until(lambda: bench.records)


async def test_a_deployment_whose_breaker_is_open_is_left_to_it(tmp_path: Path) -> None:
    state = "open"
    bench = Bench(tmp_path, {"first": [answers()] * 99}, state_of=lambda deployment: state)
    async with bench.running():
        await until(lambda: len(bench.records) >= 2)
        assert {record.rung for record in bench.records} == {"template"}
        state = "closed"
        await until(lambda: any(record.rung == "live" for record in bench.records))


async def test_drills_end_with_their_task_and_leave_nothing_open(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"first": [hangs()] * 9})
    provider = bench.gateway.providers["first"]
    async with bench.running():
        await until(provider.waiting.is_set)
    assert len(provider.calls) == len([r for r in bench.records if r.rung == "live"]) + 1
    assert not bench.drills.leads
    assert bench.gateway.gateway.serving.users == 0


async def test_one_process_drills_and_the_others_know(tmp_path: Path) -> None:
    one = Bench(tmp_path, {"first": [answers()] * 99, "second": [refuses(401)] * 99})
    other = Bench(tmp_path, {"first": [], "second": []})
    other.gateway.gateway.process = 4
    other.drills = Drills(
        other.proofs, other.gateway.gateway, SETTINGS, other.state, DrillPorts(other.records.append)
    )
    async with one.running():
        await until(lambda: one.drills.leads)
        async with other.running():
            await until(lambda: not other.is_proven(SECOND))
            assert other.records == []
            assert not other.drills.leads
    assert {row.rung for row in proof_files.all_rows(one.state.run).values()} == set(
        one.proofs.proofs
    )


async def test_the_lock_passes_on_when_its_holder_ends(tmp_path: Path) -> None:
    scripts = {"first": [answers()] * 99}
    one, other = Bench(tmp_path, scripts), Bench(tmp_path, scripts)
    async with other.running():
        await until(lambda: other.drills.leads)
        async with one.running():
            await asyncio.sleep(0.05)
            assert not one.drills.leads
    async with one.running():
        await until(lambda: one.drills.leads)


async def test_an_order_is_carried_out_at_once_and_reported(tmp_path: Path) -> None:
    scripts = {"first": [answers()] * 9, "second": [refuses(401)] * 9}
    bench = Bench(tmp_path, scripts, terms=Terms(is_enabled=False))
    assert drill_orders.place(bench.state.drill_orders, Order("a1", "assistant"))

    def report() -> Report | None:
        return drill_orders.report_on(bench.state.drill_orders, "a1")

    async with bench.running():
        await until(lambda: (said := report()) and len(said.outcomes) == said.total)
    found = report()
    assert found is not None
    assert [(o.rung.rung, o.rung.kind, o.is_proven, o.reason) for o in found.outcomes] == [
        (0, "live", True, "ok"),
        (1, "live", False, "auth_failed"),
        (2, "template", True, "ok"),
    ]
    assert len(bench.records) == 3  # and without an order none


def test_orders_are_bounded_and_what_is_no_order_is_thrown_away(tmp_path: Path) -> None:
    folder = tmp_path / "drills"
    assert drill_orders.next_order(folder) is None
    placed = [drill_orders.place(folder, Order(f"n{number}")) for number in range(17)]
    assert placed == [True] * 16 + [False]
    os.utime(folder / "n0.order", (1, 1))  # whoever ordered it has given up
    (folder / "n1.order").write_bytes(b"{")
    (folder / "n2.order").write_bytes(msgspec.json.encode(Order("../n3")))
    taken = []
    while (order := drill_orders.next_order(folder)) is not None:
        taken.append(order.name)
    assert sorted(taken) == sorted(f"n{number}" for number in range(3, 16))
    assert drill_orders.report_on(folder, "n3") is None


def test_reports_that_nobody_reads_are_cleared_away(tmp_path: Path) -> None:
    folder = tmp_path / "drills"
    folder.mkdir()
    drill_orders.write_report(folder, "old", Report(1))
    os.utime(folder / "old.report", (1, 1))
    drill_orders.write_report(folder, "new", Report(1))
    drill_orders.next_order(folder)
    assert [path.name for path in folder.iterdir()] == ["new.report"]


def test_proofs_of_processes_that_are_gone_or_broken_are_passed_over(tmp_path: Path) -> None:
    row = Row(SECOND, 1)
    own, other = tmp_path / "gateway-0.proofs", tmp_path / "gateway-1.proofs"
    proof_files.write(own, [row])
    proof_files.write(other, [row])
    readers = proof_files.Readers(tmp_path, own)
    assert readers.changed() == [row]
    assert readers.changed() == []  # not again
    other.write_bytes(b"[")
    assert readers.changed() == []
    assert proof_files.all_rows(tmp_path) == {SECOND: row}
    os.utime(own, (1, 1))
    assert proof_files.all_rows(tmp_path) == {}


async def test_a_disk_that_takes_no_file_costs_the_view_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(tmp_path, {"first": [answers()] * 99})
    bench.state.proofs(3).mkdir()  # nothing can be put in its place
    async with bench.running():
        await until(lambda: bench.records)
    said = [r for r in caplog.records if "cannot be told" in r.getMessage()]
    assert len(said) == 1


async def test_a_drill_that_breaks_says_nothing_of_its_rung(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench = Bench(tmp_path, {"first": []})

    async def breaks(*_: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("steadyhand.app.drills.drill", breaks)
    rung = RungId("assistant", 0, "live", "first", "first-model")
    assert await bench.drills.drill(rung) is None
    assert bench.proofs.proofs[rung].failures == 0
    assert bench.proofs.proofs[rung].reason == "internal_error"
    assert "broke" in caplog.text


async def test_a_drill_that_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, {"first": []})

    async def hangs_on(*_: object) -> None:
        await asyncio.sleep(3_600)

    monkeypatch.setattr("steadyhand.app.drills.drill", hangs_on)
    rung = RungId("assistant", 0, "live", "first", "first-model")
    assert await bench.drills.drill(rung) is None
    assert bench.proofs.proofs[rung].reason == "total_timeout"


def test_a_process_is_busy_that_refuses_requests_or_soon_will() -> None:
    counters = SimpleNamespace(overload_lag=0, overload_in_flight=0, in_flight=5)
    is_busy = busy(counters, 10)
    assert not is_busy()
    counters.in_flight = 6
    assert is_busy()
    counters.in_flight = 0
    counters.overload_lag = 3
    assert is_busy()
    assert not is_busy()
