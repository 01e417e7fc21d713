"""Play all cases against one gateway at one rate, and put the scores together."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.failover import stalls
from benchmarks.failover.cases import Case, chosen
from benchmarks.failover.cells import Cell, cells_of
from benchmarks.failover.gateways import Gateway
from benchmarks.failover.load import Plan, Row, Step
from benchmarks.failover.own_records import await_records, judge, record_spans, records
from benchmarks.failover.stalls import Stalls
from benchmarks.failover.upstreams import Upstreams, first_model, second_model
from benchmarks.machine import Cores, process_tree, resident_mb
from benchmarks.running import NotStarted, end_process, free_ports, start_pinned
from benchmarks.targets import ROOT, Site
from benchmarks.workspace import KEY


@dataclass(frozen=True, slots=True)
class Played:
    """One gateway at one rate.

    Attributes:
        rate: Requests a second that were offered.
        version: Of the gateway.
        cells: One for each case and form.
        memory_mb: Of its processes, at the end.
        stalls_ms: The machine stood still, in all.
        latest_ms: The load generator was late at most.
        unwell: What went wrong while everything was healthy.
        own: What the gateway's own records say: how many, and the shares in time, raw and without
            stalls; empty for a gateway whose records are not read.
    """

    rate: float
    version: str
    cells: list[Cell]
    memory_mb: float
    stalls_ms: float
    latest_ms: float
    unwell: list[str]
    own: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)


Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Alive:
    """A gateway that listens: where, which, and whose files are in ``folder``."""

    url: str
    version: str
    pid: int
    folder: Path
    control_url: str


@contextmanager
def running(
    gateway: Gateway, upstreams: Upstreams, cases: Sequence[Case], cores: Cores, home: Path
) -> Iterator[Alive]:
    """Run a gateway."""
    with tempfile.TemporaryDirectory(prefix="steadyhand-failover-") as place:
        folder = Path(place)
        port, second_port = free_ports(2)
        site = Site(folder, port, second_port, f"http://127.0.0.1:{upstreams.first}")
        target = gateway.build(site, upstreams, cases, home)
        log = folder / "output.log"
        process = start_pinned(target.command, cores.gateway, log, dict(target.environment))
        try:
            _await_port(process, port, log, target.start_limit_s)
            control_url = f"http://127.0.0.1:{second_port}"
            yield Alive(target.url, target.version, process.pid, folder, control_url)
        finally:
            end_process(process)


def _await_port(process: subprocess.Popen[bytes], port: int, log: Path, limit_s: float) -> None:
    end_s = time.monotonic() + limit_s
    while True:
        if process.poll() is not None or time.monotonic() > end_s:
            said = log.read_text(encoding="utf-8", errors="replace")[-1500:]
            raise NotStarted(f"does not listen: {said}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)


def plan_for(
    gateway: Gateway, upstreams: Upstreams, cases: Sequence[Case], url: str, **fields: Any
) -> Plan:
    """Return what to send to a gateway that runs at ``url``."""
    return Plan(
        url=url,
        headers={"authorization": f"Bearer {KEY}"},
        marked_by=gateway.marked_by,
        steps=[Step(case.name, [case.name]) for case in cases],
        more={
            case.name: {
                form: dict(gateway.more(upstreams, case, form)) for form in ("stream", "whole")
            }
            for case in cases
        },
        **fields,
    )


@contextmanager
def loading(plan: Plan, core: int, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the load generator on ``core``; it has ended when the block does."""
    file = folder / "plan.json"
    file.write_bytes(msgspec.json.encode(plan))
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.failover.load", str(file)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=partial(os.sched_setaffinity, 0, {core}),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def watching(cores: Cores, folder: Path) -> Iterator[Callable[[], Stalls]]:
    """Watch both cores for stalls; give what returns those so far."""
    files = {core: folder / f"stalls-{core}" for core in {cores.gateway, cores.load}}
    command = [sys.executable, "-m", "benchmarks.failover.stalls"]
    tickers = [
        subprocess.Popen([*command, str(core), str(file)], cwd=ROOT, stdin=subprocess.PIPE)
        for core, file in files.items()
    ]
    try:
        yield lambda: stalls.merged(*(stalls.read(file) for file in files.values()))
    finally:
        for ticker in tickers:
            ticker.communicate()


