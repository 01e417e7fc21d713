"""Records and record logs to test with."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from steadyhand.records.annotation import Annotation, LateUsage, annotation
from steadyhand.records.cursor import START
from steadyhand.records.frame import pack, pack_header
from steadyhand.records.log import LogSettings, RecordLog
from steadyhand.records.reader import read
from steadyhand.records.record import Attempt, Record
from steadyhand.records.segment import LOCK, segment_path
from steadyhand.records.store import RecordStore
from steadyhand.storage.database import Database
from steadyhand.storage.migrations import upgrade
from steadyhand.storage.open import open_database, sqlite_url

QUICK = LogSettings(window_ms=5)

ATTEMPT = Attempt(
    rung="live",
    provider="acme",
    model="acme-small",
    started_us=150,
    ended_us=200_000,
    status=200,
    reason="ok",
)

RECORD = Record(
    request_id="req_00000001",
    client_request_id="",
    received_us=1_790_000_000_000_000,
    tenant="team-a",
    key="ci",
    channel="production",
    route="support",
    wire="chat",
    requested_model="support",
    stream=False,
    slo="interactive",
    budget_us=10_000_000,
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
    first_content_us=200_000,
    total_us=210_000,
    input_tokens=100,
    output_tokens=20,
    cached_tokens=0,
    reasoning_tokens=0,
    finish_reason="stop",
    has_tools=False,
    has_schema=False,
    request_bytes=500,
    response_bytes=900,
    process=0,
)

USAGE = LateUsage(
    tenant="team-a",
    route="support",
    provider="acme",
    model="acme-large",
    role="hedge",
    input_tokens=100,
    output_tokens=20,
    counting="estimated",
)


def record(number: int = 1, **changes: Any) -> Record:
    """Return a record like any other but for its number, its time, and ``changes``."""
    numbered: dict[str, Any] = {
        "request_id": f"req_{number:08d}",
        "received_us": RECORD.received_us + number,
    }
    return msgspec.structs.replace(RECORD, **(numbered | changes))


def until(holds: Callable[[], object], what: str, timeout_s: float = 20.0) -> None:
    """Wait until ``holds``; fail with ``what`` was waited for."""
    end_s = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end_s, f"waited {timeout_s} s in vain: {what}"
        time.sleep(0.002)


def until_flushed(log: RecordLog, count: int) -> None:
    until(lambda: log.flushed == count, f"{count} records to be flushed")


def write_log(
    directory: Path, records: Iterable[Record | Annotation], settings: LogSettings = QUICK
) -> str:
    """Log ``records`` as a process would that then ends well; return its writer."""
    log = RecordLog(directory, settings)
    for each in records:
        log.append(each)
    assert log.close() == 0
    return log.writer


def payload_of(each: Record | Annotation) -> bytes:
    return msgspec.msgpack.encode(each)


def write_segment(
    directory: Path, number: int, frames: Sequence[tuple[int, bytes]], tail: bytes = b""
) -> Path:
    """Write a segment of a dead writer byte by byte, as damage needs it."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / LOCK).touch()
    first = frames[0][0] if frames else 1
    path = segment_path(directory, number)
    body = b"".join(pack(sequence, payload) for sequence, payload in frames)
    path.write_bytes(pack_header(directory.name, first) + body + tail)
    return path


def logged(directory: Path) -> list[Record]:
    """Return all that a reader finds in a writer's directory."""
    return [entry.record for entry in read(directory, START, 1_000_000).entries]


def open_store(directory: Path, *, busy_timeout_ms: int = 5_000) -> tuple[Database, RecordStore]:
    """Open ``records.db`` in ``directory`` with its schema up to date."""
    database = open_database(sqlite_url(directory / "records.db"), busy_timeout_ms=busy_timeout_ms)
    upgrade(database)
    return database, RecordStore(database)


def note(number: int, **changes: Any) -> Annotation:
    """Return an annotation of ``record(number)``."""
    said = msgspec.structs.replace(USAGE, **changes)
    return annotation(f"req_{number:08d}", RECORD.received_us + number, said)


def notes(directory: Path) -> list[Annotation]:
    """Return all annotations that a reader finds in a writer's directory."""
    return [each.annotation for each in read(directory, START, 1_000_000).notes]
