"""Listing, filtering and paging records, against a plain list of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steadyhand.core.errors import InvalidValue
from steadyhand.records.record import Record
from steadyhand.records.selection import EVERYTHING, RecordFilter
from steadyhand.records.shipper import Shipper
from steadyhand.records.store import RecordStore
from tests.support.records import RECORD, open_store, record, write_log

FACETS: list[dict[str, Any]] = [
    {},
    {"tenant": "team-b", "key": "laptop"},
    {"route": "search", "outcome": "floor", "rung": "template", "provider": "", "model": ""},
    {"status": 503, "outcome": "failed", "reason": "no_answer"},
    {"received_us": RECORD.received_us},  # many at one moment
]
RECORDS = [record(n, **FACETS[n % len(FACETS)]) for n in range(1, 61)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RecordStore:
    directory = tmp_path_factory.mktemp("store")
    _, store = open_store(directory)
    write_log(directory / "log", RECORDS[::2])
    write_log(directory / "log", RECORDS[1::2])
    Shipper(directory / "log", store).ship_once()
    return store


def walk(store: RecordStore, wanted: RecordFilter, limit: int) -> list[Record]:
    found, before = [], None
    while True:
        page = store.list(wanted, limit=limit, before=before)
        assert len(page.records) <= limit
        found += [stored.record for stored in page.records]
        before = page.before
        if before is None:
            return found


@pytest.mark.parametrize("limit", [1, 7, 20, 60, 100])
def test_pages_join_to_the_whole_newest_first(store: RecordStore, limit: int) -> None:
    found = walk(store, EVERYTHING, limit)
    assert sorted(each.request_id for each in found) == [each.request_id for each in RECORDS]
    times = [each.received_us for each in found]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [
        (RecordFilter(tenant="team-b"), lambda r: r.tenant == "team-b"),
        (RecordFilter(key="laptop"), lambda r: r.key == "laptop"),
        (RecordFilter(route="search"), lambda r: r.route == "search"),
        (RecordFilter(outcome="floor"), lambda r: r.outcome == "floor"),
        (RecordFilter(reason="no_answer"), lambda r: r.reason == "no_answer"),
        (RecordFilter(rung="template"), lambda r: r.rung == "template"),
        (RecordFilter(provider=""), lambda r: r.provider == ""),
        (RecordFilter(model="acme-small"), lambda r: r.model == "acme-small"),
        (RecordFilter(status=503), lambda r: r.status == 503),
        (RecordFilter(request_id="req_0000001"), lambda r: r.request_id[:11] == "req_0000001"),
        (RecordFilter(request_id="req_00000012"), lambda r: r.request_id == "req_00000012"),
        (RecordFilter(request_id="req_%"), lambda _: False),
        (RecordFilter(request_id="\U0010ffff"), lambda _: False),
        (
            RecordFilter(since_us=RECORD.received_us + 7, until_us=RECORD.received_us + 31),
            lambda r: 7 <= r.received_us - RECORD.received_us < 31,
        ),
        (
            RecordFilter(tenant="team-a", status=200, route="support"),
            lambda r: (r.tenant, r.status, r.route) == ("team-a", 200, "support"),
        ),
        (RecordFilter(tenant="nobody"), lambda _: False),
    ],
)
def test_a_filter_keeps_what_it_says(
    store: RecordStore, wanted: RecordFilter, holds: Callable[[Record], bool]
) -> None:
    expected = {each.request_id for each in RECORDS if holds(each)}
    assert {each.request_id for each in walk(store, wanted, 5)} == expected
    assert store.count(wanted) == len(expected)


def test_a_page_stays_where_it_was_while_records_arrive(tmp_path: Path) -> None:
    _, store = open_store(tmp_path)
    write_log(tmp_path / "log", RECORDS[:20])
    Shipper(tmp_path / "log", store).ship_once()
    first = store.list(limit=10)
    write_log(tmp_path / "log", [record(1_000)])
    Shipper(tmp_path / "log", store).ship_once()
    rest = store.list(limit=10, before=first.before)
    ids = [stored.record.request_id for stored in (*first.records, *rest.records)]
    assert sorted(ids) == [each.request_id for each in RECORDS[:20]]


def test_a_place_that_is_none_is_refused(store: RecordStore) -> None:
    with pytest.raises(InvalidValue, match="previous page"):
        store.list(before="yesterday")
