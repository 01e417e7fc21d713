"""Replace small files so that reader or crash sees the old content or the new, never a part."""

import os
import tempfile
from pathlib import Path


def replace_file(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write ``content`` to ``path`` atomically and durably.

    The content goes to a new file beside ``path``, is synced, renamed over it, and the directory
    is synced too: after a return the new content survives a loss of power.

    Args:
        path: Where to write; its directory must exist.
        content: The whole new content.
        mode: Permissions of the new file, whatever the umask or the old file had.

    Raises:
        OSError: Disk full, no permission and the like; ``path`` is then as it was.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def create_secret(path: Path, content: bytes) -> bool:
    """Write ``content`` to a new file that only this user can read (mode 600).

    The file appears whole or not at all, and never replaces another: of two processes that race,
    one creates it and the other is told.

    Returns:
        Whether this call created the file; ``False`` if ``path`` was there already.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:  # mkstemp gives mode 600
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(name, path)
    except FileExistsError:
        return False
    finally:
        Path(name).unlink()
    sync_directory(path.parent)
    return True


def sync_directory(directory: Path) -> None:
    """Make renames within ``directory`` survive a loss of power."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
