"""What is kept on disk of the control plane that is followed."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from steadyhand.storage.files import replace_file


class Followed(msgspec.Struct, frozen=True):
    """What is kept of it over restarts.

    Attributes:
        heard_s: When it was last heard, seconds since 1970.
        version: Of its snapshot that was taken over last.
        is_aged: Whether only floors of that are in force, because nothing was heard for too long.
    """

    heard_s: float = 0.0
    version: int = 0
    is_aged: bool = False


def read(path: Path) -> Followed:
    """Return what is kept; nothing if it cannot be read, so that it counts as never heard."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Followed)
    except (OSError, msgspec.DecodeError):
        return Followed()


def write(path: Path, followed: Followed) -> None:
    """Keep ``followed``; a disk that is full makes it older than it is, never younger."""
    with contextlib.suppress(OSError):
        replace_file(path, msgspec.json.encode(followed), mode=0o600)


def age_of(path: Path, clock: Callable[[], float]) -> float:
    """Return how long ago it was last heard, in seconds."""
    return max(clock() - read(path).heard_s, 0.0)
