"""The file with the epochs: written by the control process, watched by gateways."""

import os
from pathlib import Path

import msgspec

from steadyhand.caching.epochs import Epochs, decode, encode
from steadyhand.storage.files import replace_file


def read(path: Path) -> Epochs | None:
    """Return the epochs in ``path``; none have begun if it is not there, ``None`` if unreadable."""
    try:
        return decode(path.read_bytes())
    except FileNotFoundError:
        return Epochs()
    except (OSError, msgspec.DecodeError):
        return None


def flush(path: Path, route: str, tenant: str, now_us: int) -> Epochs:
    """Begin a new epoch; in force for each gateway that has read ``path``.

    A file that cannot be read is replaced: then everything is flushed, as what it said is unknown.

    Raises:
        OSError: It cannot be written; nothing is flushed.
    """
    held = read(path)
    epochs = (Epochs().after("", "", now_us) if held is None else held).after(route, tenant, now_us)
    replace_file(path, encode(epochs), mode=0o600)
    return epochs


class EpochWatch:
    """Tells a gateway when the file has changed."""

    def __init__(self, path: Path) -> None:
        """Read nothing yet."""
        self._path = path
        self._seen: tuple[int, int] | None = (-1, -1)

    def changed(self) -> bool:
        """Tell whether the file is another one than at the last call; true at the first."""
        try:
            status = os.stat(self._path)
            stamp = (status.st_mtime_ns, status.st_ino)
        except OSError:
            stamp = None
        is_new = stamp != self._seen
        self._seen = stamp
        return is_new

    def read(self) -> Epochs | None:
        """Return what the file says now; see :func:`read`."""
        return read(self._path)
