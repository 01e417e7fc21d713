"""Snapshots on disk: the one in force, and the one before it as last known good.

One process publishes (the supervisor), any number load. Both files are replaced atomically, and
``current`` is verified before it becomes ``previous``, so whatever is cut, changed or lost, there
is a good file to serve from as long as one of the two survives.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from steadyhand.core.errors import SteadyhandError
from steadyhand.snapshot.compile import encode
from steadyhand.snapshot.model import Snapshot
from steadyhand.snapshot.sign import SnapshotRefused, SnapshotTorn, sign, verify
from steadyhand.storage.files import replace_file

CURRENT = "current.snapshot"
PREVIOUS = "previous.snapshot"

_MODE = 0o600  # prompts and rights of keys are nobody else's business
_decoder = msgspec.json.Decoder(Snapshot)


class SnapshotMissing(SteadyhandError):
    """No snapshot can be served from; a gateway must not start."""

    code = "snapshot_missing"


class SnapshotTooOld(SnapshotRefused):
    """A snapshot is older than one that has been in force."""

    code = "snapshot_too_old"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What :func:`load` found.

    Attributes:
        snapshot: The one to serve from.
        file: Name of the file it came from.
        refused: Why ``current.snapshot`` was passed over, or ``None`` if it was not.
    """

    snapshot: Snapshot
    file: str
    refused: SteadyhandError | None = None


def next_version(directory: Path, key: bytes, now_us: int) -> int:
    """Return a version above every published one: the clock, or one more if it went back."""
    return max(_newest_version(directory, key) + 1, now_us)


def publish(snapshot: Snapshot, directory: Path, key: bytes) -> None:
    """Put ``snapshot`` in force: sign it, write it as current, keep the current as previous.

    Durable on return. A current file that fails verification is not kept.

    Raises:
        SnapshotTooOld: Its version is not above that of the snapshot in force.
        OSError: Disk full and the like; the snapshot in force stays so.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    newest = _newest_version(directory, key)
    if snapshot.version <= newest:
        raise SnapshotTooOld(
            f"snapshot version {snapshot.version} is not above {newest}, which is in force",
            hint="compile again with next_version()",
        )
    try:
        _read(directory / CURRENT, key)
    except SteadyhandError:
        pass  # what cannot be served from is no last known good; previous stays as it is
    else:
        replace_file(directory / PREVIOUS, (directory / CURRENT).read_bytes(), mode=_MODE)
    replace_file(directory / CURRENT, sign(encode(snapshot), key), mode=_MODE)


def load(directory: Path, key: bytes, *, not_older_than_version: int = 0) -> Loaded:
    """Return the snapshot in force, or the previous one if the current is unusable.

    Args:
        directory: Where :func:`publish` wrote.
        key: The signing key.
        not_older_than_version: Least version to accept: a running gateway passes its own.

    Raises:
        SnapshotTooOld: What is there is genuine but older than asked for.
        SnapshotMissing: Neither file can be used; the message says why of both.
    """
    refusals: list[SteadyhandError] = []
    for name in (CURRENT, PREVIOUS):
        try:
            snapshot = _read(directory / name, key)
        except SteadyhandError as error:
            refusals.append(error)
            continue
        if snapshot.version < not_older_than_version:
            raise SnapshotTooOld(
                f"{name} has version {snapshot.version}, older than {not_older_than_version}",
                hint="publish again: steadyhand serve does so when it starts or gets SIGHUP",
            )
        return Loaded(snapshot, name, refusals[0] if refusals else None)
    raise SnapshotMissing(
        f"no usable snapshot in {directory}: {'; '.join(r.message for r in refusals)}",
        hint="start steadyhand serve, which compiles the workspace and publishes it",
    )


def usable(directory: Path, key: bytes) -> list[Snapshot]:
    """Return the snapshots that a gateway could be serving from after a restart."""
    found = []
    for name in (CURRENT, PREVIOUS):
        try:
            found.append(_read(directory / name, key))
        except SteadyhandError:
            continue
    return found


def _newest_version(directory: Path, key: bytes) -> int:
    return max((snapshot.version for snapshot in usable(directory, key)), default=0)


def _read(path: Path, key: bytes) -> Snapshot:
    try:
        signed = path.read_bytes()
    except OSError as error:
        raise SnapshotMissing(f"{path.name} cannot be read: {error.strerror}") from error
    try:
        return _decoder.decode(verify(signed, key))
    except SnapshotRefused as error:
        raise type(error)(
            f"{path.name} is refused: {error.message}",
            hint="publish again: steadyhand serve does so when it starts or gets SIGHUP",
        ) from error
    except msgspec.DecodeError as error:
        raise SnapshotTorn(
            f"{path.name} was written by another version of Steadyhand: {error}",
            hint="publish again: restart steadyhand serve",
        ) from error
