"""Epochs: a flush moves on what it takes in, for ever, and nothing else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.caching import epoch_file
from steadyhand.caching.epochs import ALL, Epochs, decode, encode

NAMES = st.sampled_from([ALL, "a", "b"])
REAL = [(route, tenant) for route in ("a", "b", "c") for tenant in ("a", "b", "c")]


def test_before_the_first_flush_there_is_one_epoch() -> None:
    assert {Epochs().of(*pair) for pair in REAL} == {0}


@pytest.mark.parametrize(
    ("route", "tenant", "moved"),
    [
        (ALL, ALL, REAL),
        ("a", ALL, [pair for pair in REAL if pair[0] == "a"]),
        (ALL, "b", [pair for pair in REAL if pair[1] == "b"]),
        ("a", "b", [("a", "b")]),
    ],
)
def test_a_flush_moves_what_it_takes_in(
    route: str, tenant: str, moved: list[tuple[str, str]]
) -> None:
    epochs = Epochs().after(route, tenant, 7)
    assert [pair for pair in REAL if epochs.of(*pair) == 7] == moved


@given(st.lists(st.tuples(NAMES, NAMES, st.integers(0, 50)), max_size=8))
def test_no_epoch_ever_comes_back(flushes: list[tuple[str, str, int]]) -> None:
    """Whatever the clock does: else an entry from before a flush would be found again."""
    epochs = Epochs()
    seen = {pair: {0} for pair in REAL}
    for route, tenant, now_us in flushes:
        before = {pair: epochs.of(*pair) for pair in REAL}
        epochs = epochs.after(route, tenant, now_us)
        for pair in REAL:
            now = epochs.of(*pair)
            if route in (ALL, pair[0]) and tenant in (ALL, pair[1]):
                assert now not in seen[pair]
                seen[pair].add(now)
            else:
                assert now == before[pair]
    assert decode(encode(epochs)) == epochs


def test_a_wider_flush_replaces_those_within() -> None:
    epochs = Epochs().after("a", ALL, 1).after("b", "x", 2).after(ALL, ALL, 3)
    assert len(epochs.flushes) == 1


def test_a_file_that_is_not_there_says_nothing_was_flushed(tmp_path: Path) -> None:
    assert epoch_file.read(tmp_path / "e") == Epochs()


def test_a_file_that_cannot_be_read_is_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / "e").write_bytes(b'{"flushes": 1}')
    assert epoch_file.read(tmp_path / "e") is None
    assert epoch_file.read(tmp_path) is None


def test_a_flush_mends_a_damaged_file_by_flushing_all(tmp_path: Path) -> None:
    path = tmp_path / "e"
    path.write_bytes(b"{")
    made = epoch_file.flush(path, "a", ALL, 100)
    assert epoch_file.read(path) == made
    assert made.of("z", "z") == 100
    assert made.of("a", "z") == 101
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_watch_tells_of_each_change_once(tmp_path: Path) -> None:
    path = tmp_path / "e"
    watch = epoch_file.EpochWatch(path)
    assert [watch.changed(), watch.changed()] == [True, False]
    epoch_file.flush(path, ALL, ALL, 1)
    assert [watch.changed(), watch.changed()] == [True, False]
    epoch_file.flush(path, ALL, ALL, 1)
    assert [watch.changed(), watch.changed()] == [True, False]
    path.unlink()
    assert [watch.changed(), watch.changed()] == [True, False]
    assert watch.read() == Epochs()
