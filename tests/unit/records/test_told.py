"""What the outbox is to hold."""

from steadyhand.records.entry import Entry, Note
from steadyhand.records.outbox.told import NOBODY, Told
from tests.support.records import note, record

FOUND: list[Entry | Note] = [
    Entry(1, record(1), b""),
    Note(2, note(1), b""),
    Entry(3, record(3), b""),
]


def test_nobody_wants_anything() -> None:
    assert NOBODY.of(FOUND) == []


def test_records_and_annotations_are_wanted_apart() -> None:
    assert Told(lambda _: True).of(FOUND) == [(1, False), (3, False)]
    assert Told(wants_note=lambda _: True).of(FOUND) == [(2, True)]
    some = Told(lambda found: found.request_id.endswith("3"), lambda _: True)
    assert some.of(FOUND) == [(2, True), (3, False)]
