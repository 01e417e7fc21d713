"""Records as a gateway would write them, and a store that has them."""

from collections.abc import Iterable

import msgspec

from steadyhand.records.cursor import Cursor
from steadyhand.records.entry import Entry
from steadyhand.records.record import Attempt, Record
from steadyhand.records.store import RecordStore

NOON_US = 1_900_000_000_000_000

TIMED_OUT = Attempt("live", "openai", "gpt-fast", 0, 817_000, 0, "gave_up")
LIMITED = Attempt("live", "openai", "gpt-fast", 857_000, 931_000, 429, "rate_limited")
SPOKE = Attempt("live", "backup", "gpt-slow", 931_000, 1_904_000, 200, "ok")

ANSWERED = Record(
    request_id="req_01",
    client_request_id="",
    received_us=NOON_US,
    tenant="shop",
    key="web",
    channel="dev",
    route="support",
    wire="chat",
    requested_model="support",
    stream=True,
    slo="interactive",
    budget_us=2_500_000,
    in_time=True,
    status=200,
    outcome="answered",
    reason="ok",
    rung="live",
    provider="backup",
    model="gpt-slow",
    served_model="gpt-slow-0613",
    release="sha256:" + "ab" * 32,
    attempts=(TIMED_OUT, LIMITED, SPOKE),
    first_content_us=1_241_000,
    total_us=1_956_000,
    input_tokens=900,
    output_tokens=412,
    cached_tokens=0,
    reasoning_tokens=0,
    finish_reason="stop",
    has_tools=False,
    has_schema=False,
    request_bytes=1_024,
    response_bytes=20_480,
    process=0,
)


def made(number: int, **changes: object) -> Record:
    """Return a record of its own id, a second after the one before."""
    own = {"request_id": f"req_{number:04}", "received_us": NOON_US + number * 1_000_000}
    return msgspec.structs.replace(ANSWERED, **(own | changes))


def ship(store: RecordStore, records: Iterable[Record], *, after: int = 0) -> None:
    """Put ``records`` into ``store`` as the shipper would, numbered from ``after`` + 1."""
    entries = [
        Entry(number, record, msgspec.msgpack.encode(record))
        for number, record in enumerate(records, start=after + 1)
    ]
    store.ship("gateway-0", entries, Cursor(1, 0, after + len(entries)))
