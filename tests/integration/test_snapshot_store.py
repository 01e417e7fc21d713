"""Whatever is cut, changed or lost on disk, a gateway serves a good snapshot or says why not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from steadyhand.snapshot.compile import compile_snapshot, encode
from steadyhand.snapshot.model import Snapshot
from steadyhand.snapshot.sign import SnapshotForged, SnapshotTorn, sign
from steadyhand.snapshot.store import (
    CURRENT,
    PREVIOUS,
    SnapshotMissing,
    SnapshotTooOld,
    load,
    next_version,
    publish,
)

KEY = bytes(32)
OTHER_KEY = bytes([1]) * 32


def snapshot(version: int) -> Snapshot:
    return compile_snapshot(
        keys={}, routes={}, prompts={}, providers={}, slo_classes={}, now_us=1, version=version
    )


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def change(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"interactive"', b'"interactivf"'))


def sign_with_another_key(path: Path) -> None:
    path.write_bytes(sign(encode(snapshot(99)), OTHER_KEY))


def write_another_format(path: Path) -> None:
    path.write_bytes(sign(b'{"version": "x"}', KEY))


def test_what_was_published_is_loaded(tmp_path: Path) -> None:
    publish(snapshot(1), tmp_path / "state" / "snapshot", KEY)
    found = load(tmp_path / "state" / "snapshot", KEY)
    assert (found.snapshot, found.file, found.refused) == (snapshot(1), CURRENT, None)


def test_the_one_before_is_kept(tmp_path: Path) -> None:
    for version in (1, 2, 3):
        publish(snapshot(version), tmp_path, KEY)
    assert load(tmp_path, KEY).snapshot.version == 3
    (tmp_path / CURRENT).unlink()
    assert load(tmp_path, KEY).snapshot.version == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [PREVIOUS]


def test_nobody_else_can_read_a_snapshot(tmp_path: Path) -> None:
    publish(snapshot(1), tmp_path / "snapshot", KEY)
    assert (tmp_path / "snapshot").stat().st_mode & 0o077 == 0
    assert (tmp_path / "snapshot" / CURRENT).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("harm", "error"),
    [
        (cut, SnapshotTorn),
        (empty, SnapshotTorn),
        (change, SnapshotForged),
        (sign_with_another_key, SnapshotForged),
        (write_another_format, SnapshotTorn),
        (Path.unlink, SnapshotMissing),
    ],
)
def test_a_bad_current_gives_the_previous_and_says_why(
    tmp_path: Path, harm: Callable[[Path], None], error: type[Exception]
) -> None:
    publish(snapshot(1), tmp_path, KEY)
    publish(snapshot(2), tmp_path, KEY)
    harm(tmp_path / CURRENT)
    found = load(tmp_path, KEY)
    assert (found.snapshot.version, found.file) == (1, PREVIOUS)
    assert type(found.refused) is error
    assert CURRENT in str(found.refused)


@pytest.mark.parametrize("harm", [cut, change, sign_with_another_key])
def test_a_bad_current_never_becomes_the_last_known_good(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    publish(snapshot(1), tmp_path, KEY)
    publish(snapshot(2), tmp_path, KEY)
    harm(tmp_path / CURRENT)
    publish(snapshot(3), tmp_path, KEY)
    (tmp_path / CURRENT).unlink()
    assert load(tmp_path, KEY).snapshot.version == 1


def test_an_older_version_is_refused(tmp_path: Path) -> None:
    publish(snapshot(1), tmp_path, KEY)
    publish(snapshot(2), tmp_path, KEY)
    assert load(tmp_path, KEY, not_older_than_version=2).snapshot.version == 2
    with pytest.raises(SnapshotTooOld, match="version 2, older than 3"):
        load(tmp_path, KEY, not_older_than_version=3)
    cut(tmp_path / CURRENT)
    with pytest.raises(SnapshotTooOld, match="version 1, older than 2"):
        load(tmp_path, KEY, not_older_than_version=2)


@pytest.mark.parametrize("version", [1, 2])
def test_a_version_that_does_not_grow_is_not_published(tmp_path: Path, version: int) -> None:
    publish(snapshot(2), tmp_path, KEY)
    with pytest.raises(SnapshotTooOld):
        publish(snapshot(version), tmp_path, KEY)
    assert load(tmp_path, KEY).snapshot.version == 2


def test_nothing_usable_says_why_of_both(tmp_path: Path) -> None:
    with pytest.raises(SnapshotMissing, match="steadyhand serve") as caught:
        load(tmp_path, KEY)
    assert f"{CURRENT} cannot be read" in caught.value.message
    assert f"{PREVIOUS} cannot be read" in caught.value.message


def test_the_next_version_is_the_clock_unless_it_went_back(tmp_path: Path) -> None:
    assert next_version(tmp_path, KEY, now_us=500) == 500
    publish(snapshot(1_000), tmp_path, KEY)
    assert next_version(tmp_path, KEY, now_us=500) == 1_001
    assert next_version(tmp_path, KEY, now_us=2_000) == 2_000


def test_a_disk_that_refuses_leaves_the_snapshot_in_force(tmp_path: Path) -> None:
    publish(snapshot(1), tmp_path, KEY)
    (tmp_path / PREVIOUS).mkdir()  # the rename fails, as on a full or read-only disk
    with pytest.raises(OSError, match="directory"):
        publish(snapshot(2), tmp_path, KEY)
    assert load(tmp_path, KEY).snapshot.version == 1
