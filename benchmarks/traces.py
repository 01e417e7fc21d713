"""What traces cost the control process: CPU time of storing records, and of sending their spans.

``python -m benchmarks.traces`` stores the same records in new SQLite files without an outbox, with
one, and with one whose entries are sent to a receiver in another process. Variants take turns, the
least of all rounds counts, and the time is that of the thread (``thread_time``): what else the
machine does only ever adds. Records have a decision, an attempt that failed and one that spoke, so
each becomes three spans.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import thread_time
from typing import NamedTuple

import msgspec
from typing_extensions import override

from steadyhand.http.posting import Posted, post
from steadyhand.records.clock import wall_clock_us
from steadyhand.records.cursor import Cursor
from steadyhand.records.entry import Entry
from steadyhand.records.outbox.store import Outbox
from steadyhand.records.outbox.told import NOBODY, Told
from steadyhand.records.prices import Price
from steadyhand.records.record import Attempt, Record
from steadyhand.records.store import RecordStore
from steadyhand.routing.planning.decision import encode_decision, encode_lineup
from steadyhand.routing.planning.situation import Candidate, Event, Lineup, Policy
from steadyhand.routing.planning.timeline import timeline
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import open_database, sqlite_url
from steadyhand.telemetry.traces.encoding import encode, rejected
from steadyhand.telemetry.traces.exporter import Exporter, Terms, Wire
from steadyhand.telemetry.traces.known import Known
from steadyhand.telemetry.traces.sampling import Sampling

RECORDS, ROUNDS, BATCH = 10_000, 3, 500
ALL = Sampling(100, troubles=True, drills=False)
PRICES = {("acme", "small"): Price(1.0, 2.0), ("other", "large"): Price(10.0, 20.0)}


class Took(NamedTuple):
    """CPU seconds of a round."""

    storing_s: float
    sending_s: float
    bytes_sent: int


def made(number: int) -> Record:
    """Return a record of an answer that the second deployment gave."""
    candidates = (Candidate(0, "live", "acme", "small"), Candidate(1, "live", "other", "large"))
    events = (
        Event(100, 0, "started", "first_choice"),
        Event(900, 0, "failed", "upstream_5xx"),
        Event(950, 1, "started"),
        Event(400_000, 1, "content"),
        Event(400_010, 1, "spoke", "first_content"),
    )
    lineup = encode_lineup(Lineup(Policy(), candidates))
    attempts = (
        Attempt("live", "acme", "small", 100, 900, 500, "upstream_5xx", "", "first"),
        Attempt("live", "other", "large", 950, 400_050, 200, "ok", "", "fallback"),
    )
    return Record(
        request_id=f"req_{number:023d}",
        client_request_id="",
        received_us=1_790_000_000_000_000 + number,
        tenant="team",
        key="key",
        channel="dev",
        route="support",
        wire="chat",
        requested_model="support",
        stream=False,
        slo="interactive",
        budget_us=10_000_000,
        in_time=True,
        status=200,
        outcome="answered",
        reason="upstream_5xx",
        rung="live",
        provider="other",
        model="large",
        served_model="large-2026",
        release="sha256:" + "ab" * 32,
        attempts=attempts,
        first_content_us=400_000,
        total_us=400_060,
        input_tokens=1_200,
        output_tokens=300,
        cached_tokens=0,
        reasoning_tokens=0,
        finish_reason="stop",
        has_tools=False,
        has_schema=False,
        request_bytes=5_000,
        response_bytes=1_500,
        process=0,
        decision=encode_decision(lineup, 10_000_000, 0.5, events, stream=False),
    )


def one_round(entries: list[Entry], told: Told, url: str) -> Took:
    """Store all entries in a new file; send what waits, if an address is given."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(sqlite_url(Path(folder) / "x.db"))
        upgrade(database)
        store = RecordStore(database, told=told)
        began_s = thread_time()
        for start in range(0, len(entries), BATCH):
            some = entries[start : start + BATCH]
            store.ship("writer", some, Cursor(1, 0, some[-1].sequence))
        stored_s = thread_time()
        sent = 0

        def send(body: bytes) -> Posted:
            nonlocal sent
            sent += len(body)
            headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
            return post(url, body, headers, 30.0)

        if url:
            outbox = Outbox(database)
            wire = Wire(partial(encode, about={}, version="1"), send, rejected)
            known = Known(PRICES, {}, steps=timeline)
            exporter = Exporter(
                outbox, lambda: known, ALL.wants, wire, Terms(30.0, 1e6, 10**6), wall_clock_us
            )
            while outbox.state().entries:
                exporter.export_once()
        ended_s = thread_time()
        database.close()
    return Took(stored_s - began_s, ended_s - stored_s, sent)


def sink() -> None:
    """Take whatever comes, until killed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        @override
        def log_message(self, *_: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


def main() -> None:
    """Measure, or be the receiver."""
    parser = argparse.ArgumentParser(description="CPU time of traces in the control process.")
    parser.add_argument("--sink", action="store_true", help="be the receiver")
    if parser.parse_args().sink:
        sink()
        return
    encoded = msgspec.msgpack.Encoder().encode
    records = [made(number) for number in range(1, RECORDS + 1)]
    entries = [Entry(at, each, encoded(each)) for at, each in enumerate(records, 1)]
    command = [sys.executable, "-m", "benchmarks.traces", "--sink"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as receiver:
        assert receiver.stdout is not None
        url = f"http://127.0.0.1:{int(receiver.stdout.readline())}/v1/traces"
        try:
            report(entries, url)
        finally:
            receiver.terminate()


def report(entries: list[Entry], url: str) -> None:
    """Print a row for each variant; variants take turns."""
    told = Told(ALL.wants)
    variants: dict[str, Callable[[], Took]] = {
        "no traces": lambda: one_round(entries, NOBODY, ""),
        "an outbox, nothing sent": lambda: one_round(entries, told, ""),
        "spans of every record sent": lambda: one_round(entries, told, url),
    }
    rounds: dict[str, list[Took]] = {name: [] for name in variants}
    for _ in range(ROUNDS):
        for name, run in variants.items():
            rounds[name].append(run())
    print(
        "| µs of CPU for a record | storing | sending | both | bytes sent |\n|---|---|---|---|---|"
    )
    for name, found in rounds.items():
        storing_us = min(one.storing_s for one in found) / len(entries) * 1e6
        sending_us = min(one.sending_s for one in found) / len(entries) * 1e6
        size = found[0].bytes_sent / len(entries)
        both_us = storing_us + sending_us
        print(f"| {name} | {storing_us:.0f} | {sending_us:.0f} | {both_us:.0f} | {size:.0f} |")


if __name__ == "__main__":
    main()
