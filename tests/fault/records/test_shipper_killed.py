"""The shipper killed with SIGKILL, at any line and at any moment: no record lost, none twice."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from steadyhand.records import segment, shipper, store
from steadyhand.records.annotation import Annotation
from steadyhand.records.record import Record
from steadyhand.records.segment import writers
from steadyhand.records.shipper import Shipper
from steadyhand.storage import database
from tests.support.killing import fork, kill_after, kill_self_after_lines, seeded, was_killed
from tests.support.records import note, open_store, payload_of, record, write_log, write_segment

STEPS = [shipper, store, segment, database]


def ship_all(directory: Path, batch: int) -> None:
    """Ship until nothing is left, telling every consumed record and annotation to a file."""
    told = os.open(directory / "told", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def tell(records: Sequence[Record]) -> None:
        os.write(told, "".join(f"{each.request_id}\n" for each in records).encode())

    def tell_notes(fresh: Sequence[Annotation]) -> None:
        os.write(told, "".join(f"later:{each.request_id}\n" for each in fresh).encode())

    _, into = open_store(directory)
    working = Shipper(
        directory / "log", into, [tell], annotation_consumers=[tell_notes], batch=batch
    )
    while writers(directory / "log"):
        working.ship_once()
        assert not working.status.failures


def told(directory: Path) -> Counter[str]:
    path = directory / "told"
    return Counter(path.read_text().split() if path.exists() else [])


def damaged_log(directory: Path) -> set[str]:
    """Leave a log with every kind of damage; return the ids that can be read from it."""

    def frames(first: int, last: int) -> list[tuple[int, bytes]]:
        return [(n, payload_of(record(base + n))) for n in range(first, last + 1)]

    base = 1_000  # in several segments, one frame twice
    for number, (first, last) in enumerate([(1, 9), (9, 20), (21, 30)], start=1):
        write_segment(directory / "w1", number, frames(first, last))
    base = 2_000  # torn
    write_segment(directory / "w2", 1, frames(1, 10), tail=b"\x07\0\0")
    base = 3_000  # corrupt, then sound
    write_segment(directory / "w3", 1, frames(1, 10), tail=b"\xff" * 30)
    write_segment(directory / "w3", 2, frames(12, 20))
    base = 4_000  # with a frame of an unknown shape
    write_segment(directory / "w4", 1, [*frames(1, 4), (5, b"\xc0"), *frames(6, 9)])
    # each with an annotation, and one of a later version's
    both = [payload_of(make(5_000 + n)) for n in range(1, 11) for make in (record, note)]
    strange = payload_of(Annotation("req_00005001", "praise", 1, b""))
    write_segment(directory / "w5", 1, [*enumerate([*both, strange], start=1)])
    wanted = [
        *range(5_001, 5_011),
        *range(1_001, 1_031),
        *range(2_001, 2_011),
        *range(3_001, 3_011),
        *range(3_012, 3_021),
        *range(4_001, 4_005),
        *range(4_006, 4_010),
    ]
    return {record(n).request_id for n in wanted}


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_line(tmp_path: Path, seed: int) -> None:
    wanted = damaged_log(tmp_path / "log")
    _, kept = open_store(tmp_path)
    random = seeded(seed)
    kills = 0
    while True:
        lines = random.randint(1, 320)

        def act(lines: int = lines) -> None:
            kill_self_after_lines(lines, STEPS)
            ship_all(tmp_path, batch=7)

        if not was_killed(fork(act)):
            break
        kills += 1
        assert kills < 500, "it never comes to its end"
        page = kept.list(limit=1_000)  # never more than is wanted, at any time
        assert {stored.record.request_id for stored in page.records} <= wanted
    assert kills > 10
    ids = [stored.record.request_id for stored in kept.list(limit=1_000).records]
    assert sorted(ids) == sorted(wanted)
    noted = [note(5_000 + n) for n in range(1, 11)]
    strange = Annotation("req_00005001", "praise", 1, b"")
    assert kept.annotations_of("req_00005001") == [strange, noted[0]]
    assert all(kept.annotations_of(one.request_id) == [one] for one in noted[1:])
    assert told(tmp_path).keys() <= wanted | {f"later:{one.request_id}" for one in noted}
    assert set(told(tmp_path).values()) == {1}  # no consumer was told twice
    names = sorted(path.name for path in (tmp_path / "log" / "corrupt").iterdir())
    assert names == ["w3-00000001.seg.corrupt", "w4-5.frame"]


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_moment(tmp_path: Path, seed: int) -> None:
    count = 12_000
    for part in range(3):
        write_log(tmp_path / "log", (record(n) for n in range(part, count, 3)))
    _, kept = open_store(tmp_path)
    random = seeded(seed)
    kills = 0
    while True:
        pid = fork(lambda: ship_all(tmp_path, batch=300))
        if kills < 12:
            kill_after(pid, random.uniform(0.005, 0.06))
        if not was_killed(pid):
            break
        kills += 1
    assert kept.count() == count
    ids = {stored.record.request_id for stored in kept.list(limit=count).records}
    assert ids == {record(n).request_id for n in range(count)}
    assert set(told(tmp_path).values()) <= {1}
    assert kills
