"""What a record costs the gateway, and how fast the log is carried to SQLite.

``python benchmarks/record_log.py [--seconds N] [--json]``. Limits, from the data plane's table:
10,000 records a second appended with at most a tenth of a core; 5,000 a second shipped. The aim
is twice that. The share is of all CPU time that the process takes beyond an idle loop of the same
pace, so group commit and its flusher thread are in it.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from steadyhand.records.log import LogSettings, RecordLog
from steadyhand.records.record import Attempt, Record
from steadyhand.records.segment import writers
from steadyhand.records.shipper import Shipper
from steadyhand.records.store import RecordStore
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import open_database, sqlite_url
from steadyhand.telemetry.metrics import RequestMetrics
from steadyhand.telemetry.names import edges

RATE = 10_000
TICK_S = 0.005
ATTEMPT = Attempt(
    rung="live",
    provider="acme",
    model="acme-small",
    started_us=120,
    ended_us=230_000,
    status=200,
    reason="ok",
)
RECORD = Record(
    request_id="req_1k0vgev4000001r4vc1frt",
    client_request_id="",
    received_us=1_790_000_000_000_000,
    tenant="team-a",
    key="ci",
    channel="production",
    route="support",
    wire="chat",
    requested_model="support",
    stream=True,
    slo="interactive",
    budget_us=1_500_000,
    in_time=True,
    status=200,
    outcome="answered",
    reason="ok",
    rung="live",
    provider="acme",
    model="acme-small",
    served_model="acme-small-2026",
    release="sha256:" + "0" * 64,
    attempts=(ATTEMPT,),
    first_content_us=230_000,
    total_us=900_000,
    input_tokens=512,
    output_tokens=128,
    cached_tokens=64,
    reasoning_tokens=0,
    finish_reason="stop",
    has_tools=False,
    has_schema=False,
    request_bytes=2_048,
    response_bytes=9_000,
    process=0,
)
RESULT_UNITS = {
    "append_us": "µs per append, median of batches",
    "append_worst_us": "µs per append, slowest batch of 1,000",
    "core_share_at_10k": "of a core at 10,000 records/s, flusher included",
    "ship_per_s": "records/s to SQLite",
    "ship_and_count_per_s": "records/s to SQLite and into metrics",
    "consume_us": "µs per record into metrics",
}


def distinct(number: int) -> Record:
    """Return a record with its own id, time and tenant, so that indexes do real work."""
    return msgspec.structs.replace(
        RECORD,
        request_id=f"req_1k0vgev4{number:07x}r4vc1frt",
        received_us=RECORD.received_us + number * 100,
        tenant=f"team-{number % 40}",
        route=f"route-{number % 12}",
    )


def append_cost(directory: Path) -> tuple[float, float]:
    """Return median and worst µs per append, by batches of 1,000, paced to the flusher."""
    log = RecordLog(directory, LogSettings())
    costs = []
    for _ in range(100):
        start = time.perf_counter_ns()
        for _ in range(1_000):
            log.append(RECORD)
        costs.append((time.perf_counter_ns() - start) / 1_000_000)
        time.sleep(0.01)
    log.close()
    assert log.flushed == 100_000
    return statistics.median(costs), max(costs)


def paced_cpu(seconds: float, log: RecordLog | None) -> float:
    """Return the CPU seconds that this pace takes per second, with and without a log."""
    per_tick = int(RATE * TICK_S)
    cpu, start = time.process_time(), time.monotonic()
    due = start
    while due < start + seconds:
        for _ in range(per_tick):
            if log is not None:
                log.append(RECORD)
        due += TICK_S
        time.sleep(max(0.0, due - time.monotonic()))
    return (time.process_time() - cpu) / (time.monotonic() - start)


def core_share(directory: Path, seconds: float) -> float:
    """Return the share of a core that the log takes at ``RATE`` records a second."""
    idle = paced_cpu(seconds / 2, None)
    log = RecordLog(directory, LogSettings())
    busy = paced_cpu(seconds, log)
    assert log.close() == 0
    assert log.dropped == 0
    return busy - idle


def ship_rate(directory: Path, count: int, metrics: RequestMetrics | None) -> float:
    """Return records a second from a written log to SQLite."""
    log = RecordLog(directory / "log", LogSettings())
    for number in range(count):
        log.append(distinct(number))
    assert log.close(60) == 0
    database = open_database(sqlite_url(directory / "records.db"))
    upgrade(database)
    store = RecordStore(database)
    shipper = Shipper(directory / "log", store, [] if metrics is None else [metrics.consume])
    start = time.perf_counter()
    while writers(directory / "log"):
        shipper.ship_once()
    took_s = time.perf_counter() - start
    assert store.count() == count
    database.close()
    return count / took_s


def consume_cost() -> float:
    """Return µs per record that counting it takes."""
    metrics = RequestMetrics(edges([150, 1_500, 10_000]))
    records = [distinct(number) for number in range(2_000)]
    metrics.consume(records)
    start = time.perf_counter()
    for _ in range(20):
        metrics.consume(records)
    return (time.perf_counter() - start) / 40_000 * 1_000_000


def main() -> None:
    """Measure, and print a table or JSON; exit 1 if a limit is not kept."""
    parser = argparse.ArgumentParser(description="what a record costs")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of the paced part")
    parser.add_argument("--records", type=int, default=60_000, help="how many to ship")
    parser.add_argument("--directory", type=Path, default=Path(), help="on the disk to measure")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as made:
        directory = Path(made)
        for name in ("plain", "counted"):
            (directory / name).mkdir()
        median_us, worst_us = append_cost(directory / "append")
        metrics = RequestMetrics(edges([1_500]))
        found = {
            "append_us": median_us,
            "append_worst_us": worst_us,
            "core_share_at_10k": core_share(directory / "paced", options.seconds),
            "ship_per_s": ship_rate(directory / "plain", options.records, None),
            "ship_and_count_per_s": ship_rate(directory / "counted", options.records, metrics),
            "consume_us": consume_cost(),
        }
    if options.json:
        print(json.dumps({name: round(value, 4) for name, value in found.items()}))
    else:
        for name, value in found.items():
            print(f"{name:<22} {value:>12,.3f}  {RESULT_UNITS[name]}")
    if found["core_share_at_10k"] > 0.10 or found["ship_per_s"] < 5_000:
        sys.exit("a limit is not kept")


if __name__ == "__main__":
    main()