def capacity(
    gateway: Gateway, upstreams: Upstreams, case: Case, cores: Cores, home: Path, seconds: float
) -> float:
    """Return how many requests a second a gateway answers while everything is healthy."""
    upstreams.heal([case])
    with (
        tempfile.TemporaryDirectory(prefix="steadyhand-failover-") as place,
        running(gateway, upstreams, [case], cores, home) as alive,
    ):
        wanted = plan_for(
            gateway, upstreams, [case], alive.url, rate=0.0, seconds=0.0, warm=20, closed_s=seconds
        )
        with loading(wanted, cores.load, Path(place)) as process:
            for event in events_of(process):
                if event["event"] == "capacity":
                    return float(event["per_s"])
    raise NotStarted("the load generator ended without a capacity")


def play(
    gateway: Gateway,
    upstreams: Upstreams,
    cases: Sequence[Case],
    cores: Cores,
    home: Path,
    *,
    rate: float,
    seconds: float,
    progress: Progress,
) -> Played:
    """Play ``cases`` against a gateway that is started for it."""
    upstreams.heal(cases)
    found: dict[str, list[Row]] = {}
    unwell: list[str] = []
    latest_us = begun_us = 0
    apart_ns = time.time_ns() - time.monotonic_ns()
    with (
        tempfile.TemporaryDirectory(prefix="steadyhand-failover-") as place,
        running(gateway, upstreams, cases, cores, home) as alive,
        watching(cores, Path(place)) as stalled,
    ):
        wanted = plan_for(gateway, upstreams, cases, alive.url, rate=rate, seconds=seconds, warm=2)
        calls: dict[str, int] = {}
        begun: dict[str, dict[str, int]] = {}
        with loading(wanted, cores.load, Path(place)) as process:
            for event in events_of(process):
                match event["event"]:
                    case "warm":
                        unwell = event["unwell"]
                        upstreams.break_(cases)
                        begun_us = time.time_ns() // 1000
                        go_on(process)
                    case "next":
                        begun[event["case"]] = upstreams.calls()
                        go_on(process)
                    case "case":
                        name = event["case"]
                        found[name] = [tuple(row) for row in event["rows"]]
                        calls |= _since(begun[name], upstreams.calls(), name)
                        progress(f"{len(found)}/{len(cases)} {event['case']}")
                    case "end":
                        latest_us = event["latest_us"]
        memory_mb = sum(resident_mb(each) for each in process_tree(alive.pid))
        marked = stalled()
        own: dict[str, float] = {}
        if gateway.database is not None:
            sent = sum(map(len, found.values()))
            own = _own(gateway.database(alive.folder), begun_us, sent, apart_ns, marked)
    return Played(
        rate=rate,
        version=alive.version,
        cells=[
            cell
            for case in cases
            for cell in cells_of(case, found.get(case.name, []), marked, calls)
        ],
        memory_mb=memory_mb,
        stalls_ms=marked.total_ms(),
        latest_ms=latest_us / 1e3,
        unwell=unwell,
        own=own,
    )


def _since(before: dict[str, int], now: dict[str, int], name: str) -> dict[str, int]:
    """Return the calls of the models of a case from its first request to the end of its last.

    What a gateway asks of its own accord at other times is left out: Steadyhand drills each rung
    about once in five minutes, which would weigh on the two seconds of a case as it does on no
    route that is in use all the time.
    """
    [case] = chosen([name])
    models = (first_model(case), second_model(case))
    return {model: now.get(model, 0) - before.get(model, 0) for model in models}


def _own(
    database: Path, since_us: int, sent: int, apart_ns: int, marked: Stalls
) -> dict[str, float]:
    await_records(database, since_us, sent, 30.0)
    found = list(records(database, since_us))
    raw, excluded = judge(record_spans(found, apart_ns), marked).shares()
    return {"records": len(found), "sent": sent, "in_time_raw": raw, "in_time": excluded}


def events_of(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    """Yield what the load generator says, until it ends."""
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def go_on(process: subprocess.Popen[str]) -> None:
    """Let the load generator go on: all is broken, or what came before a case is counted."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
