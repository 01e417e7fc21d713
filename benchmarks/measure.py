"""Put one load on one target and say what it did, what it cost, and whether to believe it."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.machine import Cores, core_busy_s, cpu_ns, process_title, resident_mb
from benchmarks.running import Running
from benchmarks.targets import HEADERS, ROOT

EVENTS = 50
GAP_US = 20_000
RATE = 500
"""Requests per second of the open loop."""

LOADS: Mapping[str, tuple[str, ...]] = {
    "closed": ("--connections", "64"),
    "open": ("--connections", "64", "--rate", str(RATE)),
    "burst": ("--connections", "32", "--events", str(EVENTS)),
    "paced": ("--connections", "100", "--events", str(EVENTS), "--gap-us", str(GAP_US)),
}
"""Name → arguments of :mod:`benchmarks.load`."""

SETTLE_S = 15.0


@dataclass(frozen=True, slots=True)
class Bench:
    """What all measurements of a run share.

    Attributes:
        cores: Who runs where.
        mock_pid: The mock upstream.
        warm_s: Time at the beginning of each load that is not counted.
        counted_s: Time that is.
    """

    cores: Cores
    mock_pid: int
    warm_s: float
    counted_s: float


def measure(bench: Bench, running: Running, load: str | Sequence[str]) -> dict[str, Any]:
    """Put ``load`` on, by its name or by the arguments of :mod:`benchmarks.load`.

    Return what :mod:`benchmarks.load` says, and beside it what the processes and cores say.

    Added are ``cpu_us`` (of all processes of the target, for each request answered, the time that
    is not counted included), ``later_cpu_us`` (the same for what it did after the load),
    ``gateway_share`` and ``load_share`` (of each core, 0 to 1, by those who are measured),
    ``foreign_share`` (of the core where it is worse, by anybody else) and ``processes``.
    """
    gateway, mock = running.pids(), [bench.mock_pid]
    begin_cores = core_busy_s(bench.cores.gateway), core_busy_s(bench.cores.load)
    begin_cpu = cpu_ns(gateway)
    begin_mock = sum(cpu_ns(mock).values())
    begin_load_s = _children_s()
    begin_s = time.monotonic()
    result = _load(bench, running, load)
    load_s = _children_s() - begin_load_s
    mock_s = (sum(cpu_ns(mock).values()) - begin_mock) / 1e9
    spent = {
        pid: (now - begin_cpu.get(pid, 0)) / 1e9 for pid, now in cpu_ns(running.pids()).items()
    }
    gateway_s = sum(spent.values())
    foreign_s = max(
        core_busy_s(bench.cores.gateway) - begin_cores[0] - gateway_s,
        core_busy_s(bench.cores.load) - begin_cores[1] - load_s - mock_s,
    )
    wall_s = time.monotonic() - begin_s
    window_s = result["window_s"]
    answered = max(1, result["total"])
    processes = [
        {
            "title": process_title(pid),
            "cpu_us": cpu_s * 1e6 / answered,
            "rss_mb": resident_mb(pid),
        }
        for pid, cpu_s in sorted(spent.items(), key=lambda each: -each[1])
    ]
    later_s = running.settle(SETTLE_S)
    return result | {
        "cpu_us": gateway_s * 1e6 / answered,
        "later_cpu_us": later_s * 1e6 / answered,
        "gateway_share": gateway_s / window_s,
        "load_share": (result["cpu_s"] + mock_s) / window_s,
        "foreign_share": max(0.0, foreign_s / wall_s),
        "rss_mb": sum(each["rss_mb"] for each in processes),
        "processes": processes,
    }


def _load(bench: Bench, running: Running, load: str | Sequence[str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.load", "--url", running.target.url]
    for line in HEADERS:
        command += ["--header", line]
    command += ["--warm", str(bench.warm_s), "--spread", str(bench.warm_s)]
    command += [
        "--seconds",
        str(bench.counted_s),
        *(LOADS[load] if isinstance(load, str) else load),
    ]
    told = subprocess.run(  # the affinity of this process is the load's core, and is inherited
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=bench.warm_s + bench.counted_s + 30,
    )
    result: dict[str, Any] = json.loads(told.stdout)
    return result


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
