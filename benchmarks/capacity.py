"""Measure what one core carries, and write the capacity model's figures.

``python -m benchmarks.capacity --save NAME`` takes about two minutes on a quiet machine. It writes
``benchmarks/results/NAME.md`` and ``.json``, and the measured part of
``docs/operations/capacity.md``; a test holds that page to the newest result. ``--quick`` only shows
that it runs.
"""

import argparse
import asyncio
import contextlib
import datetime
import json
import os
import resource
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import uvloop

from benchmarks.capacity_model import Coefficients, fitted, method, page, table
from benchmarks.connections import Connection, close_all
from benchmarks.load import Load, Plan
from benchmarks.machine import Cores, describe, resident_mb, usable_cores
from benchmarks.measure import Bench, measure
from benchmarks.mock_upstream import completion
from benchmarks.prompts import chat_body, marker, numbers, request_head, split_at_number
from benchmarks.record_log import distinct
from benchmarks.running import Running, mock_upstream, start
from benchmarks.tables import markdown
from benchmarks.targets import HEADERS, PATH, ROOT, commit, everything
from steadyhand.records.log import LogSettings, RecordLog
from steadyhand.records.segment import writers
from steadyhand.records.shipper import Shipper
from steadyhand.records.store import RecordStore
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import open_database, sqlite_url

RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "operations" / "capacity.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
KIND = "capacity"
QUIET = 0.05
"""Most of a core that others may take before a result says that it is not to be believed."""

PADDINGS = (0, 15 * 1024, 127 * 1024)
ANSWERS = (300, 16 * 1024, 128 * 1024)
EVENTS = (20, 60, 120)
STREAMS = 60
GAP_US = 10_000


def loads() -> dict[str, tuple[str, ...]]:
    """Return name → arguments of :mod:`benchmarks.load`, in the order in which they are put on."""
    plain = {
        f"plain, prompt + {padding // 1024} KiB": ("--padding", str(padding))
        for padding in PADDINGS
    }
    answers = {
        f"plain, answer of {chars / 1024:.1f} KiB": ("--answer-chars", str(chars))
        for chars in ANSWERS
    }
    streams = {
        f"streams of {events} events": (
            *("--connections", str(STREAMS), "--events", str(events), "--gap-us", str(GAP_US)),
        )
        for events in EVENTS
    }
    return {**plain, **answers, **streams}


def shape(arguments: Sequence[str]) -> tuple[float, float, int]:
    """Return (KiB in, KiB out, events) of a load; KiB out only of plain answers."""
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    events = int(given.get("--events", 0))
    chars = given.get("--answer-chars")
    mark = marker(chars=int(chars)) if chars else ""
    sent = len(chat_body(mark, padding=int(given.get("--padding", 0)))) / 1024
    answer = completion(int(chars) if chars else 364)
    return sent, 0.0 if events else len(answer.partition(b"\r\n\r\n")[2]) / 1024, events


def costs(bench: Bench, running: Running, rounds: int) -> tuple[list[dict[str, Any]], float]:
    """Return one row for each load, and the most of a core that others took meanwhile."""
    foreign, taken = 0.0, dict[str, list[float]]()
    for _ in range(rounds):
        for name, arguments in loads().items():
            sample = measure(bench, running, arguments)
            if sample["errors"]:
                raise RuntimeError(f"{name}: {sample['errors']} errors: {sample['problem']}")
            foreign = max(foreign, sample["foreign_share"])
            taken.setdefault(name, []).append(sample["cpu_us"] + sample["later_cpu_us"])
    rows = []
    for name, arguments in loads().items():
        sent, got, events = shape(arguments)
        rows.append(
            {"load": name, "in": sent, "out": got, "events": events, "us": median(taken[name])}
        )
    return rows, foreign


async def held(url: str, pid: int, count: int, *, streams: bool) -> float:
    """Return the memory in 1,000 bytes that each of ``count`` connections takes of ``pid``.

    Idle ones have had one answer; streams have begun and say nothing more for a long time.
    """
    events = 2 if streams else None
    gap_us = 30_000_000 if streams else 0
    plan = Plan(url, HEADERS, count, None, events, gap_us, 0.0, 0.0, 0.0)
    before = resident_mb(pid)
    owner = Load(plan)
    connections = [Connection(url, owner) for _ in range(count)]
    await asyncio.gather(*(connection.open() for connection in connections))
    head, tail = split_at_number(_request(plan))
    sequence = numbers()
    for connection in connections:
        connection.send(0, b"%b%012d%b" % (head, next(sequence), tail), events)
        await asyncio.sleep(0.001)
    await asyncio.sleep(2.0)
    after = resident_mb(pid)
    await close_all(connections)
    await asyncio.sleep(0.2)  # an aborted transport closes its socket in a later turn
    return max(0.0, after - before) * 1e3 / count


def _request(plan: Plan) -> bytes:
    if plan.events is None:
        return plan.request()
    body = chat_body(marker(events=plan.events, gap_us=plan.gap_us), stream=True)
    return request_head(PATH, "127.0.0.1", plan.headers, len(body)) + body


