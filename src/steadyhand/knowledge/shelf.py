"""Compiled collections on disk: written by whoever publishes, read by every gateway.

A file is named by the digest of the answers that it was made of, and never changes. So answers that
stayed the same are not compiled again, and a gateway that loads an older snapshot finds what that
one names. Failing open: a file that is missing or damaged costs its collection, not the gateway.
"""

import time
from collections.abc import Collection, Sequence
from pathlib import Path

from steadyhand.core.errors import SteadyhandError
from steadyhand.knowledge.index import Index
from steadyhand.knowledge.model import Entry
from steadyhand.knowledge.packed import digest_of, pack, unpack
from steadyhand.storage.files import replace_file

SUFFIX = ".answers"
_MODE = 0o600  # answers for one tenant are nobody else's business


class CollectionMissing(SteadyhandError):
    """A compiled collection cannot be read."""

    code = "collection_missing"


def shelve(entries: Sequence[Entry], directory: Path) -> str:
    """Compile ``entries`` into ``directory``, unless a good file of them is there.

    Returns:
        Their digest, to load them by.

    Raises:
        OSError: The disk is full or not ours.
    """
    digest = digest_of(entries)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        take(digest, directory)
    except SteadyhandError:
        replace_file(directory / f"{digest}{SUFFIX}", pack(entries), mode=_MODE)
    return digest


def take(digest: str, directory: Path) -> Index:
    """Return the collection of that digest. Meant for a thread: it lets others run.

    Raises:
        CollectionMissing: There is no such file, or it cannot be read.
        CollectionDamaged: The file is not what was written.
    """
    path = directory / f"{digest}{SUFFIX}"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CollectionMissing(
            f"{path.name} cannot be read: {error.strerror}",
            hint="steadyhand serve writes it again at its next start or change of the workspace",
        ) from error
    return unpack(content, digest, _breathe)


def clear(directory: Path, keep: Collection[str]) -> list[str]:
    """Remove every file but those of the digests in ``keep``; return the digests removed."""
    old = [path for path in directory.glob(f"*{SUFFIX}") if path.stem not in keep]
    for path in old:
        path.unlink(missing_ok=True)
    return [path.stem for path in old]


def _breathe() -> None:
    time.sleep(0)  # gives the interpreter's lock away