def disk(count: int) -> tuple[float, float]:
    """Return bytes of a record in the log and in SQLite."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        log = RecordLog(folder / "log", LogSettings())
        for number in range(count):
            log.append(distinct(number))
        if log.close(60) != 0:
            raise RuntimeError("the log could not be written")
        log_bytes = sum(path.stat().st_size for path in (folder / "log").rglob("*.seg"))
        database = open_database(sqlite_url(folder / "records.db"))
        upgrade(database)
        store = RecordStore(database)
        shipper = Shipper(folder / "log", store, [])
        while writers(folder / "log"):
            shipper.ship_once()
        database.close()
        sql_bytes = sum(path.stat().st_size for path in folder.glob("records.db*"))
    return log_bytes / count, sql_bytes / count


def serving(running: Running) -> int:
    """Return the process that answers: the one that has our connections."""
    parts = urlsplit(running.target.url)
    with contextlib.ExitStack() as held_open:
        for _ in range(64):
            address = (parts.hostname, parts.port)
            held_open.enter_context(socket.create_connection(address, timeout=5))
        time.sleep(0.5)
        return max(running.pids(), key=lambda pid: len(os.listdir(f"/proc/{pid}/fd")))


def weighed(bench: Bench, upstream: str, count: int, *, streams: bool) -> float:
    """Return what :func:`held` says of a gateway that was warmed and has no memory to spare."""
    running = start(everything, upstream, bench.cores.gateway)
    try:
        measure(bench, running, ())
        answers = serving(running)
        return uvloop.run(held(running.target.url, answers, count, streams=streams))
    finally:
        running.stop()


def processes(running: Running) -> dict[str, float]:
    """Return what the processes themselves take, after all loads."""
    answers = serving(running)
    return {
        "base_mb": resident_mb(answers),
        "shared_mb": sum(resident_mb(pid) for pid in running.pids() if pid != answers),
    }


def run(given: argparse.Namespace) -> dict[str, Any]:
    """Measure everything; return the result as it is saved."""
    cores = usable_cores()
    os.sched_setaffinity(0, {cores[-1]})
    with mock_upstream(cores[-1]) as (upstream, mock_pid):
        running = start(everything, upstream, cores[0])
        try:
            bench = Bench(Cores(cores[0], cores[-1]), mock_pid, given.warm, given.seconds)
            rows, foreign = costs(bench, running, given.rounds)
            taken = processes(running)
        finally:
            running.stop()
        count = given.connections
        taken["connection_kb"] = weighed(bench, upstream, count, streams=False)
        taken["stream_kb"] = weighed(bench, upstream, count // 2, streams=True)
    log_bytes, sql_bytes = disk(given.records)
    sent, got, _ = shape(())
    taken |= {"log_bytes": log_bytes, "sql_bytes": sql_bytes, "sent_kib": sent, "got_kib": got}
    by_in, by_out, by_events = rows[:3], rows[3:6], rows[6:]
    samples = {
        "in_kib": [(row["in"], row["us"]) for row in by_in],
        "out_kib": [(row["out"], row["us"]) for row in by_out],
        "events": [(row["events"], row["us"]) for row in by_events],
    }
    warning = (
        f"The machine was not quiet: others took {foreign:.0%} of a core. Measure again."
        if foreign > QUIET
        else ""
    )
    machine = describe()
    return {
        "kind": KIND,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": commit(),
        "machine": {**machine, "kernel": str(machine["kernel"]).partition("-")[0]},
        "warning": warning,
        "rounds": given.rounds,
        "seconds": given.seconds,
        "gap_ms": GAP_US / 1e3,
        "rows": [
            (
                *(row["load"], f"{row['in']:.1f}", f"{row['out']:.1f}", str(row["events"])),
                *(f"{row['us']:,.1f}", str(given.rounds)),
            )
            for row in rows
        ],
        "memory": taken,
        "coefficients": asdict(fitted(samples, taken)),
    }


def newest() -> Path:
    """Return the newest saved result, by its date and then its name."""
    found = {path: json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob("*.json")}
    saved = [path for path, result in found.items() if result.get("kind") == KIND]
    return max(saved, key=lambda path: (found[path]["date"], path.name))


def with_measured(text: str, result: Path) -> str:
    """Return the page ``text`` with its measured part from ``result``."""
    head, _, rest = text.partition(BEGIN)
    measured = page(json.loads(result.read_text(encoding="utf-8")), result.stem)
    return f"{head}{BEGIN}\n\n{measured}\n\n{END}{rest.partition(END)[2]}"


def save(name: str, result: dict[str, Any]) -> None:
    """Write the result and the page's measured part."""
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(method(result, name).rstrip() + "\n", encoding="utf-8")
    PAGE.write_text(with_measured(PAGE.read_text(encoding="utf-8"), newest()), encoding="utf-8")


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="counted, of each load")
    parser.add_argument("--warm", type=float, default=1.0, help="not counted, before each load")
    parser.add_argument("--connections", type=int, default=2_000, help="idle, to weigh them")
    parser.add_argument("--records", type=int, default=30_000, help="to weigh them on disk")
    parser.add_argument("--quick", action="store_true", help="to see that it runs")
    parser.add_argument("--save", metavar="NAME", help="write results/NAME.md, .json and the page")
    given = parser.parse_args(arguments)
    if given.quick:
        given.rounds, given.seconds, given.warm = 1, 0.5, 0.1
        given.connections, given.records = 100, 2_000
    return given


def main() -> int:
    """Run from the command line; return the exit code."""
    given = read_arguments()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    result = run(given)
    print(markdown([row[:2] for row in table(Coefficients(**result["coefficients"]))]))
    if result["warning"]:
        print(f"\n{result['warning']}", file=sys.stderr)
    if given.save:
        save(given.save, result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
